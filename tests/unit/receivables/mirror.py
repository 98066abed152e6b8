"""The service's tables beside the in-process chain: every event that a test causes is projected, and the two are compared."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from eth_account import Account
from sqlalchemy import insert, select

from frontend_api.chain.events import Block, ChainEvent
from frontend_api.chain.indexer import blocks, projections
from frontend_api.chain.projection import merged, undo_block
from frontend_api.city import MODULE_HANDLERS
from frontend_api.db import Database
from frontend_api.modules.financing.contract import FinancingDesk, Quote
from frontend_api.modules.receivables import repository
from frontend_api.modules.receivables.repository import UNDERTAKEN, claimable, holdings, receivables
from tests.city import CNY
from tests.evm import CHAIN_ID, dev_account
from tests.projecting import projecting

DAY = 86400
GRACE = 30 * DAY
HANDLERS = merged(MODULE_HANDLERS)


class Mirror:
    """A city with tables. Acts are short: `mirror.confirmed(...)`, `mirror.pay(...)`; each call is a block."""

    def __init__(self, city, folder: Path):
        self.city, self.folder = city, folder
        self.ledger, self.desk = city.contract("ReceivableLedger"), city.contract("FinancingDesk")
        self.history: list[tuple[Block, list[ChainEvent]]] = []
        self.database = Database(f"sqlite:///{folder / 'mirror.db'}")
        self.database.create()
        self._invoices = iter(range(1000, 100_000))
        self._nonces = iter(range(1, 10_000))

    @contextmanager
    def following(self):
        """While inside, every state-changing message of the chain is projected."""
        plain = self.city.chain.send

        def send(*args, **kwargs):
            raw, receipt = plain(*args, **kwargs)
            found = [e for e in receipt.events if (e.contract, e.name) in HANDLERS]
            if found:
                self._project(found)
            return raw, receipt

        self.city.chain.send = send
        try:
            yield self
        finally:
            del self.city.chain.send
            self.database.close()

    def _project(self, found):
        number = len(self.history) + 1
        block = Block(number, f"0x{number:064x}", f"0x{number - 1:064x}", self.city.chain.time)
        events = [ChainEvent(e.contract, e.name, e.args, block, "0x", i) for i, e in enumerate(found)]
        self.history.append((block, events))
        self.database.write_now(project, block, events)

    def mine(self, seconds: int) -> None:
        """Let time pass; the tables know of it by an empty block."""
        self.city.chain.mine(seconds)
        self._project([])

    # --- acts

    def draft(self, face, due_in, debtor=None, currency=CNY, supplier=None):
        number = next(self._invoices)
        debtor, supplier = debtor or self.city.debtor, supplier or self.city.supplier
        prints = number.to_bytes(32, "big"), (number + 2**128).to_bytes(32, "big")
        due = self.city.chain.time + due_in
        return self.ledger.draft(debtor, currency, face, due, *prints, sender=supplier).value

    def confirmed(self, face, due_in, debtor=None, currency=CNY, supplier=None):
        id_ = self.draft(face, due_in, debtor, currency, supplier)
        self.ledger.confirm(id_, sender=debtor or self.city.debtor)
        return id_

    def move(self, id_, giver, taker, units):
        self.ledger.safeTransferFrom(giver, taker, id_, units, b"", sender=giver)

    def pay(self, id_, amount):
        found = self.ledger.receivable(id_)
        currency = found.currency.rstrip(b"\0").decode()
        self.city.fund(found.debtor, amount, currency)
        self.city.approve_escrow(found.debtor, amount, currency)
        self.ledger.pay(id_, amount, sender=found.debtor)

    def claim(self, id_, holder):
        self.ledger.claim(id_, sender=holder)

    def write_off(self, id_, holder):
        self.ledger.writeOff(id_, b"\x0f" * 32, sender=holder)

    def dilute(self, id_, amount):
        number = next(self._invoices)
        prints = number.to_bytes(32, "big"), (number + 2**128).to_bytes(32, "big")
        self.ledger.dilute(id_, amount, *prints, sender=self.ledger.receivable(id_).supplier)

    def sell(self, id_, units, seller=None, currency="CNY", buyer=2):
        """Units to a bank, by its account number, with recourse, at par; returns the nonce."""
        seller, bank, nonce = seller or self.city.supplier, dev_account(buyer).address, next(self._nonces)
        quote = Quote(id_, units, units, seller, bank, True, False, self.city.chain.time + DAY, nonce)
        self.city.fund(bank, units, currency)
        self.city.contract(f"SettlementToken:{currency}").approve(self.desk, units, sender=bank)
        typed = FinancingDesk(None, self.desk.address).typed_data(quote, CHAIN_ID)
        signature = bytes(Account.sign_typed_data(dev_account(buyer).key, full_message=typed).signature)
        self.desk.fill(quote.fields(), units, signature, sender=seller)
        return nonce

    def put_back(self, nonce, bank=2):
        self.desk.putBack(nonce, sender=dev_account(bank).address)

    # --- comparing

    def rows(self, table, database=None):
        return (database or self.database).write_now(lambda c: [dict(r) for r in c.execute(select(table)).mappings()])

    def compare(self):
        """Every receivable and every holding, as the contract tells it."""
        chain_time = self.city.chain.time
        found = {row["id"]: row for row in self.rows(receivables)}
        for id_, row in found.items():
            real = self.ledger.receivable(id_)
            shown = (row["debtor"], row["due_at"], row["face"], row["paid"], row["supplier"], row["fingerprint"])
            facts = (real.debtor, real.dueAt, str(real.face), str(real.paid), real.supplier)
            assert shown == (*facts, "0x" + real.fingerprint.hex())
            assert repository.ReceivableState[row["state"].upper()] == real.state
            defaulted = row["state"] in UNDERTAKEN and row["due_at"] + GRACE <= chain_time
            assert defaulted == self.ledger.isDefaulted(id_)
            held = self.city.contract("Escrow").held(self.ledger, id_, self._token(row["currency"]))
            assert int(row["paid"]) - int(row["claimed"]) == held
        for entry in self.rows(holdings):
            id_, holder = entry["receivable_id"], entry["holder"]
            real = self.ledger.holding(id_, holder)
            assert (entry["units"], entry["claimed"]) == (str(real.units), str(real.claimed))
            assert claimable(found[id_], entry) == self.ledger.claimable(id_, holder), (id_, holder)
            assert (entry["written_off_at"] is not None) == self.ledger.isWrittenOff(id_, holder)

    def _token(self, currency):
        return self.city.contract(f"SettlementToken:{currency}")

    def compare_replay(self):
        """A replay from block 0, and every block undone and done again, give the same tables."""
        again = Database(f"sqlite:///{self.folder / 'again.db'}")
        again.create()
        try:
            for block, events in self.history:
                again.write_now(project, block, events)
                again.write_now(undo, block)
                again.write_now(project, block, events)
            for table in projections():
                mine, theirs = (sorted(self.rows(table, d), key=repr) for d in (again, self.database))
                assert mine == theirs, table.name
        finally:
            again.close()


def project(connection, block, events):
    connection.execute(
        insert(blocks).values(**{n: getattr(block, n) for n in ("number", "hash", "parent_hash", "time")})
    )
    with projecting(connection, block) as projection:
        for event in events:
            HANDLERS[event.contract, event.name](projection, replace(event, block=block))


def undo(connection, block):
    undo_block(connection, block.number)
    connection.execute(blocks.delete().where(blocks.c.number == block.number))
