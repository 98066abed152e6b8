"""Typed wrapper of DocumentRegistry, and the chain as a certificate's check sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ..chain.abi import Call
from ..chain.contract import Wrapper
from ..chain.deployment import Deployment
from ..chain.rpc import Rpc, RpcError
from ..errors import ServiceError
from ..modules.members.contract import Members
from ..modules.property.contract import TitleRegistry
from .verification import (
    ChainUnavailable,
    DocumentState,
    DocumentStatus,
    Head,
    Member,
    MemberState,
    Reason,
    Registries,
    Title,
    TitleState,
)

R = TypeVar("R")


class DocumentRegistry(Wrapper):
    contract = "DocumentRegistry"

    def anchor(self, root: bytes, documents: int) -> Call:
        return self._call("anchor", root, documents)

    def revoke(self, document: bytes, reason: Reason) -> Call:
        return self._call("revoke", document, int(reason))

    def supersede(self, document: bytes, successor: bytes) -> Call:
        return self._call("supersede", document, successor)

    async def status_of(
        self, issuer: str, root: bytes, document: bytes, proof: tuple[bytes, ...], block: str = "latest"
    ) -> DocumentStatus:
        raw = await self._read("statusOf", issuer, root, document, list(proof), block=block)
        return DocumentStatus(
            DocumentState(raw["status"]),
            raw["anchoredAt"],
            raw["changedAt"],
            Reason(raw["reason"]),
            raw["supersededBy"],
        )


async def registries_named_by(rpc: Rpc, documents: str, titles: str) -> Deployment:
    """A deployment of the registries that a file itself names, for a reader without the city's address book.

    Both must be contracts of one city: they share their Members, whose events tell the kinds. Registries that do not
    belong together are answered with a deployment of the zero address, which no file can name.
    """
    codes = [await rpc.call("eth_getCode", address, "latest") for address in (documents, titles)]
    if "0x" in codes:
        return Deployment.of_registries(_NOBODY, _NOBODY)
    try:
        members = {
            await DocumentRegistry(rpc, documents).members(),
            await TitleRegistry(rpc, titles).members(),
        }
    except (ServiceError, RpcError, ValueError):
        members = set()
    if len(members) != 1:
        return Deployment.of_registries(_NOBODY, _NOBODY)
    [address] = members
    return Deployment.of_registries(documents, titles, address, await Members(rpc, address).kinds())


_NOBODY = "0x" + "00" * 20


class NodeReader:
    """Asks the node itself, not the service's tables: a verifier trusts the chain."""

    def __init__(self, rpc: Rpc, deployment: Deployment):
        self._rpc, self._deployment = rpc, deployment
        self._documents = DocumentRegistry(rpc, deployment.address("DocumentRegistry"))
        self._titles = TitleRegistry(rpc, deployment.address("TitleRegistry"))
        self._members = Members(rpc, deployment.address("Members"))
        self._kinds = {number: label for label, number in deployment.kinds.items()}
        self._names = {entry["address"]: entry["name"] for entry in deployment.members.values()}

    async def chain_id(self) -> int:
        return int(await _asked(lambda: self._rpc.call("eth_chainId")), 16)

    async def head(self) -> Head:
        block: dict[str, Any] = await _asked(lambda: self._rpc.call("eth_getBlockByNumber", "latest", False))
        return Head(int(block["number"], 16), int(block["timestamp"], 16))

    async def registries(self) -> Registries:
        return Registries(self._documents.address, self._titles.address)

    async def document_status(
        self, registry: str, issuer: str, *, root: bytes, document: bytes, proof: tuple[bytes, ...], block: int
    ) -> DocumentStatus:
        del registry  # `verify` has compared it with the deployment's
        return await _asked(lambda: self._documents.status_of(issuer, root, document, proof, hex(block)))

    async def title(self, title_registry: str, unit: str, block: int) -> Title | None:
        del title_registry
        found = await _asked(lambda: self._titles.title_of(unit, hex(block)))
        return Title(found.owner, found.certificate_root, found.version, TitleState(int(found.status)), found.liens)

    async def issuer_member(self, issuer: str, block: int) -> Member | None:
        party = await _asked(lambda: self._members.party(issuer, hex(block)))
        if party.status == 0:
            return None
        name = self._names.get(issuer, issuer)
        return Member(name, self._kinds.get(party.kind, "resident"), MemberState(int(party.status)))


async def _asked(question: Callable[[], Awaitable[R]]) -> R:
    """The answer, or the one error that verification knows: what cannot be asked is unknown, never valid."""
    try:
        return await question()
    except (ServiceError, RpcError, ValueError, KeyError, TypeError) as error:
        raise ChainUnavailable(str(error)) from error
