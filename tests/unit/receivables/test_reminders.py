"""Reminders follow from the tables and chain time; dunning notices go from holder to debtor."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from frontend_api.errors import Conflict, Forbidden, InvalidInput, NotFound
from frontend_api.kit.pagination import encode_cursor
from frontend_api.modules.receivables.reminders import Recourse, ReminderService, days_until
from frontend_api.modules.receivables.reminders_schemas import NoticeBody
from tests.unit.receivables.mirror import DAY, GRACE, Mirror


@pytest.fixture
def mirror(city, tmp_path):
    with Mirror(city, tmp_path).following() as made:
        yield made


@pytest.fixture
def service(city, mirror):
    async def grace_period():
        return GRACE

    class Head:
        @property
        def head(self):
            return SimpleNamespace(time=city.chain.time)

    made = SimpleNamespace(
        database=mirror.database, receivables=SimpleNamespace(grace_period=grace_period), indexer=Head()
    )
    return ReminderService(made)


@pytest.fixture
def shown(service, mirror):
    async def ask(account, role=None, answer_days=7, **page):
        mirror.mine(0)
        found = await service.reminders(account, role, answer_days, page.get("cursor"), page.get("limit", 100))
        return [(r.role, r.kind, r.receivable_id, int(r.amount), r.days, r.next_action.path) for r in found.items]

    return ask


@pytest.mark.parametrize(
    ("left", "days"),
    [(1, 0), (DAY, 0), (DAY + 1, 1), (2 * DAY, 1), (0, -1), (-DAY + 1, -1), (-DAY, -2), (15 * DAY, 14)],
)
def test_days_until__to_the_second(left, days):
    assert days_until(1_000_000_000 + left, 1_000_000_000) == days


async def test_reminders__as_debtor__by_how_near_the_due_date_is(city, mirror, shown):
    left = [16 * DAY, 15 * DAY, 8 * DAY + 1, 8 * DAY, 2 * DAY, DAY, 40 * DAY]
    for number, due_in in enumerate(left):
        mirror.confirmed(100 + number, due_in)
    mirror.pay(4, 3)
    assert await shown(city.debtor) == [
        ("debtor", "due_today", 6, 105, 0, "/receivables/6/payments"),
        ("debtor", "due_in_1_day", 5, 104, 1, "/receivables/5/payments"),
        ("debtor", "due_in_7_days", 4, 100, 7, "/receivables/4/payments"),
        ("debtor", "due_in_14_days", 3, 102, 8, "/receivables/3/payments"),
        ("debtor", "due_in_14_days", 2, 101, 14, "/receivables/2/payments"),
    ]
    mirror.mine(DAY)
    assert (await shown(city.debtor))[0][1:5] == ("overdue", 6, 105, -1)
    mirror.mine(GRACE - 1)
    assert (await shown(city.debtor))[0][1:5] == ("overdue", 6, 105, -30)
    mirror.mine(1)
    assert (await shown(city.debtor))[0][1:5] == ("defaulted", 6, 105, -31)


async def test_reminders__drafts__the_debtor_answers_and_the_supplier_waits(city, mirror, shown):
    old, new, disputed = (mirror.draft(face, 90 * DAY) for face in (10, 20, 30))
    mirror.ledger.dispute(disputed, b"\x01" * 32, sender=city.debtor)
    mirror.ledger.withdraw(new, sender=city.supplier)
    mirror.mine(7 * DAY - 1)
    assert await shown(city.debtor) == [("debtor", "to_answer", old, 10, -7, f"/receivables/{old}/confirm")]
    assert await shown(city.supplier) == [
        ("supplier", "disputed", disputed, 30, -7, f"/receivables/{disputed}/withdraw")
    ]
    mirror.mine(1)
    assert [entry[1:3] for entry in await shown(city.supplier)] == [("unanswered", old), ("disputed", disputed)]
    assert [entry[1:3] for entry in await shown(city.supplier, answer_days=8)] == [("disputed", disputed)]


async def test_reminders__as_holder__claims_then_collecting_then_writing_off(city, mirror, shown):
    id_ = mirror.confirmed(1000, DAY)
    mirror.move(id_, city.supplier, city.bank, 400)
    assert await shown(city.bank) == []
    mirror.mine(DAY)
    mirror.pay(id_, 501)
    paths = f"/receivables/{id_}/"
    assert await shown(city.bank) == [
        ("holder", "claimable", id_, 200, -1, paths + "claims"),
        ("holder", "overdue", id_, 200, -1, paths + "reminders"),
    ]
    mirror.claim(id_, city.bank)
    mirror.mine(GRACE)
    assert await shown(city.bank) == [("holder", "defaulted", id_, 200, -31, paths + "write-offs")]
    mirror.write_off(id_, city.bank)
    assert await shown(city.bank) == []
    mirror.pay(id_, 499)
    assert await shown(city.bank) == [("holder", "claimable", id_, 200, -31, paths + "claims")]
    mirror.claim(id_, city.bank)
    assert await shown(city.bank) == []
    assert [entry[1] for entry in await shown(city.supplier)] == ["claimable"]


async def test_reminders__recourse__the_bank_may_put_back_and_the_seller_repays(city, mirror, service, shown):
    id_ = mirror.confirmed(1000, DAY)
    due = mirror.ledger.receivable(id_).dueAt
    held = Recourse(city.bank, city.supplier, 7, id_, "CNY", due, "held", 400, True)
    service._recourses = lambda _, account: [held] if account in (city.bank, city.supplier) else []
    assert await shown(city.bank) == []
    mirror.mine(DAY)
    path = f"/recourse/{city.bank}/7/"
    assert await shown(city.bank) == [("bank", "recourse_soon", id_, 400, 29, path + "put-back")]
    mirror.mine(GRACE)
    assert await shown(city.bank) == [("bank", "recourse", id_, 400, -1, path + "put-back")]
    assert await shown(city.supplier, "supplier") == []
    owed = Recourse(city.bank, city.supplier, 7, id_, "CNY", due, "owed", 300, True)
    service._recourses = lambda _, account: [owed]
    assert await shown(city.bank) == []
    assert await shown(city.supplier, "supplier") == [("supplier", "recourse_owed", id_, 300, -1, path + "payments")]


async def test_reminders__pages__everything_once_in_one_order(city, mirror, service, shown):
    due = 3 * DAY
    for number in range(205):  # more than the reader takes at once
        mirror.confirmed(10 + number, due)
    mirror.mine(due)
    everything = await shown(city.debtor, limit=1000)
    assert [entry[2] for entry in everything] == list(range(1, 206))
    seen, cursor = [], None
    while True:
        page = await service.reminders(city.debtor, None, 7, cursor, 50)
        seen += [reminder.receivable_id for reminder in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == list(range(1, 206))
    for wrong in (encode_cursor(1, 2), encode_cursor("a", 2, "x", "-"), "%%%"):
        with pytest.raises(InvalidInput):
            await service.reminders(city.debtor, None, 7, wrong, 50)


# --- notices


async def test_notice__sent_once_a_day__seen_and_acknowledged_by_the_debtor(city, mirror, service, shown):
    id_ = mirror.confirmed(1000, DAY)
    mirror.mine(DAY)
    first, new = await service.send_notice(city.supplier, id_, "请付款。Please pay.")
    again, same = await service.send_notice(city.supplier, id_, "请付款。Please pay.")
    assert (new, same, again.id) == (True, False, first.id)
    with pytest.raises(Conflict, match="once a day"):
        await service.send_notice(city.supplier, id_, "Now!")
    mine = await service.reminders(city.debtor, "debtor", 7, None, 100)
    [reminder] = [entry for entry in mine.items if entry.kind == "notice"]
    assert (reminder.notice.text, reminder.counterparty) == ("请付款。Please pay.", city.supplier)
    assert reminder.next_action.path == f"/receivables/{id_}/reminders/{first.id}/acknowledge"

    for stranger, error in ((city.bank, NotFound), (city.supplier, Forbidden)):
        with pytest.raises(error):
            await service.acknowledge(stranger, id_, first.id)
    read = await service.acknowledge(city.debtor, id_, first.id)
    mirror.mine(DAY)
    assert (await service.acknowledge(city.debtor, id_, first.id)).acknowledged_at == read.acknowledged_at
    assert "notice" not in [entry[1] for entry in await shown(city.debtor)]
    _, new = await service.send_notice(city.supplier, id_, "Now!")
    assert new
    for party, count in ((city.supplier, 2), (city.debtor, 2), (city.bank, 0)):
        assert len((await service.notices(party, id_, None, 10)).items) == count
    mirror.pay(id_, 1000)
    assert await shown(city.debtor) == []


async def test_notice__who_and_when__holders_of_what_is_owed(city, mirror, service):
    id_ = mirror.draft(1000, DAY)
    with pytest.raises(Forbidden, match="holds no units"):
        await service.send_notice(city.supplier, id_, "x")
    mirror.ledger.confirm(id_, sender=city.debtor)
    with pytest.raises(Forbidden, match="holds no units"):
        await service.send_notice(city.bank, id_, "x")
    with pytest.raises(NotFound):
        await service.send_notice(city.supplier, 99, "x")
    mirror.pay(id_, 1000)
    with pytest.raises(Conflict, match="settled"):
        await service.send_notice(city.supplier, id_, "x")


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 501, "a\x00b", "a\u202eb", "\ud800", 7, None])
def test_notice_body__not_plain_text__refused(text):
    with pytest.raises(ValidationError):
        NoticeBody(text=text)


def test_notice_body__lines_and_any_script__taken():
    assert NoticeBody(text=" 请\r\n付款 ").text == "请\n付款"
