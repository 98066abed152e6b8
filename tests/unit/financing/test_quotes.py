"""Quotes without a chain: costs, states, what is left of one, signatures, bodies and tables."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from frontend_api.chain.keys import LocalKeys
from frontend_api.chain.projection import undo_block
from frontend_api.errors import Conflict, Forbidden, InvalidInput
from frontend_api.kit.pagination import encode_cursor
from frontend_api.modules.financing import repository
from frontend_api.modules.financing.contract import FinancingDesk, Quote
from frontend_api.modules.financing.schemas import Fill, SignedQuote
from frontend_api.modules.financing.terms import (
    annualised_cost,
    by_cost,
    cost_of,
    filled_of,
    paid_of,
    quote_state,
    resource_of,
    stored,
)
from tests.evm import dev_account
from tests.unit.financing.conftest import BANK, DEBTOR, OTHER, OTHER_BANK, SUPPLIER, offer, sold

YEAR, DAY = 365 * 86400, 86400
CONTRACT = "0x" + "1e" * 20
QUOTE = Quote(7, 30_000_000, 29_700_000, SUPPLIER, BANK, True, True, 1_800_000_000, 2**200)


# --- the annualised cost


@pytest.mark.parametrize(
    ("units", "proceeds", "seconds", "expected"),
    [
        (110, 100, YEAR, 1000),
        (110, 100, YEAR // 2, 2000),
        (30_000_000, 29_700_000, 90 * DAY, 410),  # 1.0101 % × 365 ÷ 90 = 4.0965 %
        (30_000_000, 29_550_000, 90 * DAY, 618),  # 1.5228 % × 365 ÷ 90 = 6.1760 %
        (100, 100, DAY, 0),
        (90, 100, YEAR, -1000),
        (200_001, 200_000, YEAR // 10, 1),  # 0.5 bp rounds up
        (200_001, 200_000, YEAR // 9, 0),
    ],
)
def test_annualised_cost__by_hand__rounded_half_up(units, proceeds, seconds, expected):
    assert annualised_cost(units, proceeds, seconds) == expected


@pytest.mark.parametrize("seconds", [0, -1])
def test_annualised_cost__no_time_left__none(seconds):
    assert annualised_cost(110, 100, seconds) is None


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**128 - 2), st.integers(1, 10 * YEAR))
def test_annualised_cost__more_proceeds__never_dearer(units, proceeds, seconds):
    dearer, cheaper = annualised_cost(units, proceeds, seconds), annualised_cost(units, proceeds + 1, seconds)
    assert cheaper <= dearer


# --- states, and what is left

ID = "0x" + "11" * 32


def row(**changed):
    values = {"id": ID, "units": "30", "proceeds": "29", "valid_until": 100, "due_at": 200}
    values |= {"receivable_state": "confirmed", "nonce_state": None, "ended_at": None}
    return values | {"filled_digest": None, "filled_units": None} | changed


def ended(state, **changed):
    return row(**{"nonce_state": state, "ended_at": 50, "filled_digest": ID, "filled_units": "30"} | changed)


@pytest.mark.parametrize(
    ("found", "now", "expected"),
    [
        (row(), 100, "open"),
        (row(), 101, "expired"),
        (row(receivable_state="partly_paid"), 100, "closed"),
        (row(receivable_state="settled"), 100, "closed"),
        (row(valid_until=300), 199, "open"),
        (row(valid_until=300), 200, "closed"),
        (row(nonce_state="cancelled"), 1, "cancelled"),
        (row(nonce_state="cancelled"), 101, "cancelled"),
        (ended("used"), 101, "filled"),
        (ended("used", receivable_state="settled"), 101, "filled"),
        (ended("used", filled_digest="0x" + "12" * 32), 1, "nonce_used"),
        (ended("in_parts", filled_units="10"), 100, "in_parts"),
        (ended("in_parts", filled_units="10"), 101, "expired"),
        (ended("in_parts", filled_units="10", receivable_state="partly_paid"), 100, "closed"),
        (ended("in_parts", filled_digest="0x" + "12" * 32), 1, "nonce_used"),
        (ended("cancelled", filled_units="10"), 1, "cancelled"),
    ],
)
def test_quote_state__nonce_time_and_receivable__say_what_became_of_it(found, now, expected):
    assert quote_state(found, now) == expected


def test_left_of__another_quote_filled_with_the_nonce__nothing_of_this_one():
    other = ended("in_parts", filled_digest="0x" + "12" * 32, filled_units="10")
    assert (filled_of(other), paid_of(other)) == (0, 0)


def test_cost_of__part_filled__of_what_is_left():
    due = 90 * DAY
    whole = row(units="110", proceeds="100", due_at=due, valid_until=due)
    part = whole | {"nonce_state": "in_parts", "ended_at": 5, "filled_digest": ID, "filled_units": "109"}
    assert paid_of(part) == 99
    assert cost_of(whole, 0) == annualised_cost(110, 100, due)
    assert cost_of(part, 0) == annualised_cost(1, 1, due) == 0
    # What is filled costs as of its sale, however late it is asked.
    filled = part | {"nonce_state": "used", "filled_units": "110"}
    assert cost_of(filled, due - 1) == annualised_cost(110, 100, due - 5)


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**128 - 1), st.data())
def test_paid_of__any_part__leaves_something_and_never_more_than_all(units, proceeds, data):
    """As the desk's invariant Q1; and the rest is never free, so its cost can be computed."""
    if units == 1:
        return
    part = row(units=str(units), proceeds=str(proceeds), nonce_state="in_parts", filled_digest=ID)
    part["filled_units"] = str(data.draw(st.integers(1, units - 1)))
    assert 0 <= paid_of(part) < proceeds
    assert cost_of(part, 0) is not None


def test_by_cost__open_in_parts_and_ended__what_can_be_filled_first_the_cheapest_first(
    database, confirmed, give, apply
):
    confirmed(7, 1000)
    dear = give(offer(units=100, proceeds=90, nonce=1))
    cheap = give(offer(units=100, proceeds=99, nonce=2))
    parts = offer(units=100, proceeds=95, nonce=3, divisible=True)
    half = give(parts)
    gone = give(offer(units=100, proceeds=100, nonce=4, valid_until=1050))
    apply(20, sold(parts, half, 50, 47, complete=False))
    found = database.write_now(repository.open_quotes, 7, SUPPLIER, 1060)
    listed = sorted((resource_of(entry, 1060) for entry in found), key=by_cost)
    assert [(quote.id, quote.state) for quote in listed] == [(cheap, "open"), (half, "in_parts"), (dear, "open")]
    rest = database.write_now(repository.ended_quotes, 7, SUPPLIER, 1060, None, 10)
    assert [entry["id"] for entry in rest] == [gone]


# --- signing


def test_typed_data__any_quote__has_the_digest_that_the_contract_computes(city):
    desk = city.contract("FinancingDesk")
    message = encode_typed_data(full_message=FinancingDesk(None, desk.address).typed_data(QUOTE, 31337))
    digest = keccak(b"\x19" + message.version + message.header + message.body)
    assert digest == desk.digestOf(QUOTE.fields())


def test_sign_typed_data__held_key__recovers_to_it():
    signer = dev_account(2)
    typed = FinancingDesk(None, CONTRACT).typed_data(QUOTE, 31337)
    signature = LocalKeys({signer.address: signer}).sign_typed_data(signer.address, typed)
    assert Account.recover_message(encode_typed_data(full_message=typed), signature=signature) == signer.address


def test_sign_typed_data__other_account__refused():
    with pytest.raises(Forbidden, match="holds no key"):
        LocalKeys({}).sign_typed_data(SUPPLIER, {})


FIELDS = {
    "receivableId": 7,
    "units": "30",
    "proceeds": "29",
    "seller": SUPPLIER,
    "recourse": True,
    "divisible": True,
    "validUntil": 1_800_000_000,
    "nonce": str(2**256 - 1),
}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quote": FIELDS}, ()),
        ({"quote": FIELDS, "sign": True, "signature": "0x" + "11" * 65}, ()),
        ({"quote": FIELDS, "signature": "11" * 65}, ("signature",)),
        ({"quote": FIELDS, "signature": "0x1"}, ("signature",)),
        ({"quote": FIELDS, "signature": "0x"}, ("signature",)),
        ({"quote": FIELDS, "signature": "0x" + "zz" * 65}, ("signature",)),
        ({"quote": FIELDS, "signature": "0x" + "11" * 2001}, ("signature",)),
        ({"quote": FIELDS, "signature": 17}, ("signature",)),
        ({"quote": FIELDS | {"nonce": str(2**256)}, "sign": True}, ("quote", "nonce")),
        ({"quote": FIELDS | {"nonce": -1}, "sign": True}, ("quote", "nonce")),
        ({"quote": FIELDS | {"nonce": True}, "sign": True}, ("quote", "nonce")),
        ({"quote": FIELDS | {"proceeds": "0"}, "sign": True}, ("quote", "proceeds")),
        ({"quote": FIELDS | {"proceeds": str(2**128)}, "sign": True}, ("quote", "proceeds")),
        ({"quote": FIELDS | {"units": 1.5}, "sign": True}, ("quote", "units")),
        ({"quote": FIELDS | {"units": 1e400}, "sign": True}, ("quote", "units")),
        ({"quote": FIELDS | {"units": "-1"}, "sign": True}, ("quote", "units")),
        ({"quote": FIELDS | {"units": "1e3"}, "sign": True}, ("quote", "units")),
        ({"quote": FIELDS | {"units": True}, "sign": True}, ("quote", "units")),
        ({"quote": FIELDS | {"receivableId": 0}, "sign": True}, ("quote", "receivableId")),
        ({"quote": FIELDS | {"seller": "0x" + "00" * 20}, "sign": True}, ("quote", "seller")),
        ({"quote": FIELDS | {"seller": SUPPLIER.swapcase()}, "sign": True}, ("quote", "seller")),
        ({"quote": FIELDS | {"bank": OTHER}, "sign": True}, ("quote", "bank")),
        ({"quote": FIELDS | {"validUntil": 2**53}, "sign": True}, ("quote", "validUntil")),
        ({"quote": FIELDS | {"validUntil": 2**64}, "sign": True}, ("quote", "validUntil")),
        ({"quote": {k: v for k, v in FIELDS.items() if k != "recourse"}, "sign": True}, ("quote", "recourse")),
    ],
)
def test_signed_quote__malformed__refused_by_field(body, field):
    with pytest.raises(ValidationError) as refused:
        SignedQuote.model_validate(body)
    assert [error["loc"] for error in refused.value.errors()] == [field]


@pytest.mark.parametrize("units", [0, -1, 1.0, float("inf"), float("nan"), "1e400", None, str(2**128), True])
def test_fill__no_amount__refused(units):
    with pytest.raises(ValidationError):
        Fill.model_validate({"units": units})


def test_signed_quote__largest_nonce__kept_to_the_digit():
    assert SignedQuote.model_validate({"quote": FIELDS, "sign": True}).quote.nonce == 2**256 - 1


# --- tables


def test_next_nonce__proposed_kept_or_seen_before__not_again(database, apply, give):
    assert [database.write_now(repository.next_nonce, BANK) for _ in range(2)] == [1, 2]
    give(offer(nonce=3))
    apply(1, ("FinancingDesk", "QuoteCancelled", {"nonce": 4, "actor": BANK}))
    assert database.write_now(repository.next_nonce, BANK) == 5
    assert database.write_now(repository.next_nonce, OTHER_BANK) == 1


def find(database, digest, party=SUPPLIER):
    return database.write_now(repository.find_quote, digest, party)


def test_quotes__seen_by_bank_and_seller_only(database, confirmed, give):
    confirmed(7)
    digest = give(offer())
    for party, count in ((BANK, 1), (SUPPLIER, 1), (DEBTOR, 0), (OTHER, 0), (OTHER_BANK, 0)):
        assert len(database.write_now(repository.open_quotes, 7, party, 1010)) == count
        assert (find(database, digest, party) is not None) is bool(count)


def test_quotes__read_back__the_struct_that_was_signed(database, confirmed, give):
    confirmed(7)
    quote = offer(recourse=True, divisible=True, nonce=2**256 - 1, units=2**128 - 1, proceeds=2**127)
    digest = give(quote)
    assert stored(find(database, digest)) == quote


def test_quotes__filled_on_chain__the_row_says_when(database, confirmed, apply, give):
    confirmed(7)
    digest = give(offer())
    apply(8, sold(offer(), digest, 30, 29, complete=True))
    found = find(database, digest)
    assert quote_state(found, 0) == "filled"
    assert found["ended_at"] == 1008


def test_quotes__filled_in_parts__adds_up_until_the_last_and_goes_back_with_the_block(database, confirmed, apply, give):
    confirmed(7)
    quote = offer(divisible=True)
    digest = give(quote)
    twin = give(offer(divisible=True, proceeds=28))
    apply(8, sold(quote, digest, 10, 9, complete=False))
    apply(9, sold(quote, digest, 5, 5, complete=False))
    assert (quote_state(find(database, digest), 1010), quote_state(find(database, twin), 1010)) == (
        "in_parts",
        "nonce_used",
    )
    assert (filled_of(find(database, digest)), paid_of(find(database, digest))) == (15, 14)
    assert [r["id"] for r in database.write_now(repository.open_quotes, 7, BANK, 1010)] == [digest]
    apply(10, sold(quote, digest, 15, 15, complete=True))
    assert quote_state(find(database, digest), 1010) == "filled"
    assert (filled_of(find(database, digest)), paid_of(find(database, digest))) == (30, 29)
    for block, filled in ((10, 15), (9, 10), (8, 0)):
        database.write_now(undo_block, block)
        assert filled_of(find(database, digest)) == filled
    assert quote_state(find(database, twin), 1010) == "open"


def test_quotes__cancelled_in_parts__keeps_what_was_filled(database, confirmed, apply, give):
    confirmed(7)
    quote = offer(divisible=True)
    digest = give(quote)
    apply(8, sold(quote, digest, 10, 9, complete=False))
    apply(9, ("FinancingDesk", "QuoteCancelled", {"nonce": 1, "actor": BANK}))
    assert (quote_state(find(database, digest), 1), filled_of(find(database, digest))) == ("cancelled", 10)
    assert database.write_now(repository.open_quotes, 7, BANK, 1010) == []


def test_quotes__more_than_a_page_has_ended__open_ones_are_never_hidden(database, confirmed, give):
    confirmed(7)
    cheapest = give(offer(nonce=1000), at=1)
    for nonce in range(1, 8):
        give(offer(nonce=nonce, valid_until=50), at=10 + nonce // 2)
    assert [r["id"] for r in database.write_now(repository.open_quotes, 7, SUPPLIER, 1010)] == [cheapest]
    seen, after = [], None
    while page := database.write_now(repository.ended_quotes, 7, SUPPLIER, 1010, after, 3):
        seen += page
        after = (page[-1]["quoted_at"], page[-1]["id"])
    assert [r["quoted_at"] for r in seen] == sorted((r["quoted_at"] for r in seen), reverse=True)
    assert len({r["id"] for r in seen}) == len(seen) == 7


def test_keep_quote__as_many_open_as_may_be__refused_until_one_ends(database, confirmed, apply, give):
    confirmed(7)
    for nonce in range(1, 4):
        give(offer(nonce=nonce), most_open=3)
    with pytest.raises(Conflict, match=f"3 quotes for receivable 7 are open to {SUPPLIER}; cancel one first"):
        give(offer(nonce=4), most_open=3)
    assert give(offer(nonce=4, bank=OTHER_BANK), most_open=3)
    assert give(offer(nonce=4, seller=OTHER), most_open=3)
    apply(9, ("FinancingDesk", "QuoteCancelled", {"nonce": 1, "actor": BANK}))
    assert give(offer(nonce=5), most_open=3)


@pytest.mark.parametrize("cursor", [encode_cursor("x", "0x1"), encode_cursor(10**20, "0x1"), encode_cursor(1), "%"])
def test_decode_position__not_one_of_this_list__refused(cursor):
    with pytest.raises(InvalidInput):
        repository.decode_position(cursor)


def test_decode_position__what_was_given_out__the_same():
    assert repository.decode_position(encode_cursor(7, "0x1")) == (7, "0x1")
    assert repository.decode_position(None) is None


def test_quote__proceeds_above_the_face_value__refused():
    with pytest.raises(ValidationError, match="would pay 31 for 30 of face value"):
        SignedQuote.model_validate({"quote": FIELDS | {"units": "30", "proceeds": "31"}, "sign": True})
