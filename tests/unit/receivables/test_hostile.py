"""Receivers and settlement tokens that refuse, lie, never end or call back: they hinder and cheat nobody but themselves."""

from __future__ import annotations

import pytest

from tests.evm import dev_account, reverts
from tests.unit.receivables.conftest import number_of

ZERO = "0x" + "00" * 20
XAU = b"XAU"
MAX = 2**128 - 1
TENOR, GRACE = 90 * 86400, 30 * 86400
HONEST, KEEPS_FEE, BRINGS_MORE, ANSWERS_FALSE, REVERTS, REENTERS = range(6)
ACCEPT, REFUSE, NONSENSE, _, SPIN, CALL = range(6)
USED = 1


# --- receivers of units


@pytest.fixture
def receiver(city, admit):
    mock = city.chain.deploy("UnitReceiverMock")
    admit(mock.address, 5)
    return mock


@pytest.fixture
def sends(city, ledger):
    """Both ways to send units of a receivable to a receiver with code."""
    return {
        "single": (ledger.safeTransferFrom, lambda to, id_, n: (city.supplier, to, id_, n, b"")),
        "batch": (ledger.safeBatchTransferFrom, lambda to, id_, n: (city.supplier, to, [id_], [n], b"")),
    }


@pytest.mark.parametrize("way", ["single", "batch"])
def test_receiver__never_ends__only_who_sends_to_it_is_hindered(
    city, ledger, confirmed, split, pay, receiver, sends, runs_out_of_gas, way
):
    id_ = confirmed(face=100)
    receiver.set(SPIN, ZERO, sender=city.bank)
    function, args = sends[way]
    assert runs_out_of_gas(function, *args(receiver, id_, 9), sender=city.supplier)
    assert ledger.balanceOf(city.supplier, id_) == 100
    split(id_, city.bank, 9)
    pay(id_, 100)
    assert ledger.claim(id_, sender=city.bank).value == 9


@pytest.mark.parametrize("mode", [REFUSE, NONSENSE, SPIN])
def test_receiver__of_whatever_kind__gets_units_by_desks_without_its_hook(
    city, ledger, confirmed, split, receiver, mode
):
    desk = dev_account(17).address
    city.contract("Authority").grantRole(city.city.roles["RECEIVABLE_DESK"], desk, 0, sender=city.founder)
    id_ = confirmed(face=100)
    receiver.set(mode, ZERO, sender=city.bank)
    ledger.move(id_, city.supplier, receiver, 5, city.supplier, sender=desk)
    split(id_, city.bank, 3)
    city.chain.mine(TENOR + GRACE)
    ledger.giveBack(id_, city.bank, receiver, 3, city.bank, sender=desk)
    assert ledger.balanceOf(receiver, id_) == 8
    assert receiver.lastCall() == b""


@pytest.mark.parametrize("way", ["single", "batch"])
@pytest.mark.parametrize("inner", ["send back", "send on too much", "claim", "pay", "cancel"])
def test_receiver__calls_back__what_it_may_do_anyway_and_no_more(
    city, ledger, desk, confirmed, receiver, sends, way, inner
):
    id_ = confirmed(face=100)
    calls = {
        "send back": (ledger.safeTransferFrom, (receiver, city.supplier, id_, 9, b"")),
        "send on too much": (ledger.safeTransferFrom, (receiver, city.bank, id_, 10, b"")),
        "claim": (ledger.claim, (id_,)),
        "pay": (ledger.pay, (id_, 1)),
        "cancel": (desk.cancel, (7,)),
    }
    called, called_args = calls[inner]
    receiver.setCall(called.contract, called.encode(*called_args), sender=city.bank)
    function, args = sends[way]
    function(*args(receiver, id_, 9), sender=city.supplier)
    assert receiver.succeeded() is (inner in ("send back", "cancel"))
    refusal = {
        "send on too much": "ReceivableLedger_InsufficientUnits",
        "claim": "ReceivableLedger_NothingToClaim",
        "pay": "ReceivableLedger_NotDebtor",
    }
    if inner in refusal:
        assert error_of(city, receiver.answer()) == refusal[inner]
    mine = 0 if inner == "send back" else 9
    assert [ledger.balanceOf(who, id_) for who in (city.supplier, receiver, city.bank)] == [100 - mine, mine, 0]


def test_receiver__sells_from_within_the_hook__the_hook_sees_final_balances(
    city, ledger, desk, confirmed, receiver, quote, sign, as_tuple
):
    """A quote to the receiver, filled while the transfer that brings its units is still running."""
    id_ = confirmed(face=100)
    city.fund(city.bank, 9)
    city.token.approve(desk, 9, sender=city.bank)
    offer = quote(receivableId=id_, units=9, proceeds=8, seller=receiver.address)
    receiver.setCall(desk, desk.fill.encode(as_tuple(offer), 9, sign(offer)), sender=city.bank)
    ledger.safeTransferFrom(city.supplier, receiver, id_, 9, b"", sender=city.supplier)
    assert receiver.succeeded()
    assert [ledger.balanceOf(who, id_) for who in (city.supplier, receiver, city.bank)] == [91, 0, 9]
    assert city.token.balanceOf(receiver) == 8


# --- settlement tokens


def error_of(city, raw):
    return city.chain._errors[raw[:4]]["name"]


@pytest.fixture
def gold(city):
    """The token of a second currency, listed in good faith; everybody has some and has approved Escrow and desk."""
    token = city.chain.deploy("HostileTokenMock", XAU)
    city.contract("Currencies").list(XAU, token, sender=city.founder)
    for account in (city.debtor, city.supplier, city.bank):
        token.mint(account, 1000, sender=city.founder)
        for spender in ("Escrow", "FinancingDesk"):
            token.approve(city.contract(spender), MAX, sender=account)
    return token


@pytest.fixture
def party(city, gold, admit):
    """The token is a member itself: a company with money, that approved everybody."""
    admit(gold.address, 5)
    gold.mint(gold, 1000, sender=city.founder)
    for spender in ("Escrow", "FinancingDesk"):
        data = gold.approve.encode(city.contract(spender), MAX)
        gold.run(gold, data, sender=city.founder)
    return gold


@pytest.fixture
def prepare(city, ledger, desk, gold, confirmed, quote, sign, as_tuple):
    """A receivable in gold whose supplier is the charter's, and one operation on it, ready to be sent."""

    def done(operation):
        id_ = confirmed(face=100, currency=XAU, invoice=b"\x60" * 32)
        offer = quote(receivableId=id_, units=30, proceeds=29, divisible=True)

        def fill(units):
            return desk.fill(as_tuple(offer), units, sign(offer), sender=city.supplier)

        if operation == "pay":
            return id_, lambda: ledger.pay(id_, 50, sender=city.debtor)
        if operation == "claim":
            ledger.pay(id_, 50, sender=city.debtor)
            return id_, lambda: ledger.claim(id_, sender=city.supplier)
        if operation == "fill":
            return id_, lambda: fill(30)
        fill(30)
        ledger.pay(id_, 50, sender=city.debtor)
        city.chain.mine(TENOR + GRACE)
        if operation == "putBack":
            return id_, lambda: desk.putBack(7, sender=city.bank)
        desk.putBack(7, sender=city.bank)
        return id_, lambda: desk.repay(city.bank, 7, 15, sender=city.supplier)

    return done


OPERATIONS = ["pay", "claim", "fill", "putBack", "repay"]


@pytest.fixture
def picture(city, ledger, desk, gold):
    """Everything that money and units could have moved in."""

    def taken(id_):
        escrow = city.contract("Escrow")
        people = (city.debtor, city.supplier, city.bank, gold.address, escrow.address)
        return (
            ledger.receivable(id_),
            [ledger.holding(id_, who) for who in people],
            [gold.balanceOf(who) for who in people],
            escrow.held(ledger, id_, gold),
            desk.recourseOf(city.bank, 7),
            desk.nonceState(city.bank, 7),
        )

    return taken


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("mode", [ANSWERS_FALSE, REVERTS])
def test_token__refuses__nothing_is_written_and_it_works_afterwards(city, gold, prepare, picture, operation, mode):
    id_, call = prepare(operation)
    before = picture(id_)
    gold.set(mode, ZERO, b"", sender=city.founder)
    refusal = {"HostileTokenMock_Refused": {}} if mode == REVERTS else {"SafeERC20FailedOperation": {"token": gold}}
    for name, args in refusal.items():
        with reverts(name, **args):
            call()
    assert picture(id_) == before
    gold.set(HONEST, ZERO, b"", sender=city.founder)
    call()
    assert picture(id_) != before


@pytest.mark.parametrize("mode", [KEEPS_FEE, BRINGS_MORE, ANSWERS_FALSE, REVERTS])
def test_token__of_one_currency__hinders_nobody_in_another(city, ledger, gold, confirmed, pay, split, prepare, mode):
    prepare("claim")
    gold.set(mode, ZERO, b"", sender=city.founder)
    id_ = confirmed(face=100)
    split(id_, city.bank, 40)
    pay(id_, 100)
    assert ledger.claim(id_, sender=city.bank).value == 40
    assert ledger.claim(id_, sender=city.supplier).value == 60
    assert city.contract("Escrow").held(ledger, id_, city.token) == 0


@pytest.mark.parametrize(("mode", "received"), [(KEEPS_FEE, 49), (BRINGS_MORE, 51)])
def test_token__brings_another_amount_into_escrow__payment_refused(city, gold, prepare, picture, mode, received):
    id_, call = prepare("pay")
    before = picture(id_)
    gold.set(mode, ZERO, b"", sender=city.founder)
    with reverts("Escrow_ShortTransfer", token=gold, expected=50, received=received):
        call()
    assert picture(id_) == before


@pytest.mark.parametrize(("mode", "difference"), [(KEEPS_FEE, -1), (BRINGS_MORE, 1)])
@pytest.mark.parametrize(
    ("operation", "payee", "amount"), [("claim", "supplier", 50), ("fill", "supplier", 29), ("repay", "bank", 15)]
)
def test_token__pays_out_another_amount__between_it_and_the_payee(
    city, ledger, gold, prepare, operation, payee, amount, mode, difference
):
    """What the books say is what the contracts moved; a token that keeps a fee cheats its own holders only."""
    id_, call = prepare(operation)
    before = gold.balanceOf(getattr(city, payee))
    gold.set(mode, ZERO, b"", sender=city.founder)
    call()
    assert gold.balanceOf(getattr(city, payee)) - before == amount + difference
    escrow = city.contract("Escrow")
    claimed = sum(ledger.holding(id_, who).claimed for who in (city.supplier, city.bank))
    assert escrow.held(ledger, id_, gold) == ledger.receivable(id_).paid - claimed
    assert gold.balanceOf(escrow) == escrow.held(ledger, id_, gold)


@pytest.fixture
def scene(city, ledger, desk, party, quote, sign, as_tuple):
    """The token is seller, holder and supplier of the first receivable and debtor of the second."""

    class Scene:
        def run(self, function, *args):
            party.run(function.contract, function.encode(*args), sender=city.founder)

        def __init__(self):
            due = city.chain.time + TENOR
            for number, (supplier, debtor) in enumerate(((None, city.debtor), (city.supplier, party)), start=1):
                invoice = bytes([0x60 + number]) * 32
                args = (debtor, XAU, 100, due, invoice, number_of(invoice))
                if supplier:
                    ledger.draft(*args, sender=supplier)
                    self.run(ledger.confirm, number)
                else:
                    self.run(ledger.draft, *args)
                    ledger.confirm(number, sender=debtor)
            self.offer = quote(receivableId=1, units=30, proceeds=30, seller=party.address, divisible=True)
            self.fill_args = (as_tuple(self.offer), 10, sign(self.offer))

        def inner(self, name):
            return {
                "pay": (ledger.pay, (2, 10)),
                "claim": (ledger.claim, (1,)),
                "send": (ledger.safeTransferFrom, (party, city.bank2, 1, 5, b"")),
                "dilute": (ledger.dilute, (1, 5, b"\xc1" * 32, b"\xc2" * 32)),
                "fill": (desk.fill, self.fill_args),
                "repay": (desk.repay, (city.bank, 7, 5)),
                "hold": (city.contract("Escrow").hold, (1, party, city.debtor, 5)),
                "payOut": (city.contract("Escrow").payOut, (1, party, party, 5)),
                "escrow claim": (city.contract("Escrow").claim, (party, party)),
            }[name]

        def outer(self, name):
            """Up to the operation that is to be watched."""
            if name in ("claim", "putBack", "repay"):
                if name != "claim":
                    for _ in range(3):
                        self.run(desk.fill, *self.fill_args)
                    city.chain.mine(TENOR + GRACE)
                ledger.pay(1, 50, sender=city.debtor)
                if name == "repay":
                    desk.putBack(7, sender=city.bank)
            return {
                "pay": lambda: ledger.pay(1, 50, sender=city.debtor),
                "claim": lambda: self.run(ledger.claim, 1),
                "fill": lambda: self.run(desk.fill, *self.fill_args),
                "putBack": lambda: desk.putBack(7, sender=city.bank),
                "repay": lambda: self.run(desk.repay, city.bank, 7, 5),
            }[name]

    return Scene()


GUARD = "ReentrancyGuardReentrantCall"
STATE = "ReceivableLedger_WrongState"
NOTHING = "ReceivableLedger_NothingToClaim"
NO_RECOURSE = "FinancingDesk_WrongRecourseState"
#: What the call from within answers; None where it is allowed and moves what it moves.
ANSWERS = {
    ("pay", "pay"): GUARD,
    ("pay", "claim"): GUARD,
    ("pay", "send"): STATE,
    ("pay", "dilute"): STATE,
    ("pay", "fill"): STATE,
    ("pay", "repay"): NO_RECOURSE,
    ("claim", "pay"): GUARD,
    ("claim", "claim"): NOTHING,
    ("claim", "send"): STATE,
    ("claim", "dilute"): STATE,
    ("claim", "fill"): STATE,
    ("claim", "repay"): NO_RECOURSE,
    ("fill", "fill"): None,  # the next part, again and again, until nothing is left
    ("fill", "claim"): NOTHING,
    ("fill", "send"): None,
    ("fill", "dilute"): None,
    ("fill", "pay"): None,
    ("fill", "repay"): "FinancingDesk_WrongRecourseState",
    ("putBack", "claim"): GUARD,
    ("putBack", "pay"): GUARD,
    ("putBack", "repay"): "Currencies_NotListed",
    ("putBack", "fill"): "FinancingDesk_Expired",
    ("putBack", "send"): STATE,
    ("repay", "repay"): None,  # the next part, until all is repaid
    ("repay", "claim"): None,
    ("repay", "pay"): None,
    ("repay", "fill"): "FinancingDesk_Expired",
    **{(outer, "hold"): "AccessManagedUnauthorized" for outer in OPERATIONS},
    **{(outer, "payOut"): GUARD for outer in ("pay", "claim", "putBack")},
    **{(outer, "payOut"): "Escrow_InsufficientHeld" for outer in ("fill", "repay")},
    **{(outer, "escrow claim"): GUARD for outer in ("pay", "claim", "putBack")},
    **{(outer, "escrow claim"): "Escrow_NothingToClaim" for outer in ("fill", "repay")},
}


@pytest.mark.parametrize(("outer", "inner"), sorted(ANSWERS), ids=lambda v: v.replace(" ", "-"))
def test_token__calls_back__nothing_moves_twice(city, ledger, desk, party, scene, outer, inner):
    call = scene.outer(outer)
    function, args = scene.inner(inner)
    people = (city.debtor, city.supplier, city.bank, city.bank2, party.address)
    escrow = city.contract("Escrow")
    supply = party.totalSupply()
    party.set(REENTERS, function.contract, function.encode(*args), sender=city.founder)

    call()

    expected = ANSWERS[outer, inner]
    assert (party.reentered(), expected and error_of(city, party.answer())) == (expected is None, expected)
    if outer == inner and expected is None:
        assert desk.nonceState(city.bank, 7) == USED
        assert desk.recourseOf(city.bank, 7).repaid == (15 if outer == "repay" else 0)
    party.set(HONEST, ZERO, b"", sender=city.founder)
    # The books balance, whatever was tried.
    assert party.totalSupply() == supply == sum(map(party.balanceOf, (*people, escrow)))
    for id_ in (1, 2):
        found = ledger.receivable(id_)
        holdings = [ledger.holding(id_, who) for who in people]
        assert sum(h.units for h in holdings) == found.face
        assert escrow.held(ledger, id_, party) == found.paid - sum(h.claimed for h in holdings)
    assert party.balanceOf(escrow) == sum(escrow.held(ledger, id_, party) for id_ in (1, 2))
    owed = desk.recourseOf(city.bank, 7)
    assert owed.repaid <= owed.amount <= 30
    # And everybody gets what is due in the end.
    for id_, debtor in ((1, city.debtor), (2, party)):
        rest = ledger.receivable(id_).face - ledger.receivable(id_).paid
        if debtor == party:
            scene.run(ledger.pay, id_, rest)
        else:
            ledger.pay(id_, rest, sender=debtor)
        for who in people:
            if ledger.claimable(id_, who) and who == party.address:
                scene.run(ledger.claim, id_)
            elif ledger.claimable(id_, who):
                ledger.claim(id_, sender=who)
        assert escrow.held(ledger, id_, party) == 0
