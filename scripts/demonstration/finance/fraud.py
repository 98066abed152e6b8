"""Chapter 4: one attempt of every fraud. Each is refused by its own rule, and no contract emits anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..processes import rpc
from ..stage import commitment
from ..steps import expect, expect_contract_error, expect_refusal, until
from .cast import BANKS, CORE, TIER_1, Party
from .invoices import Invoice, credit_note, csv_file, ubl
from .market import DAY, Market, Paper
from .sales import offer

XML = "application/xml"


def play(market: Market) -> None:
    run = market.run
    seller, first, second = TIER_1[1], BANKS[0], BANKS[2]
    pattern = next(iter(market.papers.values())).invoice
    outside = replace(pattern, seller=seller, number="26432000000900000001", days=60, net=88_888_800)
    prints = _prints(market, outside)

    # --- the same invoice to two banks

    def finance_outside() -> Any:
        market.client(first).post("/financing-register/reservations", _consent(market, seller, first, prints))
        path = f"/financing-register/{prints['fingerprint']}"
        sent = market.client(first).post(f"{path}/finance", {"filing": "03582918002198756521"})
        shown = market.client(second).get(path)
        expect("entry in the API", (shown["state"], shown["holder"]), ("financed", market.address(first)))
        entry = market.stage.contract("FinancingRegister").entryOf(bytes.fromhex(prints["fingerprint"][2:]))
        expect("entry on chain", (int(entry.state), entry.holder), (2, market.address(first)))
        return sent

    run(
        "finance an invoice outside the platform, by the register alone",
        f"{seller.name}, {first.name}",
        finance_outside,
    )

    def to_second_bank() -> None:
        signed = _consent(market, seller, second, prints)
        args = expect_contract_error(
            lambda: market.client(second).post("/financing-register/reservations", signed),
            409,
            "FinancingRegister_Taken",
        )
        expect("who has it", args["holder"], market.address(first))
        expect_contract_error(lambda: _draft(market, seller, outside), 409, "FinancingRegister_Taken")
        paper = _sold(market)
        on_platform = _consent(market, paper.invoice.seller, second, _prints(market, paper.invoice))
        args = expect_contract_error(
            lambda: market.client(second).post("/financing-register/reservations", on_platform),
            409,
            "FinancingRegister_Taken",
        )
        expect("which receivable has it", int(args["caseId"]), paper.id)

    run(
        "fraud 1: the same invoice to a second bank, onto the platform, and from it to a bank outside",
        f"{seller.name}, {second.name}",
        lambda: market.unchanged(to_second_bank),
    )

    # --- an altered copy

    def altered() -> None:
        paper = _sold(market)
        copy = replace(paper.invoice, net=paper.invoice.net + 1_000_000)
        expect_contract_error(lambda: _draft(market, copy.seller, copy), 409, "FinancingRegister_NumberTaken")
        changed = _prints(market, replace(outside, net=outside.net * 2))
        signed = _consent(market, seller, second, changed)
        args = expect_contract_error(
            lambda: market.client(second).post("/financing-register/reservations", signed),
            409,
            "FinancingRegister_NumberTaken",
        )
        expect("whose copy it is", args["by"], prints["fingerprint"])

    run(
        "fraud 2: an altered copy, with another amount and the same number",
        f"{seller.name}, {second.name}",
        lambda: market.unchanged(altered),
    )

    # --- a credit note after financing

    def credit_after() -> None:
        paper = _sold(market)
        note = credit_note(paper.invoice, "HZ-" + paper.invoice.number, paper.invoice.net // 2)
        path = f"/receivables/{paper.id}/dilutions/from-credit-note"
        args = expect_contract_error(
            lambda: market.client(paper.invoice.seller).send_files(path, {"credit-note.xml": note}, XML),
            409,
            "ReceivableLedger_InsufficientUnits",
        )
        expect("what the supplier still holds", args["held"], 0)
        expect("face in the API", market.client(CORE).get(f"/receivables/{paper.id}")["face"], str(paper.face))

    run(
        "fraud 3: a credit note after the units were sold to a bank",
        _sold(market).invoice.seller.name,
        lambda: market.unchanged(credit_after),
    )

    # --- one's own debtor

    def self_dealing() -> None:
        own = replace(outside, number="26432000000900000002", buyer=seller)
        expect_refusal(lambda: _draft(market, seller, own), 422, "same party")
        report = market.client(seller).upload("/receivables/from-csv", "own.csv", csv_file([own]).encode(), "text/csv")
        expect("rows accepted", (report["accepted"], report["items"][0]["field"]), (0, "buyer"))
        draft = {
            "debtor": market.address(seller),
            "currency": "CNY",
            "face": "1000",
            "dueAt": market.stage.chain_time() + DAY,
            "fingerprint": commitment(),
            "numberFingerprint": commitment(),
        }
        args = expect_contract_error(
            lambda: market.client(seller).post("/receivables", draft), 422, "ReceivableLedger_OwnDebtor"
        )
        expect("who would owe itself", args["supplier"], market.address(seller))

    run(
        "fraud 4: a seller that is its own debtor, by file, by CSV row and by account",
        seller.name,
        lambda: market.unchanged(self_dealing),
    )

    # --- expired and replayed quotes

    holder = TIER_1[0]
    paper = max(market.papers.values(), key=lambda entry: entry.units.get(market.address(holder), 0))

    def expired() -> None:
        until = market.stage.chain_time() + 60
        quote = offer(market, second, holder, paper, 5_000_000, 4_950_000, validUntil=until)
        market.pass_until(until + 1)
        fill = f"/quotes/{quote['id']}/fill"
        refused = lambda: market.client(holder).post(fill)  # noqa: E731
        args = market.unchanged(lambda: expect_contract_error(refused, 409, "FinancingDesk_Expired"))
        expect("until when it was valid", int(args["validUntil"]), until)
        expect("the quote in the API", market.client(holder).get(f"/quotes/{quote['id']}")["state"], "expired")

    run("fraud 5: an expired quote", holder.name, expired)

    def replayed() -> None:
        quote = offer(market, second, holder, paper, 5_000_000, 4_950_000)
        market.client(holder).post(f"/quotes/{quote['id']}/fill")
        paper.units[market.address(holder)] -= 5_000_000
        paper.units[market.address(second)] += 5_000_000

        def again() -> None:
            refused = lambda: market.client(holder).post(f"/quotes/{quote['id']}/fill")  # noqa: E731
            args = expect_contract_error(refused, 409, "FinancingDesk_NonceUsed")
            expect("whose nonce it is", (args["bank"], str(args["nonce"])), (market.address(second), quote["nonce"]))
            # Straight at the contract, without the service.
            arguments = (_struct(quote), 5_000_000, bytes.fromhex(quote["signature"][2:]))
            status = _straight(market, holder, market.desk.address, market.desk.fill.encode_input(*arguments))
            expect("status of the transaction on chain", status, 0)

        market.unchanged(again)
        market.require_same([paper])

    run("fraud 6: a quote filled once more, through the API and straight at the contract", holder.name, replayed)


def _prints(market: Market, invoice: Invoice) -> dict[str, str]:
    """The two fingerprints of an invoice, as the seller and every bank compute them."""
    files = {f"{invoice.number}.xml": ubl(invoice)}
    [found] = market.client(invoice.seller).send_files("/invoices/check", files, XML)["items"]
    expect("outcome", found["outcome"], "receivable")
    return {name: found[name] for name in ("fingerprint", "numberFingerprint")}


def _consent(market: Market, seller: Party, bank: Party, prints: dict[str, str]) -> dict[str, Any]:
    """The seller's signed consent that a bank reserves its invoice."""
    until = market.stage.chain_time() + 7 * DAY
    body = {**prints, "bank": market.address(bank), "reservedUntil": until, "sign": True}
    found = market.client(seller).post("/financing-register/consents/prepare", body)
    return {"consent": found["consent"], "signature": found["signature"]}


def _draft(market: Market, seller: Party, invoice: Invoice) -> Any:
    files = {f"{invoice.number}.xml": ubl(invoice)}
    return market.client(seller).send_files("/receivables/from-invoice", files, XML)


def _sold(market: Market) -> Paper:
    """A receivable of which the supplier holds nothing any more: a bank does."""
    banks = [market.address(bank) for bank in BANKS]
    return next(
        paper
        for paper in market.papers.values()
        if paper.units[market.address(paper.invoice.seller)] == 0 and any(paper.units.get(bank) for bank in banks)
    )


def _straight(market: Market, sender: Party, to: str, data: bytes) -> int:
    """Send a call to the node, which holds the development accounts; returns the transaction's status, 1 if it succeeded."""
    url = market.stage.rpc_url
    call = {"from": market.address(sender), "to": to, "data": "0x" + data.hex(), "gas": hex(500_000)}
    tx_hash = rpc(url, "eth_sendTransaction", call)
    until(lambda: rpc(url, "eth_getTransactionReceipt", tx_hash) is not None, True)
    return int(rpc(url, "eth_getTransactionReceipt", tx_hash)["status"], 16)


def _struct(quote: dict[str, Any]) -> tuple[Any, ...]:
    """The quote as FinancingDesk takes it, made without the service's code."""
    return (
        quote["receivableId"],
        int(quote["units"]),
        int(quote["proceeds"]),
        quote["seller"],
        quote["bank"],
        quote["recourse"],
        quote["divisible"],
        quote["validUntil"],
        int(quote["nonce"]),
    )
