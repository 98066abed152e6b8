"""Chapter 6: time passes. Reminders, payments whole and in parts, claims; a default with recourse, a write-off, a recovery; reports."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any

from scripts.deployment.artifacts import ROOT

from ..stage import commitment
from ..steps import expect, expect_contract_error
from .cast import BANKS, CORE, CREDITOR, DEFAULTER
from .invoices import readable
from .market import DAY, Market, Paper

PICTURES = ROOT / ".build" / "demo-finance"
CONFIRMED, PARTLY_PAID, SETTLED = 4, 5, 6


def play(market: Market) -> None:
    run = market.run
    core = market.client(CORE)
    [bad] = [paper for paper in market.papers.values() if paper.invoice.buyer is DEFAULTER]
    by_term: dict[int, list[Paper]] = defaultdict(list)
    for paper in market.papers.values():
        if paper is not bad:
            by_term[paper.invoice.days].append(paper)
    due = {days: papers[0].invoice.due_at for days, papers in by_term.items()}

    def reminders() -> None:
        market.pass_until(due[30] - 5 * DAY)
        found = core.get("/reminders", role="debtor", limit=1000)["items"]
        expect("what the debtor is reminded of", {r["receivableId"] for r in found}, {p.id for p in by_term[30]})
        expect("kinds of reminders", {r["kind"] for r in found}, {"due_in_7_days"})
        owed = sum(paper.face for paper in by_term[30])
        expect("amount, in all", sum(int(r["amount"]) for r in found), owed)
        market.say(f"{len(found)} receivables are due in 4 days and some hours: {readable(owed)} yuan")

    run("wait until five days before the first due date: the debtor is reminded", CORE.name, reminders)

    run("pay the 30-day receivables before they are due", CORE.name, lambda: _pay(market, by_term[30], SETTLED))

    def default() -> None:
        market.pass_until(due[60] + DAY)
        kinds = Counter(r["kind"] for r in core.get("/reminders", role="debtor", limit=1000)["items"])
        expect("overdue in the API", kinds["overdue"], len(by_term[60]))
        expect("defaulted on chain", market.ledger.isDefaulted(bad.id), True)
        expect("defaulted in the API", core.get(f"/receivables/{bad.id}")["defaulted"], True)
        held = [r for r in market.client(BANKS[1]).get("/reminders", role="bank")["items"] if r["kind"] == "recourse"]
        expect("what the bank with recourse is reminded of", [r["receivableId"] for r in held], [bad.id])
        text = {"text": "请在周五前付款。 Please pay by Friday."}
        market.client(BANKS[3]).post(f"/receivables/{bad.id}/reminders", text)
        notices = [r for r in market.client(DEFAULTER).get("/reminders")["items"] if r["kind"] == "notice"]
        expect("the debtor's notices", [r["notice"]["text"] for r in notices], [text["text"]])
        market.say(
            f"{kinds['overdue']} overdue at the core company; receivable {bad.id} is defaulted, 30 days after its due date"
        )

    run("wait 31 days more: the 60-day receivables are overdue, one receivable is defaulted", "anyone", default)

    def put_back() -> Any:
        bank, quote = BANKS[1], market.quotes["recourse"]
        without = lambda: market.client(BANKS[3]).post(f"/quotes/{market.quotes['plain']['id']}/put-back")  # noqa: E731
        market.unchanged(lambda: expect_contract_error(without, 409, "FinancingDesk_WrongRecourseState"))
        sent = market.client(bank).post(f"/quotes/{quote['id']}/put-back")
        units = int(quote["units"])
        bad.units[market.address(bank)] -= units
        bad.units[market.address(CREDITOR)] += units
        market.require_same([bad])
        again = lambda: market.client(bank).post(f"/quotes/{quote['id']}/put-back")  # noqa: E731
        market.unchanged(lambda: expect_contract_error(again, 409, "FinancingDesk_WrongRecourseState"))
        shown = market.client(CREDITOR).get(f"/recourse/{market.address(bank)}/{quote['nonce']}")
        expect("recourse in the API", (shown["state"], shown["outstanding"]), ("owed", str(units)))
        return sent

    run("put the units back to the seller, once", BANKS[1].name, put_back)

    def repay() -> Any:
        bank, quote = BANKS[1], market.quotes["recourse"]
        owed = int(quote["units"])
        path = f"/recourse/{market.address(bank)}/{quote['nonce']}/payments"
        seller = market.client(CREDITOR)
        market.issue(BANKS[0], CREDITOR, owed)
        market.approve(CREDITOR, "FinancingDesk", owed)
        before = market.balance(bank)
        seller.post(path, {"amount": str(owed // 3)})
        over = lambda: seller.post(path, {"amount": str(owed - owed // 3 + 1)})  # noqa: E731
        market.unchanged(lambda: expect_contract_error(over, 409, "FinancingDesk_Overpaid"))
        sent = seller.post(path, {"amount": str(owed - owed // 3)})
        expect("the bank has its money, to the fen", market.balance(bank) - before, owed)
        state = market.desk.recourseOf(market.address(bank), int(quote["nonce"])).state
        expect("recourse on chain", int(state), 3)
        return sent

    run("repay the bank in two parts, after one fen too much was refused", CREDITOR.name, repay)

    def write_off() -> Any:
        bank = BANKS[3]
        sent = market.client(bank).post(f"/receivables/{bad.id}/write-offs", {"basis": commitment()})
        expect("written off on chain", market.ledger.isWrittenOff(bad.id, market.address(bank)), True)
        shown = market.client(bank).get(f"/receivables/{bad.id}")["holdings"]
        written = {entry["holder"]: entry["writtenOff"] for entry in shown if entry["writtenOff"]}
        expect("written off in the API", written, {market.address(bank): str(bad.units[market.address(bank)])})
        return sent

    run("write off what was bought without recourse", BANKS[3].name, write_off)

    run(
        "fetch ageing and exposure as JSON, CSV and pictures; totals are the chain's",
        "core company, bank",
        lambda: _reports(market),
    )

    # --- the rest is paid

    def half() -> Any:
        sent = _pay(market, by_term[60], PARTLY_PAID, part=2)
        _claim(market, by_term[60])
        return sent

    run("pay half of each 60-day receivable, late; every holder claims its part", f"{CORE.name}, holders", half)
    run("pay the other halves", CORE.name, lambda: _pay(market, by_term[60], SETTLED))

    def last() -> Any:
        market.pass_until(due[90] - 2 * DAY)
        return _pay(market, by_term[90], SETTLED)

    run("pay the 90-day receivables when they are due", CORE.name, last)

    def recover() -> Any:
        amount = bad.face * 40 // 100 + 1
        market.issue(BANKS[0], DEFAULTER, amount)
        market.approve(DEFAULTER, "Escrow", amount)
        sent = market.client(DEFAULTER).post(f"/receivables/{bad.id}/payments", {"amount": str(amount)})
        bad.paid = amount
        _claim(market, [bad])
        shown = market.client(BANKS[3]).get(f"/receivables/{bad.id}")["holdings"]
        account = market.address(BANKS[3])
        recovered = next(entry["recovered"] for entry in shown if entry["holder"] == account)
        expect("recovered by the bank that wrote off", recovered, str(bad.claimed[account]))
        rest = market.stage.read_many("Escrow", "held", [[market.ledger.address, bad.id, market.token.address]])[0]
        market.say(f"40 % recovered: {readable(amount)} yuan, of which {rest} fen stay in escrow until more is paid")
        return sent

    run("recover 40 % of the defaulted receivable; its holders claim", f"{DEFAULTER.name}, holders", recover)

    run(
        "claim all that was paid, every holder in one request",
        "holders",
        lambda: _claim(market, market.papers.values()),
    )


def _pay(market: Market, papers: list[Paper], state: int, part: int = 1) -> Any:
    """Pay what is outstanding, or a part of it; compare money and states."""
    amounts = {paper.id: (paper.face - paper.paid) // part for paper in papers}
    before, in_escrow = market.balance(CORE), int(market.token.balanceOf(market.escrow.address))
    items = [{"receivableId": number, "amount": str(amount)} for number, amount in amounts.items()]
    sent = market.bulk(CORE, "/receivables/payments", items)
    for paper in papers:
        paper.paid += amounts[paper.id]
    total = sum(amounts.values())
    expect("paid by the core company, to the fen", before - market.balance(CORE), total)
    expect("come into escrow", int(market.token.balanceOf(market.escrow.address)) - in_escrow, total)
    market.require_same(papers)
    states = market.stage.read_many("ReceivableLedger", "receivable", [[paper.id] for paper in papers])
    expect("states on chain", {entry["state"] for entry in states}, {state})
    market.say(f"{len(papers)} payments, {readable(total)} yuan")
    return sent


def _claim(market: Market, papers: Iterable[Paper]) -> Any:
    """Every holder claims floor(units × paid ÷ face) less what it has, and receives exactly that."""
    wanted: dict[str, dict[int, int]] = defaultdict(dict)
    for paper in papers:
        for account, units in paper.units.items():
            amount = units * paper.paid // paper.face - paper.claimed[account]
            if amount:
                wanted[account][paper.id] = amount
    pairs = [(number, account) for account, amounts in wanted.items() for number in amounts]
    claimable = market.stage.read_many("ReceivableLedger", "claimable", pairs)
    expect("claimable on chain", claimable, [wanted[account][number] for number, account in pairs])
    before = {account: int(market.token.balanceOf(account)) for account in wanted}

    def claim(account: str) -> Any:
        items = [{"receivableId": number} for number in wanted[account]]
        return market.bulk(market.member_of(account), "/receivables/claims", items)

    found = market.side_by_side([partial(claim, account) for account in wanted])
    for account, amounts in wanted.items():
        received = int(market.token.balanceOf(account)) - before[account]
        expect(f"received by {market.member_of(account)}, to the fen", received, sum(amounts.values()))
        for number, amount in amounts.items():
            market.papers[number].claimed[account] += amount
    total = sum(sum(amounts.values()) for amounts in wanted.values())
    market.say(f"{len(pairs)} claims of {len(wanted)} holders, {readable(total)} yuan")
    return found[-1]


def _reports(market: Market) -> None:
    """What the reports add up to, as JSON and CSV, is what the ledger says."""
    held = market.stage.read_many("ReceivableLedger", "receivable", [[number] for number in market.papers])
    owed: dict[str, int] = defaultdict(int)
    for entry in held:
        owed[entry["debtor"]] += entry["face"] - entry["paid"]
    core, bank = market.client(CORE), BANKS[1]
    reports = {
        "ageing of the core company": ("/reports/ageing?as=debtor", owed[market.address(CORE).lower()]),
        "exposure by debtor": ("/reports/exposure?by=debtor", sum(owed.values())),
        "exposure by bank": ("/reports/exposure?by=bank", _held_by_banks(market)),
    }
    PICTURES.mkdir(parents=True, exist_ok=True)
    for title, (path, expected) in reports.items():
        shown = core.get(path.split("?")[0], **dict([path.split("?")[1].split("=")]))
        expect(f"{title} as JSON", sum(int(total["outstanding"]) for total in shown["totals"]), expected)
        rows = list(csv.DictReader(io.StringIO(core.text(path + "&format=csv"))))
        expect(f"{title} as CSV", sum(int(row["outstanding"]) for row in rows), expected)
        picture = PICTURES / (title.replace(" ", "-") + ".png")
        picture.write_bytes(core.file(path + "&format=png"))
        expect("a picture", picture.read_bytes()[:4], b"\x89PNG")
        market.say(f"{title}: {readable(expected)} yuan outstanding, {picture.relative_to(ROOT)}")
    groups = market.client(bank)
    groups.put("/limit-groups/涟源", {"debtors": [market.address(p) for p in (CORE, DEFAULTER)], "limits": {}})
    line = groups.get("/reports/exposure", by="group")["totals"][0]
    accounts = [market.address(bank)]
    expect("exposure by group", int(line["outstanding"]), _outstanding(market, accounts))


def _held_by_banks(market: Market) -> int:
    return _outstanding(market, [market.address(bank) for bank in BANKS])


def _outstanding(market: Market, accounts: list[str]) -> int:
    """What is unpaid on the accounts' units, by the chain; no receivable is partly paid now."""
    papers = [paper for paper in market.papers.values() if not paper.paid]
    pairs = [(paper.id, account) for paper in papers for account in accounts]
    return sum(entry["units"] for entry in market.stage.read_many("ReceivableLedger", "holding", pairs))
