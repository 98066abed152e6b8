"""`chaincity serve` and the import commands as processes: what a killed server leaves behind, and who may start beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from frontend_api import auth
from frontend_api.db import Database
from scripts.demonstration.processes import Process, free_port, service_environment, start_service
from tests.anvil import AnvilCity
from tests.evm import dev_account

UNIT = "431302001001GB00006F0001{:04d}"
CHAINCITY = [sys.executable, "-m", "frontend_api.cli"]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[AnvilCity]:
    made = AnvilCity(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def environment(chain: AnvilCity, tmp_path: Path) -> dict[str, str]:
    return service_environment(chain.url, chain.book, tmp_path, free_port(), dev_account(9).address)


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def test_serve__killed__its_worker_ends_and_another_can_start(environment, tmp_path):
    service, _ = start_service(environment, tmp_path)
    try:
        workers = children(service.pid)
        assert workers
        os.kill(service.pid, signal.SIGKILL)
        deadline = time.monotonic() + 15
        while any(
            Path(f"/proc/{worker}/cmdline").exists() and Path(f"/proc/{worker}/cmdline").read_bytes()
            for worker in workers
        ):
            assert time.monotonic() < deadline, "an orphan goes on serving"
            time.sleep(0.1)
        again, _ = start_service(environment, tmp_path)
        again.stop()
    finally:
        service.stop()


def test_serve__beside_another_on_the_database__refused_with_the_reason(environment, tmp_path):
    service, _ = start_service(environment, tmp_path)
    second = Process("second", [*CHAINCITY, "serve"], tmp_path, environment | {"CHAINCITY_PORT": str(free_port())})
    try:
        deadline = time.monotonic() + 20
        while "Another service is running on this database" not in second.log.read_text():
            assert time.monotonic() < deadline, second.log.read_text()
            time.sleep(0.1)
    finally:
        second.stop()
        service.stop()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"CHAINCITY_PORT": "abc"}, "CHAINCITY_PORT: "),
        ({"CHAINCITY_RPC_URL": "x"}, "CHAINCITY_RPC_URL must start with http:// or https://"),
        (
            {"CHAINCITY_DEPLOYMENT": "nowhere.json"},
            "There is no address book at nowhere.json. Run `ape run deploy` first.",
        ),
    ],
)
def test_serve__bad_setting__one_sentence_names_it(environment, change, words):
    done = subprocess.run(
        [*CHAINCITY, "serve"], env=environment | change, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_titles_import__waits_for_the_chain_and_says_which_failed(chain, environment, tmp_path):
    database = Database(environment["CHAINCITY_DATABASE_URL"])
    database.create()
    key = database.write_now(auth.create_key, chain.member("registry"), "registry")
    database.close()
    owner = chain.member("supplier")
    file = tmp_path / "titles.csv"
    rows = [f"{UNIT.format(1)},{owner},李,x,住宅,88", f"{UNIT.format(2)},{dev_account(17).address},王,x,住宅,88"]
    file.write_text("\n".join(["unit,owner,ownerName,location,use,areaM2", *rows]) + "\n")
    service, url = start_service(environment, tmp_path)
    try:
        command = [*CHAINCITY, "titles", "import", str(file), "--url", url]
        done = [
            subprocess.run(
                command, env=environment | {"CHAINCITY_KEY": key}, capture_output=True, text=True, check=False
            )
            for _ in range(2)
        ]
    finally:
        service.stop()
    for once in done:
        first, second = [json.loads(line) for line in once.stdout.splitlines()]
        assert (once.returncode, first["outcome"], second["outcome"]) == (1, "registered", "failed"), once.stderr
        assert second["reason"] == f"{dev_account(17).address} is neither a member nor an enrolled resident."
    assert done[0].stdout == done[1].stdout, "the same file again is the same request"


def test_receivables_import__as_a_process__each_row_drafted_or_refused_and_nothing_twice(environment, chain, tmp_path):
    database = Database(environment["CHAINCITY_DATABASE_URL"])
    database.create()
    key = database.write_now(auth.create_key, chain.member("supplier"), "supplier")
    database.close()
    file = tmp_path / "invoices.csv"
    rows = [
        "number,buyer,issueDate,dueDate,currency,payable",
        "P-1,91431382MA5277275H,2026-09-17,2070-12-31,CNY,486000.00",
        "p 1,91431382MA5277275H,2026-09-17,2070-12-31,CNY,486000.00",
        "P-2,91431382MA5277275H,2026-09-17,2070-12-31,CNY,1.005",
    ]
    file.write_text("\n".join(rows))
    service, url = start_service(environment, tmp_path)
    try:
        command = [*CHAINCITY, "receivables", "import", str(file), "--url", url]
        done = [
            subprocess.run(
                [*command, *more], env=environment | {"CHAINCITY_KEY": key}, capture_output=True, text=True, check=False
            )
            for more in ([], ["--json"], ["--json", "--anew"])
        ]
        wrong = subprocess.run(
            command, env=environment | {"CHAINCITY_KEY": "cck_no"}, capture_output=True, text=True, check=False
        )
    finally:
        service.stop()
    first, second, third = [json.loads(line) for line in done[0].stdout.splitlines()]
    assert done[0].returncode == 1, done[0].stderr
    assert (first["outcome"], first["receivable"], first["payable"]) == ("drafted", 1, "48600000")
    assert (second["outcome"], second["line"], second["field"]) == ("refused", 3, "number")
    assert (third["outcome"], third["reason"]) == ("refused", "payable has 3 decimals; CNY has 2")
    assert done[0].stderr == "3 of 3 rows\n1 drafted, 2 refused\n"
    assert (done[1].stdout, done[1].stderr) == (done[0].stdout, "")
    assert [json.loads(line)["outcome"] for line in done[2].stdout.splitlines()] == ["refused"] * 3
    assert "was drafted before, as receivable 1" in done[2].stdout
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "unknown or was revoked" in wrong.stderr


def test_serve__address_book_of_another_chain__one_line_and_no_stack_trace(environment, chain, tmp_path):
    book = json.loads(chain.book.read_text())
    book["genesisHash"] = "0x" + "5a" * 32
    (tmp_path / "other.json").write_text(json.dumps(book))
    found = subprocess.run(
        [*CHAINCITY, "serve"],
        env=os.environ | environment | {"CHAINCITY_DEPLOYMENT": str(tmp_path / "other.json")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 1
    assert found.stderr.startswith("Error: The chain behind the node is another one with the same id")
    assert "Traceback" not in found.stderr + found.stdout
