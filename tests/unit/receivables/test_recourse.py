"""FinancingDesk: units put back to who sold them with recourse, and what the seller then owes."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import Event, Reverted, dev_account, reverts
from tests.signing import forward_request

NONE, HELD, OWED, REPAID = range(4)
ZERO = "0x" + "00" * 20
NO_CURRENCY = b"\0\0\0"
TENOR, GRACE = 90 * 86400, 30 * 86400
MAX = 2**128 - 1
BASIS = b"\x0c" * 32


@pytest.fixture
def fill(city, desk, sign, as_tuple):
    def done(quote, units=None, sender=None):
        units = quote.units if units is None else units
        return desk.fill(as_tuple(quote), units, sign(quote), sender=sender or quote.seller)

    return done


@pytest.fixture
def sold(city, desk, quote, confirmed, fill):
    """A receivable of 100 minor units of which the bank has bought 30 for 29 with recourse, nonce 7."""
    id_ = confirmed(face=100)
    city.fund(city.bank, 1000)
    city.token.approve(desk, MAX, sender=city.bank)
    offer = quote(receivableId=id_, units=30, proceeds=29)
    fill(offer)
    return id_


@pytest.fixture
def defaulted(city, sold):
    city.chain.mine(TENOR + GRACE)
    return sold


@pytest.fixture
def owing(city, desk, defaulted):
    """The bank has put everything back; the seller has money and has approved the desk."""
    desk.putBack(7, sender=city.bank)
    city.token.approve(desk, MAX, sender=city.supplier)
    return defaulted


@pytest.fixture
def recourse(city, desk):
    return lambda nonce=7: tuple(desk.recourseOf(city.bank, nonce))


def wrong_state(city, state, nonce=7, bank=None):
    return reverts("FinancingDesk_WrongRecourseState", bank=bank or city.bank, nonce=nonce, state=state)


# --- held


def test_fill__with_recourse__held_for_the_units_bought(city, sold, recourse):
    assert recourse() == (city.supplier, NO_CURRENCY, HELD, 30, 0, sold)


def test_fill__without_recourse__nothing_held(city, desk, sold, quote, fill, recourse):
    fill(quote(receivableId=sold, units=5, proceeds=5, recourse=False, nonce=8))
    assert recourse(8) == (ZERO, NO_CURRENCY, NONE, 0, 0, 0)
    city.chain.mine(TENOR + GRACE)
    with wrong_state(city, NONE, nonce=8):
        desk.putBack(8, sender=city.bank)


def test_fill__parts_with_recourse__held_for_all_of_them(city, desk, ledger, sold, quote, fill, recourse):
    offer = quote(receivableId=sold, units=20, proceeds=19, divisible=True, nonce=8)
    for units, held in ((5, 5), (6, 11), (9, 20)):
        fill(offer, units=units)
        assert recourse(8) == (city.supplier, NO_CURRENCY, HELD, held, 0, sold)
    city.chain.mine(TENOR + GRACE)
    assert desk.putBack(8, sender=city.bank).only("UnitsPutBack")["units"] == 20
    assert ledger.balanceOf(city.bank, sold) == 30


def test_fill__parts_then_cancelled__recourse_for_what_was_filled(city, desk, sold, quote, fill, recourse):
    offer = quote(receivableId=sold, units=20, proceeds=19, divisible=True, nonce=8)
    fill(offer, units=5)
    desk.cancel(8, sender=city.bank)
    city.chain.mine(TENOR + GRACE)
    desk.putBack(8, sender=city.bank)
    assert recourse(8) == (city.supplier, CNY, OWED, 5, 0, sold)


# --- put back


def test_put_back__after_the_default__units_to_the_seller_who_owes(city, ledger, desk, defaulted, recourse):
    receipt = desk.putBack(7, sender=city.bank)

    given = {"id": defaulted, "actor": city.bank, "from": city.bank, "to": city.supplier, "units": 30, "claimed": 0}
    moved = {"operator": city.bank, "from": city.bank, "to": city.supplier, "id": defaulted, "value": 30}
    put = {
        "receivableId": defaulted,
        "actor": city.bank,
        "seller": city.supplier,
        "nonce": 7,
        "units": 30,
        "owed": 30,
    }
    assert receipt.events == [
        Event("ReceivableLedger", "UnitsGivenBack", given),
        Event("ReceivableLedger", "TransferSingle", moved),
        Event("FinancingDesk", "UnitsPutBack", put),
    ]
    assert recourse() == (city.supplier, CNY, OWED, 30, 0, defaulted)
    assert [ledger.balanceOf(who, defaulted) for who in (city.bank, city.supplier)] == [0, 100]


def test_put_back__one_second_before_the_default__refused(city, ledger, desk, sold, recourse):
    city.chain.mine(TENOR + GRACE - 1)
    at = ledger.receivable(sold).dueAt + GRACE
    with reverts("ReceivableLedger_NotDefaulted", id=sold, defaultsAt=at, chainTime=at - 1):
        desk.putBack(7, sender=city.bank)
    assert recourse()[2] == HELD
    city.chain.mine(1)
    desk.putBack(7, sender=city.bank)


def test_put_back__twice__refused(city, desk, owing):
    with wrong_state(city, OWED):
        desk.putBack(7, sender=city.bank)
    city.fund(city.supplier, 1)
    desk.repay(city.bank, 7, 30, sender=city.supplier)
    with wrong_state(city, REPAID):
        desk.putBack(7, sender=city.bank)


@pytest.mark.parametrize("who", ["bank2", "supplier", "debtor", "founder"])
def test_put_back__by_anyone_else__has_no_recourse_of_that_nonce(city, desk, defaulted, who):
    with wrong_state(city, NONE, bank=getattr(city, who)):
        desk.putBack(7, sender=getattr(city, who))


def test_put_back__some_units_sold_on__what_is_held_and_for_that_alone_the_seller_owes(
    city, ledger, desk, sold, split, pay, recourse
):
    split(sold, city.bank2, 12, sender=city.bank)
    city.chain.mine(TENOR + GRACE)

    receipt = desk.putBack(7, sender=city.bank)

    given = {"id": sold, "actor": city.bank, "from": city.bank, "to": city.supplier, "units": 18, "claimed": 0}
    moved = {"operator": city.bank, "from": city.bank, "to": city.supplier, "id": sold, "value": 18}
    put = {"receivableId": sold, "actor": city.bank, "seller": city.supplier, "nonce": 7, "units": 18, "owed": 18}
    assert receipt.events == [
        Event("ReceivableLedger", "UnitsGivenBack", given),
        Event("ReceivableLedger", "TransferSingle", moved),
        Event("FinancingDesk", "UnitsPutBack", put),
    ]
    assert recourse() == (city.supplier, CNY, OWED, 18, 0, sold)
    assert [ledger.balanceOf(who, sold) for who in (city.bank, city.bank2, city.supplier)] == [0, 12, 88]
    # Once: what the bank could not give it does not give later.
    with wrong_state(city, OWED):
        desk.putBack(7, sender=city.bank)
    pay(sold, 100)
    assert [ledger.claim(sold, sender=who).value for who in (city.bank2, city.supplier)] == [12, 88]
    assert city.contract("Escrow").held(ledger, sold, city.token) == 0


@pytest.mark.parametrize("claimed", [False, True])
def test_put_back__some_sold_on_and_partly_paid__owed_is_what_was_not_paid_on_the_rest(
    city, ledger, desk, sold, split, pay, recourse, claimed
):
    split(sold, city.bank2, 12, sender=city.bank)
    pay(sold, 50)
    if claimed:
        assert ledger.claim(sold, sender=city.bank).value == 9
    city.chain.mine(TENOR + GRACE)
    before = city.token.balanceOf(city.bank)
    put = desk.putBack(7, sender=city.bank).only("UnitsPutBack")
    assert (put["units"], put["owed"]) == (18, 9)
    assert recourse() == (city.supplier, CNY, OWED, 9, 0, sold)
    assert city.token.balanceOf(city.bank) - before == (0 if claimed else 9)
    assert tuple(ledger.holding(sold, city.supplier)) == (88, 9)


def test_put_back__repaid_for_fewer_units__owed_to_the_unit(city, desk, sold, split, recourse):
    split(sold, city.bank2, 12, sender=city.bank)
    city.chain.mine(TENOR + GRACE)
    desk.putBack(7, sender=city.bank)
    city.token.approve(desk, MAX, sender=city.supplier)
    with reverts("FinancingDesk_Overpaid", bank=city.bank, nonce=7, outstanding=18, amount=19):
        desk.repay(city.bank, 7, 19, sender=city.supplier)
    desk.repay(city.bank, 7, 18, sender=city.supplier)
    assert recourse() == (city.supplier, CNY, REPAID, 18, 18, sold)


def test_put_back__all_units_sold_on__refused_and_still_held(city, ledger, desk, sold, split, recourse):
    split(sold, city.bank2, 30, sender=city.bank)
    city.chain.mine(TENOR + GRACE)
    with reverts("ReceivableLedger_ZeroUnits", id=sold):
        desk.putBack(7, sender=city.bank)
    assert recourse() == (city.supplier, NO_CURRENCY, HELD, 30, 0, sold)
    assert ledger.balanceOf(city.bank, sold) == 0


def test_put_back__before_the_default_with_nothing_left__the_default_is_asked_first(city, ledger, desk, sold, split):
    split(sold, city.bank2, 30, sender=city.bank)
    at = ledger.receivable(sold).dueAt + GRACE
    with reverts("ReceivableLedger_NotDefaulted", id=sold, defaultsAt=at, chainTime=city.chain.time):
        desk.putBack(7, sender=city.bank)


@pytest.fixture
def two_nonces(city, sold, quote, fill):
    """The bank has 30 units by nonce 7 and 20 by nonce 8, both from the supplier with recourse."""
    fill(quote(receivableId=sold, units=20, proceeds=19, nonce=8))
    return sold


@pytest.mark.parametrize(
    ("resold", "order", "units"),
    [
        (0, (7, 8), (30, 20)),
        (5, (7, 8), (30, 15)),
        (5, (8, 7), (20, 25)),
        (20, (7, 8), (30, 0)),
        (25, (7, 8), (25, 0)),
        (25, (8, 7), (20, 5)),
        (30, (8, 7), (20, 0)),
        (49, (8, 7), (1, 0)),
    ],
)
def test_put_back__two_nonces_on_one_receivable__together_what_the_bank_holds(
    city, ledger, desk, two_nonces, split, recourse, resold, order, units
):
    """Units have no nonce: whichever is put back first takes of what is there, the other what is left."""
    id_ = two_nonces
    if resold:
        split(id_, city.bank2, resold, sender=city.bank)
    city.chain.mine(TENOR + GRACE)
    for nonce, expected in zip(order, units, strict=True):
        if expected == 0:
            with reverts("ReceivableLedger_ZeroUnits", id=id_):
                desk.putBack(nonce, sender=city.bank)
            assert recourse(nonce)[2] == HELD
            continue
        put = desk.putBack(nonce, sender=city.bank).only("UnitsPutBack")
        assert (put["nonce"], put["units"], put["owed"]) == (nonce, expected, expected)
        assert recourse(nonce) == (city.supplier, CNY, OWED, expected, 0, id_)
    assert sum(units) == 50 - resold
    assert [ledger.balanceOf(who, id_) for who in (city.bank, city.bank2)] == [0, resold]
    assert ledger.balanceOf(city.supplier, id_) == 100 - resold


def test_put_back__units_that_came_back_from_the_next_bank__go_on_to_the_seller(
    city, ledger, desk, sold, quote, sign, as_tuple, split, recourse
):
    """The bank sold 12 on with recourse of its own. It waits for them: put back earlier, 18 would be all it gets."""
    offer = quote(receivableId=sold, units=12, proceeds=11, seller=city.bank, bank=city.bank2, nonce=1)
    city.fund(city.bank2, 11)
    city.token.approve(desk, MAX, sender=city.bank2)
    desk.fill(as_tuple(offer), 12, sign(offer, key=dev_account(3).key), sender=city.bank)
    city.chain.mine(TENOR + GRACE)
    with city.chain.isolated():
        desk.putBack(7, sender=city.bank)
        desk.putBack(1, sender=city.bank2)
        assert (recourse()[3], ledger.balanceOf(city.bank, sold)) == (18, 12)
        with wrong_state(city, OWED):
            desk.putBack(7, sender=city.bank)
    desk.putBack(1, sender=city.bank2)
    assert desk.putBack(7, sender=city.bank).only("UnitsPutBack")["units"] == 30
    assert recourse() == (city.supplier, CNY, OWED, 30, 0, sold)
    assert tuple(desk.recourseOf(city.bank2, 1)) == (city.bank, CNY, OWED, 12, 0, sold)


def test_put_back__buyer_of_the_units__has_no_recourse_against_the_first_seller(city, desk, sold, split):
    split(sold, city.bank2, 30, sender=city.bank)
    city.chain.mine(TENOR + GRACE)
    with wrong_state(city, NONE, bank=city.bank2):
        desk.putBack(7, sender=city.bank2)


def test_put_back__settled__refused(city, desk, sold, pay):
    pay(sold, 100)
    city.chain.mine(TENOR + GRACE)
    with reverts("ReceivableLedger_WrongState", id=sold, state=6):
        desk.putBack(7, sender=city.bank)


@pytest.mark.parametrize("claimed", [False, True])
def test_put_back__partly_paid__the_seller_owes_the_rest(city, ledger, desk, sold, pay, recourse, claimed):
    pay(sold, 50)
    if claimed:
        ledger.claim(sold, sender=city.bank)
    city.chain.mine(TENOR + GRACE)
    before = city.token.balanceOf(city.bank)
    desk.putBack(7, sender=city.bank)
    assert city.token.balanceOf(city.bank) - before == (0 if claimed else 15)
    assert recourse() == (city.supplier, CNY, OWED, 15, 0, sold)
    # Later recoveries are the seller's: it has the units back.
    pay(sold, 50)
    with reverts("ReceivableLedger_NothingToClaim", id=sold, holder=city.bank):
        ledger.claim(sold, sender=city.bank)
    assert ledger.claim(sold, sender=city.supplier).value == 85
    assert city.contract("Escrow").held(ledger, sold, city.token) == 0


def test_put_back__units_paid_but_for_rounding__nothing_owed(city, ledger, desk, sold, quote, fill, pay, split):
    """31 units: floor(31 × 97 ÷ 100) − floor(30 × 97 ÷ 100) = 30 − 29: the one unit of nonce 8 was paid."""
    fill(quote(receivableId=sold, units=1, proceeds=1, nonce=8))
    pay(sold, 97)
    city.chain.mine(TENOR + GRACE)
    with reverts("FinancingDesk_NothingOwed", bank=city.bank, nonce=8):
        desk.putBack(8, sender=city.bank)
    assert desk.recourseOf(city.bank, 8).state == HELD
    assert ledger.balanceOf(city.bank, sold) == 31


def test_put_back__after_writing_off__still_possible(city, ledger, desk, defaulted, recourse):
    ledger.writeOff(defaulted, BASIS, sender=city.bank)
    desk.putBack(7, sender=city.bank)
    assert recourse()[2] == OWED


def test_put_back__suspended_parties__obligations_go_on(city, desk, defaulted, suspend, recourse):
    suspend(city.bank)
    suspend(city.supplier)
    desk.putBack(7, sender=city.bank)
    assert recourse()[2] == OWED


def test_put_back__bank_without_its_role__still_may(city, desk, defaulted, recourse):
    city.contract("Members").retire(city.bank, BASIS, sender=city.founder)
    desk.putBack(7, sender=city.bank)
    assert recourse()[2] == OWED


def test_put_back__two_nonces_of_one_bank__each_its_own_seller(city, ledger, desk, sold, quote, fill, split, recourse):
    split(sold, city.debtor, 10)
    fill(quote(receivableId=sold, units=10, proceeds=9, seller=city.debtor, nonce=8))
    city.chain.mine(TENOR + GRACE)
    desk.putBack(8, sender=city.bank)
    assert recourse(8) == (city.debtor, CNY, OWED, 10, 0, sold)
    assert recourse(7) == (city.supplier, NO_CURRENCY, HELD, 30, 0, sold)
    assert [ledger.balanceOf(who, sold) for who in (city.bank, city.debtor, city.supplier)] == [30, 10, 60]


def test_put_back__then_sold_no_more__the_receivable_is_due(city, desk, owing, split):
    with reverts("ReceivableLedger_Due", id=owing, dueAt=city.chain.time - GRACE):
        split(owing, city.bank2, 1)


# --- repay


def test_repay__in_parts__owed_until_the_last(city, desk, owing, recourse):
    before = city.token.balanceOf(city.bank)

    receipt = desk.repay(city.bank, 7, 10, sender=city.supplier)

    event = {
        "receivableId": owing,
        "actor": city.supplier,
        "bank": city.bank,
        "nonce": 7,
        "amount": 10,
        "repaid": 10,
    }
    moved = {"from": city.supplier, "to": city.bank, "value": 10}
    assert receipt.events == [
        Event("FinancingDesk", "RecourseRepaid", event),
        Event("SettlementToken", "Transfer", moved),
    ]
    assert recourse() == (city.supplier, CNY, OWED, 30, 10, owing)
    city.fund(city.supplier, 1)  # it got 29 for the 30
    receipt = desk.repay(city.bank, 7, 20, sender=city.supplier)
    assert receipt.only("RecourseRepaid")["repaid"] == 30
    assert recourse() == (city.supplier, CNY, REPAID, 30, 30, owing)
    assert city.token.balanceOf(city.bank) - before == 30
    with wrong_state(city, REPAID):
        desk.repay(city.bank, 7, 1, sender=city.supplier)


def test_repay__too_much_or_nothing__refused(city, desk, owing):
    for amount in (31, MAX):
        with reverts("FinancingDesk_Overpaid", bank=city.bank, nonce=7, outstanding=30, amount=amount):
            desk.repay(city.bank, 7, amount, sender=city.supplier)
    with reverts("FinancingDesk_ZeroAmount", bank=city.bank, nonce=7):
        desk.repay(city.bank, 7, 0, sender=city.supplier)
    desk.repay(city.bank, 7, 29, sender=city.supplier)
    with reverts("FinancingDesk_Overpaid", bank=city.bank, nonce=7, outstanding=1, amount=2):
        desk.repay(city.bank, 7, 2, sender=city.supplier)


def test_repay__before_units_were_put_back__refused(city, desk, defaulted):
    with wrong_state(city, HELD):
        desk.repay(city.bank, 7, 1, sender=city.supplier)
    with wrong_state(city, NONE, nonce=8):
        desk.repay(city.bank, 8, 1, sender=city.supplier)
    with wrong_state(city, NONE, bank=city.bank2):
        desk.repay(city.bank2, 7, 1, sender=city.supplier)


@pytest.mark.parametrize("who", ["bank", "debtor", "founder"])
def test_repay__by_anyone_else__refused(city, desk, owing, who):
    with reverts("FinancingDesk_WrongSeller", seller=city.supplier, actor=getattr(city, who)):
        desk.repay(city.bank, 7, 1, sender=getattr(city, who))


def test_repay__suspended_seller_or_its_receiver__obligations_go_on(city, desk, owing, suspend, recourse):
    suspend(city.supplier)
    desk.repay(city.bank, 7, 4, sender=city.supplier)
    city.contract("Members").appointReceiver(city.supplier, city.hospital, BASIS, sender=city.court)
    city.fund(city.hospital, 26)
    city.token.approve(desk, 26, sender=city.hospital)

    receipt = desk.repay(city.bank, 7, 26, sender=city.hospital)

    assert receipt.only("RecourseRepaid")["actor"] == city.hospital
    assert city.token.balanceOf(city.hospital) == 0
    assert recourse()[2] == REPAID


def test_repay__to_a_suspended_bank__paid(city, desk, owing, suspend):
    suspend(city.bank)
    before = city.token.balanceOf(city.bank)
    desk.repay(city.bank, 7, 4, sender=city.supplier)
    assert city.token.balanceOf(city.bank) - before == 4


def test_repay__without_money_or_approval__nothing_recorded(city, desk, owing, recourse):
    with reverts("ERC20InsufficientBalance", sender=city.supplier, balance=29, needed=30):
        desk.repay(city.bank, 7, 30, sender=city.supplier)
    city.token.approve(desk, 0, sender=city.supplier)
    with reverts("ERC20InsufficientAllowance", spender=desk, allowance=0, needed=5):
        desk.repay(city.bank, 7, 5, sender=city.supplier)
    assert recourse()[4] == 0


def test_repay__relayed_and_replayed__once(city, desk, owing, recourse):
    forwarder = city.contract("Forwarder")
    request = forward_request(forwarder, (desk.repay, city.bank, 7, 5), dev_account(5).key, city.supplier)
    receipt = forwarder.execute(request, sender=city.founder)
    assert receipt.only("RecourseRepaid")["actor"] == city.supplier
    with pytest.raises(Reverted) as refused:
        forwarder.execute(request, sender=city.founder)
    assert refused.value.error == "ERC2771ForwarderInvalidSigner"
    assert recourse()[4] == 5


def test_repay__after_the_debtor_paid_after_all__still_owed(city, ledger, desk, owing, pay, recourse):
    """The seller has its units back and claims on them; what it owes the bank is between the two."""
    pay(owing, 100)
    assert ledger.claim(owing, sender=city.supplier).value == 100
    desk.repay(city.bank, 7, 30, sender=city.supplier)
    assert recourse()[2] == REPAID


@pytest.mark.parametrize("function", ["putBack", "repay", "cancel"])
def test_any_function__called_through_the_manager__refused(city, desk, defaulted, owing_if, function):
    authority = city.contract("Authority")
    city.contract("Authority").grantRole(city.city.roles["ROLE_GRANTER"], city.founder, 0, sender=city.founder)
    owing_if(function == "repay")
    args = (city.bank, 7, 1) if function == "repay" else (7,)
    with reverts("Application_ManagerCannotAct", manager=authority):
        authority.execute(desk, getattr(desk, function).encode(*args), sender=city.founder)


@pytest.fixture
def owing_if(city, desk, defaulted):
    return lambda needed: needed and desk.putBack(7, sender=city.bank)
