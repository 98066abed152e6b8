"""The demonstration's HTTP client: what an integrator would write, with one key per organisation."""

from __future__ import annotations

import secrets
import time
from typing import Any

import httpx2 as httpx
from eth_account import Account
from eth_account.messages import encode_typed_data

#: How long a write waits for its block.
WAIT_SECONDS = 20


class Refused(Exception):
    """A problem+json answer."""

    def __init__(self, problem: dict[str, Any]):
        super().__init__(f"{problem.get('status')} {problem.get('title')}: {problem.get('detail')}")
        self.problem = problem


class Client:
    """One organisation's view of the service."""

    def __init__(self, url: str, key: str | None = None):
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=WAIT_SECONDS + 10, trust_env=False)

    def get(self, path: str, **query: Any) -> Any:
        return _answer(self._http.get(path, params=query))

    def file(self, path: str) -> bytes:
        """A file as it is."""
        response = self._http.get(path)
        if response.status_code >= 400:
            _answer(response)
        return response.content

    def text(self, path: str) -> str:
        """A page."""
        response = self._http.get(path)
        if response.status_code >= 400:
            _answer(response)
        return response.text

    def post(self, path: str, body: Any = None) -> Any:
        """A write: waits for its block; the same attempt is never executed twice."""
        headers = {"idempotency-key": secrets.token_hex(16), "prefer": f"wait={WAIT_SECONDS}"}
        return _answer(self._http.post(path, json=body, headers=headers))

    def check(self, path: str, body: bytes) -> Any:
        """Send a file as it is."""
        return _answer(self._http.post(path, content=body, headers={"content-type": "application/json"}))

    def upload(self, path: str, name: str, content: bytes, media: str, **query: Any) -> Any:
        return _answer(self._http.post(path, params=query, files={"file": (name, content, media)}))

    def send_files(self, path: str, files: dict[str, bytes], media: str, **fields: str) -> Any:
        """A form with one or more files in its field `file`; a write waits for its block, as in `post`."""
        headers = {"idempotency-key": secrets.token_hex(16), "prefer": f"wait={WAIT_SECONDS}"}
        parts = [("file", (name, content, media)) for name, content in files.items()]
        return _answer(self._http.post(path, data=fields, files=parts, headers=headers))

    def sign_and_send(self, signer: Any, contract: str, function: str, args: list[Any]) -> Any:
        """An act of somebody who has a key but no gas and no account here: prepare, sign, submit (ERC-2771)."""
        prepared = self.post(
            "/forward-requests/prepare",
            {"signer": signer.address, "contract": contract, "function": function, "args": args},
        )
        signed = Account.sign_message(encode_typed_data(full_message=prepared["typedData"]), signer.key)
        return self.post(
            "/forward-requests", {"request": prepared["request"], "signature": "0x" + bytes(signed.signature).hex()}
        )

    def wait_for(self, identifiers: list[str], seconds: float = 60) -> list[dict[str, Any]]:
        """The transactions once all are in blocks; the last of each sender's queue ends last, so it is asked first."""
        deadline = time.monotonic() + seconds
        found = {}
        for identifier in reversed(identifiers):
            while True:
                entry = self._http.get(f"/transactions/{identifier}", headers={"prefer": "wait=10"}).json()
                if entry["state"] in ("mined", "final", "failed"):
                    found[identifier] = entry
                    break
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{identifier} is still {entry['state']}")
        return [found[identifier] for identifier in identifiers]

    def close(self) -> None:
        self._http.close()


def event(transaction: dict[str, Any], name: str) -> dict[str, Any]:
    """The arguments of a transaction's one event of that name."""
    found = [entry["args"] for entry in transaction["events"] if entry["event"] == name]
    if len(found) != 1:
        raise LookupError(f"{len(found)} events {name} in {transaction['id']}: {transaction['events']}")
    return dict(found[0])


def _answer(response: httpx.Response) -> Any:
    if response.status_code >= 400:
        try:
            raise Refused(response.json())
        except ValueError:
            raise Refused({"status": response.status_code, "title": response.reason_phrase}) from None
    return response.json()
