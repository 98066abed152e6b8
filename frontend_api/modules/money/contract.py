"""Typed wrappers of SettlementToken and Escrow."""

from __future__ import annotations

from ...chain.abi import Call
from ...chain.contract import Wrapper


class SettlementToken(Wrapper):
    """One currency's token; all amounts in its minor units."""

    contract = "SettlementToken"

    def issue(self, to: str, amount: int, booking: bytes) -> Call:
        return self._call("issue", to, amount, booking)

    def redeem(self, bank: str, amount: int, booking: bytes) -> Call:
        return self._call("redeem", bank, amount, booking)

    def approve(self, spender: str, amount: int) -> Call:
        return self._call("approve", spender, amount)

    def transfer(self, to: str, amount: int) -> Call:
        return self._call("transfer", to, amount)

    async def balance_of(self, account: str, block: str = "latest") -> int:
        return int(await self._read("balanceOf", account, block=block))

    async def frozen_of(self, account: str, block: str = "latest") -> int:
        return int(await self._read("frozenOf", account, block=block))

    async def allowance(self, owner: str, spender: str, block: str = "latest") -> int:
        return int(await self._read("allowance", owner, spender, block=block))


class Escrow(Wrapper):
    contract = "Escrow"

    def claim(self, payee: str, token: str) -> Call:
        return self._call("claim", payee, token)

    async def held(self, desk: str, case_id: int, token: str) -> int:
        return int(await self._read("held", desk, case_id, token))

    async def claimable(self, payee: str, token: str) -> int:
        return int(await self._read("claimable", payee, token))
