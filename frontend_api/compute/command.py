"""`chaincity node`: the holder's node as a process, from a TOML file. docs/node.example.toml is one with every setting."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import duckdb
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..kit.bulk import field_errors
from . import sandbox
from .datasets import DatasetFacts, describe
from .node import ChainUnavailable, HeldDataset, Node
from .policy import OutputPolicy
from .port import ModelFolder, NotTheHolder, ServicePort

log = structlog.get_logger(__name__)

Salt = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")]
EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class StartRefused(Exception):
    """The node does not start; the message says what must be put right."""


class ConfigRefused(StartRefused):
    """The configuration file: the message names the field and the rule."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(_Section):
    """The organisation's own service. The API key is in the environment, never in the file."""

    url: str = Field(pattern=r"^https?://[^/]+")
    key_env: EnvironmentName = "CHAINCITY_NODE_KEY"


class Policy(_Section):
    minimum_group: int = Field(10, ge=2, description="a group of one is a person")
    max_rows: int = Field(100, ge=1, le=1_000)
    max_text: int = Field(64, ge=1)


class Dataset(_Section):
    """One dataset. The salt opens its content commitment: in the file, or in the environment."""

    id: int = Field(ge=1)
    file: Path
    version: int = Field(ge=1, le=65_535)
    columns: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    salt: Salt | None = None
    salt_env: EnvironmentName | None = None
    policy: Policy = Policy()

    @model_validator(mode="after")
    def _one_salt(self) -> Dataset:
        if (self.salt is None) == (self.salt_env is None):
            raise ValueError("give either salt or salt_env")
        return self


class Config(_Section):
    """Paths are relative to the file they stand in."""

    service: Service
    database: Path
    models: Path
    poll_seconds: float = Field(2.0, gt=0, le=3600)
    datasets: tuple[Dataset, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _different(self) -> Config:
        if len({dataset.id for dataset in self.datasets}) != len(self.datasets):
            raise ValueError("a dataset is given twice")
        return self


def read_config(path: Path) -> Config:
    """Raises `ConfigRefused`."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigRefused(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigRefused(f"{path}: not TOML: {error}") from error
    try:
        return Config.model_validate(_located(raw, path.parent))
    except ValidationError as error:
        broken = "; ".join(f"{e['field'] or 'file'}: {e['rule']}" for e in field_errors(error.errors()))
        raise ConfigRefused(f"{path}: {broken}") from error


def _located(raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Paths as seen from here; what is no path is left for the validation."""

    def located(section: Any, *names: str) -> Any:
        if not isinstance(section, dict):
            return section
        return {k: str(folder / v) if k in names and isinstance(v, str) else v for k, v in section.items()}

    made: dict[str, Any] = located(raw, "database", "models")
    if isinstance(made.get("datasets"), list):
        made["datasets"] = [located(dataset, "file") for dataset in made["datasets"]]
    return made


def secret(name: str, environment: Mapping[str, str]) -> str:
    """Raises `ConfigRefused`."""
    value = environment.get(name, "")
    if not value:
        raise ConfigRefused(f"the environment variable {name}, which the configuration names, is not set")
    return value


def hold(dataset: Dataset, port: ServicePort, environment: Mapping[str, str]) -> HeldDataset:
    """The dataset, once it is this holder's and the local file is the registered version. Raises `StartRefused`."""
    registered = port.registered_version(dataset.id, dataset.version)
    if registered is None:
        raise StartRefused(f"dataset {dataset.id} has no version {dataset.version} on the chain")
    if registered.holder != port.account:
        raise StartRefused(f"dataset {dataset.id} is not {port.account}'s: the chain says {registered.holder} holds it")
    facts = _facts(dataset, environment)
    if facts.schema_root != registered.schema_root:
        raise StartRefused(
            f"{dataset.file.name} does not have the columns of dataset {dataset.id}, version {dataset.version}: its "
            f"schema root is 0x{facts.schema_root.hex()}, registered is 0x{registered.schema_root.hex()}"
        )
    if facts.content_commitment != registered.content_commitment:
        raise StartRefused(
            f"{dataset.file.name} is not what was registered as dataset {dataset.id}, version {dataset.version} (or the "
            f"salt is another): its commitment is 0x{facts.content_commitment.hex()}, registered is "
            f"0x{registered.content_commitment.hex()}"
        )
    known = {name for name, _ in facts.columns}
    missing = [name for name in dataset.columns if name not in known]
    if missing:
        raise StartRefused(f"dataset {dataset.id}: {dataset.file.name} has no column {', '.join(missing)}")
    if registered.newest != dataset.version:
        log.warning("not the newest version", dataset=dataset.id, here=dataset.version, registered=registered.newest)
    return HeldDataset(dataset.file, dataset.version, dataset.columns, OutputPolicy(**dataset.policy.model_dump()))


def _facts(dataset: Dataset, environment: Mapping[str, str]) -> DatasetFacts:
    salt = dataset.salt if dataset.salt_env is None else secret(dataset.salt_env, environment)
    try:
        return describe(dataset.file, bytes.fromhex((salt or "").removeprefix("0x")))
    except ValueError as error:
        raise ConfigRefused(f"dataset {dataset.id}: the salt is 0x and 64 hexadecimal digits") from error
    except (OSError, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise StartRefused(f"dataset {dataset.id}: {dataset.file} cannot be read: {reason}") from error


def run(path: Path, *, once: bool, environment: Mapping[str, str] = os.environ) -> None:
    """Serve until SIGTERM or SIGINT; with `once` one pass only. Raises `StartRefused` and, with `once`, `ChainUnavailable`."""
    config = read_config(path)
    key = secret(config.service.key_env, environment)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    config.models.mkdir(parents=True, exist_ok=True)
    config.database.parent.mkdir(parents=True, exist_ok=True)
    port = ServicePort.connect(config.service.url, key, stop.wait)
    try:
        with _alone(config.database):
            _serve(config, port, stop, once, environment)
    except NotTheHolder as error:
        raise StartRefused(f"{config.service.url}: {error}") from error
    finally:
        port.close()
    log.info("stopped")


def _serve(
    config: Config, port: ServicePort, stop: threading.Event, once: bool, environment: Mapping[str, str]
) -> None:
    def attempt(work: Any) -> Any:
        """Until the service can be reached; None when the node is stopped first."""
        while not stop.is_set():
            try:
                return work()
            except ChainUnavailable as error:
                if once:
                    raise
                log.warning("waiting", reason=str(error))
                stop.wait(config.poll_seconds)
        return None

    held = attempt(lambda: {dataset.id: hold(dataset, port, environment) for dataset in config.datasets})
    if held is None:
        return
    log.info("started", account=port.account, datasets=sorted(held), layers=sandbox.active_layers())
    node = Node(port, config.database, held, ModelFolder(config.models, port))
    try:
        while not stop.is_set():
            attempt(lambda: _pass(node, stop))
            if once:
                return
            stop.wait(config.poll_seconds)
    finally:
        node.close()


def _pass(node: Node, stop: threading.Event) -> None:
    for job_id in node.jobs():
        if stop.is_set():
            return
        node.advance(job_id)


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """One node per database: a second one would take the first one's running job for an interrupted one."""
    with database.with_name(database.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartRefused(f"another node works with {database}") from error
        yield
