"""The sandbox on the real records, and what hostile SQL gets: a reason, and a node that lives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from frontend_api.compute import grammar
from frontend_api.compute.sandbox import Contained, Containment, Limits, Source, active_layers, run_sql

COLUMNS = ("diagnosis", "mean_radius", "mean_area")
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def cases(records):
    return {"cases": Source(records, COLUMNS)}


def contained(sql, tables, reason, inspect=True, limits=None, says=""):
    with pytest.raises(Contained) as caught:
        run_sql(sql, tables, "n", limits, inspect)
    assert caught.value.reason is reason, caught.value
    assert says in caught.value.detail


@pytest.fixture(scope="session")
def parse():
    """The grammar check as the child does it, without a process for each query."""
    database = duckdb.connect()

    def check(sql):
        parsed = database.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()[0]
        grammar.check(json.loads(parsed), ["cases"], "n")

    return check


def test_run__tumour_size_by_diagnosis__equals_pandas_on_the_569_records(cases, model):
    from sklearn.datasets import load_breast_cancer

    loaded = load_breast_cancer(as_frame=True)
    frame = loaded.frame.assign(diagnosis=[str(loaded.target_names[t]) for t in loaded.frame.target])
    groups = frame.groupby("diagnosis")
    expected = [
        [
            name,
            len(group),
            group["mean radius"].mean(),
            group["mean radius"].std(ddof=1),
            group["mean area"].mean(),
        ]
        for name, group in groups
    ]
    answer = run_sql(model.sql, cases, model.count_column)

    assert answer.columns == tuple((column.name, column.type) for column in model.output)
    assert [row[:2] for row in answer.rows] == [("benign", 357), ("malignant", 212)]
    for row, wanted in zip(answer.rows, expected, strict=True):
        assert list(row) == [*wanted[:2], *(pytest.approx(value, rel=1e-12) for value in wanted[2:])]
    assert answer.rows[0][2] == pytest.approx(12.14652380952381, rel=1e-12)
    assert answer.rows[1][2] == pytest.approx(17.46283018867925, rel=1e-12)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT floor(mean_radius / 5) AS bin, count(*) AS n FROM cases WHERE mean_area BETWEEN 9 AND 2000 GROUP BY 1",
        "SELECT round(corr(mean_radius, mean_area), 3) AS r, count(*) AS n FROM cases",
        "SELECT diagnosis, count(*) AS n FROM cases GROUP BY diagnosis HAVING avg(mean_radius) > 15 ORDER BY n LIMIT 1",
        "SELECT CASE WHEN mean_radius > 15 THEN 'large' ELSE 'small' END AS size, count(*) AS n FROM cases GROUP BY 1",
        "SELECT CAST(mean_radius AS BIGINT) AS r, count(*) AS n FROM cases WHERE diagnosis ILIKE '%NANT' GROUP BY 1",
        "SELECT count(*) AS n FROM cases WHERE diagnosis LIKE 'mal%' AND diagnosis IN ('malignant', 'x')",
    ],
)
def test_run__allowed_queries__answered(cases, sql):
    assert run_sql(sql, cases, "n").rows


def test_run__one_value_in_a_large_group__stands_behind_no_result(tmp_path):
    """Aggregates pass over NULL and count(*) does not: avg over twelve records with one value is that one's value."""
    file = tmp_path / "sparse.parquet"
    with duckdb.connect() as database:
        database.sql(
            "SELECT 'ward' AS ward, CASE WHEN i = 7 THEN 61234.0 END AS income, i::DOUBLE AS age FROM range(12) t(i)"
        ).write_parquet(str(file))

    sparse = {"cases": Source(file, ("ward", "income"))}
    answer = run_sql("SELECT ward, avg(income) AS a, count(*) AS n FROM cases GROUP BY ward", sparse, "n")
    assert [row[-1] for row in answer.rows] == [1], "the group is as small as what the average stands on"

    full = {"cases": Source(file, ("ward", "age"))}
    answer = run_sql("SELECT ward, avg(age) AS a, count(*) AS n FROM cases GROUP BY ward", full, "n")
    assert answer.rows == (("ward", 5.5, 12),), "a column that the model does not take costs no record"


@pytest.mark.parametrize(
    "sql",
    [
        "COPY cases TO '/tmp/stolen.csv'",
        "COPY (SELECT * FROM cases) TO '/dev/stdout'",
        "ATTACH '/tmp/other.db' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA threads = 64",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "EXPORT DATABASE '/tmp/stolen'",
        "CREATE TABLE kept AS SELECT * FROM cases",
        "DROP TABLE cases",
        "CALL pragma_version()",
        "EXPLAIN ANALYZE SELECT count(*) AS n FROM cases",
        "SELECT count(*) AS n FROM cases; SELECT count(*) AS n FROM cases",
        "SELECT count(*) AS n FROM cases; COPY cases TO '/tmp/stolen.csv'",
        "",
        "no SQL at all",
        "SELECT count(*) AS n FROM read_csv('/etc/passwd')",
        "SELECT count(*) AS n FROM '/etc/passwd'",
        "SELECT count(*) AS n FROM glob('/*')",
        "SELECT count(*) AS n FROM duckdb_settings()",
        "SELECT count(*) AS n FROM duckdb_tables()",
        "SELECT count(*) AS n FROM pragma_database_list",
        "SELECT count(*) AS n FROM information_schema.tables",
        "SELECT count(*) AS n FROM sqlite_master",
        "SELECT count(*) AS n FROM query('SELECT 1')",
        "SELECT count(*) AS n FROM query_table('cases')",
        "SELECT count(*) AS n FROM patients",
        "SELECT count(*) AS n FROM memory.main.cases",
        "SELECT count(*) AS n FROM range(100)",
        "SELECT count(*) AS n, current_setting('temp_directory') AS s FROM cases",
        "SELECT count(*) AS n, getvariable('HOME') AS s FROM cases",
        "SELECT count(*) AS n, current_query() AS s FROM cases",
        "SELECT * FROM cases",
        "SELECT mean_radius FROM cases",
        "SELECT mean_radius, 100 AS n FROM cases",
        "SELECT mean_radius, 100::BIGINT AS n FROM cases GROUP BY 1",
        "SELECT mean_radius, count(*) * 10 AS n FROM cases GROUP BY 1",
        "SELECT mean_radius, count(mean_area) AS n FROM cases GROUP BY 1",
        "SELECT count(*) AS n, count(*) AS N FROM cases",
        "SELECT a.mean_radius, count(*) AS n FROM cases a, cases b GROUP BY 1",
        "SELECT a.mean_radius, count(*) AS n FROM cases a JOIN cases b ON true GROUP BY 1",
        "SELECT count(*) AS n FROM (SELECT * FROM cases)",
        "SELECT count(*) AS n, (SELECT max(mean_radius) FROM cases) AS m FROM cases",
        "SELECT count(*) AS n FROM cases WHERE EXISTS (SELECT 1 FROM read_text('/etc/passwd'))",
        "WITH t AS (SELECT * FROM cases) SELECT count(*) AS n FROM t",
        "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r) SELECT count(*) AS n FROM r",
        "SELECT count(*) AS n FROM cases UNION ALL SELECT 100 AS n",
        "SELECT count(*) AS n, min(mean_radius) AS m FROM cases",
        "SELECT count(*) AS n, max(mean_radius) AS m FROM cases",
        "SELECT count(*) AS n, median(mean_radius) AS m FROM cases",
        "SELECT count(*) AS n, list(mean_radius) AS m FROM cases",
        "SELECT count(*) AS n, string_agg(diagnosis, ',') AS m FROM cases",
        "SELECT count(*) AS n, any_value(mean_radius) AS m FROM cases",
        "SELECT count(*) AS n, arg_max(diagnosis, mean_radius) AS m FROM cases",
        "SELECT count(*) AS n, sum(mean_radius) FILTER (WHERE mean_area = 1001) AS m FROM cases",
        "SELECT count(*) FILTER (WHERE true) AS n FROM cases",
        "SELECT count(*) AS n, sum(CASE WHEN mean_area = 1001 THEN mean_radius ELSE 0 END) AS m FROM cases",
        "SELECT count(*) AS n, sum(mean_radius * (mean_area = 1001)::INT) AS m FROM cases",
        "SELECT count(*) AS n, sum(DISTINCT mean_radius) AS m FROM cases",
        "SELECT count(*) OVER () AS n, mean_radius FROM cases",
        "SELECT mean_radius, count(*) AS n FROM cases GROUP BY ALL",
        "SELECT mean_radius, count(*) AS n FROM cases GROUP BY ROLLUP (mean_radius)",
        "SELECT DISTINCT mean_radius, count(*) AS n FROM cases GROUP BY 1",
        "SELECT count(*) AS n FROM cases TABLESAMPLE 1 ROWS",
        "SELECT diagnosis, count(*) AS n FROM cases GROUP BY 1 QUALIFY row_number() OVER () = 1",
        "DESCRIBE cases",
        "SUMMARIZE cases",
        "SHOW TABLES",
        "PIVOT cases ON diagnosis",
        "VALUES (1)",
        "SELECT count(*) AS n, repeat('x', 1000000000) AS m FROM cases",
        "SELECT count(*) AS n, list_transform([1], lambda x : x) AS m FROM cases",
        "SELECT COLUMNS(*), count(*) AS n FROM cases GROUP BY 1, 2, 3",
        "SELECT count(*) AS n FROM cases WHERE mean_radius > ?",
    ],
)
def test_grammar__outside_it__refused(parse, sql):
    with pytest.raises(grammar.Refused):
        parse(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "COPY cases TO '/tmp/stolen.csv'",
        "SELECT mean_radius, 100::BIGINT AS n FROM cases GROUP BY 1",
        "SELECT " + "(" * 20_000 + "1" + ")" * 20_000 + " AS n",
        "SELECT count(*) AS n FROM cases WHERE " + "NOT " * 5_000 + "true",
    ],
)
def test_run__outside_the_grammar__refused_before_it_runs(cases, sql):
    with pytest.raises(Contained) as caught:
        run_sql(sql, cases, "n")
    assert caught.value.reason in (Containment.GRAMMAR, Containment.EXECUTION, Containment.RESOURCES)
    # The node lives and its next job is served.
    assert run_sql("SELECT count(*) AS n FROM cases", cases, "n").rows == ((569,),)


# --- the layers underneath, with the grammar left out


@pytest.mark.parametrize(
    "sql",
    [
        "COPY cases TO 'stolen.csv'",
        "COPY cases TO '/tmp/stolen.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM read_blob('/proc/self/mem')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM parquet_metadata('0.parquet')",
        "ATTACH '/tmp/other.db' AS other",
        "ATTACH ':memory:' AS other; COPY cases TO '/tmp/stolen.csv'",
        "INSTALL httpfs",
        "INSTALL httpfs FROM 'http://127.0.0.1:1/'",
        "LOAD httpfs",
        "LOAD '/tmp/evil.duckdb_extension'",
        "SELECT * FROM read_csv('https://127.0.0.1:1/x.csv')",
        "PRAGMA threads = 64",
        "SET memory_limit = '1TB'",
        "SET enable_external_access = true",
        "SET disabled_filesystems = ''",
        "RESET lock_configuration",
        "EXPORT DATABASE '/tmp/stolen'",
        "SELECT getenv('HOME')",
        "SELECT * FROM patients",
        "SELECT mean_texture FROM cases",
    ],
)
def test_locked_database__hostile_statement__refused_by_the_database(cases, sql):
    contained(sql, cases, Containment.EXECUTION, inspect=False)
    assert not Path("/tmp/stolen.csv").exists()
    assert not Path("/tmp/stolen").exists()


@pytest.mark.parametrize("sql", ["SELECT * FROM duckdb_settings()", "SELECT * FROM duckdb_databases()"])
def test_locked_database__what_settings_tell__no_path_of_the_holders_machine(cases, records, sql):
    try:
        text = str(run_sql(sql, cases, "n", inspect=False).rows)
    except Contained as error:
        text = error.detail
    for secret in (str(records.parent), str(ROOT), "chaincity-", os.environ.get("HOME", "/home/")):
        assert secret not in text


def test_locked_database__both_doors__shut_each_by_itself(cases):
    doors = "SELECT current_setting('enable_external_access') AS a, current_setting('lock_configuration') AS b"
    assert run_sql(doors, cases, "n", inspect=False).rows == ((False, True),)
    # DuckDB shows the disabled file systems nowhere but in this refusal.
    sql = "SELECT * FROM read_text('/etc/hostname')"
    contained(sql, cases, Containment.EXECUTION, inspect=False, says="LocalFileSystem has been disabled")


QUICK = Limits(wall_seconds=3, cpu_seconds=2)


def test_limits__endless_recursion__out_of_time(cases):
    endless = "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT (x + 1) % 7 FROM r) SELECT count(*) AS n FROM r"
    started = time.monotonic()
    contained(endless, cases, Containment.RESOURCES, inspect=False, limits=QUICK)
    assert time.monotonic() - started < 8


def test_limits__sleeping_without_processor_time__out_of_wall_time(cases):
    limits = Limits(wall_seconds=0.05)
    contained("SELECT count(*) AS n FROM cases", cases, Containment.RESOURCES, limits=limits)


def test_limits__memory_hog__stopped(cases):
    hog = "SELECT count(*) AS n FROM (SELECT DISTINCT a.range, b.range FROM range(20000) a, range(20000) b)"
    contained(hog, cases, Containment.RESOURCES, inspect=False)


def test_limits__one_huge_text__stopped(cases):
    hog = "SELECT repeat('x', 3000000000) AS n"
    with pytest.raises(Contained) as caught:
        run_sql(hog, cases, "n", inspect=False)
    assert caught.value.reason in (Containment.RESOURCES, Containment.EXECUTION, Containment.OUTPUT)


def test_limits__too_many_or_too_large_rows__refused(cases):
    contained("SELECT * FROM range(1001)", cases, Containment.OUTPUT, inspect=False, says="rows")
    contained("SELECT repeat('x', 300000) AS n", cases, Containment.OUTPUT, inspect=False, says="larger")
    contained("SELECT 'nan'::DOUBLE AS n", cases, Containment.OUTPUT, inspect=False)


PROBE = """
import os, socket, sys
sys.path.append(sys.argv[1])
import json
from frontend_api.compute import child
found = {"layers": child.leave_network()}
found["layers"] += child.lock_down(5, 2**31, 1024)
def attempt(name, action):
    try:
        found[name] = repr(action())
    except (OSError, MemoryError) as error:
        found[name] = type(error).__name__
attempt("read", lambda: open("/etc/passwd").read())
attempt("create", lambda: open("made", "w"))
attempt("list", lambda: os.listdir("/proc"))
attempt("socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).connect(("127.0.0.1", int(sys.argv[2]))))
attempt("fork", os.fork)
attempt("allocate", lambda: len(bytearray(3 * 2**30)))
attempt("root", lambda: os.setuid(0))
found["environment"] = dict(os.environ)
os.write(1, json.dumps(found).encode())
"""


def test_child__locked_down__reaches_no_file_no_network_no_process(tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        done = subprocess.run(
            [sys.executable, "-I", "-c", PROBE, str(ROOT), str(server.getsockname()[1])],
            cwd=tmp_path, env={}, capture_output=True, check=True,
        )  # fmt: skip
    found = json.loads(done.stdout)

    assert "resource-limits" in found["layers"]
    assert found["socket"].endswith("Error")
    assert found["create"].endswith("Error")
    assert found["allocate"] == "MemoryError"
    assert set(found["environment"]) <= {"LC_CTYPE"}
    if "empty-root" in found["layers"]:
        assert (found["read"], found["list"]) == ("FileNotFoundError", "FileNotFoundError") or found[
            "read"
        ] == "OSError"
    if "unprivileged-user" in found["layers"]:
        assert (found["fork"], found["root"]) == ("BlockingIOError", "PermissionError")


def test_active_layers__always__name_what_contains_a_model():
    layers = active_layers()
    assert layers[:3] == ("separate-process", "query-grammar", "locked-database")
    assert "resource-limits" in layers
