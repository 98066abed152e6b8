"""`chaincity node`: configurations and data that it refuses, each with a sentence, and a clean stop."""

from __future__ import annotations

import os
import signal
import sys
import tomllib
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from frontend_api.cli import main
from frontend_api.compute.command import Config, ConfigRefused, StartRefused, _alone, hold, read_config, run, secret
from frontend_api.compute.datasets import describe
from frontend_api.compute.port import RegisteredVersion
from scripts.demonstration.processes import Process, free_port

ROOT = Path(__file__).resolve().parents[3]
SALT = b"\x5a" * 32
HOLDER, OTHER = "0x" + "11" * 20, "0x" + "22" * 20

GOOD = """
database = "node.sqlite"
models = "models"

[service]
url = "http://127.0.0.1:8000"
key_env = "NODE_KEY"

[[datasets]]
id = 1
file = "cases.parquet"
version = 1
salt_env = "SALT"
columns = ["diagnosis", "mean_radius"]

[datasets.policy]
minimum_group = 10
"""


def write(folder, text=GOOD):
    path = folder / "node.toml"
    path.write_text(text)
    return path


def test_config__good__paths_are_relative_to_the_file(tmp_path):
    config = read_config(write(tmp_path))
    assert (config.database, config.models) == (tmp_path / "node.sqlite", tmp_path / "models")
    assert config.datasets[0].file == tmp_path / "cases.parquet"
    assert config.datasets[0].policy.minimum_group == 10


def test_config__the_documented_example__is_one(tmp_path):
    example = ROOT / "docs" / "node.example.toml"
    assert read_config(example).service.key_env == "CHAINCITY_NODE_KEY"
    # It shows every setting but the alternative to salt_env.
    raw = tomllib.loads(example.read_text())
    assert set(raw) == set(Config.model_fields)


@pytest.mark.parametrize(
    ("old", "new", "field", "rule"),
    [
        ("id = 1", "id = 0", "datasets.0.id", "greater than or equal to 1"),
        ("id = 1", 'id = "one"', "datasets.0.id", "valid integer"),
        ("version = 1", "", "datasets.0.version", "required"),
        ('file = "cases.parquet"', "file = 3", "datasets.0.file", "path"),
        ('["diagnosis", "mean_radius"]', "[]", "datasets.0.columns", "at least 1"),
        ('salt_env = "SALT"', "", "datasets.0", "either salt or salt_env"),
        ('salt_env = "SALT"', 'salt = "0x12"', "datasets.0.salt", "pattern"),
        ("minimum_group = 10", "minimum_group = 1", "datasets.0.policy.minimum_group", "greater than or equal to 2"),
        ("minimum_group = 10", "minimun_group = 10", "datasets.0.policy.minimun_group", "there is no such field"),
        ('key_env = "NODE_KEY"', 'key = "cck_secret"', "service.key", "there is no such field"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "service.url", "pattern"),
        ('models = "models"', "", "models", "required"),
        ('models = "models"', 'models = "models"\npoll_seconds = 0', "poll_seconds", "greater than 0"),
        ("[[datasets]]", "[[dataset]]", "dataset", "there is no such field"),
    ],
)
def test_config__broken__names_field_and_rule(tmp_path, old, new, field, rule):
    assert old in GOOD
    with pytest.raises(ConfigRefused) as refused:
        read_config(write(tmp_path, GOOD.replace(old, new)))
    assert f" {field}: " in str(refused.value)
    assert rule in str(refused.value)
    assert "cck_secret" not in str(refused.value)


def test_config__same_dataset_twice_missing_file_no_toml__refused(tmp_path):
    twice = GOOD + GOOD[GOOD.index("[[datasets]]") :]
    for text, words in ((twice, "given twice"), ("[service", "not TOML")):
        with pytest.raises(ConfigRefused, match=words):
            read_config(write(tmp_path, text))
    with pytest.raises(ConfigRefused, match="No such file"):
        read_config(tmp_path / "none.toml")


def test_secret__not_in_the_environment__named():
    with pytest.raises(ConfigRefused, match="the environment variable NODE_KEY"):
        secret("NODE_KEY", {"NODE_KEY": ""})


class Port:
    """What the chain says of the dataset."""

    account = HOLDER

    def __init__(self, facts, holder=HOLDER, newest=1):
        self.found = facts and RegisteredVersion(holder, newest, facts.schema_root, facts.content_commitment)

    def registered_version(self, dataset_id, version):
        return self.found


@pytest.fixture
def held(tmp_path, records):
    (tmp_path / "cases.parquet").write_bytes(records.read_bytes())
    return read_config(write(tmp_path)).datasets[0]


ENVIRONMENT = {"SALT": "0x" + SALT.hex()}


def test_hold__registered_file__held_with_its_policy(held, records):
    found = hold(held, Port(describe(records, SALT)), ENVIRONMENT)
    assert (found.version, found.columns, found.policy.minimum_group) == (1, ("diagnosis", "mean_radius"), 10)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE cases SET mean_radius = mean_radius + 1e-9 WHERE rowid = 0", "is not what was registered"),
        ("DELETE FROM cases WHERE rowid = 568", "is not what was registered"),
        ("ALTER TABLE cases RENAME mean_area TO area", "does not have the columns"),
    ],
)
def test_hold__file_changed__refused(held, records, change, words):
    facts = describe(records, SALT)
    with duckdb.connect(":memory:") as database:
        database.execute("CREATE TABLE cases AS SELECT * FROM read_parquet(?)", [str(records)])
        database.execute(change)
        database.execute(f"COPY cases TO '{held.file}' (FORMAT parquet)")
    with pytest.raises(StartRefused, match=words):
        hold(held, Port(facts), ENVIRONMENT)


def test_hold__anothers_or_unknown_dataset_other_salt_missing_column__refused(held, records):
    facts = describe(records, SALT)
    for port, environment, dataset, words in (
        (Port(facts, OTHER), ENVIRONMENT, held, f"dataset 1 is not {HOLDER}'s: the chain says {OTHER} holds it"),
        (Port(None), ENVIRONMENT, held, "dataset 1 has no version 1 on the chain"),
        (Port(facts), {"SALT": "0x" + "00" * 32}, held, "or the salt is another"),
        (Port(facts), {"SALT": "salt"}, held, "the salt is 0x and 64 hexadecimal digits"),
        (Port(facts), {}, held, "environment variable SALT"),
        (Port(facts), ENVIRONMENT, held.model_copy(update={"columns": ("name",)}), "has no column name"),
        (Port(facts), ENVIRONMENT, held.model_copy(update={"file": held.file.parent / "x"}), "cannot be read"),
    ):
        with pytest.raises(StartRefused) as refused:
            hold(dataset, port, environment)
        assert words in str(refused.value)


def test_run__second_node_on_the_same_database__refused(tmp_path):
    path = write(tmp_path)
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with _alone(tmp_path / "node.sqlite"), pytest.raises(StartRefused, match="another node works with"):
            run(path, once=True, environment={"NODE_KEY": "cck_x"})
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@pytest.mark.parametrize(("text", "status"), [(GOOD.replace("id = 1", "id = 0"), 2), (GOOD, 3)])
def test_command__wrong_file_or_no_service__exit_status_and_sentence(tmp_path, monkeypatch, text, status):
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setenv("NODE_KEY", "cck_x")
    text = text.replace(":8000", f":{free_port()}")
    try:
        result = CliRunner().invoke(main, ["node", "--once", "--config", str(write(tmp_path, text))])
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    assert result.exit_code == status, result.output
    assert "Error: " in result.output


def test_process__sigterm_while_it_waits_for_the_service__stops_cleanly(tmp_path):
    path = write(tmp_path, GOOD.replace(":8000", f":{free_port()}"))
    command = [sys.executable, "-m", "frontend_api.cli", "node", "--config", str(path)]
    process = Process("node", command, tmp_path, {**os.environ, "NODE_KEY": "cck_abcdef"})
    try:
        process.wait_until(lambda: '"event": "waiting"' in process.log.read_text(), 30)
    finally:
        process.stop()
    log = process.log.read_text()
    assert (process.status, '"event": "stopped"' in log, "cck_abcdef" in log) == (0, True, False)


def test_describe__records__what_is_registered(records):
    result = CliRunner().invoke(main, ["datasets", "describe", str(records), "--salt", "0x" + SALT.hex()])
    facts = describe(records, SALT)
    assert result.exit_code == 0
    assert f'"contentCommitment": "0x{facts.content_commitment.hex()}"' in result.output
    assert '"rowCountBucket": 3' in result.output
    assert CliRunner().invoke(main, ["datasets", "describe", "none.parquet"]).exit_code == 2
    assert CliRunner().invoke(main, ["datasets", "describe", str(records), "--salt", "0x12"]).exit_code == 2
