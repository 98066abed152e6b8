"""The end: what the chain's own events and balances say of the whole story must balance to the fen."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from typing import Any

from eth_utils.address import to_checksum_address
from rich.table import Table

from ..steps import expect
from .cast import BANKS
from .invoices import readable
from .market import Market

NOBODY = "0x" + 40 * "0"
TOKEN = "SettlementToken:CNY"  # noqa: S105  (the name of a contract)


def play(market: Market) -> None:
    run = market.run
    table = Table("what", "left side", "right side", "difference", title="reconciliation, yuan")
    for column in table.columns[1:]:
        column.justify = "right"

    def balance(what: str, left: int, right: int) -> None:
        table.add_row(what, readable(left), readable(right), readable(left - right))
        expect(what, left, right)

    try:
        run(
            "reconcile every receivable: units = face, paid = claimed + held",
            "anyone",
            lambda: _receivables(market, balance),
        )
        run("reconcile the tokens: issued − redeemed = balances + escrow", "anyone", lambda: _tokens(market, balance))
        run(
            "reconcile each bank's cash: start − bought + claimed + recourse", "anyone", lambda: _banks(market, balance)
        )
        run("see every fingerprint taken once at most", "anyone", lambda: _fingerprints(market))
    finally:
        market.stage.steps.console.print(table)


def _receivables(market: Market, balance: Any) -> None:
    stage, ledger = market.stage, market.ledger.address
    numbers = sorted(market.papers)
    expect(
        "receivables drafted", sorted(e["id"] for e in stage.events("ReceivableLedger", "ReceivableDrafted")), numbers
    )
    holders: dict[int, set[str]] = defaultdict(set)
    for entry in stage.events("ReceivableLedger", "TransferSingle"):
        holders[entry["id"]] |= {to_checksum_address(entry["to"])} - {NOBODY}
    found = dict(zip(numbers, stage.read_many("ReceivableLedger", "receivable", [[n] for n in numbers]), strict=True))
    pairs = [(number, holder) for number in numbers for holder in sorted(holders[number])]
    holdings = stage.read_many("ReceivableLedger", "holding", pairs)
    arguments = [[ledger, number, market.token.address] for number in numbers]
    held = dict(zip(numbers, stage.read_many("Escrow", "held", arguments), strict=True))
    units, claimed = Counter[int](), Counter[int]()
    for (number, holder), entry in zip(pairs, holdings, strict=True):
        units[number] += entry["units"]
        claimed[number] += entry["claimed"]
        book = market.papers[number]
        expect(
            f"{holder}'s part of {number}",
            (entry["units"], entry["claimed"]),
            (book.units[holder], book.claimed[holder]),
        )
    for number in numbers:
        expect(f"units of {number}", units[number], found[number]["face"])
        expect(f"what was paid on {number}", found[number]["paid"], claimed[number] + held[number])
    _same_in_api(market, dict(zip(pairs, holdings, strict=True)))
    balance("units of 500 receivables = face", units.total(), sum(entry["face"] for entry in found.values()))
    paid = sum(entry["paid"] for entry in found.values())
    balance("paid = claimed + in escrow", paid, claimed.total() + sum(held.values()))
    in_token = int(market.token.balanceOf(market.escrow.address))
    balance("escrow's tokens = held for receivables", in_token, sum(held.values()))
    settled = sum(entry["state"] == 6 for entry in found.values())
    expect("settled receivables", settled, 499)


def _same_in_api(market: Market, on_chain: dict[tuple[int, str], dict[str, int]]) -> None:
    """Every holding that the API shows, of every receivable."""

    def shown(number: int) -> list[tuple[tuple[int, str], tuple[int, int]]]:
        entries = market.client("debtor").get(f"/receivables/{number}")["holdings"]
        return [((number, e["holder"]), (int(e["units"]), int(e["claimed"]))) for e in entries]

    pages = market.side_by_side([partial(shown, number) for number in sorted(market.papers)])
    in_api = {pair: values for page in pages for pair, values in page if any(values)}
    expected = {pair: (e["units"], e["claimed"]) for pair, e in on_chain.items() if e["units"] or e["claimed"]}
    expect("holdings in the API", in_api, expected)


def _tokens(market: Market, balance: Any) -> None:
    stage = market.stage
    issued = sum(entry["amount"] for entry in stage.events(TOKEN, "Issued"))
    redeemed = sum(entry["amount"] for entry in stage.events(TOKEN, "Redeemed"))
    expect("issued and redeemed in the story's book", (issued, redeemed), (market.issued, market.redeemed))
    accounts = {to_checksum_address(entry["to"]) for entry in stage.events(TOKEN, "Transfer")} - {NOBODY}
    escrow = market.escrow.address
    balances = sum(stage.read_many(TOKEN, "balanceOf", [[account] for account in sorted(accounts - {escrow})]))
    in_escrow = int(market.token.balanceOf(escrow))
    balance("issued − redeemed = balances + escrow", issued - redeemed, balances + in_escrow)
    balance("total supply", int(market.token.totalSupply()), issued - redeemed)
    positions = sum(int(market.token.positionOf(market.address(bank))[0]) for bank in BANKS)
    balance("the banks' issued positions", positions, issued - redeemed)


def _banks(market: Market, balance: Any) -> None:
    """What it began with − what it paid for units + what it claimed + what sellers repaid it."""
    stage = market.stage
    proceeds, claims, recourse = Counter[str](), Counter[str](), Counter[str]()
    for entry in stage.events("FinancingDesk", "QuoteFilled"):
        proceeds[to_checksum_address(entry["bank"])] += entry["proceeds"]
    for entry in stage.events("ReceivableLedger", "ReceivableClaimed"):
        claims[to_checksum_address(entry["actor"])] += entry["amount"]
    for entry in stage.events("FinancingDesk", "RecourseRepaid"):
        recourse[to_checksum_address(entry["bank"])] += entry["amount"]
    for bank in BANKS:
        account = market.address(bank)
        expected = market.start[bank.name] - proceeds[account] + claims[account] + recourse[account]
        parts = (-proceeds[account], claims[account], recourse[account])
        what = f"{bank.name}: {readable(market.start[bank.name])} " + " ".join(_signed(part) for part in parts if part)
        balance(what, expected, market.balance(bank))


def _signed(fen: int) -> str:
    return f"{'−' if fen < 0 else '+'} {readable(abs(fen))}"


def _fingerprints(market: Market) -> None:
    """Of each fingerprint, entries and financings less what was given back: one, for every receivable of the story."""
    register = "FinancingRegister"
    taken = Counter[bytes]()
    for name in ("FingerprintEntered", "FingerprintFinanced"):
        taken.update(entry["fingerprint"] for entry in market.stage.events(register, name))
    for name in ("FingerprintLeft", "FinancingAnnulled"):
        taken.subtract(entry["fingerprint"] for entry in market.stage.events(register, name))
    expect("fingerprints taken more than once", [f"0x{f.hex()}" for f, times in taken.items() if times > 1], [])
    numbers = sorted(market.papers)
    receivables = market.stage.read_many("ReceivableLedger", "receivable", [[number] for number in numbers])
    prints = [entry["fingerprint"] for entry in receivables]
    expect("fingerprints of 500 receivables", len(set(prints)), len(numbers))
    entries = market.stage.read_many(register, "entryOf", [[fingerprint] for fingerprint in prints])
    expect(
        "which receivable each is entered for", [(e["state"], e["caseId"]) for e in entries], [(3, n) for n in numbers]
    )
