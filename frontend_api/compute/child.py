"""Inside the sandbox: a process of its own, without keys, network, files or privileges, that runs one query on one
snapshot.

Started as `python -I -c …` with an empty environment in an empty private directory. The order matters: import, leave
the network, load the snapshot, then lock every door, and only then look at the model. Imports nothing of the service
but `grammar`.

In: one JSON object on stdin. Out: one JSON object on stdout, `{"ok": true, "columns", "rows", "layers"}` or `{"ok":
false, "reason", "detail", "layers"}`. `detail` may quote data (a failed cast does): it is for the holder's own log and
never leaves the node.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from typing import Any

CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x08000000, 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
CAPABILITY_VERSION_3 = 0x20080522
NOBODY = 65534
#: Room for a report of why there is no result.
REPORT_BYTES = 64 * 1024
SIGKILL = 9


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def leave_network() -> list[str]:
    """Namespaces of its own, network included, where the kernel allows it. Must run while the process has one
    thread."""
    libc = _libc()
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.geteuid() == 0:
        # Root needs no user namespace, and keeps the right to become nobody below.
        return ["network-namespace"] if libc.unshare(CLONE_NEWNET | CLONE_NEWIPC) == 0 else []
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0:
        return ["user-namespace", "network-namespace"]
    return []


def lock_down(cpu_seconds: int, memory_bytes: int, output_bytes: int) -> list[str]:
    """No files, no privileges, no more processes, bounded time and memory. Returns the layers that took effect."""
    libc = _libc()
    layers = []
    try:
        os.chroot(".")
        os.chdir("/")
        layers.append("empty-root")
    except OSError:
        pass
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        layers.append("unprivileged-user")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    if libc.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)())) == 0:
        layers.append("no-capabilities")
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        layers.append("no-new-privileges")
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    # One second between the soft and the hard limit: the first ends with SIGXCPU, which the parent can tell from a
    # crash.
    for kind, soft, hard in (
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_FSIZE, output_bytes, output_bytes),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_NOFILE, 3, 3),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(kind, (soft, hard))
    layers.append("resource-limits")
    return layers


def _load(request: dict[str, Any]) -> Any:
    """A database in memory with the granted tables and nothing else, its doors shut."""
    import duckdb

    database = duckdb.connect(
        ":memory:",
        config={
            "threads": "1",
            "memory_limit": f"{request['database_bytes'] // 2**20}MB",
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
        },
    )
    for name, file in request["tables"].items():
        quoted = '"' + name.replace('"', '""') + '"'
        database.execute(f"CREATE TABLE {quoted} AS SELECT * FROM read_parquet(?)", [file])  # noqa: S608
    # What DuckDB sets up when first used is set up while it may still read files.
    database.execute("SELECT json_serialize_sql('SELECT avg(x) FROM t')").fetchall()
    for setting in (
        "enable_external_access = false",
        "disabled_filesystems = 'LocalFileSystem'",
        "lock_configuration = true",
    ):
        database.execute(f"SET {setting}")
    return database


def _run(database: Any, request: dict[str, Any]) -> dict[str, Any]:
    from frontend_api.compute import grammar

    if request["inspect"]:
        parsed = database.execute("SELECT json_serialize_sql(?)", [request["sql"]]).fetchone()
        grammar.check(json.loads(parsed[0]), list(request["tables"]), request["count_column"])
    cursor = database.execute(request["sql"])
    columns = [[column[0], str(column[1])] for column in cursor.description]
    rows = cursor.fetchmany(request["max_rows"] + 1)
    if len(rows) > request["max_rows"]:
        return {"ok": False, "reason": "output", "detail": "more rows than allowed"}
    return {"ok": True, "columns": columns, "rows": rows}


def _answer(request: dict[str, Any], layers: list[str]) -> dict[str, Any]:
    import duckdb

    from frontend_api.compute import grammar

    try:
        database = _load(request)
        layers += lock_down(request["cpu_seconds"], request["memory_bytes"], request["max_bytes"] + REPORT_BYTES)
    except Exception as error:
        return {"ok": False, "reason": "sandbox", "detail": f"{type(error).__name__}: {error}"}
    try:
        return _run(database, request)
    except grammar.Refused as error:
        return {"ok": False, "reason": "grammar", "detail": str(error)}
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        return {"ok": False, "reason": "resources", "detail": str(error)}
    except RecursionError:
        return {"ok": False, "reason": "grammar", "detail": "nested too deeply"}
    except Exception as error:
        return {"ok": False, "reason": "execution", "detail": f"{type(error).__name__}: {error}"}


def main() -> None:
    # Everything that a file is needed for is imported now.
    import duckdb  # noqa: F401

    from frontend_api.compute import grammar  # noqa: F401

    layers = leave_network()
    request = json.loads(sys.stdin.buffer.read())
    answer = {**_answer(request, layers), "layers": layers}
    if "detail" in answer:
        answer["detail"] = answer["detail"][:1_000]
    try:
        text = json.dumps(answer, allow_nan=False)
    except (TypeError, ValueError) as error:
        text = json.dumps({"ok": False, "reason": "output", "detail": str(error)[:1_000], "layers": layers})
    if answer["ok"] and len(text) > request["max_bytes"]:
        text = json.dumps({"ok": False, "reason": "output", "detail": "larger than allowed", "layers": layers})
    sys.stdout.write(text)
    sys.stdout.flush()
    # Nothing is left to do; DuckDB's threads and destructors need not be waited for.
    os._exit(0)
