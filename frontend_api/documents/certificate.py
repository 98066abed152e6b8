"""The portable certificate: one JSON file whose every statement hangs on one 32-byte document root.

**What the root covers.** The document root is the root of a StandardMerkleTree (`merkle`) over leaves of the types
`("string", "string", "bytes32")`:

- one leaf `(name, value, salt)` per field. The salt is 32 random bytes, so a hidden field cannot be guessed from its
  leaf;
- one leaf `("@" + key, value as text, 32 zero bytes)` per entry of the header: format, type, chainId, registry,
  titleRegistry, subject, issuer, validUntil ("" where there is none). So nobody can point a genuine certificate at
  another unit, issuer or registry, or extend it. The header cannot be hidden; nothing in it is personal.

**Order.** Leaves are sorted by their hash, as the library does: the order of the fields in the file does not change the
root and carries no meaning (with sorted pairs it could not be protected either). What an order must say goes into the
names. Names are unique among the fields that are shown.

**Hiding.** A holder drops a field's name, value and salt and keeps the leaf. That a field is hidden can be seen, not
which. How many were hidden cannot be proved: several hidden leaves may be folded into one. A field that is shown cannot
be forged.

**Batch.** The issuer anchors many documents at once: the root of a StandardMerkleTree of `("bytes32",)` over their
document roots. `batch.proof` leads from this document to it.

Text is taken as it is, byte for byte in UTF-8, without normalisation.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .merkle import BATCH_TYPES, MerkleTree, leaf_hash, process_proof
from .strict import (
    MAX_BYTES,
    MAX_NAME,
    CertificateError,
    CertificateTooLarge,
    load,
    quoted,
    take_address,
    take_bytes32,
    take_integer,
    take_list,
    take_object,
    take_text,
    take_unit,
)

FORMAT = "chaincity-certificate/1"
FIELD_TYPES = ("string", "string", "bytes32")

MAX_FIELDS = 128
MAX_VALUE = 4096
#: A batch holds at most 2**32 documents.
MAX_PROOF = 32
#: What the longest proof adds to a file, in bytes, at 80 a line.
_ROOM_FOR_PROOF = MAX_PROOF * 80
MAX_CHAIN_ID = 2**53 - 1
#: The year 9999, which is where calendars in most languages end.
MAX_TIME = 253_402_300_799

NO_SALT = bytes(32)


@dataclass(frozen=True)
class CertificateType:
    """A kind of certificate.

    `issuing_kinds`: the kinds of members, as the charter labels them, whose certificates of this type count.
    """

    name: str
    issuing_kinds: frozenset[str]


PROPERTY_TITLE = CertificateType("property-title", frozenset({"registry"}))
TYPES = {kind.name: kind for kind in (PROPERTY_TITLE,)}


@dataclass(frozen=True)
class Context:
    """What a certificate is about and who issues it; addresses as EIP-55 text, `valid_until` in Unix seconds or None
    for no end.
    """

    chain_id: int
    registry: str
    title_registry: str
    subject: str
    issuer: str
    type: str = PROPERTY_TITLE.name
    valid_until: int | None = None


@dataclass(frozen=True)
class Disclosed:
    """A field that is shown."""

    name: str
    value: str
    salt: bytes

    @property
    def leaf(self) -> bytes:
        return leaf_hash(FIELD_TYPES, (self.name, self.value, self.salt))


@dataclass(frozen=True)
class Hidden:
    """A field of which the holder shows nothing."""

    leaf: bytes


@dataclass(frozen=True)
class Batch:
    """The root that the issuer anchored and the siblings that lead to it, from the document's leaf up."""

    root: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True)
class Certificate:
    """A certificate as its file says; whether that is true is for `verification` to find out."""

    context: Context
    document_root: bytes
    fields: tuple[Disclosed | Hidden, ...]
    batch: Batch

    @property
    def disclosed(self) -> tuple[Disclosed, ...]:
        return tuple(field for field in self.fields if isinstance(field, Disclosed))

    @property
    def hidden(self) -> int:
        """How many leaves say nothing of their field."""
        return len(self.fields) - len(self.disclosed)


def compute_document_root(context: Context, fields: Iterable[Disclosed | Hidden]) -> bytes:
    """The root that header and fields lead to, 32 bytes."""
    header = (leaf_hash(FIELD_TYPES, (f"@{key}", text, NO_SALT)) for key, text in _header(context).items())
    return MerkleTree.of([*header, *(field.leaf for field in fields)]).root


def compute_batch_root(document_root: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a document and its proof lead to, 32 bytes."""
    return process_proof(leaf_hash(BATCH_TYPES, (document_root,)), proof)


def _random_salt() -> bytes:
    return secrets.token_bytes(32)


def build(
    fields: Mapping[str, str] | Iterable[tuple[str, str]], context: Context, salt: Callable[[], bytes] = _random_salt
) -> Certificate:
    """A certificate with fresh salts, as a batch of one; `issue_batch` gives it its place in a larger one.

    Raises CertificateError where header or fields break the rules a reader checks: what was built can be read.
    """
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    made = tuple(Disclosed(name, value, salt()) for name, value in pairs)
    draft = _read(_content(Certificate(context, NO_SALT, made, Batch(NO_SALT, ()))))
    root = compute_document_root(draft.context, draft.fields)
    built = replace(draft, document_root=root, batch=Batch(compute_batch_root(root, ()), ()))
    if len(to_json(built)) > MAX_BYTES - _ROOM_FOR_PROOF:
        raise CertificateTooLarge()
    return built


def issue_batch(certificates: Sequence[Certificate]) -> tuple[bytes, tuple[Certificate, ...]]:
    """The root to anchor for all of them, and the certificates with their proofs. Raises ValueError without any."""
    tree = MerkleTree.of_values(BATCH_TYPES, [(c.document_root,) for c in certificates])
    placed = tuple(replace(c, batch=Batch(tree.root, tree.proof(i))) for i, c in enumerate(certificates))
    return tree.root, placed


def hide(certificate: Certificate, names: Collection[str]) -> Certificate:
    """The certificate without the fields of these names. Raises CertificateError for a name it does not show."""
    wanted = set(names)
    for name in sorted(wanted - {field.name for field in certificate.disclosed}):
        raise CertificateError("fields", f"no field named {name!r} is shown")
    return _hide_where(certificate, lambda field: field.name in wanted)


def show_only(certificate: Certificate, names: Collection[str]) -> Certificate:
    """The certificate with all fields hidden except those of these names; a name it does not have is passed over."""
    return _hide_where(certificate, lambda field: field.name not in names)


def _hide_where(certificate: Certificate, unwanted: Callable[[Disclosed], bool]) -> Certificate:
    fields = tuple(Hidden(f.leaf) if isinstance(f, Disclosed) and unwanted(f) else f for f in certificate.fields)
    return replace(certificate, fields=fields)


# --- the file


def to_json(certificate: Certificate) -> bytes:
    """The file, UTF-8."""
    return json.dumps(_content(certificate), ensure_ascii=False, indent=2).encode()


def _content(certificate: Certificate) -> dict[str, Any]:
    context = certificate.context
    content: dict[str, Any] = {
        "format": FORMAT,
        "type": context.type,
        "chainId": context.chain_id,
        "registry": context.registry,
        "titleRegistry": context.title_registry,
        "subject": context.subject,
        "issuer": context.issuer,
    }
    if context.valid_until is not None:
        content["validUntil"] = context.valid_until
    content |= {
        "documentRoot": _hex(certificate.document_root),
        "fields": [
            {"name": f.name, "value": f.value, "salt": _hex(f.salt)}
            if isinstance(f, Disclosed)
            else {"leaf": _hex(f.leaf)}
            for f in certificate.fields
        ],
        "batch": {"root": _hex(certificate.batch.root), "proof": [_hex(s) for s in certificate.batch.proof]},
    }
    return content


def parse(content: bytes) -> Certificate:
    """Read a file strictly. Raises CertificateError naming the field and the rule, CertificateTooLarge past MAX_BYTES.

    Hashes are not compared here: a file that was altered is still read, so that the check can say so.
    """
    return _read(load(content))


def _read(content: Any) -> Certificate:
    root = take_object(content, "", _REQUIRED, _OPTIONAL)
    if root["format"] != FORMAT:
        raise CertificateError("format", f'must be "{FORMAT}"')
    kind = take_text(root["type"], "type", 1, MAX_NAME)
    if kind not in TYPES:
        raise CertificateError("type", f"must be one of: {', '.join(TYPES)}")
    context = Context(
        chain_id=take_integer(root["chainId"], "chainId", 1, MAX_CHAIN_ID),
        registry=take_address(root["registry"], "registry"),
        title_registry=take_address(root["titleRegistry"], "titleRegistry"),
        subject=take_unit(root["subject"], "subject"),
        issuer=take_address(root["issuer"], "issuer"),
        type=kind,
        valid_until=take_integer(root["validUntil"], "validUntil", 1, MAX_TIME) if "validUntil" in root else None,
    )
    batch = take_object(root["batch"], "batch", ("root", "proof"))
    proof = take_list(batch["proof"], "batch.proof", 0, MAX_PROOF)
    return Certificate(
        context=context,
        document_root=take_bytes32(root["documentRoot"], "documentRoot"),
        fields=_fields(take_list(root["fields"], "fields", 1, MAX_FIELDS)),
        batch=Batch(
            root=take_bytes32(batch["root"], "batch.root"),
            proof=tuple(take_bytes32(item, f"batch.proof[{i}]") for i, item in enumerate(proof)),
        ),
    )


_REQUIRED = (
    "format",
    "type",
    "chainId",
    "registry",
    "titleRegistry",
    "subject",
    "issuer",
    "documentRoot",
    "fields",
    "batch",
)
_OPTIONAL = ("validUntil",)


def _header(context: Context) -> dict[str, str]:
    return {
        "format": FORMAT,
        "type": context.type,
        "chainId": str(context.chain_id),
        "registry": context.registry,
        "titleRegistry": context.title_registry,
        "subject": context.subject,
        "issuer": context.issuer,
        "validUntil": "" if context.valid_until is None else str(context.valid_until),
    }


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def check_field(name: Any, value: Any, name_place: str = "name", value_place: str = "value") -> tuple[str, str]:
    """A field's name and value as a reader takes them; raises CertificateError with the place and the rule."""
    checked = take_text(name, name_place, 1, MAX_NAME)
    if checked.startswith("@") or checked != checked.strip() or "\n" in checked or "\t" in checked:
        raise CertificateError(name_place, "must be one line that does not start with @ or end in blanks")
    return checked, take_text(value, value_place, 0, MAX_VALUE)


def _fields(entries: list[Any]) -> tuple[Disclosed | Hidden, ...]:
    fields: list[Disclosed | Hidden] = []
    names: set[str] = set()
    leaves: set[bytes] = set()
    for i, entry in enumerate(entries):
        place = f"fields[{i}]"
        field: Disclosed | Hidden
        if isinstance(entry, dict) and "leaf" in entry:
            field = Hidden(take_bytes32(take_object(entry, place, ("leaf",))["leaf"], f"{place}.leaf"))
        else:
            shown = take_object(entry, place, ("name", "value", "salt"))
            name, value = check_field(shown["name"], shown["value"], f"{place}.name", f"{place}.value")
            if name in names:
                raise CertificateError(f"{place}.name", f"must be unique, {quoted(name)} is there twice")
            names.add(name)
            salt = take_bytes32(shown["salt"], f"{place}.salt")
            if salt == NO_SALT:
                raise CertificateError(f"{place}.salt", "must be random, not zero")
            field = Disclosed(name, value, salt)
        if field.leaf in leaves:
            raise CertificateError(place, "must not repeat another field")
        leaves.add(field.leaf)
        fields.append(field)
    return tuple(fields)
