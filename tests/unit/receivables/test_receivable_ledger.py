"""ReceivableLedger: from draft to undertaking, units changing hands, payment and claims."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import Event, dev_account, reverts
from tests.unit.receivables.conftest import number_of

NONE, DRAFT, REJECTED, WITHDRAWN, CONFIRMED, PARTLY_PAID, SETTLED, DISPUTED = range(8)
ZERO = "0x" + "00" * 20
MAX = 2**128 - 1
FACE = 48_600_000
INVOICE = b"\x5a" * 32
NUMBER = number_of(INVOICE)
BASIS = b"\xd1" * 32
TENOR = 90 * 86400
MAX_TERM = 50 * 365 * 86400
FREE, ENTERED = 0, 3  # in the financing register


def left(ledger, id_, actor):
    """The register's event when a draft ends without an undertaking."""
    args = {"fingerprint": INVOICE, "actor": actor, "application": ledger.address, "caseId": id_}
    return Event("FinancingRegister", "FingerprintLeft", args)


def put_into(state, city, ledger, draft, pay):
    """A receivable in a state of its lifecycle; `None` is an id that does not exist."""
    if state == NONE:
        return 999
    id_ = draft()
    if state == REJECTED:
        ledger.reject(id_, sender=city.debtor)
    elif state == WITHDRAWN:
        ledger.withdraw(id_, sender=city.supplier)
    elif state == DISPUTED:
        ledger.dispute(id_, BASIS, sender=city.debtor)
    elif state >= CONFIRMED:
        ledger.confirm(id_, sender=city.debtor)
        if state == PARTLY_PAID:
            pay(id_, 1)
        elif state == SETTLED:
            pay(id_, FACE)
    assert ledger.receivable(id_).state == state
    return id_


# --- draft


def test_draft__from_an_invoice__recorded_in_full_and_taken_in_the_register(city, ledger, register):
    due = city.chain.time + TENOR

    receipt = ledger.draft(city.debtor, CNY, FACE, due, INVOICE, NUMBER, sender=city.supplier)

    assert receipt.value == 1
    assert receipt.events == [
        Event(
            "ReceivableLedger",
            "ReceivableDrafted",
            {
                "id": 1,
                "actor": city.supplier,
                "debtor": city.debtor,
                "currency": CNY,
                "face": FACE,
                "dueAt": due,
                "fingerprint": INVOICE,
                "numberFingerprint": NUMBER,
            },
        ),
        Event(
            "FinancingRegister",
            "FingerprintEntered",
            {
                "fingerprint": INVOICE,
                "actor": city.supplier,
                "application": ledger.address,
                "caseId": 1,
                "numberFingerprint": NUMBER,
            },
        ),
    ]
    assert tuple(ledger.receivable(1)) == (city.debtor, due, DRAFT, CNY, FACE, 0, city.supplier, INVOICE)
    assert tuple(register.entryOf(INVOICE)) == (ENTERED, ledger.address, 0, 1, NUMBER)
    assert register.takenBy(NUMBER) == INVOICE
    assert ledger.balanceOf(city.supplier, 1) == 0


def test_draft__several__ids_are_sequential(draft):
    assert [draft(invoice=bytes([n]) * 32) for n in (1, 2, 3)] == [1, 2, 3]


def test_draft__greatest_face__stored_to_the_unit(draft, ledger):
    assert ledger.receivable(draft(face=MAX)).face == MAX


def test_draft__zero_face__refused(draft):
    with reverts("ReceivableLedger_ZeroFace"):
        draft(face=0)


@pytest.mark.parametrize("late", [0, -1, -90 * 86400])
def test_draft__due_now_or_earlier__refused(city, draft, late):
    with reverts("ReceivableLedger_DueInPast", dueAt=city.chain.time + late, chainTime=city.chain.time):
        draft(due_in=late)


def test_draft__greatest_term__one_second_more_is_refused(city, ledger, draft):
    latest = city.chain.time + MAX_TERM
    assert ledger.receivable(draft(due_in=MAX_TERM)).dueAt == latest
    for due_in in (MAX_TERM + 1, 2**64 - 1 - city.chain.time):
        with reverts("ReceivableLedger_DueTooLate", dueAt=city.chain.time + due_in, latest=latest):
            draft(invoice=b"\1" * 32, due_in=due_in)


def test_draft__no_fingerprint_or_number__refused(draft, register):
    for empty in ({"invoice": bytes(32)}, {"number": bytes(32)}, {"invoice": register.AMBIGUOUS()}):
        with reverts("FinancingRegister_EmptyFingerprint"):
            draft(**empty)


def test_draft__against_oneself__refused(city, draft):
    with reverts("ReceivableLedger_OwnDebtor", supplier=city.supplier):
        draft(debtor=city.supplier)


@pytest.mark.parametrize("currency", [b"USD", b"JPY", b"\0\0\0"])
def test_draft__currency_without_a_token__refused(draft, currency):
    with reverts("Currencies_NotListed", currency=currency):
        draft(currency=currency)


@pytest.mark.parametrize("state", [DRAFT, DISPUTED, CONFIRMED, PARTLY_PAID, SETTLED])
def test_draft__same_invoice_again__refused(city, ledger, draft, pay, state):
    id_ = put_into(state, city, ledger, draft, pay)
    taken = {"fingerprint": INVOICE, "state": ENTERED, "holder": ledger, "caseId": id_}
    for number in (None, b"\x44" * 32):
        with reverts("FinancingRegister_Taken", **taken):
            draft(number=number)


@pytest.mark.parametrize("state", [DRAFT, DISPUTED, CONFIRMED, PARTLY_PAID, SETTLED])
def test_draft__altered_copy__refused(city, ledger, draft, pay, state):
    put_into(state, city, ledger, draft, pay)
    altered = b"\x5b" * 32
    with reverts("FinancingRegister_NumberTaken", fingerprint=altered, numberFingerprint=NUMBER, by=INVOICE):
        draft(invoice=altered, number=NUMBER)
    assert ledger.receivable(2).state == NONE


@pytest.mark.parametrize("state", [REJECTED, WITHDRAWN])
def test_draft__same_invoice_after_it_was_dropped__drafted_anew(city, ledger, register, draft, pay, state):
    put_into(state, city, ledger, draft, pay)
    assert tuple(register.entryOf(INVOICE)) == (FREE, ZERO, 0, 0, bytes(32))
    assert draft() == 2
    assert tuple(register.entryOf(INVOICE)) == (ENTERED, ledger.address, 0, 2, NUMBER)


@pytest.mark.parametrize("state", [REJECTED, WITHDRAWN])
def test_draft__altered_copy_after_the_first_was_dropped__a_correction(city, ledger, draft, pay, state):
    put_into(state, city, ledger, draft, pay)
    assert draft(invoice=b"\x5b" * 32, number=NUMBER) == 2
    with reverts("FinancingRegister_NumberTaken", fingerprint=INVOICE, numberFingerprint=NUMBER, by=b"\x5b" * 32):
        draft()


def test_draft__invoice_taken_by_another_supplier__refused_until_the_court_strikes_it(city, ledger, draft, admit):
    copycat = admit(dev_account(18).address, 5)
    ledger.draft(city.debtor, CNY, 1, city.chain.time + 1, INVOICE, NUMBER, sender=copycat)
    with reverts("FinancingRegister_Taken", fingerprint=INVOICE, state=ENTERED, holder=ledger, caseId=1):
        draft()
    ledger.strike(1, b"\x0d" * 32, sender=city.court)
    assert draft() == 2


def test_draft__without_the_role__refused(city, ledger):
    with reverts("AccessManagedUnauthorized", caller=city.bank):
        ledger.draft(city.debtor, CNY, FACE, city.chain.time + TENOR, INVOICE, NUMBER, sender=city.bank)


def test_draft__suspended_supplier__refused(city, draft, suspend):
    suspend(city.supplier)
    with reverts("Members_Suspended", account=city.supplier):
        draft()


def test_draft__suspended_debtor__refused(city, draft, suspend):
    suspend(city.debtor)
    with reverts("Members_Suspended", account=city.debtor):
        draft()


def test_draft__debtor_who_is_no_member__refused(draft):
    stranger = dev_account(18).address
    with reverts("Members_NotEnrolled", account=stranger):
        draft(debtor=stranger)


# --- the debtor's answer


def test_confirm__by_the_debtor__all_units_to_the_supplier(city, ledger, draft):
    id_ = draft()

    receipt = ledger.confirm(id_, sender=city.debtor)

    minted = {"operator": city.debtor, "from": ZERO, "to": city.supplier, "id": id_, "value": FACE}
    assert receipt.events == [
        Event("ReceivableLedger", "ReceivableConfirmed", {"id": id_, "actor": city.debtor}),
        Event("ReceivableLedger", "TransferSingle", minted),
    ]
    assert ledger.receivable(id_).state == CONFIRMED
    assert ledger.balanceOf(city.supplier, id_) == FACE
    assert ledger.isOpen(id_)


def test_confirm__after_the_due_date__debt_acknowledged_but_closed(city, ledger, draft, split, pay):
    id_ = draft()
    city.chain.mine(TENOR)
    ledger.confirm(id_, sender=city.debtor)

    assert not ledger.isOpen(id_)
    with reverts("ReceivableLedger_Due", id=id_, dueAt=city.chain.time):
        split(id_, city.bank, 1)
    pay(id_, FACE)
    assert ledger.claimable(id_, city.supplier) == FACE


def test_confirm__supplier_is_a_contract_that_refuses__not_hindered(city, ledger, admit):
    refuser = city.chain.deploy("UnitReceiverMock")
    refuser.set(1, ZERO, sender=city.bank)
    admit(refuser.address, 5)
    draft = ledger.draft.encode(city.debtor, CNY, FACE, city.chain.time + TENOR, INVOICE, NUMBER)
    refuser.run(ledger, draft, sender=city.bank)
    ledger.confirm(1, sender=city.debtor)
    assert ledger.balanceOf(refuser, 1) == FACE


@pytest.mark.parametrize("who", ["supplier", "hospital"])
def test_confirm__not_the_debtor__refused(city, ledger, draft, who):
    id_ = draft()
    actor = getattr(city, who)
    refused = (
        reverts("ReceivableLedger_NotDebtor", id=id_, actor=actor)
        if who == "supplier"
        else reverts("AccessManagedUnauthorized", caller=actor)
    )
    with refused:
        ledger.confirm(id_, sender=actor)


@pytest.mark.parametrize("who", ["supplier", "debtor"])
def test_confirm__suspended_party__refused(city, ledger, draft, suspend, who):
    id_ = draft()
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        ledger.confirm(id_, sender=city.debtor)


@pytest.mark.parametrize("function", ["confirm", "reject", "withdraw", "dispute", "strike"])
@pytest.mark.parametrize("state", [NONE, REJECTED, WITHDRAWN, CONFIRMED, PARTLY_PAID, SETTLED])
def test_answer__not_a_draft__refused(city, ledger, draft, pay, function, state):
    id_ = put_into(state, city, ledger, draft, pay)
    actor = {"withdraw": city.supplier, "strike": city.court}.get(function, city.debtor)
    args = (id_, BASIS) if function in ("dispute", "strike") else (id_,)
    with reverts("ReceivableLedger_WrongState", id=id_, state=state):
        getattr(ledger, function)(*args, sender=actor)


def test_reject__by_the_debtor__dropped(city, ledger, draft, suspend):
    id_ = draft()
    suspend(city.debtor)  # saying no is not new business

    receipt = ledger.reject(id_, sender=city.debtor)

    assert receipt.events == [
        Event("ReceivableLedger", "ReceivableRejected", {"id": id_, "actor": city.debtor}),
        left(ledger, id_, city.debtor),
    ]
    assert ledger.receivable(id_).state == REJECTED
    assert ledger.balanceOf(city.supplier, id_) == 0


def test_reject__by_the_supplier__refused(city, ledger, draft):
    id_ = draft()
    with reverts("ReceivableLedger_NotDebtor", id=id_, actor=city.supplier):
        ledger.reject(id_, sender=city.supplier)


def test_withdraw__by_the_supplier__dropped(city, ledger, draft, suspend):
    id_ = draft()
    suspend(city.supplier)

    receipt = ledger.withdraw(id_, sender=city.supplier)

    assert receipt.events == [
        Event("ReceivableLedger", "ReceivableWithdrawn", {"id": id_, "actor": city.supplier}),
        left(ledger, id_, city.supplier),
    ]
    assert ledger.receivable(id_).state == WITHDRAWN


def test_dispute__by_the_debtor__kept_until_somebody_ends_it(city, ledger, register, draft, suspend):
    id_ = draft()
    suspend(city.debtor)

    receipt = ledger.dispute(id_, BASIS, sender=city.debtor)

    disputed = {"id": id_, "actor": city.debtor, "basis": BASIS}
    assert receipt.events == [Event("ReceivableLedger", "ReceivableDisputed", disputed)]
    assert ledger.receivable(id_).state == DISPUTED
    assert register.entryOf(INVOICE).state == ENTERED
    with reverts("ReceivableLedger_WrongState", id=id_, state=DISPUTED):
        ledger.dispute(id_, BASIS, sender=city.debtor)


@pytest.mark.parametrize(
    ("function", "who", "state"),
    [
        ("confirm", "debtor", CONFIRMED),
        ("reject", "debtor", REJECTED),
        ("withdraw", "supplier", WITHDRAWN),
        ("strike", "court", WITHDRAWN),
    ],
)
def test_dispute__then_any_end_of_a_draft__as_without_it(city, ledger, draft, function, who, state):
    id_ = draft()
    ledger.dispute(id_, BASIS, sender=city.debtor)
    args = (id_, BASIS) if function == "strike" else (id_,)
    getattr(ledger, function)(*args, sender=getattr(city, who))
    assert ledger.receivable(id_).state == state
    assert ledger.balanceOf(city.supplier, id_) == (FACE if state == CONFIRMED else 0)


@pytest.mark.parametrize("who", ["supplier", "bank", "court"])
def test_dispute__not_the_debtor__refused(city, ledger, draft, who):
    id_ = draft()
    with reverts("ReceivableLedger_NotDebtor", id=id_, actor=getattr(city, who)):
        ledger.dispute(id_, BASIS, sender=getattr(city, who))


def test_strike__by_the_court__withdrawn_and_the_invoice_free(city, ledger, register, draft):
    id_ = draft()

    receipt = ledger.strike(id_, BASIS, sender=city.court)

    struck = {"id": id_, "actor": city.court, "basis": BASIS}
    assert receipt.events == [Event("ReceivableLedger", "ReceivableStruck", struck), left(ledger, id_, city.court)]
    assert ledger.receivable(id_).state == WITHDRAWN
    assert register.takenBy(NUMBER) == bytes(32)


@pytest.mark.parametrize("who", ["supplier", "debtor", "bank", "founder"])
def test_strike__by_anyone_else__refused(city, ledger, draft, who):
    id_ = draft()
    with reverts("AccessManagedUnauthorized", caller=getattr(city, who)):
        ledger.strike(id_, BASIS, sender=getattr(city, who))


def test_strike__suspended_court__refused(city, ledger, draft, suspend):
    id_ = draft()
    suspend(city.court)
    with reverts("Members_Suspended", account=city.court):
        ledger.strike(id_, BASIS, sender=city.court)


def test_withdraw__by_the_debtor__refused(city, ledger, draft):
    id_ = draft()
    with reverts("ReceivableLedger_NotSupplier", id=id_, actor=city.debtor):
        ledger.withdraw(id_, sender=city.debtor)


@pytest.mark.parametrize(
    "function",
    ["draft", "confirm", "dispute", "reject", "withdraw", "strike", "pay", "claim", "dilute", "writeOff"],
)
def test_any_function__called_through_the_manager__refused(city, ledger, draft, pay, function):
    """`AccessManager.execute` would make the manager the recorded actor."""
    id_ = draft()
    authority = city.contract("Authority")
    for role in ("ROLE_GRANTER", "COMPANY", "COURT"):
        authority.grantRole(city.city.roles[role], city.founder, 0, sender=city.founder)
    args = {
        "draft": (city.debtor, CNY, 1, city.chain.time + 1, b"\1" * 32, b"\2" * 32),
        "dispute": (id_, BASIS),
        "strike": (id_, BASIS),
        "pay": (id_, 1),
        "dilute": (id_, 1, b"\1" * 32, b"\2" * 32),
        "writeOff": (id_, BASIS),
    }.get(function, (id_,))
    if function in ("pay", "dilute", "writeOff"):
        ledger.confirm(id_, sender=city.debtor)
    if function == "writeOff":
        city.chain.mine(TENOR + ledger.gracePeriod())
    with reverts("Application_ManagerCannotAct", manager=authority):
        authority.execute(ledger, getattr(ledger, function).encode(*args), sender=city.founder)


# --- units


def test_split__part_to_another_party__exact_balances(city, ledger, confirmed, split):
    id_ = confirmed()

    receipt = split(id_, city.bank, 10_000_001)

    moved = {"operator": city.supplier, "from": city.supplier, "to": city.bank, "id": id_, "value": 10_000_001}
    assert receipt.events == [Event("ReceivableLedger", "TransferSingle", moved)]
    assert ledger.balanceOf(city.supplier, id_) == FACE - 10_000_001
    assert ledger.balanceOf(city.bank, id_) == 10_000_001


def test_split__to_oneself__nothing_changes(city, ledger, confirmed, split):
    id_ = confirmed()
    split(id_, city.supplier, FACE)
    assert ledger.balanceOf(city.supplier, id_) == FACE


def test_split__whole_of_the_greatest_face__moved(city, ledger, confirmed, split):
    id_ = confirmed(face=MAX)
    split(id_, city.bank, MAX)
    assert (ledger.balanceOf(city.supplier, id_), ledger.balanceOf(city.bank, id_)) == (0, MAX)


def test_split__zero_units__refused(city, confirmed, split):
    id_ = confirmed()
    with reverts("ReceivableLedger_ZeroUnits", id=id_):
        split(id_, city.bank, 0)


@pytest.mark.parametrize("units", [FACE + 1, MAX, 2**128, 2**256 - 1])
def test_split__more_than_held__refused(city, confirmed, split, units):
    id_ = confirmed()
    with reverts("ReceivableLedger_InsufficientUnits", id=id_, holder=city.supplier, held=FACE, requested=units):
        split(id_, city.bank, units)


@pytest.mark.parametrize("state", [NONE, DRAFT, DISPUTED, REJECTED, WITHDRAWN, PARTLY_PAID, SETTLED])
def test_split__not_open__refused(city, ledger, draft, pay, split, state):
    id_ = put_into(state, city, ledger, draft, pay)
    with reverts("ReceivableLedger_WrongState", id=id_, state=state):
        split(id_, city.bank, 1)


def test_split__one_second_before_due__passes_and_at_due_is_refused(city, ledger, confirmed, split):
    id_ = confirmed()
    due = ledger.receivable(id_).dueAt
    city.chain.mine(TENOR - 1)
    split(id_, city.bank, 1)
    city.chain.mine(1)
    assert not ledger.isOpen(id_)
    with reverts("ReceivableLedger_Due", id=id_, dueAt=due):
        split(id_, city.bank, 1)


def test_split__somebody_elses_units__refused(city, ledger, confirmed):
    id_ = confirmed()
    for function, args in (
        ("safeTransferFrom", (city.supplier, city.bank, id_, 1, b"")),
        ("safeBatchTransferFrom", (city.supplier, city.bank, [id_], [1], b"")),
    ):
        with reverts("ReceivableLedger_ApprovalsRefused", operator=city.bank):
            getattr(ledger, function)(*args, sender=city.bank)


@pytest.mark.parametrize("who", ["supplier", "bank"])
def test_split__suspended_party__refused(city, confirmed, split, suspend, who):
    id_ = confirmed()
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        split(id_, city.bank, 1)


@pytest.mark.parametrize("to", [ZERO, dev_account(18).address])
def test_split__to_nobody_of_the_city__refused(confirmed, split, to):
    with reverts("Members_NotEnrolled", account=to):
        split(confirmed(), to, 1)


def test_approval__always_refused(city, ledger):
    with reverts("ReceivableLedger_ApprovalsRefused", operator=city.bank):
        ledger.setApprovalForAll(city.bank, True, sender=city.supplier)
    assert ledger.isApprovedForAll(city.supplier, city.bank) is False


def test_split__gas__does_not_grow_with_holders(city, confirmed, split, admit):
    id_ = confirmed()
    first = split(id_, admit(dev_account(18).address, 5), 1).gas_used
    for account in range(20, 40):
        split(id_, admit(dev_account(account).address, 5), 1)
    assert split(id_, admit(dev_account(17).address, 5), 1).gas_used == first


def test_batch__two_receivables__both_moved_with_one_event(city, ledger, confirmed):
    ids = [confirmed(), confirmed(invoice=b"\1" * 32)]

    receipt = ledger.safeBatchTransferFrom(city.supplier, city.bank, ids, [5, 6], b"", sender=city.supplier)

    moved = {"operator": city.supplier, "from": city.supplier, "to": city.bank, "ids": ids, "values": [5, 6]}
    assert receipt.events == [Event("ReceivableLedger", "TransferBatch", moved)]
    assert ledger.balanceOfBatch([city.bank, city.bank, city.supplier], [*ids, ids[0]]) == [5, 6, FACE - 5]


def test_batch__one_id_twice_beyond_what_is_held__refused_whole(city, ledger, confirmed):
    id_ = confirmed()
    with reverts("ReceivableLedger_InsufficientUnits", id=id_, holder=city.supplier, held=0, requested=1):
        ledger.safeBatchTransferFrom(city.supplier, city.bank, [id_, id_], [FACE, 1], b"", sender=city.supplier)
    assert ledger.balanceOf(city.supplier, id_) == FACE


def test_batch__lists_of_different_length__refused(city, ledger):
    with reverts("ReceivableLedger_LengthMismatch", ids=2, values=1):
        ledger.safeBatchTransferFrom(city.supplier, city.bank, [1, 2], [1], b"", sender=city.supplier)
    with reverts("ReceivableLedger_LengthMismatch", ids=1, values=2):
        ledger.balanceOfBatch([city.supplier, city.bank], [1])


def test_batch__longer_than_the_limit__refused(city, ledger, confirmed):
    id_ = confirmed()
    ledger.safeBatchTransferFrom(city.supplier, city.bank, [id_] * 32, [1] * 32, b"", sender=city.supplier)
    assert ledger.balanceOf(city.bank, id_) == 32
    with reverts("ReceivableLedger_BatchTooLong", length=33, limit=32):
        ledger.safeBatchTransferFrom(city.supplier, city.bank, [id_] * 33, [1] * 33, b"", sender=city.supplier)


def test_batch__suspended_receiver__refused(city, ledger, confirmed, suspend):
    id_ = confirmed()
    suspend(city.bank)
    with reverts("Members_Suspended", account=city.bank):
        ledger.safeBatchTransferFrom(city.supplier, city.bank, [id_], [1], b"", sender=city.supplier)


# --- receivers with code


@pytest.fixture
def receiver(city, admit):
    mock = city.chain.deploy("UnitReceiverMock")
    admit(mock.address, 5)

    def set_to(mode, accomplice=ZERO):
        mock.set(mode, accomplice, sender=city.bank)
        return mock

    return set_to


def test_split__to_an_accepting_contract__hook_called_as_the_standard_says(city, ledger, confirmed, receiver):
    from eth_abi import encode

    id_, mock = confirmed(), receiver(0)
    ledger.safeTransferFrom(city.supplier, mock, id_, 9, b"order 12", sender=city.supplier)
    types = ["address", "address", "uint256", "uint256", "bytes"]
    assert mock.lastCall() == encode(types, [city.supplier, city.supplier, id_, 9, b"order 12"])

    ledger.safeBatchTransferFrom(city.supplier, mock, [id_], [3], b"", sender=city.supplier)
    types = ["address", "address", "uint256[]", "uint256[]", "bytes"]
    assert mock.lastCall() == encode(types, [city.supplier, city.supplier, [id_], [3], b""])
    assert ledger.balanceOf(mock, id_) == 12


def test_split__receiver_refuses__nothing_moves(city, ledger, confirmed, split, receiver):
    id_, mock = confirmed(), receiver(1)
    with reverts("UnitReceiverMock_Refused"):
        split(id_, mock, 9)
    with reverts("UnitReceiverMock_Refused"):
        ledger.safeBatchTransferFrom(city.supplier, mock, [id_], [9], b"", sender=city.supplier)
    assert ledger.balanceOf(city.supplier, id_) == FACE


def test_split__receiver_answers_nonsense_or_nothing__nothing_moves(city, ledger, confirmed, split, receiver, admit):
    id_, mock = confirmed(), receiver(2)
    with reverts("ERC1155InvalidReceiver", receiver=mock):
        split(id_, mock, 9)
    with reverts("ERC1155InvalidReceiver", receiver=mock):
        ledger.safeBatchTransferFrom(city.supplier, mock, [id_], [9], b"", sender=city.supplier)
    deaf = city.chain.deploy("SigningAccountMock", city.bank)
    admit(deaf.address, 5)
    with reverts("ERC1155InvalidReceiver", receiver=deaf):
        split(id_, deaf, 9)


def test_split__receiver_reenters_to_spend_twice__refused(city, ledger, confirmed, split, receiver):
    id_, mock = confirmed(), receiver(3, city.bank)
    with reverts("ReceivableLedger_InsufficientUnits", id=id_, holder=mock, held=0, requested=9):
        split(id_, mock, 9)
    assert ledger.balanceOf(city.bank, id_) == 0


# --- desk moves


@pytest.fixture
def as_desk(city, ledger):
    """A plain key in the role of a desk."""
    desk = dev_account(17).address
    city.contract("Authority").grantRole(city.city.roles["RECEIVABLE_DESK"], desk, 0, sender=city.founder)
    return lambda *args: ledger.move(*args, sender=desk)


def test_move__by_a_desk__no_hook_and_the_actor_recorded(city, ledger, confirmed, as_desk, receiver):
    id_, refuser = confirmed(), receiver(1)

    receipt = as_desk(id_, city.supplier, refuser, 77, city.supplier)

    moved = {"operator": city.supplier, "from": city.supplier, "to": refuser.address, "id": id_, "value": 77}
    assert receipt.value == CNY
    assert receipt.events == [Event("ReceivableLedger", "TransferSingle", moved)]
    assert ledger.balanceOf(refuser, id_) == 77


def test_move__by_anyone_else__refused(city, ledger, confirmed):
    id_ = confirmed()
    for outsider in (city.supplier, city.bank, city.founder):
        with reverts("AccessManagedUnauthorized", caller=outsider):
            ledger.move(id_, city.supplier, city.bank, 1, city.supplier, sender=outsider)


@pytest.mark.parametrize("state", [NONE, DRAFT, DISPUTED, REJECTED, WITHDRAWN, PARTLY_PAID, SETTLED])
def test_move__not_open__refused(city, ledger, draft, pay, as_desk, state):
    id_ = put_into(state, city, ledger, draft, pay)
    with reverts("ReceivableLedger_WrongState", id=id_, state=state):
        as_desk(id_, city.supplier, city.bank, 1, city.supplier)


def test_move__due_zero_or_too_much__refused(city, ledger, confirmed, as_desk):
    id_ = confirmed()
    with reverts("ReceivableLedger_ZeroUnits", id=id_):
        as_desk(id_, city.supplier, city.bank, 0, city.supplier)
    with reverts("ReceivableLedger_InsufficientUnits", id=id_, holder=city.supplier, held=FACE, requested=MAX):
        as_desk(id_, city.supplier, city.bank, MAX, city.supplier)
    city.chain.mine(TENOR)
    with reverts("ReceivableLedger_Due", id=id_, dueAt=city.chain.time):
        as_desk(id_, city.supplier, city.bank, 1, city.supplier)


@pytest.mark.parametrize("who", ["supplier", "bank"])
def test_move__suspended_party__refused(city, confirmed, as_desk, suspend, who):
    id_ = confirmed()
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        as_desk(id_, city.supplier, city.bank, 1, city.supplier)


# --- payment


def test_pay__in_parts__held_in_escrow_until_settled(city, ledger, confirmed, pay):
    id_ = confirmed()
    escrow = city.contract("Escrow")

    receipt = pay(id_, 600_000)

    assert receipt.only("ReceivablePaid") == {"id": id_, "actor": city.debtor, "amount": 600_000, "paid": 600_000}
    assert [e.name for e in receipt.events] == ["ReceivablePaid", "Held", "Transfer"]
    assert ledger.receivable(id_).state == PARTLY_PAID
    assert not ledger.isOpen(id_)
    assert escrow.held(ledger, id_, city.token) == 600_000
    assert city.token.balanceOf(city.debtor) == 0

    pay(id_, 1)
    assert (ledger.receivable(id_).state, ledger.receivable(id_).paid) == (PARTLY_PAID, 600_001)
    pay(id_, FACE - 600_001)
    assert (ledger.receivable(id_).state, ledger.receivable(id_).paid) == (SETTLED, FACE)
    assert escrow.held(ledger, id_, city.token) == FACE


def test_pay__all_at_once__settled(city, ledger, confirmed, pay):
    id_ = confirmed()
    pay(id_, FACE)
    assert ledger.receivable(id_).state == SETTLED


def test_pay__overdue__still_accepted(city, ledger, confirmed, pay):
    id_ = confirmed()
    city.chain.mine(TENOR + 400 * 86400)
    pay(id_, FACE)
    assert ledger.receivable(id_).state == SETTLED


def test_pay__suspended_debtor__obligations_go_on(city, ledger, confirmed, pay, suspend):
    id_ = confirmed()
    city.fund(city.debtor, 5)
    city.approve_escrow(city.debtor, 5)
    suspend(city.debtor)
    ledger.pay(id_, 5, sender=city.debtor)
    assert ledger.receivable(id_).paid == 5


def test_pay__receiver_of_a_suspended_debtor__pays_from_its_own_account(city, ledger, confirmed, suspend):
    id_ = confirmed()
    suspend(city.debtor)
    city.contract("Members").appointReceiver(city.debtor, city.hospital, b"\x0c" * 32, sender=city.court)
    city.fund(city.hospital, 8)
    city.approve_escrow(city.hospital, 8)

    receipt = ledger.pay(id_, 8, sender=city.hospital)

    assert receipt.only("ReceivablePaid") == {"id": id_, "actor": city.hospital, "amount": 8, "paid": 8}


@pytest.mark.parametrize("who", ["supplier", "bank", "founder"])
def test_pay__not_the_debtor__refused(city, ledger, confirmed, who):
    id_ = confirmed()
    with reverts("ReceivableLedger_NotDebtor", id=id_, actor=getattr(city, who)):
        ledger.pay(id_, 1, sender=getattr(city, who))


def test_pay__nothing__refused(city, ledger, confirmed):
    id_ = confirmed()
    with reverts("ReceivableLedger_ZeroAmount", id=id_):
        ledger.pay(id_, 0, sender=city.debtor)


@pytest.mark.parametrize("amount", [FACE - 9, FACE, MAX])
def test_pay__more_than_outstanding__refused(city, ledger, confirmed, pay, amount):
    id_ = confirmed()
    pay(id_, 10)
    with reverts("ReceivableLedger_Overpaid", id=id_, outstanding=FACE - 10, amount=amount):
        ledger.pay(id_, amount, sender=city.debtor)


@pytest.mark.parametrize("state", [NONE, DRAFT, DISPUTED, REJECTED, WITHDRAWN, SETTLED])
def test_pay__nothing_owed__refused(city, ledger, draft, pay, state):
    id_ = put_into(state, city, ledger, draft, pay)
    with reverts("ReceivableLedger_WrongState", id=id_, state=state):
        ledger.pay(id_, 1, sender=city.debtor)


def test_pay__without_money__nothing_recorded(city, ledger, confirmed):
    id_ = confirmed()
    city.approve_escrow(city.debtor, 5)
    with reverts("ERC20InsufficientBalance", sender=city.debtor, balance=0, needed=5):
        ledger.pay(id_, 5, sender=city.debtor)
    assert (ledger.receivable(id_).state, ledger.receivable(id_).paid) == (CONFIRMED, 0)


# --- claims


def test_claim__after_part_payment__exact_amount_and_event(city, ledger, confirmed, split, pay):
    id_ = confirmed()
    split(id_, city.bank, FACE // 2)
    pay(id_, 1_000_001)

    receipt = ledger.claim(id_, sender=city.bank)

    assert receipt.value == 500_000  # floor of 500,000.5
    assert receipt.only("ReceivableClaimed") == {"id": id_, "actor": city.bank, "amount": 500_000}
    assert [e.name for e in receipt.events] == ["ReceivableClaimed", "PaidOut", "Transfer"]
    assert city.token.balanceOf(city.bank) == 500_000
    assert tuple(ledger.holding(id_, city.bank)) == (FACE // 2, 500_000)
    assert ledger.claimable(id_, city.bank) == 0
    with reverts("ReceivableLedger_NothingToClaim", id=id_, holder=city.bank):
        ledger.claim(id_, sender=city.bank)


def test_claim__three_holders_and_part_payments__rounded_down_then_made_whole(city, ledger, confirmed, split, pay):
    id_ = confirmed(face=100)
    for holder, units in ((city.bank, 33), (city.hospital, 33)):
        split(id_, holder, units)
    holders = (city.supplier, city.bank, city.hospital)  # 34, 33, 33
    escrow = city.contract("Escrow")

    pay(id_, 10)
    assert [ledger.claim(id_, sender=h).value for h in holders] == [3, 3, 3]
    assert escrow.held(ledger, id_, city.token) == 1

    pay(id_, 1)
    assert [ledger.claimable(id_, h) for h in holders] == [0, 0, 0]
    with reverts("ReceivableLedger_NothingToClaim", id=id_, holder=city.supplier):
        ledger.claim(id_, sender=city.supplier)

    pay(id_, 39)  # 50 of 100: 17, 16, 16; the bank waits
    assert ledger.claim(id_, sender=city.supplier).value == 14
    assert ledger.claim(id_, sender=city.hospital).value == 13

    pay(id_, 50)
    assert [ledger.claim(id_, sender=h).value for h in holders] == [17, 30, 17]
    assert [city.token.balanceOf(h) for h in holders] == [34, 33, 33]
    assert escrow.held(ledger, id_, city.token) == 0


def test_claim__greatest_amounts__no_overflow(city, ledger, confirmed, split):
    """Held to the storage, because no bank may issue as much money as such a receivable owes."""
    id_ = confirmed(face=MAX)
    split(id_, city.bank, MAX - 1)
    city.fund(city.debtor, 10**14)
    city.approve_escrow(city.debtor, 10**14)
    ledger.pay(id_, 10**14, sender=city.debtor)
    assert ledger.claimable(id_, city.bank) == (MAX - 1) * 10**14 // MAX == 10**14 - 1
    assert ledger.claimable(id_, city.supplier) == 0


@pytest.mark.parametrize("state", [NONE, DRAFT, DISPUTED, REJECTED, WITHDRAWN, CONFIRMED])
def test_claim__nothing_paid__refused(city, ledger, draft, pay, state):
    id_ = put_into(state, city, ledger, draft, pay)
    with reverts("ReceivableLedger_NothingToClaim", id=id_, holder=city.supplier):
        ledger.claim(id_, sender=city.supplier)


def test_claim__no_holder__refused(city, ledger, confirmed, pay):
    id_ = confirmed()
    pay(id_, FACE)
    with reverts("ReceivableLedger_NothingToClaim", id=id_, holder=city.bank):
        ledger.claim(id_, sender=city.bank)


def test_claim__suspended_holder__still_paid(city, ledger, confirmed, pay, suspend):
    id_ = confirmed()
    pay(id_, FACE)
    suspend(city.supplier)
    ledger.claim(id_, sender=city.supplier)
    assert city.token.balanceOf(city.supplier) == FACE


def test_claim__two_receivables__each_paid_from_its_own_money(city, ledger, confirmed, pay):
    first, second = confirmed(face=100), confirmed(face=100, invoice=b"\1" * 32)
    pay(first, 60)
    with reverts("ReceivableLedger_NothingToClaim", id=second, holder=city.supplier):
        ledger.claim(second, sender=city.supplier)
    pay(second, 7)
    assert ledger.claim(second, sender=city.supplier).value == 7
    assert ledger.claim(first, sender=city.supplier).value == 60


def test_supports_interface__erc1155_and_erc165__nothing_else(ledger):
    found = [ledger.supportsInterface(bytes.fromhex(i)) for i in ("d9b67a26", "01ffc9a7", "ffffffff", "0e89341c")]
    assert found == [True, True, False, False]
