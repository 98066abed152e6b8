"""/documents: what an issuer does with its documents after they were anchored."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, PlainSerializer

from ..kit.ids import Hash32
from ..kit.schemas import Body
from ..submission import Act, TransactionResource
from .verification import Reason

router = APIRouter(tags=["documents"])

ReasonName = Annotated[
    str,
    Field(pattern="^(unspecified|issued_in_error|fraud|court_order|surrendered|facts_changed)$"),
    PlainSerializer(str),
]


class Revocation(Body):
    document: Hash32 = Field(description="the certificate's documentRoot")
    reason: ReasonName


@router.post("/documents/revocations", status_code=202, operation_id="revokeDocument")
async def revoke(body: Revocation, act: Act) -> TransactionResource:
    """Revoke one of the caller's own documents for good."""
    return await act.send(act.city.documents.revoke(body.document, Reason[body.reason.upper()]))
