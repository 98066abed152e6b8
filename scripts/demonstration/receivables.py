"""The receivables story: an invoice becomes a receivable, a bank buys part of it, the debtor pays in two parts, everybody is paid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from lxml import etree

from scripts.deployment.artifacts import ROOT

from .client import event
from .processes import rpc
from .stage import Stage, commitment
from .steps import expect, expect_refusal, until

STORY = "receivables"
INVOICE = Path(__file__).parent / "invoices" / "xiangzhong-machinery-0917.xml"
#: Real invoices of others, where they are present.
SAMPLES = ROOT.parent / "shared" / "samples" / "ubl"
XML = "application/xml"
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"

FACE = 48_600_000  # fen: 486,000.00 yuan, as the invoice says
SOLD = 30_000_000
PASSED_ON = 4_333_333
FIRST_PAYMENT = 16_200_001
PROCEEDS = {"bank": 29_700_000, "bank2": 29_550_000}
MONEY = 100_000_000
DAYS_TO_PAY = 90
#: The bank that signs its quotes itself, by its index in the development mnemonic.
BANK2_INDEX = 3
#: A company that is not there from the beginning: a supplier of the supplier. No other story uses its account.
SECOND_TIER, SECOND_TIER_CODE = 19, "91431302MA56000005"


def play(stage: Stage) -> None:
    run = stage.steps.run
    supplier, debtor = stage.client("supplier"), stage.client("debtor")
    bank, bank2 = stage.client("bank"), stage.client("bank2")
    ledger, desk = stage.contract("ReceivableLedger"), stage.contract("FinancingDesk")
    escrow, token = stage.contract("Escrow"), stage.contract("SettlementToken:CNY")
    address = stage.address
    second_tier = stage.resident(SECOND_TIER)
    invoice, due_at = invoice_of_today(stage.chain_time())

    def same(receivable: int, state: str, number: int) -> dict[str, Any]:
        """State, payments and every holding: what the API says is what the chain says."""
        shown, held = supplier.get(f"/receivables/{receivable}"), ledger.receivable(receivable)
        expect("state in the API", shown["state"], state)
        expect("state on chain", int(held.state), number)
        expect("face and paid", (shown["face"], shown["paid"]), (str(held.face), str(held.paid)))
        for holding in shown["holdings"]:
            on_chain = ledger.holding(receivable, holding["holder"])
            expect("units", holding["units"], str(on_chain.units))
            expect("claimed", holding["claimed"], str(on_chain.claimed))
            expect("claimable", holding["claimable"], str(ledger.claimable(receivable, holding["holder"])))
        if shown["holdings"]:
            expect("units of all holders", sum(int(h["units"]) for h in shown["holdings"]), FACE)
        return dict(shown)

    # --- from invoice to undertaking

    def check() -> None:
        wanted = {
            "invoice.xml": (invoice, "receivable"),
            "no-due-date.xml": (changed(invoice, DueDate=None), "needs_due_date"),
            "credit.xml": (changed(invoice, InvoiceTypeCode="381"), "dilution"),
            "wrong-sum.xml": (changed(invoice, PayableAmount="468000.00"), "refused"),
            "truncated.xml": (invoice[:900], "refused"),
        }
        files = {name: content for name, (content, _) in wanted.items()}
        for path in sorted(SAMPLES.glob("*.xml")):
            files[path.name] = path.read_bytes()
        answer = supplier.send_files("/invoices/check", files, XML)
        expect("judged files", [item["file"] for item in answer["items"]], list(files))
        judged = {item["file"]: item for item in answer["items"]}
        for name, (_, outcome) in wanted.items():
            expect(f"outcome of {name}", judged[name]["outcome"], outcome)
        for path in SAMPLES.glob("*.xml"):
            stage.steps.console.print(f"       {path.name}: {judged[path.name]['outcome']}", markup=False)
        expect("what the invoice claims", judged["invoice.xml"]["payable"], str(FACE))
        expect("receivables after judging", supplier.get("/receivables")["items"], [])

    run(STORY, "judge invoices without storing anything", "supplier", check)

    def upload(files: dict[str, bytes]) -> Any:
        return supplier.send_files("/receivables/from-invoice", files, XML)

    def refused() -> None:
        wrong = {"wrong-sum.xml": changed(invoice, PayableAmount="468000.00")}
        expect_refusal(lambda: upload(wrong), 422, "wrong-sum.xml: wrong sum: cbc:PayableAmount")
        expect_refusal(lambda: upload({"cut.xml": invoice[:900]}), 422, "not well-formed XML")
        dollars = {"dollars.xml": invoice.replace(b"CNY", b"USD")}
        expect_refusal(lambda: upload(dollars), 422, "no settlement token for USD")
        somebody = lambda: bank.send_files("/receivables/from-invoice", {"invoice.xml": invoice}, XML)  # noqa: E731
        expect_refusal(somebody, 422, f"is the member {address('supplier')}")
        expect("receivables after refusals", supplier.get("/receivables")["items"], [])

    run(STORY, "see broken and other people's invoices refused, nothing stored", "supplier", refused)

    def draft() -> Any:
        sent = upload({"invoice.xml": invoice})
        number = event(sent, "ReceivableDrafted")["id"]
        held = ledger.receivable(number)
        expect("parties on chain", (held.supplier, held.debtor), (address("supplier"), address("debtor")))
        expect("face and due date on chain", (held.face, held.dueAt), (FACE, due_at))
        expect("due date in the API", same(number, "draft", 1)["dueAt"], due_at)
        return sent

    drafted = run(STORY, "draft the receivable from the invoice; its buyer is found by credit code", "supplier", draft)
    number = event(drafted, "ReceivableDrafted")["id"]
    path = f"/receivables/{number}"

    def again() -> None:
        other_writing = {"copy.xml": invoice.replace(b"cbc", b"basic")}
        expect_refusal(lambda: upload(other_writing), 409, f"case {number}. It cannot be financed twice")

    run(STORY, "see the same invoice, written differently, refused", "supplier", again)

    def confirm() -> Any:
        expect_refusal(lambda: bank.post(f"{path}/confirm"), 403, "does not have the role")
        sent = debtor.post(f"{path}/confirm")
        same(number, "confirmed", 4)
        expect("the supplier's units on chain", ledger.balanceOf(address("supplier"), number), FACE)
        return sent

    run(STORY, "undertake to pay, irrevocably: the supplier receives the units", "debtor", confirm)

    # --- money and quotes

    def issue() -> Any:
        before = {name: token.balanceOf(address(name)) for name in ("bank", "bank2", "debtor")}
        for payer, to in ((bank, "bank"), (bank2, "bank2"), (bank, "debtor")):
            issued = {"to": address(to), "amount": str(MONEY), "booking": commitment()}
            sent = payer.post("/currencies/CNY/issues", issued)
        for name, balance in before.items():
            expect(f"{name}'s tokens on chain", token.balanceOf(address(name)), balance + MONEY)
            shown = supplier.get(f"/currencies/CNY/balances/{address(name)}")["balance"]
            expect(f"{name}'s tokens in the API", shown, str(balance + MONEY))
        return sent

    run(STORY, "issue 1,000,000 yuan of tokens to both banks and the debtor", "banks", issue)

    def prepared(client: Any, proceeds: int) -> Any:
        body = {
            "receivableId": number,
            "units": str(SOLD),
            "proceeds": str(proceeds),
            "seller": address("supplier"),
            "recourse": False,
            "validUntil": stage.chain_time() + 86400,
        }
        return client.post("/quotes/prepare", body)

    def cannot_honour() -> None:
        quote = prepared(bank, PROCEEDS["bank"])["quote"]
        expect_refusal(lambda: bank.post("/quotes", {"quote": quote, "sign": True}), 409, "approve more first")
        expect("quotes kept", supplier.get("/quotes", receivable=number)["items"], [])

    run(STORY, "see a quote refused that the bank could not honour yet", "bank", cannot_honour)

    def quote_custodial() -> Any:
        bank.post("/currencies/CNY/approvals", {"spender": "FinancingDesk", "amount": str(MONEY)})
        fields = prepared(bank, PROCEEDS["bank"])["quote"]
        quote = bank.post("/quotes", {"quote": fields, "sign": True})
        on_chain = desk.digestOf(_struct(fields, address("bank")))
        expect("the quote's id is the digest on chain", quote["id"], "0x" + bytes(on_chain).hex())
        return quote

    better = run(STORY, "quote 297,000 yuan for 300,000, signed by the service", "bank", quote_custodial)

    def quote_own_key() -> Any:
        bank2.post("/currencies/CNY/approvals", {"spender": "FinancingDesk", "amount": str(MONEY)})
        made = prepared(bank2, PROCEEDS["bank2"])
        signature = "0x" + _sign(stage.resident(BANK2_INDEX), made["typedData"]).hex()
        forged = {"quote": made["quote"], "signature": "0x" + _sign(second_tier, made["typedData"]).hex()}
        expect_refusal(lambda: bank2.post("/quotes", forged), 422, f"not that of {address('bank2')}")
        return bank2.post("/quotes", {"quote": made["quote"], "signature": signature})

    dearer = run(
        STORY, "quote 295,500 yuan, signed with the bank's own key; a forged one is refused", "bank2", quote_own_key
    )

    def compare() -> None:
        found = supplier.get("/quotes", receivable=number)["items"]
        expect("quotes, the cheapest first", [q["id"] for q in found], [better["id"], dearer["id"]])
        costs = [q["annualisedCostBasisPoints"] for q in found]
        expect("the cheaper one costs less", costs[0] < costs[1], True)
        expect(
            "quotes that the other bank sees",
            [q["id"] for q in bank2.get("/quotes", receivable=number)["items"]],
            [dearer["id"]],
        )
        stage.steps.console.print(f"       {costs[0] / 100:.2f} % and {costs[1] / 100:.2f} % a year")

    run(STORY, "compare the quotes by what they cost a year", "supplier", compare)

    def fill() -> Any:
        parties = ("supplier", "bank")
        before = [token.balanceOf(address(name)) for name in parties]
        sent = supplier.post(f"/quotes/{better['id']}/fill")
        after = [token.balanceOf(address(name)) for name in parties]
        proceeds = PROCEEDS["bank"]
        expect("tokens moved, to the fen", [a - b for a, b in zip(after, before, strict=True)], [proceeds, -proceeds])
        expect("units on chain", [ledger.balanceOf(address(n), number) for n in parties], [FACE - SOLD, SOLD])
        same(number, "confirmed", 4)
        expect("the quote in the API", supplier.get(f"/quotes/{better['id']}")["state"], "filled")
        return sent

    run(STORY, "sell to the cheaper bank: units against money, both or neither", "supplier", fill)

    def replay() -> None:
        expect_refusal(lambda: supplier.post(f"/quotes/{better['id']}/fill"), 409, "was filled already")
        expect("the nonce on chain", int(desk.nonceState(address("bank"), int(better["nonce"]))), 1)
        expect("units that the bank has", ledger.balanceOf(address("bank"), number), SOLD)

    run(STORY, "see a replay of the quote refused", "supplier", replay)

    def cancel() -> Any:
        expect_refusal(lambda: supplier.post(f"/quotes/{dearer['id']}/cancel"), 403, "can cancel it")
        sent = bank2.post(f"/quotes/{dearer['id']}/cancel")
        expect("the nonce on chain", int(desk.nonceState(address("bank2"), int(dearer["nonce"]))), 2)
        expect("the quote in the API", supplier.get(f"/quotes/{dearer['id']}")["state"], "cancelled")
        expect_refusal(lambda: supplier.post(f"/quotes/{dearer['id']}/fill"), 409, "cancelled the quote")
        return sent

    run(STORY, "cancel the quote that was not taken", "bank2", cancel)

    def pass_on() -> Any:
        admission = {
            "account": second_tier.address,
            "kind": "company",
            "creditCode": SECOND_TIER_CODE,
            "profile": commitment(),
        }
        stage.client("founder").post("/members", admission)
        sent = supplier.post(f"{path}/transfers", {"to": second_tier.address, "units": str(PASSED_ON)})
        expect("units on chain", ledger.balanceOf(second_tier.address, number), PASSED_ON)
        same(number, "confirmed", 4)
        return sent

    run(STORY, "pay a supplier of its own with 43,333.33 yuan of the receivable", "supplier", pass_on)

    # --- maturity

    def mature() -> None:
        rpc(stage.rpc_url, "evm_increaseTime", due_at - stage.chain_time() + 1)
        rpc(stage.rpc_url, "evm_mine")
        until(lambda: supplier.get(path)["overdue"], True)
        expect("open on chain", ledger.isOpen(number), False)
        late = {"to": second_tier.address, "units": "1"}
        expect_refusal(lambda: supplier.post(f"{path}/transfers", late), 409, "no units change hands")

    run(STORY, "let 90 days pass: overdue, and units change hands no more", "anyone", mature)

    def pay_part() -> Any:
        debtor.post("/currencies/CNY/approvals", {"spender": "Escrow", "amount": str(FACE)})
        sent = debtor.post(f"{path}/payments", {"amount": str(FIRST_PAYMENT)})
        shown = same(number, "partly_paid", 5)
        expect("outstanding", shown["outstanding"], str(FACE - FIRST_PAYMENT))
        expect("held in escrow", escrow.held(ledger.address, number, token.address), FIRST_PAYMENT)
        return sent

    run(STORY, "pay 162,000.01 yuan", "debtor", pay_part)

    def claim_part() -> Any:
        before = token.balanceOf(address("supplier"))
        part = (FACE - SOLD - PASSED_ON) * FIRST_PAYMENT // FACE
        sent = supplier.post(f"{path}/claims")
        expect("received, to the fen", token.balanceOf(address("supplier")) - before, part)
        expect_refusal(lambda: supplier.post(f"{path}/claims"), 409, "nothing for")
        same(number, "partly_paid", 5)
        return sent

    run(STORY, "collect its part of the first payment, once", "supplier", claim_part)

    def pay_rest() -> Any:
        rest = int(debtor.get(path)["outstanding"])
        expect("outstanding", rest, FACE - FIRST_PAYMENT)
        too_much = {"amount": str(rest + 1)}
        expect_refusal(lambda: debtor.post(f"{path}/payments", too_much), 409, f"{rest} minor units are outstanding")
        sent = debtor.post(f"{path}/payments", {"amount": str(rest)})
        expect("outstanding", same(number, "settled", 6)["outstanding"], "0")
        return sent

    run(STORY, "pay the rest, after one fen too much was refused", "debtor", pay_rest)

    def claim_with_ape() -> Any:
        before = token.balanceOf(address("bank"))
        receipt = ledger.claim(number, sender=stage.ape_account("bank"))
        expect("received, to the fen", token.balanceOf(address("bank")) - before, SOLD)
        _until_claimed(supplier, path, address("bank"), SOLD)
        return str(receipt.txn_hash)

    run(STORY, "collect 300,000.00 yuan, with Ape instead of the API", "bank", claim_with_ape)

    def claim_rest() -> Any:
        before = token.balanceOf(address("supplier"))
        part = (FACE - SOLD - PASSED_ON) * FIRST_PAYMENT // FACE
        sent = supplier.post(f"{path}/claims")
        expect("received", token.balanceOf(address("supplier")) - before, FACE - SOLD - PASSED_ON - part)
        ledger.claim(number, sender=stage.ape_account_of(second_tier.address))
        expect("received", token.balanceOf(second_tier.address), PASSED_ON)
        _until_claimed(supplier, path, second_tier.address, PASSED_ON)
        return sent

    run(STORY, "collect the rest", "supplier, its supplier", claim_rest)

    def balance() -> None:
        shown = same(number, "settled", 6)
        expect("claimed by all holders", sum(int(h["claimed"]) for h in shown["holdings"]), FACE)
        expect("left in escrow", escrow.held(ledger.address, number, token.address), 0)
        expect("overdue", shown["overdue"], False)
        expect(
            "settled receivables", [r["id"] for r in supplier.get("/receivables", state="settled")["items"]], [number]
        )

    run(STORY, "see it settled: what was paid equals what was collected", "anyone", balance)


def invoice_of_today(chain_time: int) -> tuple[bytes, int]:
    """The invoice dated yesterday by chain time and due 90 days later; with the second at which it becomes overdue.

    The file has fixed dates, and a receivable must not be due in the past: so the dates of the copy in memory are
    rewritten. The debtor has until the end of the due date in UTC.
    """
    issued = datetime.fromtimestamp(chain_time, UTC).date() - timedelta(days=1)
    due = issued + timedelta(days=DAYS_TO_PAY)
    content = changed(INVOICE.read_bytes(), IssueDate=issued.isoformat(), DueDate=due.isoformat())
    midnight = datetime.combine(due + timedelta(days=1), datetime.min.time(), UTC)
    return content, int(midnight.timestamp())


def changed(invoice: bytes, **elements: str | None) -> bytes:
    """A copy in memory with other texts in the named cbc elements; None takes the element away."""
    root = etree.fromstring(invoice)
    for name, text in elements.items():
        element = next(root.iter(CBC + name))
        if text is None:
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
        else:
            element.text = text
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _struct(fields: dict[str, Any], bank: str) -> tuple[Any, ...]:
    """The quote as FinancingDesk takes it, made without the service's code."""
    return (
        fields["receivableId"],
        int(fields["units"]),
        int(fields["proceeds"]),
        fields["seller"],
        bank,
        fields["recourse"],
        fields["divisible"],
        fields["validUntil"],
        int(fields["nonce"]),
    )


def _sign(signer: Any, typed_data: dict[str, Any]) -> bytes:
    signed = Account.sign_message(encode_typed_data(full_message=typed_data), signer.key)
    return bytes(signed.signature)


def _until_claimed(client: Any, path: str, holder: str, amount: int) -> None:
    """The API has caught up with a claim that was not made through it."""

    def claimed() -> str:
        return next(str(h["claimed"]) for h in client.get(path)["holdings"] if h["holder"] == holder)

    until(claimed, str(amount))
