"""`chaincity verify` against a real chain: the verdicts, with and without the city's address book."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.deployment.artifacts import ROOT
from tests.anvil import RpcBackend, rpc
from tests.api.conftest import FIELDS

UNIT = "431302001001GB00005F00010001"


@pytest.fixture(scope="module")
def certificate(served, li) -> dict:
    served.title(UNIT, li)
    return json.loads(served.get(f"/titles/{UNIT}/certificate", "registry").content)


def verify(tmp_path: Path, content: dict | bytes, url: str, *options: str) -> tuple[int, str]:
    """In an empty folder: only the file and the node's address."""
    file = tmp_path / "certificate.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    command = [sys.executable, "-c", "from frontend_api.cli import main; main()", "verify", str(file), "--rpc", url]
    done = subprocess.run(
        [*command, *options],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_verify__with_the_address_book__valid_and_named(served, certificate, tmp_path):
    status, output = verify(tmp_path, certificate, served.chain.url, "--deployment", str(served.chain.book))
    assert status == 0, output
    assert output.startswith(f"VALID  {UNIT}")
    assert "Loudi Real Estate Registry" in output


def test_verify__only_file_and_node__valid_and_says_what_to_compare(served, certificate, tmp_path):
    status, output = verify(tmp_path, certificate, served.chain.url)
    assert status == 0, output
    assert f"Compare {served.chain.city.contracts['DocumentRegistry']} with the city's own." in output
    status, output = verify(tmp_path, certificate, served.chain.url, "--json", "--lang", "zh")
    assert (status, json.loads(output)["verdict"], json.loads(output)["addressBook"]) == (0, "valid", None)


def test_verify__tampered__altered(served, certificate, tmp_path):
    tampered = json.loads(json.dumps(certificate))
    tampered["fields"][0]["value"] = "somebody else"
    status, output = verify(tmp_path, tampered, served.chain.url)
    assert (status, output.split()[0]) == (1, "ALTERED")


@pytest.mark.parametrize("place", ["registry", "titleRegistry"])
def test_verify__registry_without_code__not_issued(served, certificate, tmp_path, place):
    """The header is under the root, so a file that names another registry is altered; one made for it is not issued."""
    from frontend_api.documents.certificate import Context, build, to_json

    own = {"registry": certificate["registry"], "titleRegistry": certificate["titleRegistry"]}
    own[place] = "0x" + "12" * 20
    made = build(FIELDS, Context(31337, own["registry"], own["titleRegistry"], UNIT, certificate["issuer"]))
    status, output = verify(tmp_path, to_json(made), served.chain.url)
    assert (status, output.split()[0]) == (1, "NOT_ISSUED"), output


def test_verify__registries_of_two_cities__not_issued(served, certificate, tmp_path):
    from frontend_api.documents.certificate import Context, build, to_json

    contracts = served.chain.city.contracts
    core = (contracts["Authority"], contracts["Forwarder"], served.chain.member("bank"), *(["0x" + "00" * 20] * 3))
    foreign = RpcBackend(served.chain.url).deploy("TitleRegistry", [core])
    made = build(FIELDS, Context(31337, certificate["registry"], foreign, UNIT, certificate["issuer"]))
    status, output = verify(tmp_path, to_json(made), served.chain.url)
    assert (status, output.split()[0]) == (1, "NOT_ISSUED"), output


def test_verify__node_down__unknown_never_valid(served, certificate, tmp_path):
    status, output = verify(tmp_path, certificate, "http://127.0.0.1:9")
    assert (status, output.split()[0]) == (3, "UNKNOWN"), output


def test_verify__no_certificate_or_no_file__exit_status_2(served, tmp_path):
    status, output = verify(tmp_path, b"{}", served.chain.url)
    assert (status, output.strip()) == (2, "The file is no certificate: format: is missing")
    assert int(rpc(served.chain.url, "eth_chainId"), 16) == 31337
