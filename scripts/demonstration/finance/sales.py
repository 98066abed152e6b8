"""Chapter 3: sellers ask five banks, banks quote within their own limits, sellers compare by annualised cost and sell."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..client import Refused
from ..steps import Mismatch, expect
from .cast import BANKS, CORE, CREDITOR, DEFAULTER, SUPPLIERS, Party
from .invoices import readable
from .market import DAY, Market, Paper

REQUESTS = 30
#: Basis points a year: each bank is the cheapest in every fifth request.
CHEAPEST, STEP = 380, 35
#: What a bank first allows itself on the core company, fen; its first quote would be beyond it.
FIRST_LIMIT = 100_000


def play(market: Market) -> None:
    run = market.run
    asked: list[tuple[Party, Paper, int, str]] = []

    def ask() -> None:
        for number in range(REQUESTS):
            seller, paper = _to_sell(market, number, {entry[1].id for entry in asked})
            held = paper.units[market.address(seller)]
            units = held if number % 2 else held * 7 // 10
            body = {
                "receivableId": paper.id,
                "units": str(units),
                "banks": [market.address(bank) for bank in BANKS],
                "recourse": number % 3 == 0,
                "divisible": number % 4 == 0,
                "answerBy": market.stage.chain_time() + DAY,
            }
            found = market.client(seller).post("/quote-requests", body)
            asked.append((seller, paper, units, found["id"]))
        for bank in BANKS:
            waiting = market.client(bank).get("/quote-requests", waiting="true")["items"]
            expect(f"requests that wait for {bank.name}", {r["id"] for r in waiting}, {entry[3] for entry in asked})

    run(f"ask five banks for quotes, {REQUESTS} times", "sellers", ask)

    def limit() -> None:
        bank = market.client(BANKS[4])
        core = market.address(CORE)
        bank.put(f"/limits/{core}", {"limits": {"CNY": str(FIRST_LIMIT)}})
        request = bank.get(f"/quote-requests/{asked[0][3]}")
        try:
            market.unchanged(lambda: _quote(market, BANKS[4], request, 0))
        except Refused as refused:
            problem = refused.problem
            expect(
                "refusal", (problem["status"], problem["limitOf"], problem["limit"]), (409, "debtor", str(FIRST_LIMIT))
            )
            market.say(problem["detail"])
        else:
            raise Mismatch("a quote beyond the bank's limit was not refused")
        expect("quotes of the bank", bank.get("/quotes", receivable=request["receivableId"])["items"], [])
        bank.put(f"/limits/{core}", {"limits": {"CNY": str(10**10)}})

    run("see a quote refused by the bank's own limit, before it is signed; then raise the limit", BANKS[4].name, limit)

    def quote() -> None:
        def all_of(number: int, bank: Party) -> None:
            waiting = market.client(bank).get("/quote-requests", waiting="true")["items"]
            for position, entry in enumerate(asked):
                request = next(r for r in waiting if r["id"] == entry[3])
                if (position, number) == (1, 2):
                    market.client(bank).post(f"/quote-requests/{request['id']}/decline")
                    continue
                _quote(market, bank, request, (number + position) % len(BANKS))

        market.side_by_side([partial(all_of, number, bank) for number, bank in enumerate(BANKS)])

    run(f"give {REQUESTS * len(BANKS) - 1} signed quotes and decline once", "banks", quote)

    def sell() -> Any:
        buyers, sent = set(), None
        for number, (seller, paper, units, request) in enumerate(asked):
            client = market.client(seller)
            found = client.get(f"/quote-requests/{request}")
            costs = [entry["annualisedCostBasisPoints"] for entry in found["quotes"]]
            expect("the cheapest first", costs, sorted(costs))
            best = found["quotes"][0]
            parts = [units // 3, units - units // 3] if best["divisible"] else [None]
            bank = market.member_of(best["bank"])
            before = (market.balance(seller), market.balance(bank))
            for part in parts:
                sent = client.post(f"/quotes/{best['id']}/fill", {"units": str(part)} if part else None)
            _book_sale(market, paper, seller, bank, units)
            proceeds = int(best["proceeds"])
            after = (market.balance(seller), market.balance(bank))
            expect("money moved, to the fen", (after[0] - before[0], before[1] - after[1]), (proceeds, proceeds))
            buyers.add(bank)
            if number < 3:
                kind = "with recourse" if best["recourse"] else "without recourse"
                what = f"{seller.name} sells {readable(units)} of receivable {paper.id} to {bank} for {readable(proceeds)}, {kind}"
                market.say(f"{what}: {costs[0] / 100:.2f} % a year, next {costs[1] / 100:.2f} %")
        expect("banks that bought", len(buyers), len(BANKS))
        market.require_same(entry[1] for entry in asked)
        return sent

    run("compare by annualised cost and sell to the cheapest, whole and in parts; five banks buy", "sellers", sell)

    def sell_the_bad_one() -> Any:
        """Of the invoice that is not going to be paid: 60 % with recourse, 30 % without; the seller keeps 10 %."""
        [paper] = [p for p in market.papers.values() if p.invoice.buyer is DEFAULTER]
        for bank, share, recourse in ((BANKS[1], 60, True), (BANKS[3], 30, False)):
            units = paper.face * share // 100
            quote = offer(market, bank, CREDITOR, paper, units, units * 97 // 100, recourse=recourse)
            sent = market.client(CREDITOR).post(f"/quotes/{quote['id']}/fill")
            _book_sale(market, paper, CREDITOR, bank.name, units)
            market.quotes["recourse" if recourse else "plain"] = quote
        market.require_same([paper])
        held = market.client(BANKS[1]).get("/recourse", state="held", **{"as": "bank"})["items"]
        expect("recourse in the API", str(paper.id) in {str(entry["receivableId"]) for entry in held}, True)
        return sent

    run(
        "sell a receivable against another debtor, 60 % with recourse and 30 % without", CREDITOR.name, sell_the_bad_one
    )


def offer(
    market: Market, bank: Party, seller: Party, paper: Paper, units: int, proceeds: int, **terms: Any
) -> dict[str, Any]:
    """A quote, signed by the service for the bank."""
    body = {
        "receivableId": paper.id,
        "units": str(units),
        "proceeds": str(proceeds),
        "seller": market.address(seller),
        "recourse": False,
        "validUntil": market.stage.chain_time() + DAY,
    }
    client = market.client(bank)
    prepared = client.post("/quotes/prepare", body | terms)
    return dict(client.post("/quotes", {"quote": prepared["quote"], "sign": True}))


def _book_sale(market: Market, paper: Paper, seller: Party, bank: str, units: int) -> None:
    paper.units[market.address(seller)] -= units
    paper.units[market.address(bank)] += units


def _to_sell(market: Market, number: int, taken: set[int]) -> tuple[Party, Paper]:
    """The largest position of one supplier after the other, in receivables that nobody else asks for."""
    seller = SUPPLIERS[number % len(SUPPLIERS)]
    account = market.address(seller)
    open_ = [
        p for p in market.papers.values() if p.id not in taken and p.invoice.buyer is CORE and p.units.get(account)
    ]
    return seller, max(open_, key=lambda paper: paper.units[account])


def _quote(market: Market, bank: Party, request: dict[str, Any], rank: int) -> Any:
    """Answer a request; `rank` 0 is the cheapest."""
    units = int(request["units"])
    seconds = request["dueAt"] - market.stage.chain_time()
    rate = CHEAPEST + STEP * rank + (20 if not request["recourse"] else 0)
    body = {
        "receivableId": request["receivableId"],
        "units": request["units"],
        "proceeds": str(units - units * rate * seconds // (10_000 * 365 * DAY)),
        "seller": request["seller"],
        "recourse": request["recourse"],
        "divisible": request["divisible"],
        "validUntil": request["answerBy"],
    }
    client = market.client(bank)
    prepared = client.post("/quotes/prepare", body)
    return client.post("/quotes", {"quote": prepared["quote"], "sign": True, "requestId": request["id"]})
