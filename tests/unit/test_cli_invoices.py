"""`chaincity invoices check`: one JSON object per file, exit statuses, the deployment's currencies, the key."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner

from frontend_api.cli import main

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parents[1] / "fixtures" / "invoices"
GOOD = FOLDER / "lianyuan-steel-2026-0917.xml"
KEYS = [
    "file",
    "outcome",
    "number",
    "seller",
    "buyer",
    "issueDate",
    "dueDate",
    "currency",
    "payable",
    "fingerprint",
    "reason",
]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("CHAINCITY_"):
            monkeypatch.delenv(name)


@pytest.fixture
def check():
    """Run the command; returns the exit status, the printed objects and what went to stderr."""

    def run(*arguments):
        result = CliRunner(mix_stderr=False).invoke(main, ["invoices", "check", *map(str, arguments)])
        return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr

    return run


@pytest.fixture
def book(tmp_path):
    """An address book with the given currencies."""

    def made(*currencies):
        path = tmp_path / "31337.json"
        fields = {"chainId": 31337, "genesisHash": "0x", "startBlock": 0, "city": "Loudi"}
        empty = {name: {} for name in ("contracts", "members", "kinds", "roles")}
        path.write_text(json.dumps(fields | empty | {"currencies": {code: {} for code in currencies}}))
        return path

    return made


def test_check__one_file__the_documented_object_and_status_0(check):
    status, [found], _ = check(GOOD)

    assert status == 0
    assert list(found) == KEYS
    fingerprint = found.pop("fingerprint")
    assert re.fullmatch("0x[0-9a-f]{64}", fingerprint)
    assert found == {
        "file": str(GOOD),
        "outcome": "receivable",
        "number": "XZJX-2026-0917",
        "seller": "91431381MA5198083N",
        "buyer": "91431382MA5277275H",
        "issueDate": "2026-09-17",
        "dueDate": "2026-12-16",
        "currency": "CNY",
        "payable": "48600000",
        "reason": None,
    }


def test_check__every_fixture__judged_in_the_given_order_with_status_0(check):
    files = sorted(FOLDER.glob("*.xml"), reverse=True)
    status, found, _ = check(*files)

    assert status == 0
    assert [entry["file"] for entry in found] == [str(file) for file in files]
    assert {entry["outcome"] for entry in found} == {"receivable", "dilution", "needs_due_date", "refused"}
    assert all(entry["reason"] for entry in found if entry["outcome"] != "receivable")


def test_check__malformed_xml__is_judged(check, tmp_path):
    for number, content in enumerate((b"", b"\xff\xfe\x00", b"<a", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")):
        path = tmp_path / f"{number}.xml"
        path.write_bytes(content)
        status, [found], _ = check(path)
        assert (status, found["outcome"], found["fingerprint"]) == (0, "refused", None)


@pytest.mark.parametrize("kind", ["missing", "folder", "dangling", "through a file"])
def test_check__path_cannot_be_read__status_2_and_the_others_are_still_judged(check, tmp_path, kind):
    bad = tmp_path / "bad.xml"
    if kind == "folder":
        bad.mkdir()
    elif kind == "dangling":
        bad.symlink_to(tmp_path / "nowhere")
    elif kind == "through a file":
        bad = GOOD / "inside"
    status, found, stderr = check(bad, GOOD)

    assert status == 2
    assert [entry["file"] for entry in found] == [str(GOOD)]
    assert f"Error: {bad}: " in stderr


def test_check__no_permission__status_2(check, monkeypatch):
    # Root reads every file, so the refusal is made here.
    def forbidden(self, *_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    status, found, stderr = check(GOOD)
    assert (status, found) == (2, [])
    assert f"Error: {GOOD}: Permission denied" in stderr


def test_check__no_file__usage_and_status_2(check):
    assert check()[0] == 2


def test_check__without_deployment__every_iso_currency_passes(check):
    _, [found], _ = check(FOLDER / "refused-currency-without-token-usd.xml")
    assert (found["outcome"], found["currency"]) == ("receivable", "USD")


def test_check__with_deployment__only_currencies_with_a_token(check, book):
    _, [usd, cny], _ = check(FOLDER / "refused-currency-without-token-usd.xml", GOOD, "--deployment", book("CNY"))
    assert (usd["outcome"], usd["reason"]) == ("refused", "no settlement token for USD")
    assert cny["outcome"] == "receivable"


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"chainId": 1}', "\xff"])
def test_check__deployment_is_no_address_book__status_2_before_anything(check, tmp_path, content):
    path = tmp_path / "book.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    status, found, stderr = check(GOOD, "--deployment", path)

    assert (status, found) == (2, [])
    assert str(path) in stderr


def test_check__no_key__says_so_on_stderr_only(check, monkeypatch):
    _, [demonstration], stderr = check(GOOD)
    assert "demonstration key" in stderr
    monkeypatch.setenv("CHAINCITY_FINGERPRINT_KEY", "the consortium's secret")
    _, [shared], stderr = check(GOOD)
    assert stderr == ""
    assert shared["fingerprint"] != demonstration["fingerprint"]
    assert {k: v for k, v in shared.items() if k != "fingerprint"} == {
        k: v for k, v in demonstration.items() if k != "fingerprint"
    }


def test_check__file_name_that_is_no_utf_8__printed_without_failing(check, tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.xml"))
    path.write_bytes(GOOD.read_bytes())
    status, [found], _ = check(path)
    assert (status, found["outcome"]) == (0, "receivable")


def test_check__number_fingerprint__only_when_asked_for(check):
    _, [found], _ = check(GOOD, "--number-fingerprint")
    assert sorted(found) == sorted([*KEYS, "numberFingerprint"])
    assert re.fullmatch("0x[0-9a-f]{64}", found["numberFingerprint"])


def test_check__one_seller_and_number_twice__each_judged_and_noted_on_stderr(check):
    altered = FOLDER / "lianyuan-steel-2026-0917-altered-amount.xml"
    credit = FOLDER / "lianyuan-steel-credit-note-0003.xml"
    status, found, stderr = check(GOOD, credit, altered)
    assert (status, [entry["outcome"] for entry in found]) == (0, ["receivable", "dilution", "receivable"])
    assert f"Note: {altered} has the seller and number of {GOOD}.\n" in stderr
    assert stderr.count("Note:") == 1


def test_check__50_mb__refused_without_reading_it_whole(check, tmp_path):
    path = tmp_path / "large.xml"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)  # a hole: reading it would be as slow as reading any file
    tracemalloc.start()
    try:
        status, [found], _ = check(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (status, found["outcome"]) == (0, "refused")
    assert found["reason"] == "the file has 52428800 bytes; at most 16777216 are read"
    assert peak < 10 * 1024 * 1024


def test_check__endless_file__refused_after_the_limit(check):
    status, [found], _ = check("/dev/zero")
    assert (status, found["outcome"]) == (0, "refused")
    assert "at most 16777216 are read" in found["reason"]


def test_check__terminal_without_chinese__json_is_utf_8_all_the_same(tmp_path):
    path = FOLDER / "shunda-logistics-name-only.xml"
    done = subprocess.run(
        [sys.executable, "-m", "frontend_api.cli", "invoices", "check", str(path)],
        env={"PATH": "/usr/bin", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)["seller"]) == (0, "娄星区顺达物流"), done.stderr


def test_check__wrong_setting__said_and_status_1(check, monkeypatch):
    monkeypatch.setenv("CHAINCITY_PORT", "abc")
    status, found, stderr = check(GOOD)
    assert (status, found) == (1, [])
    assert "CHAINCITY_PORT" in stderr


def test_help__shows_an_example():
    result = CliRunner().invoke(main, ["invoices", "check", "--help"])
    assert result.exit_code == 0
    assert "chaincity invoices check invoices/*.xml" in result.stdout
