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
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eth_utils.address import is_checksum_address, to_checksum_address

from .merkle import BATCH_TYPES, MerkleTree, leaf_hash, process_proof

FORMAT = "chaincity-certificate/1"
FIELD_TYPES = ("string", "string", "bytes32")

#: The largest file that is read at all, in bytes.
MAX_BYTES = 256 * 1024
MAX_DEPTH = 4
MAX_FIELDS = 128
MAX_NAME = 64
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


class CertificateError(ValueError):
    """A file is not a certificate: `field` is the place in the file ("fields[2].salt", "" for the whole), `rule`
    what it breaks.
    """

    def __init__(self, field: str, rule: str):
        super().__init__(f"{field}: {rule}" if field else rule)
        self.field, self.rule = field, rule


class CertificateTooLarge(CertificateError):
    """A file has more than MAX_BYTES bytes."""

    def __init__(self) -> None:
        super().__init__("", f"a certificate has at most {MAX_BYTES // 1024} KiB")


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
    return _read(_load(content))


def _read(content: Any) -> Certificate:
    root = _object(content, "", _REQUIRED, _OPTIONAL)
    if root["format"] != FORMAT:
        raise CertificateError("format", f'must be "{FORMAT}"')
    kind = _text(root["type"], "type", 1, MAX_NAME)
    if kind not in TYPES:
        raise CertificateError("type", f"must be one of: {', '.join(TYPES)}")
    context = Context(
        chain_id=_integer(root["chainId"], "chainId", 1, MAX_CHAIN_ID),
        registry=_address(root["registry"], "registry"),
        title_registry=_address(root["titleRegistry"], "titleRegistry"),
        subject=_unit(root["subject"], "subject"),
        issuer=_address(root["issuer"], "issuer"),
        type=kind,
        valid_until=_integer(root["validUntil"], "validUntil", 1, MAX_TIME) if "validUntil" in root else None,
    )
    batch = _object(root["batch"], "batch", ("root", "proof"))
    proof = _list(batch["proof"], "batch.proof", 0, MAX_PROOF)
    return Certificate(
        context=context,
        document_root=_bytes32(root["documentRoot"], "documentRoot"),
        fields=_fields(_list(root["fields"], "fields", 1, MAX_FIELDS)),
        batch=Batch(
            root=_bytes32(batch["root"], "batch.root"),
            proof=tuple(_bytes32(item, f"batch.proof[{i}]") for i, item in enumerate(proof)),
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

#: 28 characters as GB/T 37346 lays them out: 12 digits (county and zones), 2 feature letters, 5 digits, F|L|Q|W, 8
#: characters.
_UNIT = re.compile(r"[0-9]{12}[A-Z]{2}[0-9]{5}[FLQW][0-9A-Z]{8}")
_BYTES32 = re.compile(r"0x[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
#: Characters that turn the direction of what follows: they could make a page show another text than the one that was
#: signed.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


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


def _load(content: bytes) -> Any:
    if len(content) > MAX_BYTES:
        raise CertificateTooLarge()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CertificateError("", f"must be UTF-8 text (byte {error.start} is not)") from None
    if not text.strip():
        raise CertificateError("", "the file is empty")
    if _depth(text) > MAX_DEPTH:
        raise CertificateError("", f"must not be nested deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_no_float)
    except json.JSONDecodeError as error:
        raise CertificateError("", f"must be JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except CertificateError:
        raise
    except ValueError:  # an integer of thousands of digits
        raise CertificateError("", "must not hold numbers of thousands of digits") from None


def _depth(text: str) -> int:
    """How deep brackets nest outside strings; known before the parser recurses."""
    deepest = depth = 0
    for bracket in re.finditer(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', text, re.DOTALL):
        if bracket[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket[0] in "]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise CertificateError(_quoted(key), "must be given once")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise CertificateError("", f"must not hold {name}")


def _no_float(text: str) -> Any:
    raise CertificateError("", f"must not hold fractions or exponents ({text[:20]})")


def _quoted(key: str) -> str:
    """A key from the file, short and printable enough for a message."""
    return key if key.isascii() and key.isprintable() and 0 < len(key) <= MAX_NAME else ascii(key[:MAX_NAME])


def _object(value: Any, place: str, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CertificateError(place, "must be an object")
    prefix = f"{place}." if place else ""
    for key in required:
        if key not in value:
            raise CertificateError(prefix + key, "is missing")
    for key in value:
        if key not in required and key not in optional:
            raise CertificateError(prefix + _quoted(key), "is not part of the format")
    return value


def _list(value: Any, place: str, least: int, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise CertificateError(place, "must be a list")
    if not least <= len(value) <= most:
        raise CertificateError(place, f"must have {least} to {most} entries, has {len(value)}")
    return value


def _text(value: Any, place: str, least: int, most: int) -> str:
    if not isinstance(value, str):
        raise CertificateError(place, "must be text")
    if not least <= len(value) <= most:
        raise CertificateError(place, f"must have {least} to {most} characters, has {len(value)}")
    for character in value:
        kind = unicodedata.category(character)
        if kind == "Cs" or (kind == "Cc" and character not in "\n\t") or character in _DIRECTIONS:
            raise CertificateError(place, f"must not hold the control character U+{ord(character):04X}")
    return value


def _integer(value: Any, place: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise CertificateError(place, "must be an integer")
    if not least <= value <= most:
        raise CertificateError(place, f"must be between {least} and {most}")
    return value


def _bytes32(value: Any, place: str) -> bytes:
    if not isinstance(value, str) or not _BYTES32.fullmatch(value):
        raise CertificateError(place, 'must be "0x" and 64 hexadecimal digits in lower case')
    return bytes.fromhex(value[2:])


def _address(value: Any, place: str) -> str:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise CertificateError(place, 'must be an address: "0x" and 40 hexadecimal digits')
    if value != value.lower() and not is_checksum_address(value):
        raise CertificateError(place, "must be an address whose EIP-55 check digits are right")
    return str(to_checksum_address(value))


def _unit(value: Any, place: str) -> str:
    if not isinstance(value, str) or not _UNIT.fullmatch(value):
        raise CertificateError(place, "must be a property unit number: 28 characters as GB/T 37346 lays them out")
    return value


def _fields(entries: list[Any]) -> tuple[Disclosed | Hidden, ...]:
    fields: list[Disclosed | Hidden] = []
    names: set[str] = set()
    leaves: set[bytes] = set()
    for i, entry in enumerate(entries):
        place = f"fields[{i}]"
        field: Disclosed | Hidden
        if isinstance(entry, dict) and "leaf" in entry:
            field = Hidden(_bytes32(_object(entry, place, ("leaf",))["leaf"], f"{place}.leaf"))
        else:
            shown = _object(entry, place, ("name", "value", "salt"))
            name = _text(shown["name"], f"{place}.name", 1, MAX_NAME)
            if name.startswith("@") or name != name.strip() or "\n" in name or "\t" in name:
                raise CertificateError(f"{place}.name", "must be one line that does not start with @ or end in blanks")
            if name in names:
                raise CertificateError(f"{place}.name", f"must be unique, {_quoted(name)} is there twice")
            names.add(name)
            salt = _bytes32(shown["salt"], f"{place}.salt")
            if salt == NO_SALT:
                raise CertificateError(f"{place}.salt", "must be random, not zero")
            field = Disclosed(name, _text(shown["value"], f"{place}.value", 0, MAX_VALUE), salt)
        if field.leaf in leaves:
            raise CertificateError(place, "must not repeat another field")
        leaves.add(field.leaf)
        fields.append(field)
    return tuple(fields)
