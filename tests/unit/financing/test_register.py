"""The register's and recourse's tables without a chain; the register's also against the contract itself."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_utils import keccak

from frontend_api.chain.events import Block, ChainEvent
from frontend_api.chain.projection import undo_block
from frontend_api.modules.financing import recourse_repository, register_repository
from frontend_api.modules.financing.recourse import is_defaulted, next_action
from frontend_api.modules.financing.recourse_repository import left_to_put_back
from frontend_api.modules.financing.register_repository import AMBIGUOUS, entry_state, text_of
from frontend_api.modules.financing.register_schemas import parse_filing
from frontend_api.modules.financing.reminding import open_recourses
from frontend_api.modules.receivables.credit_notes import registered
from tests.evm import CHAIN_ID, dev_account
from tests.projecting import projecting
from tests.unit.financing.conftest import BANK, DUE, OTHER_BANK, SUPPLIER, moved, offer, sold

# --- filings


def test_parse_filing__32_characters__as_they_are_on_chain():
    assert parse_filing("A" * 32) == b"A" * 32
    assert parse_filing("0358") == b"0358" + bytes(28)
    assert text_of(parse_filing("0358")) == "0358"


@pytest.mark.parametrize("text", ["", "A" * 33, "a b", "登", "é", "\x7f", "a\x00", 5, None, b"A"])
def test_parse_filing__anything_else__refused(text):
    with pytest.raises(ValueError, match="1 to 32 ASCII characters"):
        parse_filing(text)


def test_text_of__what_another_program_recorded__hexadecimal_unless_printable():
    assert text_of(b"\xff" * 32) == "0x" + "ff" * 32
    assert text_of(b"a\x00b".ljust(32, b"\0")) == "0x610062" + "00" * 29


# --- the register against the contract

FIRST, COPY, THIRD = (bytes([n]) * 32 for n in (0x11, 0x12, 0x13))
NUMBER, OTHER_NUMBER = b"\x21" * 32, b"\x22" * 32
CONSENT = {
    "Consent": [
        {"name": "fingerprint", "type": "bytes32"},
        {"name": "numberFingerprint", "type": "bytes32"},
        {"name": "seller", "type": "address"},
        {"name": "bank", "type": "address"},
        {"name": "reservedUntil", "type": "uint64"},
        {"name": "nonce", "type": "uint256"},
    ]
}


@pytest.fixture
def life(city, database):
    """Acts on the contract whose events are projected; `agree` compares what both say of everything."""
    register = city.contract("FinancingRegister")

    class Life:
        nonce = 0
        blocks = 0

        def reserve(self, fingerprint, number, bank, seconds=600):
            self.nonce += 1
            values = (fingerprint, number, city.supplier, bank, city.chain.time + seconds, self.nonce)
            domain = {"name": "chaincity FinancingRegister", "version": "1", "chainId": CHAIN_ID}
            domain["verifyingContract"] = register.address
            names = [entry["name"] for entry in CONSENT["Consent"]]
            message = dict(zip(names, values, strict=True))
            signed = Account.sign_typed_data(dev_account(5).key, domain, CONSENT, message)
            self.see(register.reserve(values, bytes(signed.signature), sender=bank))

        def see(self, receipt):
            self.blocks += 1
            block = Block(self.blocks, f"0x{self.blocks:064x}", "0x", city.chain.time)

            def work(connection):
                with projecting(connection, block) as projection:
                    for index, entry in enumerate(receipt.events):
                        event = ChainEvent(entry.contract, entry.name, entry.args, block, "0x", index)
                        register_repository.handlers.by_event[entry.contract, entry.name](projection, event)

            database.write_now(work)

        def agree(self):
            for fingerprint in (FIRST, COPY, THIRD):
                on_chain = register.entryOf(fingerprint)
                row = database.write_now(register_repository.find_entry, "0x" + fingerprint.hex())
                state = "free" if row is None else entry_state(row, city.chain.time)
                assert state == ("free", "reserved", "financed", "entered")[on_chain.state]
                if state != "free":
                    assert (row["holder"], row["case_id"] or 0) == (on_chain.holder, on_chain.caseId)
                    assert (row["reserved_until"] or 0) == on_chain.reservedUntil
                    assert row["number_fingerprint"] == "0x" + on_chain.numberFingerprint.hex()
            for number in (NUMBER, OTHER_NUMBER):
                taken = database.write_now(register_repository.taken_by, "0x" + number.hex(), city.chain.time)
                assert bytes.fromhex((taken or "0x" + "00" * 32)[2:]) == register.takenBy(number)

    made = Life()
    made.register = register
    return made


def test_register__reservations_that_run_out_and_numbers_that_change__as_the_contract_says(city, life):
    life.reserve(FIRST, NUMBER, city.bank)
    life.agree()
    city.chain.mine(600)
    life.agree()  # the last second
    city.chain.mine(1)
    life.agree()
    life.reserve(COPY, NUMBER, city.bank2)  # the number was free again
    life.agree()
    life.reserve(FIRST, OTHER_NUMBER, city.bank)
    life.agree()
    life.see(life.register.release(COPY, sender=city.bank2))
    life.agree()
    life.see(life.register.finance(FIRST, b"0358".ljust(32, b"\0"), sender=city.bank))
    city.chain.mine(10**6)
    life.agree()
    life.see(life.register.annul(FIRST, b"\x0b" * 32, sender=city.founder))
    life.agree()


def test_register__cleared__the_number_is_ambiguous_for_good(city, life, database):
    life.reserve(FIRST, NUMBER, city.bank)
    life.see(life.register.clear(COPY, NUMBER, b"\x0b" * 32, sender=city.founder))
    life.agree()
    life.reserve(COPY, NUMBER, city.bank2)
    life.agree()
    for fingerprint, bank in ((FIRST, city.bank), (COPY, city.bank2)):
        life.see(life.register.release(fingerprint, sender=bank))
        life.agree()
    assert database.write_now(register_repository.taken_by, "0x" + NUMBER.hex(), city.chain.time) == AMBIGUOUS
    clearance = database.write_now(register_repository.find_clearance, "0x" + COPY.hex())
    assert (clearance["number_fingerprint"], clearance["basis"]) == ("0x" + NUMBER.hex(), "0x" + "0b" * 32)


def test_register__blocks_undone__as_before(city, life, database):
    life.reserve(FIRST, NUMBER, city.bank)
    before = dict(database.write_now(register_repository.find_entry, "0x" + FIRST.hex()))
    life.see(life.register.finance(FIRST, b"1".ljust(32, b"\0"), sender=city.bank))
    assert len(database.write_now(register_repository.filings_of, "0x" + FIRST.hex())) == 1
    database.write_now(undo_block, 2)
    assert dict(database.write_now(register_repository.find_entry, "0x" + FIRST.hex())) == before
    assert database.write_now(register_repository.filings_of, "0x" + FIRST.hex()) == []
    database.write_now(undo_block, 1)
    assert database.write_now(register_repository.taken_by, "0x" + NUMBER.hex(), city.chain.time) is None


def test_register__entries_of_an_application_annulled_left_and_taken_again__as_the_contract_says(city, life, database):
    application, role = dev_account(17).address, city.city.roles["FINANCING_APPLICATION"]
    city.contract("Authority").grantRole(role, application, 0, sender=city.founder)

    def enter(fingerprint, case):
        life.see(life.register.enter(fingerprint, NUMBER, case, city.supplier, sender=application))
        life.agree()

    def leave(case):
        receipt = life.register.leave(FIRST, case, city.supplier, sender=application)
        life.see(receipt)
        life.agree()
        return len(receipt.events)

    def annul(fingerprint):
        life.see(life.register.annul(fingerprint, b"\x0b" * 32, sender=city.founder))
        life.agree()

    def entry():
        return database.write_now(register_repository.find_entry, "0x" + FIRST.hex())

    enter(FIRST, 1)
    annul(FIRST)
    assert (entry()["state"], entry()["annulment"], entry()["freed_at"]) == ("free", "0x" + "0b" * 32, city.chain.time)
    assert leave(1) == 0  # the case ends later
    enter(FIRST, 2)
    assert (entry()["annulment"], entry()["freed_at"]) == (None, None)
    assert leave(1) == 0
    annul(FIRST)
    life.reserve(FIRST, NUMBER, city.bank)
    assert leave(2) == 0
    life.see(life.register.release(FIRST, sender=city.bank))
    enter(COPY, 3)  # the number was free
    annul(COPY)
    enter(FIRST, 4)
    assert leave(4) == 1
    for number in range(life.blocks, 0, -1):
        database.write_now(undo_block, number)
    assert entry() is None


def test_registered__credit_notes__as_types_credit_note_sol_says(city):
    """Compared with what the ledger enters; keccak256(abi.encode("credit note", fingerprint))."""
    words = bytes(31) + b"\x40" + FIRST + bytes(31) + b"\x0b" + b"credit note".ljust(32, b"\0")
    assert registered(FIRST) == keccak(words)
    assert registered(bytes(32)) == bytes(32)
    ledger, due = city.contract("ReceivableLedger"), city.chain.time + 600
    id_ = ledger.draft(city.debtor, b"CNY", 5, due, THIRD, OTHER_NUMBER, sender=city.supplier).value
    ledger.confirm(id_, sender=city.debtor)
    entered = ledger.dilute(id_, 1, FIRST, NUMBER, sender=city.supplier).only("FingerprintEntered")
    assert (entered["fingerprint"], entered["numberFingerprint"]) == (registered(FIRST), registered(NUMBER))


# --- recourse


def put_back(owed, nonce=1, units=30):
    args = {"receivableId": 7, "actor": BANK, "seller": SUPPLIER, "nonce": nonce, "units": units, "owed": owed}
    return "FinancingDesk", "UnitsPutBack", args


def repaid(amount, total, nonce=1, actor=SUPPLIER):
    args = {"receivableId": 7, "actor": actor, "bank": BANK, "nonce": nonce, "amount": amount, "repaid": total}
    return "FinancingDesk", "RecourseRepaid", args


def find(database):
    return database.write_now(recourse_repository.find_recourse, BANK, 1)


def test_recourse__whole_life__and_back_with_the_blocks(database, apply, confirmed):
    confirmed(7)
    quote = offer(recourse=True, divisible=True)
    apply(20, sold(quote, "0x" + "11" * 32, 10, 9, complete=False))
    apply(21, sold(quote, "0x" + "11" * 32, 20, 20, complete=True))
    assert (find(database)["state"], find(database)["units"], find(database)["held_at"]) == ("held", "30", 1020)
    apply(22, put_back(28))
    assert (find(database)["state"], find(database)["owed"], find(database)["put_back_at"]) == ("owed", "28", 1022)
    assert find(database)["units_put_back"] == "30"
    apply(23, repaid(27, 27))
    assert (find(database)["state"], find(database)["repaid"], find(database)["repaid_at"]) == ("owed", "27", None)
    apply(24, repaid(1, 28, actor=dev_account(4).address))  # a receiver pays for the seller
    assert (find(database)["state"], find(database)["repaid_at"], find(database)["seller"]) == (
        "repaid",
        1024,
        SUPPLIER,
    )
    for block, state in ((24, "owed"), (23, "owed"), (22, "held")):
        database.write_now(undo_block, block)
        assert find(database)["state"] == state
    database.write_now(undo_block, 21)
    assert find(database)["units"] == "10"


def test_recourse__some_units_sold_on__what_is_left_and_what_was_put_back(database, apply, confirmed):
    confirmed(7)
    apply(20, moved(7, SUPPLIER, BANK, 30), sold(offer(recourse=True), "0x" + "11" * 32, 30, 29, complete=True))
    assert left_to_put_back(find(database)) == 30
    apply(21, moved(7, BANK, OTHER_BANK, 12))
    assert (find(database)["units_put_back"], left_to_put_back(find(database))) == (None, 18)
    [held] = database.write_now(lambda c: list(open_recourses(c, BANK)))
    assert (held.state, held.amount) == ("held", 18)
    apply(22, moved(7, SUPPLIER, BANK, 40))  # more than was bought with the nonce
    assert left_to_put_back(find(database)) == 30
    apply(23, moved(7, BANK, OTHER_BANK, 40), put_back(17, units=18))
    found = find(database)
    assert (found["units"], found["units_put_back"], found["owed"], found["state"]) == ("30", "18", "17", "owed")
    [owed] = database.write_now(lambda c: list(open_recourses(c, SUPPLIER)))
    assert (owed.state, owed.amount) == ("owed", 17)
    database.write_now(undo_block, 23)
    assert (find(database)["units_put_back"], find(database)["state"]) == (None, "held")


def test_recourse__all_units_sold_on__nothing_to_remind_of(database, apply, confirmed):
    confirmed(7)
    apply(20, moved(7, SUPPLIER, BANK, 30), sold(offer(recourse=True), "0x" + "11" * 32, 30, 29, complete=True))
    apply(21, moved(7, BANK, OTHER_BANK, 30))
    assert left_to_put_back(find(database)) == 0
    assert database.write_now(lambda c: list(open_recourses(c, BANK))) == []


def test_recourse__sold_without__none(database, apply, confirmed):
    confirmed(7)
    apply(20, sold(offer(), "0x" + "11" * 32, 30, 29, complete=True))
    assert find(database) is None


@pytest.mark.parametrize("event", [put_back(28), repaid(1, 1)])
def test_recourse__of_a_fill_that_was_not_seen__stops_the_indexer(apply, confirmed, event):
    confirmed(7)
    with pytest.raises(LookupError, match="whose fill was not seen"):
        apply(20, event)


@pytest.mark.parametrize(
    ("state", "receivable", "now", "bank", "seller"),
    [
        ("held", "confirmed", DUE + 99, None, None),
        ("held", "confirmed", DUE + 100, "put_back", None),
        ("held", "partly_paid", DUE + 100, "put_back", None),
        ("held", "settled", DUE + 100, None, None),
        ("owed", "confirmed", DUE + 100, None, "pay"),
        ("owed", "settled", DUE + 100, None, "pay"),
        ("repaid", "confirmed", DUE + 100, None, None),
    ],
)
def test_next_action__by_side_state_and_chain_time(state, receivable, now, bank, seller):
    row = {"state": state, "receivable_state": receivable, "due_at": DUE, "bank": BANK, "seller": SUPPLIER}
    row |= {"units": "30", "bank_units": "1"}
    assert (next_action(row, BANK, 100, now), next_action(row, SUPPLIER, 100, now)) == (bank, seller)
    assert is_defaulted(row, 100, now) is (now >= DUE + 100 and receivable != "settled")


@pytest.mark.parametrize("units", ["0", None])
def test_next_action__everything_sold_on__nothing_to_put_back(units):
    row = {"state": "held", "receivable_state": "confirmed", "due_at": DUE, "bank": BANK, "seller": SUPPLIER}
    assert next_action(row | {"units": "30", "bank_units": units}, BANK, 100, DUE + 100) is None
