"""The tables say what the chain says: amounts, states, claims to the minor unit, whatever order things happen in."""

from __future__ import annotations

import random

import pytest

from frontend_api.modules.receivables.repository import claimable, entitlement, holdings, receivables
from tests.evm import Reverted
from tests.unit.receivables.mirror import DAY, GRACE, Mirror


@pytest.fixture
def mirror(city, tmp_path):
    with Mirror(city, tmp_path).following() as made:
        yield made


def row_of(mirror, id_):
    return next(row for row in mirror.rows(receivables) if row["id"] == id_)


def holding_of(mirror, id_, holder):
    wanted = (id_, str(holder))
    return next(r for r in mirror.rows(holdings) if (r["receivable_id"], r["holder"]) == wanted)


def test_tables__drafts_and_their_ends__as_on_the_chain(city, mirror):
    ledger = mirror.ledger
    ids = [mirror.draft(100, 10 * DAY) for _ in range(5)]
    ledger.dispute(ids[0], b"\x01" * 32, sender=city.debtor)
    ledger.dispute(ids[1], b"\x02" * 32, sender=city.debtor)
    ledger.confirm(ids[1], sender=city.debtor)
    ledger.reject(ids[2], sender=city.debtor)
    ledger.withdraw(ids[3], sender=city.supplier)
    ledger.strike(ids[4], b"\x03" * 32, sender=city.court)
    mirror.compare()
    mirror.compare_replay()
    shown = [row_of(mirror, id_)["state"] for id_ in ids]
    assert shown == ["disputed", "confirmed", "rejected", "withdrawn", "withdrawn"]
    assert row_of(mirror, ids[1])["dispute"] == "0x" + "02" * 32
    assert row_of(mirror, ids[4])["struck"] == "0x" + "03" * 32


def test_tables__credit_note_for_all_of_it__settled_with_nothing(mirror):
    id_ = mirror.confirmed(100, 10 * DAY)
    mirror.dilute(id_, 30)
    mirror.compare()
    assert (row_of(mirror, id_)["face"], row_of(mirror, id_)["diluted"]) == ("70", "30")
    mirror.dilute(id_, 70)
    mirror.compare()
    mirror.compare_replay()
    row = row_of(mirror, id_)
    assert (row["face"], row["diluted"], row["state"]) == ("0", "100", "settled")


def test_tables__two_put_backs_round_up__the_escrow_is_short_of_one_until_the_next_payment(city, mirror):
    """Half is paid of 12 units. Two banks claimed 2 on 4; the 3 units that each gives back first take both along."""
    id_ = mirror.confirmed(12, 10 * DAY)
    sellers = (city.hospital, city.institute)
    first, second = [], []
    for bank, seller in zip((2, 3), sellers, strict=True):
        mirror.move(id_, city.supplier, seller, 3)
        first.append(mirror.sell(id_, 3, seller, buyer=bank))
        second.append(mirror.sell(id_, 1, buyer=bank))
    mirror.mine(10 * DAY + GRACE)
    mirror.pay(id_, 6)
    for nonces in (first, second):
        for bank, nonce in zip((2, 3), nonces, strict=True):
            mirror.put_back(nonce, bank)
            mirror.compare()
    row, held = row_of(mirror, id_), holding_of(mirror, id_, city.supplier)
    assert (entitlement(row, held), claimable(row, held)) == (3, 2)
    mirror.claim(id_, city.supplier)
    mirror.pay(id_, 6)
    for holder in (city.supplier, *sellers):
        if mirror.ledger.claimable(id_, holder):
            mirror.claim(id_, holder)
            mirror.compare()
    mirror.compare_replay()
    row = row_of(mirror, id_)
    assert (row["state"], row["claimed"], row["given_back"]) == ("settled", "12", True)


def test_tables__claim_before_the_put_back__moves_with_the_units(city, mirror):
    id_ = mirror.confirmed(1000, 10 * DAY)
    nonce = mirror.sell(id_, 400)
    mirror.mine(10 * DAY + GRACE)
    mirror.pay(id_, 500)
    mirror.claim(id_, city.bank)
    mirror.write_off(id_, city.bank)
    mirror.put_back(nonce)
    mirror.compare()
    mirror.compare_replay()
    assert holding_of(mirror, id_, city.bank)["claimed"] == "0"
    assert holding_of(mirror, id_, city.supplier)["claimed"] == "200"


def test_tables__written_off__recoveries_are_what_later_payments_brought(city, mirror):
    id_ = mirror.confirmed(1000, 10 * DAY)
    mirror.move(id_, city.supplier, city.bank, 400)
    mirror.mine(10 * DAY + GRACE)
    mirror.pay(id_, 501)
    mirror.write_off(id_, city.bank)  # 400 × 501 ÷ 1000 = 200.4: 200 unpaid
    mirror.pay(id_, 100)
    mirror.claim(id_, city.bank)  # 400 × 601 ÷ 1000 = 240.4
    mirror.compare()
    held = holding_of(mirror, id_, city.bank)
    assert (held["written_off"], held["recovered"], held["claimed"]) == ("200", "40", "240")
    mirror.pay(id_, 399)
    mirror.claim(id_, city.bank)
    assert holding_of(mirror, id_, city.bank)["recovered"] == "200"
    mirror.compare_replay()


@pytest.mark.parametrize("seed", range(6))
def test_tables__whatever_happens__as_on_the_chain(city, mirror, seed):
    """Small faces and many hands, so that rounding bites; what the chain refuses changes nothing."""
    dice = random.Random(seed)
    hands = [city.supplier, city.bank, city.bank2, city.hospital]
    ids = [mirror.confirmed(dice.randint(3, 40), 10 * DAY) for _ in range(3)]
    nonces = []
    for id_ in ids:
        for taker in hands[2:]:
            mirror.move(id_, city.supplier, taker, 1)
        for _ in range(3):
            units = dice.randint(1, max(1, mirror.ledger.holding(id_, city.supplier).units // 3))
            if units <= mirror.ledger.holding(id_, city.supplier).units:
                nonces.append(mirror.sell(id_, units))
    mirror.mine(10 * DAY + GRACE)
    done = 0
    for _ in range(80):
        id_ = dice.choice(ids)
        acts = [
            lambda: mirror.pay(id_, dice.randint(1, 5)),
            lambda: mirror.claim(id_, dice.choice(hands)),
            lambda: mirror.write_off(id_, dice.choice(hands)),
            lambda: mirror.put_back(dice.choice(nonces)),
        ]
        try:
            dice.choice(acts)()
            done += 1
        except Reverted:
            continue
        mirror.compare()
    assert done >= 15
    mirror.compare_replay()
