"""Requests for quotes without a chain: states, answers, the queue, and who may answer what."""

from __future__ import annotations

import pytest

from frontend_api.errors import Conflict, InvalidInput, NotFound
from frontend_api.modules.financing import requests_repository as repository
from frontend_api.modules.financing.requests_repository import Asked, request_state
from tests.unit.financing.conftest import BANK, DEBTOR, DUE, OTHER, OTHER_BANK, SUPPLIER, offer

NOW = 1100


@pytest.fixture
def ask(database, confirmed):
    confirmed(7)

    def done(name="1", banks=(BANK, OTHER_BANK), **changed):
        facts = {"receivable_id": 7, "seller": SUPPLIER, "units": 30, "recourse": False, "divisible": False}
        facts |= {"answer_by": 1200, "note": None, "asked_at": 1000} | changed
        made = Asked("qr_" + name * 32, **facts)
        database.write_now(repository.ask, made, banks)
        return made.id

    return done


@pytest.mark.parametrize(
    ("changed", "now", "expected"),
    [
        ({}, 1200, "open"),
        ({}, 1201, "expired"),
        ({"closed_at": 5}, 1100, "closed"),
        ({"closed_at": 5}, 1201, "closed"),
        ({"receivable_state": "partly_paid"}, 1100, "expired"),
        ({"due_at": 1100}, 1100, "expired"),
    ],
)
def test_request_state__its_seller_s_word_time_and_receivable(changed, now, expected):
    row = {"closed_at": None, "answer_by": 1200, "receivable_state": "confirmed", "due_at": DUE}
    assert request_state(row | changed, now) == expected


def test_find__its_seller_and_its_banks_alone(database, ask):
    request = ask(banks=(BANK,))
    for party, found in ((SUPPLIER, True), (BANK, True), (OTHER_BANK, False), (DEBTOR, False)):
        assert (database.write_now(repository.find_request, request, party) is not None) is found
        assert bool(database.write_now(repository.list_requests, party, None, 10)) is found


def test_waiting__open_and_unanswered__the_most_urgent_first(database, ask, give):
    late, soon, declined, quoted, closed, past = (
        ask(name, answer_by=by)
        for name, by in (("a", 1190), ("b", 1150), ("c", 1160), ("d", 1160), ("e", 1160), ("f", 1099))
    )
    database.write_now(repository.decline, declined, BANK, NOW)
    give(offer(), request_id=quoted)
    database.write_now(repository.close, closed, SUPPLIER, NOW)

    def waiting(bank, after=None, limit=10):
        return [r["id"] for r in database.write_now(repository.list_waiting, bank, NOW, after, limit)]

    assert waiting(BANK) == [soon, late]
    assert waiting(OTHER_BANK) == [soon, declined, quoted, late]
    [first] = database.write_now(repository.list_waiting, OTHER_BANK, NOW, None, 1)
    assert waiting(OTHER_BANK, (first["answer_by"], first["sequence"])) == [declined, quoted, late]
    assert waiting(OTHER) == waiting(SUPPLIER) == []
    assert past not in waiting(BANK)


@pytest.mark.parametrize(
    ("quote", "error"),
    [
        (offer(units=30), None),
        (offer(units=29, recourse=True, divisible=True), None),
        (offer(units=31), InvalidInput),
        (offer(receivable_id=8), InvalidInput),
        (offer(seller=OTHER), InvalidInput),
        (offer(bank=DEBTOR), NotFound),
        (offer(bank=SUPPLIER), NotFound),
    ],
)
def test_require_answerable__what_was_asked_of_whom(database, ask, quote, error):
    request = ask()
    if error is None:
        database.write_now(repository.require_answerable, request, quote, NOW)
        return
    with pytest.raises(error):
        database.write_now(repository.require_answerable, request, quote, NOW)


def test_require_answerable__closed_or_expired__refused(database, ask):
    request = ask()
    with pytest.raises(Conflict, match="expired"):
        database.write_now(repository.require_answerable, request, offer(), 1201)
    database.write_now(repository.close, request, SUPPLIER, NOW)
    with pytest.raises(Conflict, match="closed"):
        database.write_now(repository.require_answerable, request, offer(), NOW)


def test_decline__twice_after_a_quote_or_by_others(database, ask, give):
    request = ask()
    for at in (NOW, NOW + 5):
        database.write_now(repository.decline, request, BANK, at)
    [first, _] = database.write_now(repository.banks_of, [request])
    assert (first["bank"], first["declined_at"]) == (BANK, NOW)
    give(offer(bank=OTHER_BANK), request_id=request)
    with pytest.raises(Conflict, match="cancel the quote instead"):
        database.write_now(repository.decline, request, OTHER_BANK, NOW)
    for party in (OTHER, SUPPLIER):
        with pytest.raises(NotFound):
            database.write_now(repository.decline, request, party, NOW)


def test_close__its_seller_alone_and_the_first_time_counts(database, ask):
    request = ask()
    assert database.write_now(repository.close, request, BANK, NOW) is False
    for at in (NOW, NOW + 5):
        assert database.write_now(repository.close, request, SUPPLIER, at) is True
    assert database.write_now(repository.find_request, request, SUPPLIER)["closed_at"] == NOW


def test_quotes_for__one_bank__not_the_others(database, ask, give):
    request = ask()
    mine = give(offer(), request_id=request)
    give(offer(bank=OTHER_BANK), request_id=request)
    give(offer(nonce=9))
    assert len(database.write_now(repository.quotes_for, [request])) == 2
    assert [q["id"] for q in database.write_now(repository.quotes_for, [request], BANK)] == [mine]
