"""The node's chain behind its organisation's service: an API key, no chain key. The service signs with the organisation's own key.

Acts on final facts only: a fact whose last change could still be undone raises `ChainUnavailable`, and the next pass
asks again. Writes carry an Idempotency-Key made of the act and the job, so that a node that was killed finds what
became of its first request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import structlog

from .models import Model, ModelError, parse_model
from .node import ChainRefused, ChainUnavailable, Grant, Job
from .vocabulary import GrantState, JobState, Reason

log = structlog.get_logger(__name__)

#: How long one request waits for its block, and how long a write may take to become final before the pass gives up.
BLOCK_SECONDS = 10
FINAL_SECONDS = 120.0
#: How often a write is tried under a new Idempotency-Key after its transaction failed.
ATTEMPTS = 20


class NotTheHolder(Exception):
    """The API key is unknown, may not write, or a dataset is another's; the message says which."""


@dataclass(frozen=True)
class RegisteredVersion:
    """What the chain has of a dataset's version, and which version is the newest."""

    holder: str
    newest: int
    schema_root: bytes
    content_commitment: bytes


class ServicePort:
    """ChainPort over the service's HTTP API. `pause` sleeps that many seconds and is true when the node is to stop."""

    def __init__(self, http: httpx.Client, pause: Callable[[float], bool] | None = None):
        self._http = http
        self._pause = pause or _sleep
        self._account: str | None = None

    @classmethod
    def connect(cls, url: str, key: str, pause: Callable[[float], bool] | None = None) -> ServicePort:
        headers = {"authorization": f"Bearer {key}"}
        return cls(httpx.Client(base_url=url, headers=headers, timeout=BLOCK_SECONDS + 20), pause)

    def close(self) -> None:
        self._http.close()

    # --- who, and which data

    @property
    def account(self) -> str:
        """The account that the API key acts as."""
        if self._account is None:
            caller = self._get("/me")
            if "write" not in caller["scopes"]:
                raise NotTheHolder(f"the API key {caller['name']!r} has no scope `write`")
            self._account = str(caller["account"])
        return self._account

    def registered_version(self, dataset_id: int, version: int) -> RegisteredVersion | None:
        """None when the chain has no such dataset or version."""
        try:
            dataset = self._final(f"/datasets/{dataset_id}")
            content = self._get(f"/datasets/{dataset_id}/versions/{version}")
        except ChainRefused as error:
            if error.error == "not-found":
                return None
            raise
        return RegisteredVersion(
            dataset["holder"], dataset["version"], _bytes(content["schemaRoot"]), _bytes(content["contentCommitment"])
        )

    # --- ChainPort: reads

    def open_jobs(self) -> Sequence[int]:
        found, cursor = [], None
        while True:
            query = {"state": "open", "holder": self.account, "limit": "1000"}
            page = self._get("/jobs", **query, **({"cursor": cursor} if cursor else {}))
            found += [item["jobId"] for item in page["items"] if item["finality"] == "final"]
            cursor = page["next"]
            if cursor is None:
                return found

    def job(self, job_id: int) -> Job:
        raw = self._final(f"/jobs/{job_id}")
        return Job(
            raw["jobId"],
            raw["grantId"],
            raw["modelId"],
            JobState[raw["state"].upper()],
            raw["deadline"],
            _bytes(raw["resultKey"]),
        )

    def grant(self, grant_id: int) -> Grant:
        raw = self._final(f"/grants/{grant_id}", "stateFinality")
        return Grant(raw["grantId"], raw["holder"], raw["datasetId"], GrantState[raw["state"].upper()], raw["until"])

    def approved_model_hash(self, dataset_id: int, model_id: int) -> bytes | None:
        try:
            raw = self._final(f"/datasets/{dataset_id}/models/{model_id}")
        except ChainRefused as error:
            # The contract takes jobs for models that nobody published.
            if error.error == "not-found":
                return None
            raise
        return _bytes(raw["contentHash"]) if raw["approved"] else None

    def dataset_version(self, dataset_id: int) -> int:
        return int(self._final(f"/datasets/{dataset_id}")["version"])

    def chain_time(self) -> int:
        """Of the newest block, a little later than the newest final one: what is over there is over here."""
        return int(self._get("/readyz")["time"])

    # --- ChainPort: writes

    def accept(self, job_id: int) -> None:
        self._write(job_id, "accept")

    def complete(
        self, job_id: int, ciphertext_hash: bytes, dataset_version: int, model_hash: bytes, epsilon: int
    ) -> None:
        facts = {
            "ciphertextHash": _hex(ciphertext_hash),
            "datasetVersion": dataset_version,
            "modelHash": _hex(model_hash),
            "epsilon": epsilon,
        }
        self._write(job_id, "complete", facts)

    def fail(self, job_id: int, reason: Reason) -> None:
        self._write(job_id, "fail", {"reason": reason.name.lower()})

    def deliver(self, job_id: int, ciphertext: bytes) -> None:
        headers = {"content-type": "application/octet-stream"}
        self._ask("PUT", f"/jobs/{job_id}/result", content=ciphertext, headers=headers)

    # --- model files

    def model_file(self, model_id: int) -> tuple[bytes, bytes | None]:
        """The content hash on chain, and the file where the service keeps it."""
        registered = _bytes(self._final(f"/models/{model_id}")["contentHash"])
        try:
            return registered, self._ask("GET", f"/models/{model_id}/file").content
        except ChainRefused:
            return registered, None

    # --- internals

    def _get(self, path: str, **query: Any) -> Any:
        return self._json(self._ask("GET", path, params=query))

    def _final(self, path: str, field: str = "finality") -> Any:
        found = self._get(path)
        if found[field] != "final":
            raise ChainUnavailable(f"{path} changed in a block that is not final yet")
        return found

    def _write(self, job_id: int, act: str, body: Any = None) -> None:
        """Return once the transaction is final. What failed before is tried again, because its reason may have gone since."""
        last = ChainRefused("none")
        for attempt in range(ATTEMPTS):
            headers = {"idempotency-key": f"node-{act}-{job_id}-{attempt}", "prefer": f"wait={BLOCK_SECONDS}"}
            try:
                response = self._ask("POST", f"/jobs/{job_id}/{act}", json=body, headers=headers)
                self._until_final(self._json(response))
                return
            except _Failed as failed:
                log.warning("transaction failed", job=job_id, act=act, attempt=attempt, error=failed.refusal.error)
                last = failed.refusal
        raise last

    def _until_final(self, transaction: Any) -> None:
        began = time.monotonic()
        while transaction["state"] != "final":
            if transaction["state"] == "failed":
                raise _Failed(ChainRefused(_reason(transaction["problem"] or {})))
            if time.monotonic() - began > FINAL_SECONDS:
                raise ChainUnavailable(f"transaction {transaction['id']} is still {transaction['state']}")
            if self._pause(0.2):
                raise ChainUnavailable("the node is stopping")
            transaction = self._get(f"/transactions/{transaction['id']}")

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise ChainUnavailable(f"{method} {path}: {type(error).__name__}: {error}") from error
        if response.status_code < 400:
            return response
        try:
            problem = response.json()
        except ValueError:
            problem = {}
        if response.status_code == 401:
            raise NotTheHolder("the service does not know the API key, or it was revoked")
        if response.status_code >= 500 or response.status_code == 429 or not isinstance(problem, dict):
            raise ChainUnavailable(f"{method} {path}: HTTP {response.status_code}")
        refusal = ChainRefused(_reason(problem))
        if "transaction" in problem:
            raise _Failed(refusal)
        raise refusal

    @staticmethod
    def _json(response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise ChainUnavailable("the service's answer is not JSON") from error


class _Failed(Exception):
    """A transaction was stored and failed."""

    def __init__(self, refusal: ChainRefused):
        super().__init__(refusal.error)
        self.refusal = refusal


class ModelFolder(Mapping[int, Model]):
    """Model files by the number of the model. A file that is not in the folder is asked of the service; what does not have the hash on the
    chain is not taken, wherever it comes from. The files of the folder may have any name."""

    def __init__(self, folder: Path, port: ServicePort):
        self._folder, self._port = folder, port

    def __getitem__(self, model_id: int) -> Model:
        registered, content = self._port.model_file(model_id)
        found = self._local().get(registered)
        if found is not None:
            return found
        if content is None:
            raise KeyError(model_id)
        try:
            model = parse_model(content)
        except ModelError as error:
            log.warning("model file of the service refused", model=model_id, reason=str(error))
            raise KeyError(model_id) from error
        if model.content_hash != registered:
            log.warning("model file of the service refused", model=model_id, reason="it has another hash")
            raise KeyError(model_id)
        (self._folder / f"{registered.hex()}.json").write_bytes(content)
        return model

    def _local(self) -> dict[bytes, Model]:
        found = {}
        for path in sorted(self._folder.glob("*.json")):
            try:
                with path.open("rb") as file:
                    model = parse_model(file.read(2**20))
            except (ModelError, OSError) as error:
                log.warning("no model file", file=path.name, reason=str(error))
                continue
            found[model.content_hash] = model
        return found

    def __iter__(self) -> Iterator[int]:
        raise TypeError("models are looked up, not listed")

    def __len__(self) -> int:
        return len(self._local())


def _reason(problem: dict[str, Any]) -> str:
    """The contract's error, or what the service calls its own refusal."""
    error = problem.get("contractError")
    if isinstance(error, dict) and error.get("name"):
        return str(error["name"])
    return str(problem.get("type", "unknown")).rsplit(":", 1)[-1]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False
