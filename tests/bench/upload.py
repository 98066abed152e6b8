"""python -m tests.bench.upload: a bulk upload through the service beside the same calls pre-signed and pushed raw.

Each run is a fresh chain with a founded city. *Raw*: all drafts are signed beforehand and pushed in JSON-RPC batches of
100 over four connections. *Service*: as many drafts from one CSV file of invoices, uploaded to the service in a process
of its own, which judges and fingerprints them, stores, simulates, signs and sends them. Both are timed from the first
request until the supplier's last nonce is in a block and, for the service, until it says so itself. Runs alternate, so
that a slow moment of the machine hits both; the median of the pairs' ratios counts.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import httpx2 as httpx
from eth_account import Account

from frontend_api import auth
from frontend_api.chain.abi import abi_of
from frontend_api.db import Database
from scripts.demonstration.processes import CHAIN_ID, free_port, rpc, service_environment, start_service, stopping
from tests.anvil import AnvilCity, RpcBackend
from tests.evm import dev_account

BLOCK_TIME = "0.1"
BATCH, CONNECTIONS = 100, 4
DAY = 86400


def items(city: AnvilCity, count: int) -> list[dict[str, Any]]:
    due = city.time() + 90 * DAY
    return [
        {
            "debtor": city.member("debtor"),
            "currency": "CNY",
            "face": str(1_000_000 + number),
            "dueAt": due,
            "fingerprint": "0x" + f"{number + 2:064x}",
            "numberFingerprint": "0x" + f"{(1 << 200) + number:064x}",
        }
        for number in range(count)
    ]


def invoices(city: AnvilCity, count: int) -> bytes:
    """A CSV file of invoices that nobody has seen."""
    buyer = city.city.members["debtor"]["creditCode"]
    today = datetime.fromtimestamp(city.time(), UTC).date()
    dates = f"{today - timedelta(days=1)},{today + timedelta(days=90)}"
    rows = [f"BENCH-{number},{buyer},{dates},CNY,{10_000 + number}.00" for number in range(count)]
    return "\n".join(["number,buyer,issueDate,dueDate,currency,payable", *rows]).encode()


def mined(city: AnvilCity) -> int:
    return int(rpc(city.url, "eth_getTransactionCount", city.member("supplier"), "latest"), 16)


def require_drafted(city: AnvilCity, count: int) -> None:
    """Every draft succeeded: its event is there. The node's logs follow its nonces by a moment."""
    deadline = time.monotonic() + 10
    while (found := drafted(city)) != count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{found} of {count} drafts succeeded")
        time.sleep(0.1)


def drafted(city: AnvilCity) -> int:
    topic = next(t for t, entry in abi_of("ReceivableLedger").events.items() if entry["name"] == "ReceivableDrafted")
    wanted = {"fromBlock": "0x0", "address": city.city.contracts["ReceivableLedger"], "topics": ["0x" + topic.hex()]}
    return len(rpc(city.url, "eth_getLogs", wanted))


def raw_run(count: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        city = AnvilCity(Path(name), "--block-time", BLOCK_TIME)
        try:
            backend, key = RpcBackend(city.url), dev_account(5).key
            first = mined(city)
            signed = []
            for offset, item in enumerate(items(city, count)):
                args = [item["debtor"], b"CNY", int(item["face"]), item["dueAt"]]
                args += [bytes.fromhex(item[field][2:]) for field in ("fingerprint", "numberFingerprint")]
                fields = {
                    "type": 2,
                    "chainId": CHAIN_ID,
                    "nonce": first + offset,
                    "maxFeePerGas": 0,
                    "maxPriorityFeePerGas": 0,
                    "gas": 600_000,
                    "to": city.city.contracts["ReceivableLedger"],
                    "value": 0,
                    "data": backend.encode("ReceivableLedger", "draft", args),
                }
                signed.append("0x" + bytes(Account.sign_transaction(fields, key).raw_transaction).hex())
            batches = [signed[start : start + BATCH] for start in range(0, count, BATCH)]
            began = time.monotonic()
            threads = [
                threading.Thread(target=_push, args=(city.url, batches[number::CONNECTIONS]))
                for number in range(CONNECTIONS)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            while mined(city) < first + count:
                time.sleep(0.01)
            took = time.monotonic() - began
            require_drafted(city, count)
            return took
        finally:
            city.stop()


def _push(url: str, batches: list[list[str]]) -> None:
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    for batch in batches:
        requests = [
            {"jsonrpc": "2.0", "id": number, "method": "eth_sendRawTransaction", "params": [raw]}
            for number, raw in enumerate(batch)
        ]
        connection.request("POST", "/", json.dumps(requests), {"content-type": "application/json"})
        connection.getresponse().read()
    connection.close()


def service_run(count: int) -> tuple[float, float]:
    """Seconds until the last draft was in a block, and until the service said so."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        city = AnvilCity(folder, "--block-time", BLOCK_TIME)
        try:
            environment = service_environment(city.url, city.book, folder, free_port(), dev_account(9).address)
            database = Database(environment["CHAINCITY_DATABASE_URL"])
            database.create()
            key = database.write_now(auth.create_key, city.member("supplier"), "supplier")
            database.close()
            service, url = start_service(environment, folder)
            with stopping(service), httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
                first = mined(city)
                headers = {"authorization": f"Bearer {key}", "idempotency-key": "bench"}
                upload = {"file": ("invoices.csv", invoices(city, count), "text/csv")}
                began = time.monotonic()
                answer = client.post("/receivables/from-csv", files=upload, headers=headers)
                if answer.status_code != 202 or answer.json()["accepted"] != count:
                    raise RuntimeError(f"{answer.status_code}: {answer.text[:500]}")
                last = answer.json()["items"][-1]["transaction"]
                accepted = time.monotonic() - began
                while mined(city) < first + count:
                    time.sleep(0.05)
                took = time.monotonic() - began
                while client.get(f"/transactions/{last}", headers=headers).json()["state"] not in ("mined", "final"):
                    time.sleep(0.05)
                known = time.monotonic() - began
                require_drafted(city, count)
                click.echo(f"  accepted {accepted:.2f} s, in blocks {took:.2f} s, known {known:.2f} s", err=True)
                return took, known
        finally:
            city.stop()


@click.command()
@click.option("--count", default=10_000, show_default=True, help="invoices per run")
@click.option("--pairs", default=3, show_default=True, help="runs of each kind, alternating")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def main(count: int, pairs: int, as_json: bool) -> None:
    """Time a bulk upload beside the same calls pushed raw. Example: python -m tests.bench.upload --pairs 5"""
    raw, served, known = [], [], []
    for number in range(pairs):
        raw.append(raw_run(count))
        took, said = service_run(count)
        served.append(took)
        known.append(said)
        click.echo(
            f"pair {number + 1}: raw {count / raw[-1]:,.0f}/s, service {count / took:,.0f}/s = {raw[-1] / took:.2f}",
            err=True,
        )
    found = {
        "count": count,
        "raw_per_second": round(count / statistics.median(raw), 1),
        "service_per_second": round(count / statistics.median(served), 1),
        "upload_ratio": round(statistics.median(r / s for r, s in zip(raw, served, strict=True)), 3),
        "known_ratio": round(statistics.median(r / s for r, s in zip(raw, known, strict=True)), 3),
    }
    click.echo(json.dumps(found) if as_json else "\n".join(f"{name} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
