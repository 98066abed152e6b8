"""Typed wrapper of Members."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ...chain.abi import Call
from ...chain.contract import Wrapper


class PartyStatus(IntEnum):
    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    RETIRED = 3


#: The kind number of residents.
RESIDENT = 255


@dataclass(frozen=True)
class Party:
    """`credit_code` is empty for residents; `valid_until` in Unix seconds, zero without end."""

    credit_code: str
    kind: int
    status: PartyStatus
    valid_until: int
    commitment: bytes


class Members(Wrapper):
    contract = "Members"

    def admit(self, account: str, kind: int, credit_code: str, profile: bytes) -> Call:
        return self._call("admit", account, kind, credit_code.encode("ascii"), profile)

    def enrol(self, account: str, identity: bytes, valid_until: int) -> Call:
        return self._call("enrol", account, identity, valid_until)

    def suspend(self, account: str, basis: bytes) -> Call:
        return self._call("suspend", account, basis)

    def reinstate(self, account: str, basis: bytes) -> Call:
        return self._call("reinstate", account, basis)

    async def kinds(self) -> dict[str, int]:
        """The charter's kinds by label, as the chain was told them."""
        return {entry["label"]: entry["kind"] for entry in await self._events("KindDefined")}

    async def roles_of(self, kind: int) -> frozenset[int]:
        """The authority's numbers of the roles that a kind confers; fixed once the kind is defined."""
        return frozenset(await self._read("rolesOf", kind))

    async def party(self, account: str, block: str = "latest") -> Party:
        raw = await self._read("party", account, block=block)
        return Party(
            raw["creditCode"].decode("ascii").rstrip("\0"),
            raw["kind"],
            PartyStatus(raw["status"]),
            raw["validUntil"],
            raw["commitment"],
        )
