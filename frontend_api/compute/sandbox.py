"""Runs a model's SQL in a process of its own and answers with rows or with the reason why there are none.

The parent writes the granted columns into a snapshot file in a private directory; the child (`child.py`) loads it,
locks itself in and runs the query. Whatever the query does, the parent lives: it waits no longer than the time limit
and reads no more than the size limit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import duckdb

_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.append(sys.argv[1]); from frontend_api.compute.child import main; main()"


class Containment(Enum):
    """Why the sandbox gave no rows."""

    GRAMMAR = "grammar"  #: the query is not of the allowed kind
    EXECUTION = "execution"  #: the database refused or failed
    RESOURCES = "resources"  #: time, memory or processor limit
    OUTPUT = "output"  #: too many rows, too large, or values that no JSON holds
    SANDBOX = "sandbox"  #: the sandbox itself failed: the holder's own problem


@dataclass(frozen=True)
class Limits:
    """What one run may take. Seconds, bytes, rows."""

    wall_seconds: float = 20.0
    cpu_seconds: int = 15
    memory_bytes: int = 2 * 2**30
    database_bytes: int = 256 * 2**20
    max_rows: int = 1_000
    max_bytes: int = 256 * 1024


@dataclass(frozen=True)
class Rows:
    """What a query answered: columns as (name, DuckDB type), rows as JSON values, and which layers contained it."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    layers: tuple[str, ...] = ()


class Contained(Exception):
    """The run gave no rows. `detail` may quote data: for the holder's own log only."""

    def __init__(self, reason: Containment, detail: str, layers: Sequence[str] = ()):
        super().__init__(f"{reason.value}: {detail}")
        self.reason, self.detail, self.layers = reason, detail, tuple(layers)


@dataclass(frozen=True)
class Source:
    """What a query may see under a table's name: some columns of a Parquet file that the holder keeps."""

    file: Path
    columns: tuple[str, ...]


def quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def write_snapshot(source: Source, target: Path) -> None:
    """Copy the granted columns, and only those, into a file of their own: of the records that have a value in each of them.

    Aggregates pass over NULL, but count(*) does not: an average over a group of twelve with one value would be that one record's. Among
    complete records every aggregate stands on exactly as many as the count says.
    """
    columns = ", ".join(quoted(column) for column in source.columns)
    complete = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in source.columns)
    path = str(target).replace("'", "''")
    with duckdb.connect(":memory:") as database:
        database.execute(
            f"COPY (SELECT {columns} FROM read_parquet(?) WHERE {complete}) TO '{path}' (FORMAT parquet)",  # noqa: S608
            [str(source.file)],
        )


def run_sql(
    sql: str,
    tables: Mapping[str, Source],
    count_column: str,
    limits: Limits | None = None,
    inspect: bool = True,
) -> Rows:
    """Run one query over the granted tables. Raises `Contained`.

    `inspect=False` leaves out the grammar check, so that tests can show that the layers underneath hold without it; a
    node never does.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="chaincity-job-") as private:
        snapshots = {}
        with tempfile.TemporaryDirectory(prefix="chaincity-snapshot-") as held:
            for number, (name, source) in enumerate(tables.items()):
                snapshots[name] = str(Path(held) / f"{number}.parquet")
                write_snapshot(source, Path(snapshots[name]))
            request = {
                "sql": sql,
                "tables": snapshots,
                "count_column": count_column,
                "inspect": inspect,
                "cpu_seconds": limits.cpu_seconds,
                "memory_bytes": limits.memory_bytes,
                "database_bytes": limits.database_bytes,
                "max_rows": limits.max_rows,
                "max_bytes": limits.max_bytes,
            }
            return _judge(*_spawn(request, private, limits))


def _spawn(request: dict[str, Any], directory: str, limits: Limits) -> tuple[int | None, bytes]:
    """The child's exit status (None when it ran out of time) and what it wrote."""
    # A file and no pipe: the kernel (RLIMIT_FSIZE) then bounds what even a child that was taken over can write.
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, str(_ROOT)],
            cwd=directory,
            env={},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            child.communicate(json.dumps(request).encode(), timeout=limits.wall_seconds)
        except subprocess.TimeoutExpired:
            return None, b""
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.communicate()
        output.seek(0)
        return child.returncode, output.read()


def _judge(status: int | None, output: bytes) -> Rows:
    if status is None:
        raise Contained(Containment.RESOURCES, "out of time")
    if status != 0:
        # Killed by a limit (SIGXCPU, SIGKILL) or crashed where memory ran out.
        raise Contained(Containment.RESOURCES, f"ended with status {status}")
    try:
        answer = json.loads(output)
        layers = tuple(answer["layers"])
        if not answer["ok"]:
            raise Contained(Containment(answer["reason"]), answer["detail"], layers)
        columns = tuple((str(name), str(kind)) for name, kind in answer["columns"])
        return Rows(columns, tuple(tuple(row) for row in answer["rows"]), layers)
    except (ValueError, KeyError, TypeError) as error:
        raise Contained(Containment.SANDBOX, f"unreadable answer: {error}") from error


def active_layers() -> tuple[str, ...]:
    """Which layers take effect on this machine; the node says so at its start."""
    with tempfile.TemporaryDirectory(prefix="chaincity-probe-") as folder:
        file = Path(folder) / "probe.parquet"
        with duckdb.connect(":memory:") as database:
            database.execute(f"COPY (SELECT 1 AS x) TO '{file}' (FORMAT parquet)")
        rows = run_sql("SELECT count(*) AS n FROM probe", {"probe": Source(file, ("x",))}, "n")
        return ("separate-process", "query-grammar", "locked-database", *rows.layers)
