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

    def post(self, path: str, body: Any = None, *, wait: int = WAIT_SECONDS) -> Any:
        """A write: waits for its block, unless told otherwise; the same attempt is never executed twice."""
        headers = {"idempotency-key": secrets.token_hex(16), "prefer": f"wait={wait}"}
        return _answer(self._http.post(path, json=body, headers=headers))

    def put(self, path: str, body: Any) -> Any:
        return _answer(self._http.put(path, json=body))

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
        """The first and the last transaction once all of them have ended; raises Refused for the first that failed."""
        deadline = time.monotonic() + seconds
        while True:
            waiting = [
                self._http.get("/transactions", params={"state": s, "limit": 1}) for s in ("queued", "submitted")
            ]
            if not any(_answer(page)["items"] for page in waiting):
                break
            if time.monotonic() > deadline:
                raise TimeoutError("some transactions are still on their way")
            time.sleep(0.1)
        wanted = set(identifiers)
        for failed in self.get("/transactions", state="failed", limit=1000)["items"]:
            if failed["id"] in wanted:
                raise Refused(failed["problem"])
        return [self.get(f"/transactions/{identifier}") for identifier in (identifiers[0], identifiers[-1])]

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
