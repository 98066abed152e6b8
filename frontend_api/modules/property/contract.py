"""Typed wrappers of TitleRegistry and MortgageDesk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ...chain.abi import Call
from ...chain.contract import Wrapper
from ...kit.ids import unit_bytes


class TitleStatus(IntEnum):
    NONE = 0
    ACTIVE = 1
    SUPERSEDED = 2
    CANCELLED = 3


class MortgageState(IntEnum):
    NONE = 0
    APPLIED = 1
    OFFERED = 2
    ACCEPTED = 3
    REGISTERED = 4
    RELEASED = 5
    CLOSED = 6


@dataclass(frozen=True)
class Title:
    """`registered_at` in Unix seconds; `liens` counts active ones."""

    owner: str
    registered_at: int
    version: int
    status: TitleStatus
    liens: int
    certificate_root: bytes


class TitleRegistry(Wrapper):
    contract = "TitleRegistry"

    def register_title(self, unit: str, owner: str, certificate_root: bytes) -> Call:
        return self._call("registerTitle", unit_bytes(unit), owner, certificate_root)

    def reissue(self, unit: str, certificate_root: bytes, basis: bytes) -> Call:
        return self._call("reissue", unit_bytes(unit), certificate_root, basis)

    def cancel(self, unit: str, basis: bytes) -> Call:
        return self._call("cancel", unit_bytes(unit), basis)

    async def title_of(self, unit: str, block: str = "latest") -> Title:
        raw = await self._read("titleOf", unit_bytes(unit), block=block)
        return Title(
            raw["owner"],
            raw["registeredAt"],
            raw["version"],
            TitleStatus(raw["status"]),
            raw["liens"],
            raw["certificateRoot"],
        )


class MortgageDesk(Wrapper):
    contract = "MortgageDesk"

    def apply_for(self, unit: str, bank: str, principal: int, currency: str) -> Call:
        return self._call("applyFor", unit_bytes(unit), bank, principal, currency.encode())

    def offer(self, case_id: int, principal: int, terms: bytes, forbids_transfer: bool, valid_until: int) -> Call:
        return self._call("offer", case_id, principal, terms, forbids_transfer, valid_until)

    def accept(self, case_id: int, terms: bytes) -> Call:
        return self._call("accept", case_id, terms)

    def register(self, case_id: int) -> Call:
        return self._call("register", case_id)

    def release(self, case_id: int) -> Call:
        return self._call("release", case_id)

    def withdraw(self, case_id: int) -> Call:
        return self._call("withdraw", case_id)

    def decline(self, case_id: int, basis: bytes) -> Call:
        return self._call("decline", case_id, basis)

    def refuse(self, case_id: int, basis: bytes) -> Call:
        return self._call("refuse", case_id, basis)
