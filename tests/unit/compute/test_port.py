"""The node's port: what the service's answers mean for the node, and which model files it takes."""

from __future__ import annotations

from pathlib import Path

import httpx2 as httpx
import pytest

from frontend_api.compute import port as port_module
from frontend_api.compute.node import ChainRefused, ChainUnavailable, Reason
from frontend_api.compute.port import ATTEMPTS, ModelFolder, NotTheHolder, ServicePort


def refused(name, status=409, **extra):
    body = {"type": "urn:chaincity:problem:contract-refused", "status": status, **extra}
    if name:
        body["contractError"] = {"name": name, "args": {}}
    return httpx.Response(status, json=body)


def transaction(state, **extra):
    return httpx.Response(200, json={"id": "tx_1", "state": state, "problem": None, **extra})


class Service:
    """Answers by path, in turn; the last answer stays."""

    def __init__(self, **answers):
        self.answers = {path: list(given) for path, given in answers.items()}
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        given = next(found for path, found in self.answers.items() if request.url.path.endswith(path))
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def keys(self):
        return [r.headers["idempotency-key"] for r in self.requests if "idempotency-key" in r.headers]


def port_to(service, pause=lambda _: False):
    return ServicePort(httpx.Client(base_url="http://service", transport=httpx.MockTransport(service)), pause)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused("ComputeDesk_TooLate"), "ComputeDesk_TooLate"),
        (refused("ModelRegistry_NotApproved", 404), "ModelRegistry_NotApproved"),
        (refused("AccessManagedUnauthorized", 403), "AccessManagedUnauthorized"),
        (refused(None), "contract-refused"),
        (httpx.Response(404, json={"type": "urn:chaincity:problem:not-found"}), "not-found"),
    ],
)
def test_write__refused__the_contracts_error(answer, error):
    with pytest.raises(ChainRefused) as found:
        port_to(Service(accept=[answer])).accept(7)
    assert found.value.error == error


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503, json={"type": "urn:chaincity:problem:unavailable"}),
        httpx.Response(500, text="?"),
        httpx.Response(502, text="<html>"),
        httpx.Response(429, json={}),
        httpx.Response(400, json=[]),
        httpx.Response(200, text="<html>"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
    ],
)
def test_any__service_or_node_out_of_reach__unavailable(answer):
    with pytest.raises(ChainUnavailable):
        port_to(Service(accept=[answer])).accept(7)
    with pytest.raises(ChainUnavailable):
        port_to(Service(readyz=[answer])).chain_time()


def test_any__unknown_key__ends_the_node():
    with pytest.raises(NotTheHolder, match="does not know the API key"):
        port_to(Service(jobs=[httpx.Response(401, json={})], me=[httpx.Response(401, json={})])).open_jobs()
    reader = httpx.Response(200, json={"account": "0x1", "name": "reader", "scopes": ["read"]})
    with pytest.raises(NotTheHolder, match="no scope `write`"):
        assert port_to(Service(me=[reader])).account


def test_write__returns_only_once_final():
    service = Service(accept=[transaction("submitted")], tx_1=[transaction("mined"), transaction("final")])
    port_to(service).accept(7)
    assert [r.url.path for r in service.requests] == ["/jobs/7/accept", "/transactions/tx_1", "/transactions/tx_1"]
    assert service.keys() == ["node-accept-7-0"]


def test_write__never_final__unavailable(monkeypatch):
    monkeypatch.setattr(port_module, "FINAL_SECONDS", 0)
    with pytest.raises(ChainUnavailable, match="is still mined"):
        port_to(Service(accept=[transaction("mined")], tx_1=[transaction("mined")])).accept(7)


def test_write__node_is_stopping__does_not_wait():
    with pytest.raises(ChainUnavailable, match="stopping"):
        port_to(Service(accept=[transaction("mined")]), lambda _: True).accept(7)


def test_write__failed_before__tried_again_under_another_key():
    stored = refused("AccessManagedUnauthorized", 403, transaction="tx_0")
    service = Service(fail=[stored, transaction("final")])
    port_to(service).fail(7, Reason.OUTPUT_REFUSED)
    assert service.keys() == ["node-fail-7-0", "node-fail-7-1"]
    assert service.requests[0].content == b'{"reason":"output_refused"}'


def test_write__fails_on_chain_while_it_waits__tried_again_then_refused():
    problem = {"contractError": {"name": "ComputeDesk_WrongState", "args": {}}}
    service = Service(
        accept=[transaction("submitted"), refused("ComputeDesk_WrongState")],
        tx_1=[transaction("failed", problem=problem)],
    )
    with pytest.raises(ChainRefused) as found:
        port_to(service).accept(7)
    assert found.value.error == "ComputeDesk_WrongState"
    assert service.keys() == ["node-accept-7-0", "node-accept-7-1"]


def test_write__fails_every_time__refused_in_the_end():
    service = Service(accept=[refused("ComputeDesk_WrongState", transaction="tx_0")])
    with pytest.raises(ChainRefused):
        port_to(service).accept(7)
    assert len(service.keys()) == ATTEMPTS


@pytest.mark.parametrize(
    ("path", "ask"),
    [
        ("jobs/1", lambda port: port.job(1)),
        ("grants/1", lambda port: port.grant(1)),
        ("models/2", lambda port: port.approved_model_hash(1, 2)),
        ("datasets/1", lambda port: port.dataset_version(1)),
    ],
)
def test_reads__changed_in_a_block_that_is_not_final__unavailable(path, ask):
    answer = httpx.Response(200, json={"finality": "mined", "stateFinality": "mined"})
    with pytest.raises(ChainUnavailable, match="not final yet"):
        ask(port_to(Service(**{path: [answer]})))


def test_open_jobs__several_pages__final_ones_of_this_holder():
    me = httpx.Response(200, json={"account": "0xA", "name": "node", "scopes": ["read", "write"]})
    page = lambda finality, ids, following: httpx.Response(  # noqa: E731
        200, json={"items": [{"jobId": i, "finality": finality} for i in ids], "next": following}
    )
    service = Service(me=[me], jobs=[page("final", [1, 2], "abc"), page("mined", [3], None)])
    assert port_to(service).open_jobs() == [1, 2]
    assert service.requests[-1].url.params["cursor"] == "abc"
    assert service.requests[-1].url.params["holder"] == "0xA"


# --- model files


def model_service(registered, content):
    shown = httpx.Response(200, json={"contentHash": "0x" + registered.hex(), "finality": "final"})
    found = httpx.Response(200, content=content) if content is not None else httpx.Response(404, json={})
    return port_to(Service(**{"models/3": [shown], "models/3/file": [found]}))


def test_models__not_in_the_folder__taken_from_the_service_by_its_hash(tmp_path, model):
    files = ModelFolder(tmp_path, model_service(model.content_hash, model.canonical_bytes))
    assert files.get(3) == model
    kept = tmp_path / f"{model.content_hash.hex()}.json"
    assert kept.read_bytes() == model.canonical_bytes
    assert ModelFolder(tmp_path, model_service(model.content_hash, None)).get(3) == model


@pytest.mark.parametrize("content", [b"{}", b"\xff", None, "other"])
def test_models__file_of_another_hash_or_none__not_taken(tmp_path, model, content):
    content = model.canonical_bytes if content == "other" else content
    assert ModelFolder(tmp_path, model_service(b"\x01" * 32, content)).get(3) is None
    assert list(tmp_path.iterdir()) == []


def test_models__changed_in_the_folder__not_taken_for_the_registered_one(tmp_path, model):
    Path(tmp_path / "mine.json").write_bytes(model.canonical_bytes.replace(b"avg", b"sum", 1))
    Path(tmp_path / "broken.json").write_bytes(b"{")
    assert ModelFolder(tmp_path, model_service(model.content_hash, None)).get(3) is None
