"""Tables without a chain: events are projected as the indexer would."""

from __future__ import annotations

import pytest
from eth_utils import keccak

from frontend_api.chain.events import Block, ChainEvent
from frontend_api.chain.projection import merged
from frontend_api.city import MODULE_HANDLERS
from frontend_api.db import Database
from frontend_api.modules.financing import repository
from frontend_api.modules.financing.contract import Quote
from frontend_api.modules.financing.repository import Given
from tests.evm import dev_account
from tests.projecting import projecting

BANK, OTHER_BANK, SUPPLIER, DEBTOR, OTHER = (dev_account(index).address for index in (2, 3, 5, 6, 7))
NOBODY = "0x" + "00" * 20
DUE = 5000
LATER = 10**9


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'service.db'}")
    made.create()
    yield made
    made.close()


@pytest.fixture
def apply(database):
    """Project events of one block: (contract, event, args). Block n is at time 1000 + n."""
    handlers = merged(MODULE_HANDLERS)

    def done(number, *happened):
        block = Block(number, f"0x{number:064x}", "0x", 1000 + number)

        def work(connection):
            with projecting(connection, block) as projection:
                for index, (contract, name, args) in enumerate(happened):
                    handlers[contract, name](projection, ChainEvent(contract, name, args, block, "0x", index))

        database.write_now(work)

    return done


@pytest.fixture
def confirmed(apply):
    """A receivable of the supplier against a debtor, whose undertaking was seen in the block of the same number."""

    def done(number, face=100, *, debtor=DEBTOR, currency=b"CNY", holder=SUPPLIER, due=DUE):
        args = {"id": number, "actor": SUPPLIER, "debtor": debtor, "currency": currency, "face": face, "dueAt": due}
        prints = {"fingerprint": number.to_bytes(32, "big"), "numberFingerprint": (number + 2**20).to_bytes(32, "big")}
        apply(
            number,
            ("ReceivableLedger", "ReceivableDrafted", args | prints),
            ("ReceivableLedger", "ReceivableConfirmed", {"id": number, "actor": debtor}),
            moved(number, NOBODY, holder, face),
        )
        return number

    return done


@pytest.fixture
def give(database):
    """Store a quote as the service would; returns its id."""

    def done(quote, at=1, most_open=100, request_id=None):
        digest = "0x" + keccak(text=str(quote)).hex()
        database.write_now(repository.keep_quote, Given(digest, quote, "0x22", at, request_id), most_open)
        return digest

    return done


def offer(receivable_id=7, units=30, proceeds=29, *, bank=BANK, seller=SUPPLIER, nonce=1, **other):
    terms = {"recourse": False, "divisible": False, "valid_until": LATER} | other
    return Quote(receivable_id, units, proceeds, seller, bank, nonce=nonce, **terms)


def moved(number, giver, taker, units):
    args = {"operator": giver, "from": giver, "to": taker, "id": number, "value": units}
    return "ReceivableLedger", "TransferSingle", args


def sold(quote, digest, units, proceeds, *, complete):
    """A fill of so many units, as the chain says it."""
    args = {"receivableId": quote.receivable_id, "actor": quote.seller, "bank": quote.bank, "nonce": quote.nonce}
    args |= {"digest": bytes.fromhex(digest[2:]), "units": units, "proceeds": proceeds, "recourse": quote.recourse}
    return "FinancingDesk", "QuoteFilled", args | {"complete": complete}
