"""The database: SQLAlchemy Core, SQLite by default.

Repositories are plain functions of a `Connection`; services call them through `Database.read` and `Database.write`. SQLite reads take
microseconds and run where they are; writes wait for the disk and run on one writer thread. Other databases run both on threads.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Integer,
    MetaData,
    RowMapping,
    TypeDecorator,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.pool import NullPool

from .errors import InvalidInput, Unavailable

metadata = MetaData()

#: Times, case numbers and block numbers: 32 bits would end in 2038. SQLite's INTEGER has 64 bits under its own name.
Whole = BigInteger().with_variant(Integer(), "sqlite")

#: No time is later: 63 bits are what databases hold.
LATEST_TIME = 2**63 - 1


class ChainTime(TypeDecorator[int]):
    """A time of the chain's that no contract bounds. It has 64 bits there, so the last half of all times is stored as the latest one."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, _: Any) -> int | None:
        return None if value is None else min(value, LATEST_TIME)


#: A row of a query, by column name.
Row = RowMapping

P = ParamSpec("P")
R = TypeVar("R")


class Database:
    def __init__(self, url: str):
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine: Engine = create_engine(
            self.url,
            poolclass=NullPool if self.is_sqlite else None,
            # Column names in a row are SQLAlchemy's own kind of str, which orjson takes for something else.
            json_serializer=lambda value: orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode(),
            json_deserializer=orjson.loads,
        )
        self._reader: Connection | None = None
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure_sqlite)
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="db-writer")
        self._readers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="db-reader")
        self._write_connection: Connection | None = None

    def create(self) -> None:
        metadata.create_all(self.engine)

    async def read(self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self.is_sqlite:
            return self._read_now(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, lambda: self._read_fresh(function, *args, **kwargs)
        )

    async def read_snapshot(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """A long read of several statements that all see one state, on a thread of its own."""
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, lambda: self.read_snapshot_now(function, *args, **kwargs)
        )

    def read_snapshot_now(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        try:
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    # Python's driver begins transactions at writes only.
                    connection.exec_driver_sql("BEGIN")
                else:
                    connection.execution_options(isolation_level="REPEATABLE READ")
                return function(connection, *args, **kwargs)
        except OperationalError as error:
            raise Unavailable("The database did not answer. Try again.") from error
        except DataError as error:
            raise _unfit() from error

    async def write(self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run in one transaction: everything is stored when this returns, or nothing."""
        return await asyncio.get_running_loop().run_in_executor(
            self._writer, lambda: self.write_now(function, *args, **kwargs)
        )

    def write_now(self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            if self._write_connection is None:
                self._write_connection = self.engine.connect()
            with self._write_connection.begin():
                return function(self._write_connection, *args, **kwargs)
        except OperationalError as error:
            self._write_connection = None
            raise Unavailable("The database did not take the change; nothing was stored. Try again.") from error
        except DataError as error:
            raise _unfit() from error

    def _read_now(self, function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        if self._reader is None:
            self._reader = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            return function(self._reader, *args, **kwargs)
        except OperationalError as error:
            self._reader = None
            raise Unavailable("The database did not answer. Try again.") from error

    def _read_fresh(self, function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        try:
            with self.engine.connect() as connection:
                return function(connection, *args, **kwargs)
        except OperationalError as error:
            raise Unavailable("The database did not answer. Try again.") from error
        except DataError as error:
            raise _unfit() from error

    def claim(self) -> bool:
        """Become the one service that sends and indexes on this database; false when another one is. Ends with `close`."""
        if self.is_sqlite:
            self._lock = Path(f"{self.url.database}.lock").open("w")  # noqa: SIM115 - held until close
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._lock.close()
                return False
            return True
        self._claimed = self.engine.connect()
        return bool(self._claimed.execute(text("select pg_try_advisory_lock(727001)")).scalar())

    _lock: IO[str] | None = None
    _claimed: Connection | None = None

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
        if self._claimed is not None:
            self._claimed.close()
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        for connection in (self._reader, self._write_connection):
            if connection is not None:
                connection.close()
        self.engine.dispose()


def _unfit() -> InvalidInput:
    """PostgreSQL's answer to a zero byte, for instance, which SQLite takes; no other value than a caller's can be so."""
    return InvalidInput("The request has a text or number that the database cannot hold.")


def _configure_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # An accepted request must survive a power cut: WAL with FULL syncs the log at every commit.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
