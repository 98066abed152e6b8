"""API keys: random, shown once, stored as hashes. A key belongs to one organisation's account and has scopes."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import JSON, Column, Connection, Float, String, Table, insert, select, update

from .db import metadata
from .errors import Forbidden, Unauthenticated

PREFIX = "cck_"
#: What a key may be allowed: read what is not public, write with the organisation's key.
SCOPES = ("read", "write")

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("hash", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("account", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("revoked_at", Float),
)

_bearer = HTTPBearer(auto_error=False, description="an API key, `cck_…`")


@dataclass(frozen=True)
class Principal:
    """Who is calling: an organisation's account, and what its key may do."""

    key_id: str
    name: str
    account: str
    scopes: tuple[str, ...]


def _hash(key: str) -> str:
    # 256 random bits need no slow hash; a fast one keeps the lookup off the request's time.
    return hashlib.sha256(key.encode()).hexdigest()


def create_key(connection: Connection, account: str, name: str, scopes: tuple[str, ...] = SCOPES) -> str:
    """Make a key; returns it, for the only time."""
    key = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(api_keys).values(
            id="key_" + secrets.token_hex(8),
            hash=_hash(key),
            name=name,
            account=account,
            scopes=list(scopes),
            created_at=time.time(),
        )
    )
    return key


def revoke_key(connection: Connection, key_id: str) -> bool:
    """Refuse a key from now on; false when there is no such key that still works."""
    working = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
    return connection.execute(update(api_keys).where(working).values(revoked_at=time.time())).rowcount == 1


def list_keys(connection: Connection) -> list[dict[str, Any]]:
    """Every key without its secret, oldest first."""
    columns = [api_keys.c[name] for name in ("id", "name", "account", "scopes", "created_at", "revoked_at")]
    return [dict(row) for row in connection.execute(select(*columns).order_by(api_keys.c.created_at)).mappings()]


def find_key(connection: Connection, key: str) -> Principal | None:
    row = connection.execute(select(api_keys).where(api_keys.c.hash == _hash(key))).mappings().first()
    if row is None or row["revoked_at"] is not None:
        return None
    return Principal(row["id"], row["name"], row["account"], tuple(row["scopes"]))


async def principal(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """The calling organisation; 401 without a good key."""
    city: Any = request.app.state.city
    if credentials is None:
        raise Unauthenticated("Send your API key as `Authorization: Bearer cck_…`.")
    found: Principal | None = await city.database.read(find_key, credentials.credentials)
    if found is None:
        raise Unauthenticated("This API key is unknown or was revoked.")
    return found


async def writer(caller: Annotated[Principal, Depends(principal)]) -> Principal:
    """The calling organisation, with a key that may write."""
    if "write" not in caller.scopes:
        raise Forbidden(f"The key {caller.name!r} has no scope `write`.")
    return caller


async def reader(caller: Annotated[Principal, Depends(principal)]) -> Principal:
    """The calling organisation, with a key that may read."""
    if "read" not in caller.scopes:
        raise Forbidden(f"The key {caller.name!r} has no scope `read`.")
    return caller


#: Any good key, whatever its scopes.
Member = Annotated[Principal, Depends(principal)]
Caller = Annotated[Principal, Depends(reader)]
Writer = Annotated[Principal, Depends(writer)]
