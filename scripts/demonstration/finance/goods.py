"""Chapter 5: inventory. A warehouse receipt, a loan on pledged goods, what is pledged stays, and goods go as the loan is repaid."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..client import event
from ..stage import commitment
from ..steps import expect, expect_contract_error
from .cast import BANKS, TIER_2
from .market import DAY, Market

#: Kilograms of steel coil.
LOT, PLEDGED, FREE = 500_000, 400_000, 100_000
#: Fen.
LOAN, REPAID = 120_000_000, 60_000_000


def play(market: Market) -> None:
    run, stage = market.run, market.stage
    owner, bank, other = TIER_2[1], BANKS[2], BANKS[3]
    warehouse, supervisor = stage.client("warehouse"), stage.client("supervisor")
    ledger = stage.contract("WarehouseLedger")
    lot = {
        "number": "2026-0917/3",
        "takenIn": datetime.fromtimestamp(stage.chain_time(), UTC).date().isoformat(),
        "description": "热轧卷板 Q235B hot-rolled coil",
        "quantity": str(LOT),
        "unit": "KGM",
        "owner": market.address(owner),
    }

    def same(receipt: int, quantity: int, pledged: int) -> dict[str, Any]:
        shown, held = warehouse.get(f"/warehouse-receipts/{receipt}"), ledger.receipt(receipt)
        expect("on hand and pledged on chain", (int(held.quantity), int(held.pledged)), (quantity, pledged))
        expect("on hand and pledged in the API", (shown["quantity"], shown["pledged"]), (str(quantity), str(pledged)))
        return dict(shown)

    def issue() -> Any:
        sent = warehouse.post("/warehouse-receipts", lot)
        receipt = event(sent, "ReceiptIssued")["receiptId"]
        same(receipt, LOT, 0)
        again = lambda: warehouse.post("/warehouse-receipts", lot)  # noqa: E731
        market.unchanged(lambda: expect_contract_error(again, 409, "FinancingRegister_Taken"))
        return sent

    sent = run("take in 500 t of steel coil; a second receipt for the same lot is refused", "warehouse", issue)
    receipt = event(sent, "ReceiptIssued")["receiptId"]
    path = f"/warehouse-receipts/{receipt}"

    def proposal(to: str) -> dict[str, Any]:
        return {
            "bank": to,
            "supervisor": stage.address("supervisor"),
            "quantity": str(PLEDGED),
            "securedAmount": str(LOAN),
            "currency": "CNY",
            "answerBy": stage.chain_time() + 7 * DAY,
        }

    def pledge() -> Any:
        sent = market.client(owner).post(f"{path}/pledges", proposal(market.address(bank)))
        number = event(sent, "PledgeProposed")["pledgeId"]
        market.client(bank).post(f"/pledges/{number}/accept")
        sent = supervisor.post(f"/pledges/{number}/confirm", {"basis": commitment()})
        expect("state in the API", warehouse.get(f"/pledges/{number}")["state"], "active")
        same(receipt, LOT, PLEDGED)
        before = market.balance(owner)
        market.issue(bank, owner, LOAN)
        expect("the loan has arrived", market.balance(owner) - before, LOAN)
        return number

    number = run(
        f"pledge 400 t to {bank.name}; the supervisor confirms, the bank lends 1,200,000 yuan", owner.name, pledge
    )

    def twice() -> None:
        again = lambda: market.client(owner).post(f"{path}/pledges", proposal(market.address(other)))  # noqa: E731
        args = expect_contract_error(again, 409, "WarehouseLedger_InsufficientFree")
        expect("what is free", int(args["free"]), FREE)
        too_much = lambda: warehouse.post(f"{path}/deliveries", {"quantity": str(FREE + 1)})  # noqa: E731
        expect_contract_error(too_much, 409, "WarehouseLedger_InsufficientFree")
        same(receipt, LOT, PLEDGED)

    run(
        f"see the same goods refused to {other.name}, and a delivery of more than is free",
        f"{owner.name}, warehouse",
        lambda: market.unchanged(twice),
    )

    def repay() -> Any:
        bank_account = market.address(bank)
        body = {"bank": bank_account, "amount": str(REPAID), "booking": commitment()}
        market.client(owner).post("/currencies/CNY/redemptions", body)
        market.redeemed += REPAID
        sent = market.client(bank).post(f"/pledges/{number}/releases", {"quantity": str(PLEDGED // 2)})
        expect("still bound", warehouse.get(f"/pledges/{number}")["quantity"], str(PLEDGED // 2))
        same(receipt, LOT, PLEDGED // 2)
        return sent

    run("repay half of the loan; the bank releases half of the goods", f"{owner.name}, {bank.name}", repay)

    def deliver() -> Any:
        sent = warehouse.post(f"{path}/deliveries", {"quantity": str(FREE + PLEDGED // 2)})
        shown = same(receipt, PLEDGED // 2, PLEDGED // 2)
        expect("free in the API", shown["free"], "0")
        return sent

    run("hand out all that is not pledged, 300 t", "warehouse", deliver)
