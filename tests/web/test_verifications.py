"""POST /verifications: the same check for programs."""

from __future__ import annotations

import pytest

from frontend_api.documents.certificate import hide, parse, to_json
from frontend_api.documents.strict import MAX_BYTES
from tests.certificates import CHAIN_ID, CONTEXT, FIELDS, NOW, UNIT, scenarios


@pytest.mark.parametrize("name", scenarios())
def test_verifyCertificate__each_scenario__verdict_and_codes(client, name):
    scenario = scenarios()[name]
    response = client.post("/verifications", content=scenario.file, headers={"x-scenario": name})
    body = response.json()
    assert response.status_code == (503 if scenario.verdict == "unknown" else 200)
    assert (body["verdict"], body["decidedBy"]["code"]) == (scenario.verdict, scenario.decided_by)
    assert set(body["answers"]) == {"intact", "issuer", "status"}
    assert body["headline"].keys() == {"en", "zh"}


def test_verifyCertificate__frozen_and_pledged__whole_body(client):
    scenario = scenarios()["frozen"]
    certificate = hide(parse(scenario.file), ["权利人"])

    body = client.post("/verifications", content=to_json(certificate), headers={"x-scenario": "frozen"}).json()

    assert (
        body["answers"]["status"]
        == body["decidedBy"]
        == {
            "code": "frozen",
            "tone": "caution",
            "values": {"count": 1},
            "text": {
                "en": "Frozen by a court or authority. Freezes in effect: 1.",
                "zh": "已被法院或有权机关查封，生效查封 1 项。",
            },
        }
    )
    assert [remark["code"] for remark in body["remarks"]] == ["pledged"]
    assert body["documentRoot"] == "0x" + certificate.document_root.hex()
    assert (body["subject"], body["issuer"], body["chainId"]) == (UNIT, CONTEXT.issuer, CHAIN_ID)
    assert (body["checkedAt"], body["block"]) == (NOW, 4711)
    assert body["disclosed"] == {name: value for name, value in FIELDS.items() if name != "权利人"}
    assert body["hidden"] == 1


def test_verifyCertificate__not_a_certificate__field_and_rule(client):
    response = client.post("/verifications", content=b'{"format": "x"}')
    assert response.status_code == 422
    assert response.json() == {"field": "type", "rule": "is missing"}


def test_verifyCertificate__too_large__413(client):
    assert client.post("/verifications", content=b" " * (MAX_BYTES + 1)).status_code == 413


def test_verifyCertificate__endless_body__413(client):
    def endless():
        for _ in range(1000):
            yield b" " * 65536

    assert client.post("/verifications", content=endless()).status_code == 413


def test_openapi__operation__described(client):
    operation = client.get("/openapi.json").json()["paths"]["/verifications"]["post"]
    assert operation["operationId"] == "verifyCertificate"
    assert set(operation["responses"]) >= {"200", "413", "422", "503"}
