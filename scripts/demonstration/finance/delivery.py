"""Chapter 2: the core company answers: one dispute, one credit note, 499 undertakings; then its suppliers pay their own suppliers."""

from __future__ import annotations

import random
from typing import Any

from ..stage import commitment
from ..steps import expect, expect_contract_error
from .cast import CORE, CREDITOR, DEFAULTER, TIER_1, TIER_2, TIER_3
from .invoices import SEED, credit_note
from .market import Market, Sent

#: Of each tier-1 supplier's receivables, so many are split to the second tier; of these the first half to the third.
SPLIT = 20
#: Net of the goods that were not delivered, fen.
MISSING_NET = 100_000


def play(market: Market) -> None:
    run = market.run
    core = market.client(CORE)
    disputed = next(paper for paper in market.papers.values() if paper.invoice.seller is TIER_1[0])
    supplier = market.client(TIER_1[0])
    path = f"/receivables/{disputed.id}"

    def dispute() -> Any:
        sent = core.post(f"{path}/dispute", {"basis": commitment()})
        expect("state in the API", supplier.get(path)["state"], "disputed")
        expect("state on chain", int(market.ledger.receivable(disputed.id).state), 7)
        found = [r for r in supplier.get("/reminders", role="supplier")["items"] if r["kind"] == "disputed"]
        expect("what the supplier is reminded of", [r["receivableId"] for r in found], [disputed.id])
        expect_contract_error(
            lambda: supplier.post(f"{path}/transfers", {"to": market.address(TIER_2[0]), "units": "1"}),
            409,
            "ReceivableLedger_WrongState",
        )
        return sent

    run("dispute a draft: goods for 1,130 yuan are missing", CORE.name, dispute)

    def confirm() -> Any:
        mine = [paper for paper in market.papers.values() if paper.invoice.buyer is CORE]
        sent = market.bulk(CORE, "/receivables/confirmations", [{"receivableId": paper.id} for paper in mine])
        expect("confirmed by the core company", len(mine), 499)
        [other] = [paper for paper in market.papers.values() if paper.invoice.buyer is DEFAULTER]
        market.client(DEFAULTER).post(f"/receivables/{other.id}/confirm")
        for paper in market.papers.values():
            paper.units[market.address(paper.invoice.seller)] = paper.face
        market.require_same(market.papers.values())
        states = market.stage.read_many("ReceivableLedger", "receivable", [[paper.id] for paper in mine])
        expect("states on chain", {held["state"] for held in states}, {4})
        expect("in the API", core.get(path)["state"], "confirmed")
        return sent

    run("undertake to pay 499 invoices in one request, the disputed one among them", CORE.name, confirm)

    def dilute() -> Any:
        note = credit_note(disputed.invoice, "HZ-" + disputed.invoice.number, MISSING_NET)
        files = {"credit-note.xml": note}
        sent = supplier.send_files(f"{path}/dilutions/from-credit-note", files, "application/xml")
        amount = MISSING_NET * 113 // 100
        disputed.face -= amount
        disputed.units[market.address(TIER_1[0])] -= amount
        market.require_same([disputed])
        shown = supplier.get(path)
        expect("face and dilution in the API", (shown["face"], shown["diluted"]), (str(disputed.face), str(amount)))
        return sent

    run("use the credit note for the missing goods: 1,130 yuan less are owed", TIER_1[0].name, dilute)

    # --- tiers

    chance = random.Random(SEED)  # noqa: S311  (the same story every time)
    chosen = []
    for seller in TIER_1:
        own = [p for p in market.papers.values() if p.invoice.seller is seller and p is not disputed]
        chosen.append((seller, chance.sample(own, SPLIT)))

    def second() -> Any:
        acts = []
        for seller, papers in chosen:
            for paper in papers:
                to = chance.choice(TIER_2)
                units = paper.face * chance.randint(20, 60) // 100
                acts.append(_pass_on(market, paper.id, seller.name, to.name, units))
        market.many(acts)
        market.require_same(paper for _, papers in chosen for paper in papers)

    run(f"pay the second tier with parts of {SPLIT * len(TIER_1)} receivables", "tier 1", second)

    def third() -> None:
        acts = []
        for _, papers in chosen:
            for paper in papers[: SPLIT // 2]:
                holder = next(party for party in TIER_2 if paper.units.get(market.address(party)))
                units = paper.units[market.address(holder)] * chance.randint(20, 80) // 100
                acts.append(_pass_on(market, paper.id, holder.name, chance.choice(TIER_3).name, units))
        market.many(acts)
        market.require_same(paper for _, papers in chosen for paper in papers)
        sample = chosen[0][1][0]
        shown = market.client(CORE).get(f"/receivables/{sample.id}")
        held = {entry["holder"]: int(entry["units"]) for entry in shown["holdings"]}
        expect("holders of one of them in the API", held, dict(sample.units))
        parts = ", ".join(f"{market.member_of(account)} {units}" for account, units in held.items())
        market.say(f"receivable {sample.id}: {parts} fen")

    run(f"pay the third tier with parts of {SPLIT * len(TIER_1) // 2} of these", "tier 2", third)
    expect("the creditor holds all of its own", market.papers[_last(market)].invoice.seller, CREDITOR)


def _last(market: Market) -> int:
    return max(market.papers)


def _pass_on(market: Market, receivable: int, holder: str, to: str, units: int) -> Sent:
    book = market.papers[receivable].units
    book[market.address(holder)] -= units
    book[market.address(to)] += units
    return Sent(holder, f"/receivables/{receivable}/transfers", {"to": market.address(to), "units": str(units)})
