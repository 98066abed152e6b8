"""/currencies: settlement tokens and what the Escrow owes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from ...auth import Caller
from ...errors import InvalidInput, NotFound
from ...kit.ids import Address, Amount, CurrencyCode, Hash32
from ...kit.schemas import AmountText, Body, Resource
from ...submission import Act, TransactionResource
from .contract import SettlementToken

router = APIRouter()


class Issue(Body):
    to: Address
    amount: Amount
    booking: Hash32 = Field(description="hash of the bank's own booking reference")


class Redemption(Body):
    bank: Address = Field(description="the settlement bank that pays the deposit out, or books a loan as repaid")
    amount: Amount
    booking: Hash32 = Field(description="hash of the booking reference")


class Approval(Body):
    """What a contract of the deployment may take from the caller's account."""

    spender: str = Field(description="a contract's name in the address book, such as `Escrow`")
    amount: Amount


class BalanceResource(Resource):
    account: str
    currency: str
    balance: AmountText
    frozen: AmountText
    claimable: AmountText = Field(description="released by the Escrow and not yet claimed")


class CurrencyResource(Resource):
    code: str
    decimals: int
    token: str


@router.get("/currencies", tags=["money"], operation_id="listCurrencies")
async def list_currencies(request: Request) -> list[CurrencyResource]:
    """The currencies that have a settlement token."""
    found = request.app.state.city.deployment.currencies
    return [CurrencyResource(code=code, **entry) for code, entry in found.items()]


@router.post("/currencies/{currency}/issues", status_code=202, tags=["money"], operation_id="issueTokens")
async def issue(currency: CurrencyCode, body: Issue, act: Act) -> TransactionResource:
    """Issue deposits as tokens, as a settlement bank."""
    return await act.send(_token(act.city, currency).issue(body.to, body.amount, body.booking))


@router.post("/currencies/{currency}/redemptions", status_code=202, tags=["money"], operation_id="redeemTokens")
async def redeem(currency: CurrencyCode, body: Redemption, act: Act) -> TransactionResource:
    """Give tokens back to a settlement bank, as their holder; they cease to exist."""
    return await act.send(_token(act.city, currency).redeem(body.bank, body.amount, body.booking))


@router.post("/currencies/{currency}/approvals", status_code=202, tags=["money"], operation_id="approveTokens")
async def approve(currency: CurrencyCode, body: Approval, act: Act) -> TransactionResource:
    """Let a contract of the deployment take up to an amount from the caller's account."""
    if body.spender not in act.city.deployment.contracts:
        raise InvalidInput(f"The address book has no contract `{body.spender}`.", field="spender")
    spender = act.city.deployment.address(body.spender)
    return await act.send(_token(act.city, currency).approve(spender, body.amount))


@router.post("/currencies/{currency}/claims", status_code=202, tags=["money"], operation_id="claimEscrow")
async def claim(currency: CurrencyCode, act: Act) -> TransactionResource:
    """Have everything sent that the Escrow released to the caller."""
    token = _token(act.city, currency)
    return await act.send(act.city.escrow.claim(act.account, token.address))


@router.get("/currencies/{currency}/balances/{account}", tags=["money"], operation_id="getBalance")
async def balance(currency: CurrencyCode, account: Address, request: Request, _: Caller) -> BalanceResource:
    """What an account holds, read from the chain."""
    city = request.app.state.city
    token = _token(city, currency)
    return BalanceResource(
        account=account,
        currency=currency,
        balance=str(await token.balance_of(account)),
        frozen=str(await token.frozen_of(account)),
        claimable=str(await city.escrow.claimable(account, token.address)),
    )


def _token(city: Any, currency: str) -> SettlementToken:
    found: SettlementToken | None = city.tokens.get(currency)
    if found is None:
        raise NotFound(f"There is no settlement token for {currency}; there are: {', '.join(city.tokens)}.")
    return found
