"""`chaincity receivables import --dry-run`: one JSON object per row, exit statuses, the key. tests/api has the real import."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from frontend_api.cli import main
from frontend_api.modules.receivables.invoices import judge

INVOICE = Path(__file__).parents[1] / "fixtures" / "invoices" / "lianyuan-steel-2026-0917.xml"
SELLER, BUYER = "91431381MA5198083N", "91431382MA5277275H"
HEADING = "number,buyer,issueDate,dueDate,currency,payable"
GOOD = f"XZJX-2026-0917,{BUYER},2026-09-17,2026-12-16,CNY,486000.00"
KEYS = [
    "file",
    "line",
    "outcome",
    "field",
    "reason",
    "number",
    "buyer",
    "issueDate",
    "dueDate",
    "currency",
    "payable",
    "fingerprint",
    "numberFingerprint",
    "seller",
]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("CHAINCITY_"):
            monkeypatch.delenv(name)


@pytest.fixture
def run(tmp_path):
    """Import the given lines, or bytes; returns the exit status, the printed objects and what went to stderr."""

    def made(*lines, content=None, options=("--dry-run",)):
        path = tmp_path / "invoices.csv"
        path.write_bytes("\n".join((HEADING, *lines)).encode() if content is None else content)
        result = CliRunner(mix_stderr=False).invoke(main, ["receivables", "import", str(path), *map(str, options)])
        return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr

    return made


def test_dry_run__good_rows__the_ubl_file_s_fingerprints_and_status_0(run):
    status, [found], stderr = run(GOOD, options=("--dry-run", "--seller", SELLER))
    invoice = judge(INVOICE.read_bytes())
    assert (status, list(found)) == (0, KEYS)
    assert (found["line"], found["outcome"], found["reason"]) == (2, "would_be_accepted", None)
    assert found["fingerprint"] == "0x" + invoice.fingerprint.hex()
    assert found["numberFingerprint"] == "0x" + invoice.number_fingerprint.hex()
    assert "demonstration key" in stderr
    assert stderr.endswith("1 would_be_accepted\n")


def test_dry_run__without_seller__judged_without_fingerprints_and_without_a_word_on_keys(run):
    status, [found], stderr = run(GOOD)
    assert (status, found["outcome"], found["fingerprint"], found["seller"]) == (0, "would_be_accepted", None, None)
    assert "key" not in stderr


def test_dry_run__some_refused__status_1_and_every_row_printed(run):
    status, found, stderr = run(GOOD, "a,b", GOOD)
    assert status == 1
    assert [(row["line"], row["outcome"], row["field"]) for row in found] == [
        (2, "would_be_accepted", None),
        (3, "refused", "row"),
        (4, "refused", "number"),
    ]
    assert stderr == "1 would_be_accepted, 2 refused\n"


def test_dry_run__json__nothing_but_errors_on_stderr(run, monkeypatch):
    assert run(GOOD, options=("--dry-run", "--json"))[2] == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"PK\x03\x04\xff", "is not UTF-8"), (b"a;b", "has a heading without number")],
)
def test_dry_run__no_such_file__status_2(run, content, words):
    status, found, stderr = run(content=content)
    assert (status, found) == (2, [])
    assert words in stderr


def test_dry_run__50_mb__status_2_unread(run, tmp_path):
    status, found, stderr = run(content=b"\xff" * (50 * 1024 * 1024))
    assert (status, found) == (2, [])
    assert "has 52428800 bytes; at most 8388608 are read" in stderr


@pytest.mark.parametrize("path", ["missing.csv", "."])
def test_import__path_cannot_be_read__status_2(path, tmp_path):
    result = CliRunner(mix_stderr=False).invoke(main, ["receivables", "import", str(tmp_path / path), "--dry-run"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")


def test_dry_run__seller_is_no_credit_code__status_2(run):
    status, found, stderr = run(GOOD, options=("--dry-run", "--seller", "12"))
    assert (status, found) == (2, [])
    assert "--seller: a credit code has 18 characters" in stderr


def test_dry_run__seller_is_the_buyer__refused(run):
    _, [found], _ = run(GOOD, options=("--dry-run", "--seller", BUYER))
    assert (found["outcome"], found["field"]) == ("refused", "buyer")


def test_dry_run__deployment__only_currencies_with_a_token(run, tmp_path):
    book = tmp_path / "31337.json"
    fields = {"chainId": 31337, "genesisHash": "0x", "startBlock": 0, "city": "Loudi", "currencies": {"EUR": {}}}
    book.write_text(json.dumps(fields | {name: {} for name in ("contracts", "members", "kinds", "roles")}))
    _, [found], _ = run(GOOD, options=("--dry-run", "--deployment", book))
    assert (found["outcome"], found["reason"]) == ("refused", "no settlement token for CNY")


def test_import__without_key__status_2(run):
    status, found, stderr = run(GOOD, options=())
    assert (status, found) == (2, [])
    assert "CHAINCITY_KEY" in stderr


def test_import__nobody_answers__status_2_and_says_how_to_go_on(run):
    status, found, stderr = run(GOOD, options=("--key", "cck_x", "--url", "http://127.0.0.1:9"))
    assert (status, found) == (2, [])
    assert "send the file again to go on" in stderr


def test_help__shows_an_example():
    result = CliRunner().invoke(main, ["receivables", "import", "--help"])
    assert result.exit_code == 0
    assert "chaincity receivables import invoices.csv --dry-run" in result.stdout
