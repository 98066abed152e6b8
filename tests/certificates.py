"""Certificates and a chain that says what a test wants: one scenario per thing a check can find."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from eth_utils import keccak

from frontend_api.documents.certificate import Certificate, Context, build, hide, issue_batch, to_json
from frontend_api.documents.verification import (
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

CHAIN_ID = 31337
NOW = 1_790_000_000  # 2026-09-21 22:13:20 in the city
DAY = 86_400
DOCUMENTS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
TITLES = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
REGISTRY = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BANK = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
OWNER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
UNIT = "431302001002GB00123F00040012"

FIELDS = {
    "权利人": "李明",
    "共有情况": "单独所有",
    "坐落": "娄底市娄星区氐星路88号4栋1单元1202室",
    "权利类型": "国有建设用地使用权／房屋所有权",
    "用途": "城镇住宅用地／住宅",
    "建筑面积": "118.62 平方米",
    "使用期限": "2009年03月16日起2079年03月15日止",
}

CONTEXT = Context(chain_id=CHAIN_ID, registry=DOCUMENTS, title_registry=TITLES, subject=UNIT, issuer=REGISTRY)

ANCHORED = DocumentStatus(DocumentState.VALID, anchored_at=NOW - 40 * DAY)
OFFICE = Member("娄底市不动产登记中心 Loudi Real Estate Registry", "registry", MemberState.ACTIVE)


def counted_salts(seed: str) -> Callable[[], bytes]:
    """Salts that are the same in every process."""
    count = 0

    def salt() -> bytes:
        nonlocal count
        count += 1
        return keccak(text=f"{seed} {count}")

    return salt


def made(context: Context = CONTEXT, fields: dict[str, str] | None = None, seed: str = "") -> Certificate:
    """A certificate in the middle of a batch of three."""
    one = build(FIELDS if fields is None else fields, context, counted_salts(seed))
    others = [build({"n": str(i)}, context, counted_salts(f"other {i}")) for i in range(2)]
    return issue_batch([others[0], one, others[1]])[1][1]


@dataclass
class FakeChain:
    """A `ChainReader` with settable answers; it counts what it was asked and remembers with what."""

    certificate: Certificate
    status: DocumentStatus = ANCHORED
    found_title: Title | None = None
    member: Member | None = OFFICE
    number: int = CHAIN_ID
    time: int = NOW
    fails_at: str = ""
    error: Exception = field(default_factory=lambda: ChainUnavailable("connection refused"))
    asked: list[tuple] = field(default_factory=list)

    def _ask(self, name: str, *details: object) -> None:
        self.asked.append((name, *details))
        if self.fails_at == name:
            raise self.error

    async def chain_id(self) -> int:
        self._ask("chain_id")
        return self.number

    async def head(self) -> Head:
        self._ask("head")
        return Head(4711, self.time)

    async def registries(self) -> Registries:
        self._ask("registries")
        return Registries(DOCUMENTS, TITLES)

    async def document_status(self, registry, issuer, *, root, document, proof, block) -> DocumentStatus:
        self._ask("document_status", registry, issuer, root, document, proof, block)
        anchored = (issuer, root, document) == (
            self.certificate.context.issuer,
            self.certificate.batch.root,
            self.certificate.document_root,
        )
        return self.status if anchored else DocumentStatus(DocumentState.UNKNOWN)

    async def title(self, title_registry, unit, block) -> Title | None:
        self._ask("title", title_registry, unit, block)
        return self.found_title

    async def issuer_member(self, issuer, block) -> Member | None:
        self._ask("issuer_member", issuer, block)
        return self.member if issuer == self.certificate.context.issuer else None


def chain_for(certificate: Certificate, **changes: object) -> FakeChain:
    """A chain on which the certificate is valid, with changes; `title_*` change the title."""
    title = Title(OWNER, certificate.document_root, 1, TitleState.ACTIVE, 0)
    of_title = {name.removeprefix("title_"): changes.pop(name) for name in list(changes) if name.startswith("title_")}
    return FakeChain(certificate, **{"found_title": replace(title, **of_title), **changes})


@dataclass(frozen=True)
class Scenario:
    """A file someone holds, the chain it meets, and what must come out."""

    name: str
    file: bytes
    chain: FakeChain
    verdict: str
    decided_by: str


def altered(certificate: Certificate, *path: str | int, to: object) -> bytes:
    """The file with one value replaced."""
    content = json.loads(to_json(certificate))
    place = content
    for key in path[:-1]:
        place = place[key]
    assert place[path[-1]] != to, "nothing would change"
    place[path[-1]] = to
    return json.dumps(content, ensure_ascii=False).encode()


def scenarios() -> dict[str, Scenario]:
    """Every verdict and every way to it."""
    found: list[Scenario] = []

    def add(name: str, verdict: str, decided_by: str, context: Context = CONTEXT, **changes: object) -> None:
        certificate = made(context, seed=name)
        found.append(Scenario(name, to_json(certificate), chain_for(certificate, **changes), verdict, decided_by))

    add("valid", "valid", "in_force")
    ended = {"anchored_at": NOW - 40 * DAY, "changed_at": NOW - 3 * DAY}
    by_court = DocumentStatus(DocumentState.REVOKED, **ended, reason=Reason.COURT_ORDER)
    add("revoked", "revoked", "revoked", status=by_court)
    add("cancelled", "revoked", "title_cancelled", title_state=TitleState.CANCELLED)
    successor = keccak(text="successor")
    by_document = DocumentStatus(DocumentState.SUPERSEDED, **ended, superseded_by=successor)
    add("replaced", "superseded", "replaced", status=by_document)
    add("superseded", "superseded", "title_changed", title_certificate_root=successor, title_version=3)
    add("merged", "superseded", "title_superseded", title_state=TitleState.SUPERSEDED, title_version=2)
    add("pledged", "pledged", "pledged", title_liens=2)
    add("frozen", "frozen", "frozen", title_freezes=1, title_liens=1)
    add("expired", "expired", "expired", context=replace(CONTEXT, valid_until=NOW - DAY))
    add("unknown", "unknown", "issuer_not_asked", fails_at="head")
    add("not_issued", "not_issued", "issuer_unknown", member=None)
    bank = Member("娄底农商银行 Loudi Rural Commercial Bank", "bank", MemberState.ACTIVE)
    add("not_entitled", "not_issued", "issuer_not_entitled", context=replace(CONTEXT, issuer=BANK), member=bank)
    add("not_anchored", "not_issued", "not_anchored", status=DocumentStatus(DocumentState.UNKNOWN))
    add("no_title", "not_issued", "no_title", found_title=None)
    add("other_chain", "not_issued", "other_chain", context=replace(CONTEXT, chain_id=1))
    add("other_registry", "not_issued", "other_registry", context=replace(CONTEXT, registry=BANK))
    add("other_title_registry", "not_issued", "other_title_registry", context=replace(CONTEXT, title_registry=BANK))
    suspended = Member("娄底市不动产登记中心", "registry", MemberState.SUSPENDED)
    add("issuer_suspended", "valid", "in_force", member=suspended)
    add("issuer_retired", "valid", "in_force", member=replace(suspended, state=MemberState.RETIRED))

    genuine = made(seed="altered")
    file = altered(genuine, "fields", 5, "value", to="1180.62 平方米")
    found.append(Scenario("altered", file, chain_for(genuine), "altered", "fields_changed"))
    file = altered(genuine, "batch", "root", to="0x" + "ab" * 32)
    found.append(Scenario("proof_broken", file, chain_for(genuine), "altered", "proof_broken"))
    hiding = made(seed="hidden")
    file = to_json(hide(hiding, ["权利人", "共有情况", "使用期限"]))
    found.append(Scenario("hidden", file, chain_for(hiding), "valid", "in_force"))
    return {scenario.name: scenario for scenario in found}
