"""Ageing and exposure of twelve receivables that were reckoned by hand, as JSON, CSV and a picture."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
from sqlalchemy import insert

from frontend_api.modules.members.repository import parties
from frontend_api.modules.receivables import report_plot
from frontend_api.modules.receivables.positions import Moment
from frontend_api.modules.receivables.report_schemas import ageing_report, as_csv, exposure_report, major
from frontend_api.modules.receivables.reports import (
    PARTS,
    Line,
    Report,
    ReportService,
    concentration,
    part_of,
)
from scripts.deployment.plan import currency_bytes
from tests.evm import dev_account
from tests.unit.receivables.mirror import DAY, GRACE, Mirror

CNY, EUR = currency_bytes("CNY"), currency_bytes("EUR")
FORGE = dev_account(25).address
FORGE_CODE = "91431300MT0000001U"
DECIMALS = {"CNY": 2, "EUR": 2}


@pytest.fixture
def mirror(city, tmp_path, admit):
    admit(FORGE, 5)
    with Mirror(city, tmp_path).following() as made:
        yield made


@pytest.fixture
def twelve(city, mirror):
    """Reckoned at day 200. Face and due day, then what happened:

     1 steel CNY 1000  250  the bank holds 400
     2 steel CNY 2000  200  500 paid: due this very second, so the first day late
     3 steel CNY  300  171  29 days late: the 30th day
     4 steel CNY  400  170  30 days late: the 31st day, and defaulted
     5 steel CNY  700  141  the 60th day; the other bank holds 200
     6 steel CNY  900  140  the 61st day
     7 forge CNY 1100  111  the 90th day
     8 forge CNY 1300  110  the bank holds 1000; 130 paid, the bank's 900 written off, 260 paid, all 300 of the bank's claimed
     9 forge EUR 5000  100  2000 sold with recourse, 1000 paid, put back
    10 steel EUR  800  300  a credit note over 100
    11 steel CNY  600   50  settled
    12 forge CNY  500  250  a draft
    """
    steel = city.debtor
    terms = [
        (steel, CNY, 1000, 250),
        (steel, CNY, 2000, 200),
        (steel, CNY, 300, 171),
        (steel, CNY, 400, 170),
        (steel, CNY, 700, 141),
        (steel, CNY, 900, 140),
        (FORGE, CNY, 1100, 111),
        (FORGE, CNY, 1300, 110),
        (FORGE, EUR, 5000, 100),
        (steel, EUR, 800, 300),
        (steel, CNY, 600, 50),
    ]
    ids = [None, *(mirror.confirmed(face, due * DAY, debtor, currency) for debtor, currency, face, due in terms)]
    mirror.draft(500, 250 * DAY, FORGE)
    mirror.move(ids[1], city.supplier, city.bank, 400)
    mirror.move(ids[5], city.supplier, city.bank2, 200)
    mirror.move(ids[8], city.supplier, city.bank, 1000)
    nonce = mirror.sell(ids[9], 2000, currency="EUR")
    mirror.pay(ids[2], 500)
    mirror.dilute(ids[10], 100)
    mirror.pay(ids[11], 600)
    mirror.mine(150 * DAY)
    mirror.pay(ids[8], 130)
    mirror.write_off(ids[8], city.bank)
    mirror.pay(ids[8], 260)
    mirror.claim(ids[8], city.bank)
    mirror.pay(ids[9], 1000)
    mirror.put_back(nonce)
    mirror.mine(50 * DAY)
    mirror.compare()
    return mirror


@pytest.fixture
def service(city, twelve):
    rows = [
        {
            "account": account,
            "kind": kind,
            "credit_code": code,
            "status": "active",
            "enrolled_at": 1,
            "changed_block": 1,
        }
        for account, kind, code in (
            (city.supplier, 5, "91431381MA5198083N"),
            (city.debtor, 5, "91431382MA5277275H"),
            (FORGE, 5, FORGE_CODE),
            (city.bank, 3, "91431300MA49605155"),
            (city.bank2, 3, "91431300MA5039701U"),
        )
    ]
    twelve.database.write_now(lambda connection: connection.execute(insert(parties), rows))

    async def grace_period():
        return GRACE

    made = SimpleNamespace(
        database=twelve.database,
        deployment=SimpleNamespace(kinds=city.city.kinds, members=city.city.members),
        receivables=SimpleNamespace(grace_period=grace_period),
    )
    return ReportService(made, lambda _, bank, debtor: "steel makers" if debtor == city.debtor else None)


def amounts(**parts):
    """A line's amounts as JSON shows them, the rest zero."""
    full = dict.fromkeys(("notDue", "days1To30", "days31To60", "days61To90", "over90Days", "writtenOff"), 0) | parts
    defaulted = full.pop("defaulted", 0)
    outstanding = sum(full.values())
    return {name: str(value) for name, value in {"outstanding": outstanding, **full, "defaulted": defaulted}.items()}


def shown(body, names=("currency", "account")):
    found = {}
    for line in body.model_dump(by_alias=True)["lines"]:
        key = tuple(line.pop(name) for name in names)
        for name in ("name", "creditCode", "receivables", "currency", "account"):
            line.pop(name, None)
        found[key] = line
    return found


# --- ageing


async def test_ageing__as_supplier__every_bucket_by_hand(city, service):
    report = await service.ageing("supplier", city.supplier, None)
    body = ageing_report(report, "supplier", city.supplier)

    assert shown(body) == {
        ("CNY", city.debtor): amounts(notDue=1000, days1To30=1800, days31To60=1100, days61To90=900, defaulted=2000),
        ("CNY", FORGE): amounts(days61To90=1100, over90Days=210, writtenOff=700, defaulted=1310),
        ("EUR", FORGE): amounts(over90Days=4000, defaulted=4000),
        ("EUR", city.debtor): amounts(notDue=700),
    }
    assert [line.receivables for line in body.lines] == [6, 2, 1, 1]
    assert [(line.name, line.credit_code) for line in body.lines[:2]] == [
        ("涟源钢铁 Lianyuan Steel", "91431382MA5277275H"),
        (None, FORGE_CODE),
    ]
    assert [(t.currency, t.outstanding, t.defaulted) for t in body.totals] == [
        ("CNY", "6810", "3310"),
        ("EUR", "4700", "4000"),
    ]
    assert (body.at, body.grace_period) == (city.chain.time, GRACE)


async def test_ageing__as_holder__only_what_is_held(city, service):
    of_bank = ageing_report(await service.ageing("holder", city.bank, None), "holder", city.bank)
    assert shown(of_bank) == {
        ("CNY", FORGE): amounts(writtenOff=700),
        ("CNY", city.debtor): amounts(notDue=400),
    }
    of_supplier = ageing_report(await service.ageing("holder", city.supplier, None), "holder", city.supplier)
    assert shown(of_supplier) == {
        ("CNY", city.debtor): amounts(notDue=600, days1To30=1800, days31To60=900, days61To90=900, defaulted=1800),
        ("CNY", FORGE): amounts(days61To90=1100, over90Days=210, defaulted=1310),
        ("EUR", FORGE): amounts(over90Days=4000, defaulted=4000),
        ("EUR", city.debtor): amounts(notDue=700),
    }


async def test_ageing__as_debtor_in_one_currency__what_it_must_pay(city, service):
    body = ageing_report(await service.ageing("debtor", FORGE, "CNY"), "debtor", FORGE)
    assert shown(body) == {
        ("CNY", city.supplier): amounts(days61To90=1100, over90Days=210, writtenOff=700, defaulted=1310)
    }
    nobody = ageing_report(await service.ageing("debtor", city.court, None), "debtor", city.court)
    assert (nobody.lines, nobody.totals) == ([], [])


# --- exposure


def exposures(body):
    return {
        (line.currency, line.account or line.group): (
            int(line.outstanding),
            int(line.overdue),
            int(line.defaulted),
            int(line.written_off),
            int(line.recovered),
            line.concentration,
        )
        for line in body.lines
    }


async def test_exposure__by_debtor__sums_and_concentration_by_hand(city, service):
    body = exposure_report(await service.exposure("debtor", city.bank, None, None), "debtor", None)
    assert exposures(body) == {
        ("CNY", city.debtor): (4800, 3800, 2000, 0, 0, "70.48"),
        ("CNY", FORGE): (2010, 1310, 1310, 700, 200, "29.52"),
        ("EUR", FORGE): (4000, 4000, 4000, 0, 0, "85.11"),
        ("EUR", city.debtor): (700, 0, 0, 0, 0, "14.89"),
    }
    assert [(t.currency, t.outstanding, t.recovered) for t in body.totals] == [
        ("CNY", "6810", "200"),
        ("EUR", "4700", "0"),
    ]


async def test_exposure__by_bank__banks_only(city, service):
    body = exposure_report(await service.exposure("bank", city.founder, None, None), "bank", None)
    assert exposures(body) == {
        ("CNY", city.bank): (1100, 0, 0, 700, 200, "84.62"),
        ("CNY", city.bank2): (200, 200, 200, 0, 0, "15.38"),
    }


async def test_exposure__of_one_bank_and_by_its_groups(city, service):
    of_bank = exposure_report(await service.exposure("debtor", city.founder, city.bank, None), "debtor", city.bank)
    assert exposures(of_bank) == {
        ("CNY", FORGE): (700, 0, 0, 700, 200, "63.64"),
        ("CNY", city.debtor): (400, 0, 0, 0, 0, "36.36"),
    }
    grouped = exposure_report(await service.exposure("group", city.bank, None, None), "group", city.bank)
    assert exposures(grouped) == {
        ("CNY", None): (700, 0, 0, 700, 200, "63.64"),
        ("CNY", "steel makers"): (400, 0, 0, 0, 0, "36.36"),
    }


async def test_exposure__all_paid_after_the_write_off__recovered_stays_known(city, service, twelve):
    twelve.pay(8, 910)
    twelve.claim(8, city.bank)
    body = exposure_report(await service.exposure("debtor", city.bank, city.bank, None), "debtor", city.bank)
    assert exposures(body)["CNY", FORGE] == (0, 0, 0, 0, 900, "0.00")


async def test_ageing__parts_rounded_up_and_all_written_off__never_more_than_the_whole(city, service, twelve):
    """Of 3 units in three hands 2 are paid: each hand still misses one, the receivable lacks one."""
    id_ = twelve.confirmed(3, DAY)
    for taker in (city.bank, city.bank2):
        twelve.move(id_, city.supplier, taker, 1)
    twelve.mine(DAY + GRACE)
    twelve.pay(id_, 2)
    for holder in (city.supplier, city.bank, city.bank2):
        twelve.write_off(id_, holder)
    before = 700  # of receivable 8, about another debtor
    report = await service.ageing("debtor", city.debtor, "CNY")
    assert report.totals()["CNY"].parts["written_off"] == 1
    assert (await service.ageing("supplier", city.supplier, "CNY")).totals()["CNY"].parts["written_off"] == before + 1


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(0, 0, None), (1, 3, "33.33"), (2, 3, "66.67"), (1, 8, "12.50"), (1, 20_000, "0.01"), (2**127, 2**127, "100.00")],
)
def test_concentration__by_hand__rounded_half_up(part, whole, expected):
    assert concentration(part, whole) == expected


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (-1, "not_due"),
        (0, "days_1_to_30"),
        (30 * DAY - 1, "days_1_to_30"),
        (30 * DAY, "days_31_to_60"),
        (60 * DAY - 1, "days_31_to_60"),
        (60 * DAY, "days_61_to_90"),
        (90 * DAY - 1, "days_61_to_90"),
        (90 * DAY, "over_90_days"),
    ],
)
def test_part_of__to_the_second(late, expected):
    assert part_of(1_000_000_000, 1_000_000_000 + late) == expected


# --- CSV


async def test_csv__parsed_back__the_same_lines_in_minor_and_major_units(city, service):
    body = ageing_report(await service.ageing("supplier", city.supplier, None), "supplier", city.supplier)
    text = as_csv(body, DECIMALS)

    assert text.count("\r\n") == text.count("\n") == 5
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    lines = body.model_dump(by_alias=True)["lines"]
    for row, line in zip(rows, lines, strict=True):
        assert {name: row[name] for name in line} == {n: "" if v is None else str(v) for n, v in line.items()}
    assert [(row["outstanding"], row["outstandingMajor"]) for row in rows[:2]] == [("4800", "48.00"), ("2010", "20.10")]
    assert {(row["as"], row["party"], row["at"]) for row in rows} == {("supplier", city.supplier, str(city.chain.time))}


async def test_csv__exposure_by_group__the_name_s_comma_and_quote_survive(city, service):
    service._group_of = lambda *_: 'steel, "big"\nones'
    body = exposure_report(await service.exposure("group", city.bank, None, None), "group", city.bank)
    [row] = csv.DictReader(io.StringIO(as_csv(body, DECIMALS), newline=""))
    assert (row["group"], row["outstanding"], row["concentration"]) == ('steel, "big"\nones', "1100", "100.00")


def test_major__by_decimals__exact():
    assert [major(5, 2), major(2**128 - 1, 2), major(7, 0), major(7, 3)] == [
        "0.05",
        "3402823669209384634633746074317682114.55",
        "7",
        "0.007",
    ]


# --- pictures


async def test_plot__svg__bars_are_the_data_and_labels_are_text(city, service):
    report = await service.ageing("supplier", city.supplier, None)
    root = ET.fromstring(report_plot.draw(report, "Ageing as supplier", DECIMALS, "svg"))

    texts = ["".join(element.itertext()).strip() for element in root.iter("{http://www.w3.org/2000/svg}text")]
    for expected in (
        "涟源钢铁 Lianyuan Steel",
        FORGE_CODE,
        "48.00   (defaulted 20.00)",
        "20.10   (defaulted 13.10)",
        "CNY",
        "EUR",
        *report_plot.LABELS.values(),
    ):
        assert expected in texts
    widths = bar_widths(root)
    for currency in ("CNY", "EUR"):
        expected = {
            (currency, place, part): line.parts[part]
            for place, (_, line) in enumerate(report_plot.bars(report, currency))
            for part in PARTS
        }
        scale = sum(widths[key] for key in expected) / sum(expected.values())
        for key, amount in expected.items():
            assert widths[key] == pytest.approx(amount * scale, abs=0.01), key


def bar_widths(root):
    """The drawn width of each bar, from its path."""
    found = {}
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        name = group.get("id", "")
        if name.startswith("bar-"):
            _, currency, place, part = name.split("-", 3)
            path = group.find("{http://www.w3.org/2000/svg}path").get("d")
            xs = [float(x) for x in path.replace("M", " ").replace("L", " ").replace("z", " ").split()[::2]]
            found[currency, int(place), part] = max(xs) - min(xs)
    return found


async def test_plot__png__has_every_colour_of_the_data(city, service):
    picture = report_plot.draw(await service.ageing("supplier", city.supplier, None), "Ageing", DECIMALS, "png")
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(picture) > 20_000


def test_plot__many_lines__the_smaller_are_added_up():
    lines = {}
    for number in range(30):
        lines["CNY", f"0x{number:040x}"] = Line(1, dict.fromkeys(PARTS, number))
    found = report_plot.bars(Report(Moment(1, 1), GRACE, lines, {}, {}), "CNY")
    assert len(found) == 21
    assert (found[-1][0], found[-1][1].outstanding) == ("10 others", 6 * sum(range(10)))
    assert sum(line.outstanding for _, line in found) == 6 * sum(range(30))


def test_plot__nothing_outstanding__says_so():
    picture = report_plot.draw(Report(Moment(1, 1), GRACE, {}, {}, {}), "Ageing", DECIMALS, "svg")
    assert "nothing is outstanding" in picture.decode()
