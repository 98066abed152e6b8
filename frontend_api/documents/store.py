"""The certificate files that this service issued, kept off chain where they can be erased; the chain holds only their roots."""

from __future__ import annotations

import time

from sqlalchemy import Column, Connection, Float, LargeBinary, String, Table, insert, select

from ..db import metadata
from . import certificate as certificates
from .certificate import Certificate

issued = Table(
    "certificates",
    metadata,
    Column("document_root", String(66), primary_key=True),
    Column("subject", String(28), nullable=False, index=True),
    Column("issuer", String(42), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
)


def keep(connection: Connection, made: list[Certificate]) -> None:
    if made:
        connection.execute(
            insert(issued),
            [
                {
                    "document_root": "0x" + c.document_root.hex(),
                    "subject": c.context.subject,
                    "issuer": c.context.issuer,
                    "content": certificates.to_json(c),
                    "created_at": time.time(),
                }
                for c in made
            ],
        )


def issuer_of(connection: Connection, document_root: str) -> str | None:
    return connection.execute(select(issued.c.issuer).where(issued.c.document_root == document_root.lower())).scalar()


def find(connection: Connection, document_root: str) -> bytes | None:
    """The file, by the root that a QR code or a title names."""
    return connection.execute(select(issued.c.content).where(issued.c.document_root == document_root.lower())).scalar()
