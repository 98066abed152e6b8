"""Exposure and limits without a chain: what counts against a bank's own limit, to the minor unit."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from frontend_api.errors import Conflict
from frontend_api.modules.financing import limits_repository as repository
from frontend_api.modules.financing.limits_repository import DEBTOR as BY_DEBTOR
from frontend_api.modules.financing.limits_repository import GROUP, LimitExceeded, outstanding
from frontend_api.modules.financing.limits_schemas import LimitGroup, Limits, parse_group
from tests.unit.financing.conftest import BANK, DEBTOR, OTHER, OTHER_BANK, SUPPLIER, moved, offer, sold

NOW = 1100


@pytest.fixture
def exposed(database):
    def done(*debtors, bank=BANK, currency="CNY", now=NOW, **other):
        return database.write_now(repository.exposure, bank, debtors or (DEBTOR,), currency, now, **other)

    return done


@pytest.fixture
def limited(database):
    def done(amount, scope=BY_DEBTOR, name=DEBTOR, bank=BANK, currency="CNY"):
        database.write_now(repository.put_ceilings, bank, scope, name, {currency: amount})

    return done


@pytest.fixture
def check(database):
    """Whether a quote of the bank has room under its limits."""

    def done(quote, debtor=DEBTOR, currency="CNY"):
        receivable = {"debtor": debtor, "currency": currency}
        database.write_now(repository.require_room, quote, receivable, NOW)

    return done


def paid(number, amount, total):
    return "ReceivableLedger", "ReceivablePaid", {"id": number, "actor": DEBTOR, "amount": amount, "paid": total}


@pytest.mark.parametrize(
    ("units", "face", "so_far", "expected"),
    [(30, 100, 0, 30), (30, 100, 51, 15), (30, 100, 100, 0), (1, 3, 2, 1), (2**128 - 1, 2**128 - 1, 2**128 - 2, 1)],
)
def test_outstanding__as_the_ledger_divides_payments(units, face, so_far, expected):
    assert outstanding(units, face, so_far) == expected


def test_exposure__units_held__what_is_not_paid_on_them(exposed, confirmed, apply):
    confirmed(1)
    assert exposed() == 0
    apply(20, moved(1, SUPPLIER, BANK, 30))
    assert exposed() == 30
    apply(21, paid(1, 51, 51))
    assert exposed() == 15
    assert exposed(bank=OTHER_BANK) == exposed(OTHER) == exposed(currency="EUR") == 0
    apply(22, paid(1, 49, 100))
    assert exposed() == 0


def test_exposure__several_receivables_and_debtors__added_up(exposed, confirmed, apply):
    confirmed(1, holder=BANK)
    confirmed(2, holder=BANK, face=7)
    confirmed(3, holder=BANK, face=1000, debtor=OTHER)
    confirmed(4, holder=BANK, face=10**30, currency=b"EUR")
    assert (exposed(), exposed(OTHER), exposed(DEBTOR, OTHER)) == (107, 1000, 1107)
    assert exposed(currency="EUR") == 10**30


def test_exposure__quotes__as_long_as_and_as_far_as_they_can_be_filled(exposed, confirmed, apply, give):
    confirmed(7)
    quote = offer(divisible=True, units=40, proceeds=39, valid_until=NOW)
    digest = give(quote)
    assert exposed() == 40
    assert exposed(now=NOW + 1) == 0
    assert exposed(except_nonce="1") == 0
    apply(20, sold(quote, digest, 10, 9, complete=False), moved(7, SUPPLIER, BANK, 10))
    assert exposed() == 10 + 30
    apply(21, paid(7, 50, 50))
    assert exposed() == 5  # closed for transfers, so that nothing more can be filled


def test_exposure__quotes_of_one_nonce__the_largest_until_one_is_filled(exposed, confirmed, apply, give):
    confirmed(7)
    small, large = offer(units=10, proceeds=9, divisible=True), offer(units=50, proceeds=49)
    taken = give(small)
    give(large)
    give(offer(units=5, proceeds=4, nonce=2))
    assert exposed() == 55
    apply(20, sold(small, taken, 4, 3, complete=False))
    assert exposed() == 6 + 5  # the nonce belongs to the small one now
    apply(21, ("FinancingDesk", "QuoteCancelled", {"nonce": 1, "actor": BANK}))
    assert exposed() == 5


def test_require_room__no_limit_or_another_s__no_check(check, limited):
    limited(0, bank=OTHER_BANK)
    limited(0, name=OTHER)
    limited(0, currency="EUR")
    check(offer(units=2**128 - 1))


def test_require_room__to_the_minor_unit(check, limited, confirmed, give):
    confirmed(7)
    give(offer(units=40))
    limited(70)
    check(offer(units=30, nonce=2))
    with pytest.raises(LimitExceeded) as refused:
        check(offer(units=31, nonce=2))
    problem = refused.value.problem()
    assert (problem["status"], problem["type"]) == (409, "urn:chaincity:problem:limit-exceeded")
    assert {name: problem[name] for name in ("limitOf", "name", "currency", "limit", "exposure", "requested")} == {
        "limitOf": "debtor",
        "name": DEBTOR,
        "currency": "CNY",
        "limit": "70",
        "exposure": "40",
        "requested": "31",
    }
    assert problem["errors"][0]["field"] == "quote.units"
    # In the place of the one with its nonce there is room.
    check(offer(units=70, nonce=1))
    with pytest.raises(LimitExceeded):
        check(offer(units=71, nonce=1))


def test_require_room__group__counts_all_its_debtors_and_the_debtor_s_own_limit_holds_too(
    check, limited, database, confirmed
):
    confirmed(1, holder=BANK, debtor=OTHER)
    database.write_now(repository.put_group, BANK, "steel", [DEBTOR, OTHER], {"CNY": 150})
    check(offer(units=50))
    with pytest.raises(LimitExceeded) as refused:
        check(offer(units=51))
    assert (refused.value.extra["limitOf"], refused.value.extra["name"]) == (GROUP, "steel")
    limited(49)
    with pytest.raises(LimitExceeded) as refused:
        check(offer(units=50))
    assert refused.value.extra["limitOf"] == BY_DEBTOR
    database.write_now(repository.drop_ceilings, BANK, DEBTOR)
    database.write_now(repository.drop_group, BANK, "steel")
    check(offer(units=51))


def test_put_group__replaced__former_debtors_and_limits_are_gone(database):
    database.write_now(repository.put_group, BANK, "a", [DEBTOR, OTHER], {"CNY": 1, "EUR": 2})
    database.write_now(repository.put_group, BANK, "a", [OTHER], {"EUR": 3})
    assert database.write_now(repository.ceilings_of, BANK, GROUP, "a") == {"EUR": 3}
    assert database.write_now(repository.debtors_of, BANK, "a") == [OTHER]
    assert database.write_now(repository.group_of, BANK, DEBTOR) is None


def test_put_group__debtor_of_another_group__refused_and_nothing_changed(database):
    database.write_now(repository.put_group, BANK, "a", [DEBTOR], {"CNY": 1})
    with pytest.raises(Conflict, match="is in the group 'a'"):
        database.write_now(repository.put_group, BANK, "b", [OTHER, DEBTOR], {})
    assert database.write_now(repository.has_group, BANK, "b") is False
    database.write_now(repository.put_group, OTHER_BANK, "b", [OTHER, DEBTOR], {})


@pytest.mark.parametrize("name", ["", " a", "a ", "a/b", "a\nb", "\ud800", "x" * 65, "\x7f", 7, None])
def test_parse_group__bad_name__refused(name):
    with pytest.raises(ValueError, match="a group's name"):
        parse_group(name)


@pytest.mark.parametrize("amount", [-1, 1.0, float("inf"), True, None, "1e3", "", "١", str(2**128)])
def test_limits__bad_amount__refused(amount):
    with pytest.raises(ValidationError):
        Limits.model_validate({"limits": {"CNY": amount}})


def test_limits__zero__is_a_limit():
    assert Limits.model_validate({"limits": {"CNY": "0"}}).limits == {"CNY": 0}
    assert LimitGroup.model_validate({"debtors": []}).limits == {}
