"""Chapter 1: members, money, and 500 invoices that become undertakings."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..stage import commitment
from ..steps import expect
from .cast import BANKS, CORE, NEW, Party
from .invoices import SEED, Invoice, batch, broken_rows, csv_file, readable, ubl
from .market import Market, Paper

CAP = 10**13
#: What each bank holds when the trading begins, fen.
BANK_MONEY = 10**10


def play(market: Market) -> None:
    run, stage = market.run, market.stage

    def admit() -> Any:
        members = stage.contract("Members")
        founder = stage.client("founder")
        for party in NEW:
            account = stage.resident(party.index).address
            admission = {"account": account, "kind": party.kind, "creditCode": party.code, "profile": commitment()}
            sent = founder.post("/members", admission, wait=0)
            stage.give_key(party.name, account)
        founder.wait_for([sent["id"]])
        for party in NEW:
            expect(f"{party.title} on chain", members.isActive(market.address(party)), True)
            shown = founder.get(f"/members/{market.address(party)}")
            expect("credit code and kind in the API", (shown["creditCode"], shown["kind"]), (party.code, party.kind))
        return founder.get(f"/transactions/{sent['id']}")

    run(f"admit {len(NEW)} members: suppliers of three tiers and three more banks", "founder", admit)

    def money() -> Any:
        # The monetary authority acts with its own tools, and not through the service.
        authority = stage.ape_account("founder")
        for bank in BANKS:
            if bank.new:
                market.token.setCap(market.address(bank), CAP, sender=authority)
        earlier = {party.name: market.balance(party) for party in (*BANKS, CORE)}
        market.issued = int(market.token.totalSupply())
        for bank in BANKS:
            market.issue(bank, bank, BANK_MONEY)
            market.approve(bank, "FinancingDesk", BANK_MONEY)
            market.start[bank.name] = market.balance(bank)
            expect(f"{bank.name}'s tokens on chain", market.start[bank.name], earlier[bank.name] + BANK_MONEY)
        sent = market.issue(BANKS[0], CORE, BANK_MONEY)
        market.approve(CORE, "Escrow", BANK_MONEY)
        expect("the core company's tokens on chain", market.balance(CORE), earlier[CORE.name] + BANK_MONEY)
        expect("all tokens on chain", int(market.token.totalSupply()), market.issued)
        return sent

    run(
        "set the new banks' caps; issue 100,000,000 yuan to each bank and to the core company",
        "authority, banks",
        money,
    )

    invoices = batch(stage.chain_time())
    market.say(f"500 invoices by seed {SEED}, in all {readable(sum(i.payable for i in invoices.all()))} yuan")
    first = next(iter(invoices.rows))
    broken = broken_rows(invoices.rows[first][0])

    def csv_of(seller: Party) -> bytes:
        return (csv_file(invoices.rows[seller]) + ("\n".join(broken) + "\n" if seller is first else "")).encode()

    def upload(seller: Party, **query: Any) -> Any:
        name = f"{seller.name}.csv"
        return market.client(seller).upload("/receivables/from-csv", name, csv_of(seller), "text/csv", **query)

    def dry() -> None:
        for seller, rows in invoices.rows.items():
            report = market.unchanged(partial(upload, seller, dryRun="true"))
            refused = [item for item in report["items"] if item["outcome"] == "refused"]
            expect("rows that would be accepted", report["accepted"], len(rows))
            expect("rows refused", len(refused), len(broken) if seller is first else 0)
            for item, (field, words) in zip(refused, broken.values(), strict=False):
                expect(f"column of {item['reason']!r}", item["field"], field)
                expect(f"words {words!r} in {item['reason']!r}", words in item["reason"], True)
                market.say(f"line {item['line']}: {item['reason']}")

    run(f"judge 480 CSV rows and {len(broken)} broken ones in a dry run, nothing stored", "tier 1", dry)

    def draft() -> Any:
        for seller, rows in invoices.rows.items():
            report = upload(seller)
            expect("rows accepted", (report["accepted"], report["dryRun"]), (len(rows), False))
            sent = [item["transaction"] for item in report["items"] if item["transaction"]]
            last = market.client(seller).wait_for(sent)[-1]
        _enter(market, [entry for rows in invoices.rows.values() for entry in rows])
        return last

    run("draft 480 receivables from five CSV files; the broken rows are left out", "tier 1", draft)

    def draft_files() -> Any:
        for seller, wanted in invoices.files.items():
            files = {f"{entry.number}.xml": ubl(entry) for entry in wanted}
            answer = market.client(seller).send_files("/receivables/from-invoice", files, "application/xml")
            for item in [answer] if len(files) == 1 else answer["items"]:
                expect("problem", item.get("problem"), None)
        _enter(market, [entry for wanted in invoices.files.values() for entry in wanted])
        expect("receivables", len(market.papers), 500)
        last = item if len(files) == 1 else item["transaction"]
        return market.client(seller).get(f"/transactions/{last['id']}")

    run(
        "draft 20 more from UBL files, one of them a tier-2 supplier's to a tier-1 supplier",
        "tier 1, tier 2",
        draft_files,
    )


def _enter(market: Market, invoices: list[Invoice]) -> None:
    """Take what was drafted into the book, once API, chain and invoice agree."""
    by_terms: dict[tuple[str, str, int, int], list[Invoice]] = {}
    for entry in invoices:
        terms = (market.address(entry.seller), market.address(entry.buyer), entry.payable, entry.due_at)
        by_terms.setdefault(terms, []).append(entry)
    shown = _all(market)
    new = [item for item in shown if item["id"] not in market.papers]
    on_chain = market.stage.read_many("ReceivableLedger", "receivable", [[item["id"]] for item in new])
    for item, held in zip(new, on_chain, strict=True):
        expect("state in the API", item["state"], "draft")
        terms = (item["supplier"], item["debtor"], int(item["face"]), item["dueAt"])
        expect("face and due date on chain", (held["face"], held["dueAt"]), terms[2:])
        expect("parties on chain", (held["supplier"], held["debtor"]), (terms[0].lower(), terms[1].lower()))
        expect(f"an invoice with the terms {terms}", bool(by_terms.get(terms)), True)
        market.papers[item["id"]] = Paper(item["id"], by_terms[terms].pop(), terms[2])
    expect("invoices that are not receivables", sum(map(len, by_terms.values())), 0)


def _all(market: Market) -> list[dict[str, Any]]:
    """Every receivable that the API knows, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = market.client(CORE).get("/receivables", limit=1000, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found
