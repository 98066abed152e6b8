"""Is a certificate true? Three answers (is the file intact, who issued it, what is its status now) and one verdict.

The file alone answers the first; the chain, asked through a `ChainReader` at one block, answers the others. What is
trusted: that chain, the addresses of its registries as deployed (not those in the file, which must equal them), and its
register of members. A chain that cannot be asked makes the verdict `unknown`, never `valid`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol

from .certificate import TYPES, Certificate, Context, compute_batch_root, compute_document_root

#: How long the chain may take to answer everything, in seconds.
PATIENCE = 10.0


class Verdict(StrEnum):
    """What to tell whoever asks. In order of precedence: the first that applies is the verdict, later ones become
    remarks.

    What the file alone shows comes first, since no chain can heal it; then whether the chain could be asked; then
    whether the city issued it at all; then what ended it; then what restrains the title.
    """

    ALTERED = "altered"
    UNKNOWN = "unknown"
    NOT_ISSUED = "not_issued"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    FROZEN = "frozen"
    PLEDGED = "pledged"
    VALID = "valid"


class Question(StrEnum):
    """The three questions."""

    INTACT = "intact"
    ISSUER = "issuer"
    STATUS = "status"


class Code(StrEnum):
    """Everything a check can find, as `question` and `verdict` say below; the words are in `wording`."""

    FIELDS_CHANGED = "fields_changed"
    PROOF_BROKEN = "proof_broken"
    ISSUER_NOT_ASKED = "issuer_not_asked"
    STATUS_NOT_ASKED = "status_not_asked"
    OTHER_CHAIN = "other_chain"
    OTHER_REGISTRY = "other_registry"
    OTHER_TITLE_REGISTRY = "other_title_registry"
    ISSUER_UNKNOWN = "issuer_unknown"
    ISSUER_NOT_ENTITLED = "issuer_not_entitled"
    NOT_ANCHORED = "not_anchored"
    NO_TITLE = "no_title"
    REVOKED = "revoked"
    TITLE_CANCELLED = "title_cancelled"
    REPLACED = "replaced"
    TITLE_SUPERSEDED = "title_superseded"
    TITLE_CHANGED = "title_changed"
    EXPIRED = "expired"
    FROZEN = "frozen"
    PLEDGED = "pledged"
    ISSUER_SUSPENDED = "issuer_suspended"
    ISSUER_RETIRED = "issuer_retired"
    ISSUED = "issued"
    IN_FORCE = "in_force"
    INTACT = "intact"
    ISSUER_MOOT = "issuer_moot"
    STATUS_MOOT = "status_moot"


#: The question each finding answers and the verdict it asks for. None: it answers nothing and asks for nothing.
MEANING: dict[Code, tuple[Question, Verdict | None]] = {
    Code.FIELDS_CHANGED: (Question.INTACT, Verdict.ALTERED),
    Code.PROOF_BROKEN: (Question.INTACT, Verdict.ALTERED),
    Code.ISSUER_NOT_ASKED: (Question.ISSUER, Verdict.UNKNOWN),
    Code.STATUS_NOT_ASKED: (Question.STATUS, Verdict.UNKNOWN),
    Code.OTHER_CHAIN: (Question.ISSUER, Verdict.NOT_ISSUED),
    Code.OTHER_REGISTRY: (Question.ISSUER, Verdict.NOT_ISSUED),
    Code.OTHER_TITLE_REGISTRY: (Question.ISSUER, Verdict.NOT_ISSUED),
    Code.ISSUER_UNKNOWN: (Question.ISSUER, Verdict.NOT_ISSUED),
    Code.ISSUER_NOT_ENTITLED: (Question.ISSUER, Verdict.NOT_ISSUED),
    Code.NOT_ANCHORED: (Question.ISSUER, Verdict.NOT_ISSUED),
    Code.NO_TITLE: (Question.STATUS, Verdict.NOT_ISSUED),
    Code.REVOKED: (Question.STATUS, Verdict.REVOKED),
    Code.TITLE_CANCELLED: (Question.STATUS, Verdict.REVOKED),
    Code.REPLACED: (Question.STATUS, Verdict.SUPERSEDED),
    Code.TITLE_SUPERSEDED: (Question.STATUS, Verdict.SUPERSEDED),
    Code.TITLE_CHANGED: (Question.STATUS, Verdict.SUPERSEDED),
    Code.EXPIRED: (Question.STATUS, Verdict.EXPIRED),
    Code.FROZEN: (Question.STATUS, Verdict.FROZEN),
    Code.PLEDGED: (Question.STATUS, Verdict.PLEDGED),
    Code.ISSUER_SUSPENDED: (Question.ISSUER, Verdict.VALID),
    Code.ISSUER_RETIRED: (Question.ISSUER, Verdict.VALID),
    Code.ISSUED: (Question.ISSUER, Verdict.VALID),
    Code.IN_FORCE: (Question.STATUS, Verdict.VALID),
    Code.INTACT: (Question.INTACT, Verdict.VALID),
    Code.ISSUER_MOOT: (Question.ISSUER, None),
    Code.STATUS_MOOT: (Question.STATUS, None),
}
_RANK = {verdict: place for place, verdict in enumerate(Verdict)}


class Tone(StrEnum):
    """How good or bad an answer is, for colour and icon."""

    GOOD = "good"
    CAUTION = "caution"
    BAD = "bad"
    UNKNOWN = "unknown"


TONES = {
    Verdict.ALTERED: Tone.BAD,
    Verdict.UNKNOWN: Tone.UNKNOWN,
    Verdict.NOT_ISSUED: Tone.BAD,
    Verdict.REVOKED: Tone.BAD,
    Verdict.SUPERSEDED: Tone.BAD,
    Verdict.EXPIRED: Tone.CAUTION,
    Verdict.FROZEN: Tone.CAUTION,
    Verdict.PLEDGED: Tone.CAUTION,
    Verdict.VALID: Tone.GOOD,
}


@dataclass(frozen=True)
class Finding:
    """One thing the check found. `values` are what its sentence speaks of: times in Unix seconds under names that
    end in `At`.
    """

    code: Code
    values: dict[str, str | int] = field(default_factory=dict)

    @property
    def question(self) -> Question:
        return MEANING[self.code][0]

    @property
    def verdict(self) -> Verdict | None:
        return MEANING[self.code][1]

    @property
    def tone(self) -> Tone:
        if self.code in (Code.ISSUER_SUSPENDED, Code.ISSUER_RETIRED):
            return Tone.CAUTION
        return Tone.UNKNOWN if self.verdict is None else TONES[self.verdict]


@dataclass(frozen=True)
class Head:
    """The block that was asked, and its time: Unix seconds by the chain's clock."""

    number: int
    time: int


@dataclass(frozen=True)
class Verification:
    """The result. `head` is None when the chain was not or could not be asked."""

    certificate: Certificate
    verdict: Verdict
    decided_by: Finding
    answers: dict[Question, Finding]
    remarks: tuple[Finding, ...]
    head: Head | None

    @property
    def tone(self) -> Tone:
        return TONES[self.verdict]


# --- what the chain is asked


class DocumentState(IntEnum):
    """`IDocumentRegistry.Status`."""

    UNKNOWN = 0
    VALID = 1
    REVOKED = 2
    SUPERSEDED = 3


class Reason(IntEnum):
    """`IDocumentRegistry.Reason`: why a document was revoked."""

    NONE = 0
    UNSPECIFIED = 1
    ISSUED_IN_ERROR = 2
    FRAUD = 3
    COURT_ORDER = 4
    SURRENDERED = 5
    FACTS_CHANGED = 6


class TitleState(IntEnum):
    """The title registry's status of a title."""

    NONE = 0
    ACTIVE = 1
    SUPERSEDED = 2
    CANCELLED = 3


class MemberState(IntEnum):
    """`IMembers.Status`."""

    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    RETIRED = 3


@dataclass(frozen=True)
class DocumentStatus:
    """`IDocumentRegistry.DocumentStatus`; times in Unix seconds."""

    state: DocumentState
    anchored_at: int = 0
    changed_at: int = 0
    reason: Reason = Reason.NONE
    superseded_by: bytes = bytes(32)


@dataclass(frozen=True)
class Title:
    """A property unit's title as the registry holds it now. `freezes`: how many are in effect."""

    owner: str
    certificate_root: bytes
    version: int
    state: TitleState
    liens: int
    freezes: int = 0


@dataclass(frozen=True)
class Member:
    """An organisation: its name, its kind by the charter's label, its status."""

    name: str
    kind: str
    state: MemberState


@dataclass(frozen=True)
class Registries:
    """The addresses that this deployment's address book holds; what a file says must equal them."""

    documents: str
    titles: str


class ChainUnavailable(Exception):
    """The chain could not be asked, or its answer could not be read."""


class ChainReader(Protocol):
    """The chain, as a check needs it. Every method raises ChainUnavailable when it cannot answer; none invents an
    answer.

    Everything after `head` is asked at that head's block, so that the answers belong to one moment.
    """

    async def chain_id(self) -> int:
        """The chain id that the node itself reports."""
        ...

    async def head(self) -> Head:
        """The newest block that counts."""
        ...

    async def registries(self) -> Registries:
        """The registries as deployed."""
        ...

    async def document_status(
        self, registry: str, issuer: str, *, root: bytes, document: bytes, proof: tuple[bytes, ...], block: int
    ) -> DocumentStatus:
        """`DocumentRegistry.statusOf`."""
        ...

    async def title(self, title_registry: str, unit: str, block: int) -> Title | None:
        """`TitleRegistry.titleOf`; None for a unit that was never registered. `unit` is the 28-character number."""
        ...

    async def issuer_member(self, issuer: str, block: int) -> Member | None:
        """The member with this account; None when it never was one."""
        ...


# --- the check


async def verify(certificate: Certificate, chain: ChainReader, patience: float = PATIENCE) -> Verification:
    """Check a certificate against the file's own hashes and the chain. Does not raise for an unreachable chain: that
    is a verdict.
    """
    damage = examine_file(certificate)
    if damage:
        return _conclude(certificate, [*damage, Finding(Code.ISSUER_MOOT), Finding(Code.STATUS_MOOT)], None)

    try:
        async with asyncio.timeout(patience):
            findings, head = await _ask(certificate, chain)
    except (ChainUnavailable, TimeoutError, OSError):
        findings, head = [Finding(Code.ISSUER_NOT_ASKED), Finding(Code.STATUS_NOT_ASKED)], None
    return _conclude(certificate, [Finding(Code.INTACT), *findings], head)


def examine_file(certificate: Certificate) -> list[Finding]:
    """What is wrong with the file by itself; empty when it is intact."""
    damage = []
    if compute_document_root(certificate.context, certificate.fields) != certificate.document_root:
        damage.append(Finding(Code.FIELDS_CHANGED))
    if compute_batch_root(certificate.document_root, certificate.batch.proof) != certificate.batch.root:
        damage.append(Finding(Code.PROOF_BROKEN))
    return damage


async def _ask(certificate: Certificate, chain: ChainReader) -> tuple[list[Finding], Head]:
    context = certificate.context
    chain_id = await chain.chain_id()
    head = await chain.head()
    registries = await chain.registries()

    stranger = _find_stranger(context, chain_id, registries)
    if stranger:
        return [stranger, Finding(Code.STATUS_MOOT)], head

    member = await chain.issuer_member(context.issuer, head.number)
    if member is None or member.state == MemberState.NONE:
        return [Finding(Code.ISSUER_UNKNOWN, {"address": context.issuer}), Finding(Code.STATUS_MOOT)], head
    if member.kind not in TYPES[context.type].issuing_kinds:
        return [
            Finding(Code.ISSUER_NOT_ENTITLED, {"name": member.name, "kind": member.kind}),
            Finding(Code.STATUS_MOOT),
        ], head

    status = await chain.document_status(
        context.registry,
        context.issuer,
        root=certificate.batch.root,
        document=certificate.document_root,
        proof=certificate.batch.proof,
        block=head.number,
    )
    if status.state == DocumentState.UNKNOWN:
        return [Finding(Code.NOT_ANCHORED, {"name": member.name}), Finding(Code.STATUS_MOOT)], head

    title = await chain.title(context.title_registry, context.subject, head.number)
    return [
        _judge_issuer(member, status),
        *_judge_document(certificate, status, head),
        *_judge_title(certificate, title),
        Finding(Code.IN_FORCE, {"unit": context.subject}),
    ], head


def _find_stranger(context: Context, chain_id: int, registries: Registries) -> Finding | None:
    """Addresses mean nothing on another chain, and another registry says what its maker wants: nothing more is asked
    then.
    """
    if context.chain_id != chain_id:
        return Finding(Code.OTHER_CHAIN, {"fileChainId": context.chain_id, "chainId": chain_id})
    if context.registry.lower() != registries.documents.lower():
        return Finding(Code.OTHER_REGISTRY, {"address": context.registry})
    if context.title_registry.lower() != registries.titles.lower():
        return Finding(Code.OTHER_TITLE_REGISTRY, {"address": context.title_registry})
    return None


def _judge_issuer(member: Member, status: DocumentStatus) -> Finding:
    """What a member issued while it could stays issued; that it no longer could is said."""
    code = {MemberState.SUSPENDED: Code.ISSUER_SUSPENDED, MemberState.RETIRED: Code.ISSUER_RETIRED}.get(
        member.state, Code.ISSUED
    )
    return Finding(code, {"name": member.name, "anchoredAt": status.anchored_at})


def _judge_document(certificate: Certificate, status: DocumentStatus, head: Head) -> list[Finding]:
    findings = []
    if status.state == DocumentState.REVOKED:
        findings.append(Finding(Code.REVOKED, {"reason": status.reason.name.lower(), "revokedAt": status.changed_at}))
    if status.state == DocumentState.SUPERSEDED:
        successor = "0x" + status.superseded_by.hex()
        findings.append(Finding(Code.REPLACED, {"root": successor, "replacedAt": status.changed_at}))
    end = certificate.context.valid_until
    if end is not None and head.time > end:
        findings.append(Finding(Code.EXPIRED, {"expiredAt": end}))
    return findings


def _judge_title(certificate: Certificate, title: Title | None) -> list[Finding]:
    unit = certificate.context.subject
    if title is None or title.state == TitleState.NONE:
        return [Finding(Code.NO_TITLE, {"unit": unit})]
    if title.state == TitleState.CANCELLED:
        return [Finding(Code.TITLE_CANCELLED, {"unit": unit})]
    if title.state == TitleState.SUPERSEDED:
        return [Finding(Code.TITLE_SUPERSEDED, {"unit": unit, "version": title.version})]

    findings = []
    if title.certificate_root != certificate.document_root:
        findings.append(Finding(Code.TITLE_CHANGED, {"version": title.version}))
    if title.freezes:
        findings.append(Finding(Code.FROZEN, {"count": title.freezes}))
    if title.liens:
        findings.append(Finding(Code.PLEDGED, {"count": title.liens}))
    return findings


def _conclude(certificate: Certificate, findings: list[Finding], head: Head | None) -> Verification:
    """The worst finding is the verdict, the worst of each question its answer; the others but the harmless ones are
    remarks.
    """

    def rank(finding: Finding) -> int:
        return len(_RANK) if finding.verdict is None else _RANK[finding.verdict]

    ordered = sorted(findings, key=rank)
    answers = {question: next(f for f in ordered if f.question == question) for question in Question}
    # The last line of defence: whatever else is wrong in here, nothing is valid unless all three questions were
    # answered so.
    decisive = ordered[0]
    verdict = decisive.verdict or Verdict.UNKNOWN
    if verdict == Verdict.VALID:
        decisive = answers[Question.STATUS]
        if any(answer.verdict != Verdict.VALID for answer in answers.values()):
            verdict = Verdict.UNKNOWN
    remarks = tuple(f for f in ordered if f not in answers.values() and f.verdict not in (None, Verdict.VALID))
    return Verification(certificate, verdict, decisive, answers, remarks, head)
