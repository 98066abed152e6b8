"""Keys from their making to their end, as the command line shows them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from frontend_api import auth
from frontend_api.cli import main
from frontend_api.db import Database

ACCOUNT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture
def url(tmp_path, monkeypatch):
    found = f"sqlite:///{tmp_path / 'service.db'}"
    monkeypatch.setenv("CHAINCITY_DATABASE_URL", found)
    return found


def chaincity(*args):
    return CliRunner().invoke(main, list(args))


def test_keys__made_listed_revoked__refused_at_once_and_only_once(url):
    key = chaincity("keys", "create", "--account", ACCOUNT, "--name", "counter").output.strip()
    listed = chaincity("keys", "list").output
    assert key not in listed
    identifier = json.loads(listed)["id"]
    database = Database(url)
    try:
        assert database.write_now(auth.find_key, key).account == ACCOUNT
        assert chaincity("keys", "revoke", identifier).exit_code == 0
        assert database.write_now(auth.find_key, key) is None
    finally:
        database.close()
    assert json.loads(chaincity("keys", "list").output)["revoked_at"] is not None
    again = chaincity("keys", "revoke", identifier)
    assert (again.exit_code, "no key" in again.output) == (2, True)
