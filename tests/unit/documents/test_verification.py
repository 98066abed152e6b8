"""The check: every scenario, every tampering, every failure of the chain; and the real DocumentRegistry behind it."""

from __future__ import annotations

import asyncio
import json
import string
from dataclasses import replace

import pytest

from frontend_api.documents.certificate import Batch, hide, parse, to_json
from frontend_api.documents.verification import (
    MEANING,
    TONES,
    ChainUnavailable,
    Code,
    DocumentState,
    DocumentStatus,
    MemberState,
    Question,
    Reason,
    TitleState,
    Verdict,
    verify,
)
from frontend_api.documents.wording import (
    ADVICE,
    KINDS,
    LANGUAGES,
    QUESTIONS,
    REASONS,
    SENTENCES,
    VERDICTS,
    say,
    say_time,
)
from tests.certificates import BANK, CONTEXT, DAY, FIELDS, NOW, OFFICE, UNIT, altered, chain_for, made, scenarios


@pytest.mark.parametrize("name", scenarios())
async def test_verify__each_scenario__its_verdict_and_reason(name):
    scenario = scenarios()[name]

    result = await verify(parse(scenario.file), scenario.chain)

    assert (result.verdict, result.decided_by.code) == (scenario.verdict, scenario.decided_by)
    assert set(result.answers) == set(Question)
    assert result.tone == TONES[result.verdict]
    for finding in (*result.answers.values(), *result.remarks):
        for language in LANGUAGES:
            assert "{" not in say(finding, language)


async def test_verify__valid__asks_about_this_document_at_one_block():
    certificate = made()
    chain = chain_for(certificate)

    result = await verify(certificate, chain)

    assert {q: f.code for q, f in result.answers.items()} == {
        Question.INTACT: Code.INTACT,
        Question.ISSUER: Code.ISSUED,
        Question.STATUS: Code.IN_FORCE,
    }
    assert result.remarks == ()
    assert (result.head.number, result.head.time) == (4711, NOW)
    assert [name for name, *_ in chain.asked[:3]] == ["chain_id", "head", "registries"]
    assert chain.asked[3:] == [
        ("issuer_member", CONTEXT.issuer, 4711),
        (
            "document_status",
            CONTEXT.registry,
            CONTEXT.issuer,
            certificate.batch.root,
            certificate.document_root,
            certificate.batch.proof,
            4711,
        ),
        ("title", CONTEXT.title_registry, UNIT, 4711),
    ]


# --- tampering

OTHER = "0x" + "ab" * 32
TAMPERED = [
    *(
        (("fields", i, key), to)
        for i in range(len(FIELDS))
        for key, to in (("name", "another"), ("value", "another"), ("salt", OTHER))
    ),
    (("documentRoot",), OTHER),
    (("batch", "root"), OTHER),
    (("batch", "proof"), []),
    (("batch", "proof", 0), OTHER),
    (("issuer",), BANK),
    (("chainId",), 1),
    (("registry",), BANK),
    (("titleRegistry",), BANK),
    (("subject",), UNIT[:-1] + "3"),
    (("fields",), [{"name": "权利人", "value": "张三", "salt": OTHER}]),
]


@pytest.mark.parametrize(("path", "to"), TAMPERED)
async def test_verify__one_value_changed__altered_without_asking_the_chain(path, to):
    certificate = made()
    chain = chain_for(certificate)

    result = await verify(parse(altered(certificate, *path, to=to)), chain)

    assert result.verdict == Verdict.ALTERED
    assert (result.answers[Question.ISSUER].code, result.answers[Question.STATUS].code) == (
        Code.ISSUER_MOOT,
        Code.STATUS_MOOT,
    )
    assert chain.asked == []


@pytest.mark.parametrize(("before", "after"), [(None, NOW + DAY), (NOW - DAY, NOW + DAY), (NOW - DAY, None)])
async def test_verify__end_of_validity_moved__altered(before, after):
    content = json.loads(to_json(made(replace(CONTEXT, valid_until=before))))
    content.pop("validUntil", None)
    if after:
        content["validUntil"] = after
    certificate = parse(json.dumps(content).encode())
    assert (await verify(certificate, chain_for(certificate))).verdict == Verdict.ALTERED


@pytest.mark.parametrize("change", ["leaf", "dropped", "added"])
async def test_verify__hidden_leaves_tampered_with__altered(change):
    content = json.loads(to_json(hide(made(), ["权利人", "用途"])))
    leaves = [field for field in content["fields"] if "leaf" in field]
    if change == "leaf":
        leaves[1]["leaf"] = OTHER
    elif change == "dropped":
        content["fields"].remove(leaves[0])
    else:
        content["fields"].append({"leaf": OTHER})
    certificate = parse(json.dumps(content).encode())
    assert (await verify(certificate, chain_for(made()))).verdict == Verdict.ALTERED


async def test_verify__forged_throughout_with_its_own_root__not_issued():
    """Whoever recomputes every hash has made a document that the issuer never anchored."""
    forged = made(fields=FIELDS | {"权利人": "张三"}, seed="forged")
    result = await verify(forged, chain_for(made()))
    assert (result.verdict, result.decided_by.code) == (Verdict.NOT_ISSUED, Code.NOT_ANCHORED)


async def test_verify__forged_document_under_a_genuine_batch__altered():
    genuine, forged = made(), made(fields=FIELDS | {"权利人": "张三"}, seed="forged")
    result = await verify(replace(forged, batch=genuine.batch), chain_for(genuine))
    assert (result.verdict, result.decided_by.code) == (Verdict.ALTERED, Code.PROOF_BROKEN)


@pytest.mark.parametrize("names", [[], ["权利人"], list(FIELDS)])
async def test_verify__any_fields_hidden__as_valid_as_before(names):
    certificate = made()
    result = await verify(parse(to_json(hide(certificate, names))), chain_for(certificate))
    assert result.verdict == Verdict.VALID


# --- the chain cannot be asked


@pytest.mark.parametrize(
    "error", [ChainUnavailable("no answer"), ConnectionRefusedError(), TimeoutError(), OSError("network is down")]
)
@pytest.mark.parametrize("step", ["chain_id", "head", "registries", "issuer_member", "document_status", "title"])
async def test_verify__chain_fails_at_any_step__unknown(step, error):
    certificate = made()
    result = await verify(certificate, chain_for(certificate, fails_at=step, error=error))
    assert result.verdict == Verdict.UNKNOWN
    assert {q: f.code for q, f in result.answers.items()} == {
        Question.INTACT: Code.INTACT,
        Question.ISSUER: Code.ISSUER_NOT_ASKED,
        Question.STATUS: Code.STATUS_NOT_ASKED,
    }
    assert result.head is None


async def test_verify__chain_hangs__unknown_after_its_patience():
    certificate = made()
    chain = chain_for(certificate)

    async def hang(*_: object) -> None:
        await asyncio.sleep(60)

    chain.title = hang
    assert (await verify(certificate, chain, patience=0.05)).verdict == Verdict.UNKNOWN


async def test_verify__altered_and_chain_away__altered():
    certificate = made()
    broken = parse(altered(certificate, "fields", 0, "value", to="张三"))
    assert (await verify(broken, chain_for(certificate, fails_at="chain_id"))).verdict == Verdict.ALTERED


# --- precedence

REVOKED = DocumentStatus(DocumentState.REVOKED, NOW - DAY, NOW, Reason.FRAUD)
REPLACED = DocumentStatus(DocumentState.SUPERSEDED, NOW - DAY, NOW, superseded_by=b"\x01" * 32)
EVERYTHING = {"title_certificate_root": b"\x02" * 32, "title_version": 7, "title_freezes": 1, "title_liens": 3}


async def test_verify__everything_at_once__the_worst_decides_and_the_rest_is_remarked():
    certificate = made(replace(CONTEXT, valid_until=NOW - 1))

    result = await verify(certificate, chain_for(certificate, status=REVOKED, **EVERYTHING))

    assert (result.verdict, result.decided_by.code) == (Verdict.REVOKED, Code.REVOKED)
    assert result.decided_by.values == {"reason": "fraud", "revokedAt": NOW}
    assert [f.code for f in result.remarks] == [Code.TITLE_CHANGED, Code.EXPIRED, Code.FROZEN, Code.PLEDGED]
    assert [f.values for f in result.remarks] == [{"version": 7}, {"expiredAt": NOW - 1}, {"count": 1}, {"count": 3}]


@pytest.mark.parametrize(
    ("changes", "valid_until", "verdict"),
    [
        ({"status": REPLACED, **EVERYTHING}, NOW - 1, Verdict.SUPERSEDED),
        ({**EVERYTHING}, NOW - 1, Verdict.SUPERSEDED),
        ({"title_freezes": 1, "title_liens": 3}, NOW - 1, Verdict.EXPIRED),
        ({"title_freezes": 1, "title_liens": 3}, NOW, Verdict.FROZEN),
        ({"title_liens": 3}, None, Verdict.PLEDGED),
        ({"status": REVOKED, "title_state": TitleState.CANCELLED}, None, Verdict.REVOKED),
        ({"status": REPLACED, "title_state": TitleState.CANCELLED}, None, Verdict.REVOKED),
        ({"status": REVOKED, "title_state": TitleState.NONE}, None, Verdict.NOT_ISSUED),
    ],
)
async def test_verify__several_things_at_once__precedence_as_documented(changes, valid_until, verdict):
    certificate = made(replace(CONTEXT, valid_until=valid_until))
    assert (await verify(certificate, chain_for(certificate, **changes))).verdict == verdict


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (MemberState.ACTIVE, Code.ISSUED),
        (MemberState.SUSPENDED, Code.ISSUER_SUSPENDED),
        (MemberState.RETIRED, Code.ISSUER_RETIRED),
        (MemberState.NONE, Code.ISSUER_UNKNOWN),
    ],
)
async def test_verify__issuer_in_each_status__said(state, code):
    certificate = made()
    result = await verify(certificate, chain_for(certificate, member=replace(OFFICE, state=state)))
    assert result.answers[Question.ISSUER].code == code


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"registry"}))
async def test_verify__issuer_of_another_kind__not_issued(kind):
    certificate = made()
    result = await verify(certificate, chain_for(certificate, member=replace(OFFICE, kind=kind)))
    assert (result.verdict, result.decided_by.code) == (Verdict.NOT_ISSUED, Code.ISSUER_NOT_ENTITLED)


# --- words


def test_wording__every_verdict_question_finding_and_reason__said_in_both_languages():
    for table, keys in ((VERDICTS, Verdict), (ADVICE, Verdict), (QUESTIONS, Question), (SENTENCES, Code)):
        assert set(table) == set(keys)
        assert all(set(words) == set(LANGUAGES) and all(words.values()) for words in table.values())
    assert set(REASONS) == {reason.name.lower() for reason in Reason}
    assert set(MEANING) == set(Code)


def test_wording__both_languages__speak_of_the_same_values():
    for words in SENTENCES.values():
        named = [
            {name for _, name, _, _ in string.Formatter().parse(words[language]) if name} for language in LANGUAGES
        ]
        assert named[0] == named[1]


def test_say_time__city_time__both_languages():
    assert say_time(NOW, "en") == "21 Sep 2026, 22:13 (UTC+8)"
    assert say_time(NOW, "zh") == "2026年9月21日 22:13（北京时间）"


# --- the contract behind it


class CityChain:
    """The test city's own DocumentRegistry in place of the fake's answers."""

    def __init__(self, city, certificate):
        self.city, self.fake = city, chain_for(certificate)

    def __getattr__(self, name):
        return getattr(self.fake, name)

    async def document_status(self, registry, issuer, *, root, document, proof, block):
        found = self.city.contract("DocumentRegistry").statusOf(issuer, root, document, list(proof))
        return DocumentStatus(
            DocumentState(found.status), found.anchoredAt, found.changedAt, Reason(found.reason), found.supersededBy
        )


async def test_verify__against_the_contract__anchored_superseded_revoked(city):
    context = replace(CONTEXT, issuer=city.registry)
    first, second, third = (made(context, seed=str(i)) for i in range(3))
    documents = city.contract("DocumentRegistry")

    async def check(certificate):
        result = await verify(certificate, CityChain(city, certificate))
        return result.verdict, result.decided_by

    assert (await check(first))[0] == Verdict.NOT_ISSUED
    for certificate in (first, second, third):
        documents.anchor(certificate.batch.root, 3, sender=city.registry)
    assert (await check(first))[0] == Verdict.VALID
    documents.supersede(first.document_root, second.document_root, sender=city.registry)
    verdict, finding = await check(first)
    assert (verdict, finding.values["root"]) == (Verdict.SUPERSEDED, "0x" + second.document_root.hex())
    documents.revoke(third.document_root, Reason.COURT_ORDER, sender=city.registry)
    verdict, finding = await check(third)
    assert (verdict, finding.values) == (
        Verdict.REVOKED,
        {"reason": "court_order", "revokedAt": city.chain.time},
    )
    assert (await check(second))[0] == Verdict.VALID


async def test_verify__against_the_contract__anchored_by_another_issuer__not_issued(city):
    certificate = made(replace(CONTEXT, issuer=city.registry))
    city.contract("DocumentRegistry").anchor(certificate.batch.root, 3, sender=city.bank)
    result = await verify(certificate, CityChain(city, certificate))
    assert (result.verdict, result.decided_by.code) == (Verdict.NOT_ISSUED, Code.NOT_ANCHORED)


async def test_verify__against_the_contract__batch_of_one__valid(city):
    from frontend_api.documents.certificate import build

    certificate = build(FIELDS, replace(CONTEXT, issuer=city.registry))
    assert certificate.batch == Batch(certificate.batch.root, ())
    city.contract("DocumentRegistry").anchor(certificate.batch.root, 1, sender=city.registry)
    assert (await verify(certificate, CityChain(city, certificate))).verdict == Verdict.VALID
