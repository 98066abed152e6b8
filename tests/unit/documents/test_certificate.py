"""The certificate file: built, hidden in part, written, read strictly."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_merkle import FIELD_TYPES, ask_openzeppelin, hexed

from frontend_api.documents.certificate import (
    MAX_FIELDS,
    Hidden,
    build,
    compute_batch_root,
    compute_document_root,
    hide,
    issue_batch,
    parse,
    show_only,
    to_json,
)
from frontend_api.documents.strict import MAX_BYTES, CertificateError, CertificateTooLarge
from frontend_api.documents.wording import say_rule
from tests.certificates import BANK, CONTEXT, FIELDS, UNIT, altered, made

NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20).filter(
    lambda name: not name.startswith("@")
)
VALUES = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=60)
quick = settings(derandomize=True, max_examples=60, deadline=None)


def test_build__same_fields_twice__other_salts_and_other_root():
    first, second = build(FIELDS, CONTEXT), build(FIELDS, CONTEXT)

    assert first.document_root != second.document_root
    salts = {field.salt for certificate in (first, second) for field in certificate.disclosed}
    assert len(salts) == 2 * len(FIELDS)
    assert {len(salt) for salt in salts} == {32}


def test_build__root__as_openzeppelin_computes_it_from_header_and_fields():
    certificate = made(replace(CONTEXT, valid_until=1_800_000_000))
    zero = "0x" + "00" * 32
    header = {
        "@format": "chaincity-certificate/1",
        "@type": "property-title",
        "@chainId": "31337",
        "@registry": CONTEXT.registry,
        "@titleRegistry": CONTEXT.title_registry,
        "@subject": UNIT,
        "@issuer": CONTEXT.issuer,
        "@validUntil": "1800000000",
    }
    values = [[name, text, zero] for name, text in header.items()]
    values += [[field.name, field.value, hexed(field.salt)] for field in certificate.disclosed]

    (theirs,) = ask_openzeppelin([{"types": list(FIELD_TYPES), "values": values}])

    assert hexed(certificate.document_root) == theirs["root"]


@quick
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=8), st.one_of(st.none(), st.integers(1, 2**37)), st.data())
def test_parse__what_was_written__comes_back_and_hiding_keeps_the_root(fields, valid_until, data):
    certificate = build(fields, replace(CONTEXT, valid_until=valid_until))
    hidden = data.draw(st.sets(st.sampled_from(sorted(fields))))

    shown = parse(to_json(hide(certificate, hidden)))

    assert parse(to_json(certificate)) == certificate
    assert shown == hide(certificate, hidden)
    assert compute_document_root(shown.context, shown.fields) == certificate.document_root
    assert {f.name: f.value for f in shown.disclosed} == {k: v for k, v in fields.items() if k not in hidden}
    assert shown.hidden == len(hidden)


@quick
@given(st.binary(max_size=300))
def test_parse__any_bytes__certificate_error_and_nothing_else(content):
    with pytest.raises(CertificateError):
        parse(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@quick
@given(st.sampled_from(sorted(json.loads(to_json(made())))), JSON)
def test_parse__one_value_replaced_by_any_json__read_or_certificate_error(key, value):
    content = json.loads(to_json(made()))
    content[key] = value
    with suppress(CertificateError):
        parse(json.dumps(content).encode())


def test_hide__all_fields__header_still_holds_the_root():
    certificate = made()
    nothing = show_only(certificate, [])
    assert nothing.disclosed == ()
    assert compute_document_root(nothing.context, nothing.fields) == certificate.document_root
    assert b"\xe6\x9d\x8e" not in to_json(nothing)


def test_hide__twice__same_as_at_once():
    certificate = made()
    assert hide(hide(certificate, ["用途"]), ["坐落"]) == hide(certificate, ["用途", "坐落"])


def test_hide__name_not_shown__refused():
    with pytest.raises(CertificateError) as caught:
        hide(hide(made(), ["用途"]), ["用途"])
    assert (caught.value.field, caught.value.rule) == ("fields", "no field named '用途' is shown")


def test_fields__other_order__same_root():
    certificate = made()
    assert compute_document_root(CONTEXT, reversed(certificate.fields)) == certificate.document_root


def test_issue_batch__any_size__each_proof_leads_to_the_anchored_root():
    certificates = [build({"n": str(i)}, CONTEXT) for i in range(9)]
    for size in range(1, 10):
        root, placed = issue_batch(certificates[:size])
        assert [compute_batch_root(c.document_root, c.batch.proof) for c in placed] == [root] * size
        assert {c.batch.root for c in placed} == {root}
        assert [replace(c, batch=o.batch) for c, o in zip(placed, certificates, strict=False)] == certificates[:size]


def test_issue_batch__no_certificate__refused():
    with pytest.raises(ValueError, match="at least one"):
        issue_batch([])


def test_parse__address_in_lower_case__read_as_the_same_certificate():
    certificate = made()
    content = altered(certificate, "issuer", to=CONTEXT.issuer.lower())
    assert parse(content) == certificate


def test_parse__file_with_byte_order_mark__read():
    assert parse(b"\xef\xbb\xbf" + to_json(made())) == made()


HEX = 'must be "0x" and 64 hexadecimal digits in lower case'
ADDRESS = 'must be an address: "0x" and 40 hexadecimal digits'


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text) and " must " not in text


REFUSED = [
    (("format",), "chaincity-certificate/2", "format", 'must be "chaincity-certificate/1"'),
    (("type",), "birth", "type", "must be one of: property-title"),
    (("type",), 1, "type", "must be text"),
    (("chainId",), 0, "chainId", f"must be between 1 and {2**53 - 1}"),
    (("chainId",), 2**53, "chainId", f"must be between 1 and {2**53 - 1}"),
    (("chainId",), "31337", "chainId", "must be an integer"),
    (("chainId",), True, "chainId", "must be an integer"),
    (("registry",), "0x12", "registry", ADDRESS),
    (("titleRegistry",), None, "titleRegistry", ADDRESS),
    (("issuer",), BANK.swapcase(), "issuer", ADDRESS),
    (("issuer",), BANK[:-2] + BANK[-2:].swapcase(), "issuer", "must be an address whose EIP-55 check digits are right"),
    (("subject",), UNIT[:-1], "subject", "must be a property unit number: 28 characters as GB/T 37346 lays them out"),
    (("subject",), UNIT + "\n", "subject", "must be a property unit number: 28 characters as GB/T 37346 lays them out"),
    (("validUntil",), -1, "validUntil", "must be between 1 and 253402300799"),
    (("documentRoot",), "0x" + "AB" * 32, "documentRoot", HEX),
    (("fields",), [], "fields", "must have 1 to 128 entries, has 0"),
    (("fields",), {}, "fields", "must be a list"),
    (("fields",), [{}] * (MAX_FIELDS + 1), "fields", "must have 1 to 128 entries, has 129"),
    (("fields", 1), "x", "fields[1]", "must be an object"),
    (("fields", 1), {"name": "a"}, "fields[1].value", "is missing"),
    (("fields", 1), {"leaf": "0x" + "11" * 32, "value": "a"}, "fields[1].value", "is not part of the format"),
    (("fields", 1, "name"), "权利人", "fields[1].name", "must be unique, '\\u6743\\u5229\\u4eba' is there twice"),
    (
        ("fields", 1, "name"),
        "@subject",
        "fields[1].name",
        "must be one line that does not start with @ or end in blanks",
    ),
    (("fields", 1, "name"), "owner ", "fields[1].name", "must be one line that does not start with @ or end in blanks"),
    (("fields", 1, "name"), "", "fields[1].name", "must have 1 to 64 characters, has 0"),
    (("fields", 1, "value"), "a" * 4097, "fields[1].value", "must have 0 to 4096 characters, has 4097"),
    (("fields", 1, "value"), 7, "fields[1].value", "must be text"),
    (("fields", 1, "value"), "\ud800", "fields[1].value", "must not hold the control character U+D800"),
    (("fields", 1, "value"), "\x00", "fields[1].value", "must not hold the control character U+0000"),
    (("fields", 1, "value"), "\u202egpj", "fields[1].value", "must not hold the control character U+202E"),
    (("fields", 1, "salt"), "0x" + "00" * 32, "fields[1].salt", "must be random, not zero"),
    (("fields", 1, "salt"), "0x00", "fields[1].salt", HEX),
    (("batch",), None, "batch", "must be an object"),
    (("batch",), {"root": "0x" + "11" * 32}, "batch.proof", "is missing"),
    (("batch", "root"), "", "batch.root", HEX),
    (("batch", "proof"), ["0x" + "11" * 32] * 33, "batch.proof", "must have 0 to 32 entries, has 33"),
    (("batch", "proof", 0), 5, "batch.proof[0]", HEX),
]


@pytest.mark.parametrize(("path", "value", "field", "rule"), REFUSED)
def test_parse__bad_value__refused_with_field_and_rule(path, value, field, rule):
    content = json.loads(to_json(made()))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    with pytest.raises(CertificateError) as caught:
        parse(json.dumps(content).encode())

    assert (caught.value.field, caught.value.rule) == (field, rule)
    assert is_chinese(say_rule(rule, "zh"))
    assert say_rule(rule, "en") == rule


@pytest.mark.parametrize(
    "key",
    ["format", "type", "chainId", "registry", "titleRegistry", "subject", "issuer", "documentRoot", "fields", "batch"],
)
def test_parse__entry_missing__named(key):
    content = json.loads(to_json(made()))
    del content[key]
    with pytest.raises(CertificateError) as caught:
        parse(json.dumps(content).encode())
    assert (caught.value.field, caught.value.rule) == (key, "is missing")


def test_parse__unknown_entry__refused():
    content = json.loads(to_json(made())) | {"note<script>": 1}
    with pytest.raises(CertificateError) as caught:
        parse(json.dumps(content).encode())
    assert (caught.value.field, caught.value.rule) == ("note<script>", "is not part of the format")


def test_parse__same_leaf_twice__refused():
    certificate = made()
    twice = replace(certificate, fields=(*certificate.fields, Hidden(certificate.fields[0].leaf)))
    with pytest.raises(CertificateError) as caught:
        parse(to_json(twice))
    assert (caught.value.field, caught.value.rule) == (f"fields[{len(FIELDS)}]", "must not repeat another field")


@pytest.mark.parametrize(
    ("content", "field", "rule"),
    [
        (b"", "", "the file is empty"),
        (b" \n", "", "the file is empty"),
        (b"\xff\xfe{", "", "must be UTF-8 text (byte 0 is not)"),
        (b"{", "", "must be JSON (line 1, column 2: Expecting property name enclosed in double quotes)"),
        (b"[" * 200_000, "", "must not be nested deeper than 4 levels"),
        (b'{"a":' * 5, "", "must not be nested deeper than 4 levels"),
        (b'{"a": 1.5}', "", "must not hold fractions or exponents (1.5)"),
        (b'{"a": 1e999}', "", "must not hold fractions or exponents (1e999)"),
        (b'{"a": NaN}', "", "must not hold NaN"),
        (b'{"a": -Infinity}', "", "must not hold -Infinity"),
        (b'{"a": ' + b"9" * 5000 + b"}", "", "must not hold numbers of thousands of digits"),
        (b'{"issuer": 1, "issuer": 2}', "issuer", "must be given once"),
        (b"null", "", "must be an object"),
        (b"[]", "", "must be an object"),
    ],
)
def test_parse__not_a_certificate_at_all__refused_with_the_rule(content, field, rule):
    with pytest.raises(CertificateError) as caught:
        parse(content)
    assert (caught.value.field, caught.value.rule) == (field, rule)
    assert is_chinese(say_rule(rule, "zh"))


def test_parse__brackets_inside_text__not_counted_as_depth():
    certificate = build({"a": '[[[[[[{{{{{"\\'}, CONTEXT)
    assert parse(to_json(certificate)) == certificate


def test_parse__one_byte_too_many__too_large():
    content = to_json(made())
    assert parse(content + b" " * (MAX_BYTES - len(content))) == made()
    with pytest.raises(CertificateTooLarge, match="256 KiB"):
        parse(content + b" " * (MAX_BYTES - len(content) + 1))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "fields"),
        ({"@x": ""}, "fields[0].name"),
        ({"a": "\ud800"}, "fields[0].value"),
        ([("a", ""), ("a", "")], "fields[1].name"),
    ],
)
def test_build__fields_no_reader_would_accept__refused(fields, field):
    with pytest.raises(CertificateError) as caught:
        build(fields, CONTEXT)
    assert caught.value.field == field


def test_build__more_than_a_file_holds__refused():
    with pytest.raises(CertificateTooLarge):
        build({f"f{i}": "x" * 4096 for i in range(64)}, CONTEXT)


def test_build__largest_with_longest_proof__can_be_read():
    fields = {f"f{i}": "x" * 4000 for i in range(61)} | {"rest": "x" * 2000}
    certificate = build(fields, CONTEXT)
    longest = replace(certificate, batch=replace(certificate.batch, proof=(b"\xff" * 32,) * 32))
    assert parse(to_json(longest)) == longest
