"""Answers of the routes that begin with an invoice."""

from __future__ import annotations

from pydantic import Field

from ...kit.schemas import Resource


class JudgementResource(Resource):
    """What a file is as far as it could be read; the same as the command `chaincity invoices check` prints."""

    file: str
    outcome: str = Field(description="receivable, dilution, needs_due_date or refused")
    number: str | None
    seller: str | None = Field(description="VAT id, else legal id, else identification with scheme, else name")
    buyer: str | None
    issue_date: str | None
    due_date: str | None
    currency: str | None
    payable: str | None = Field(description="minor units of the currency, with the document's sign")
    fingerprint: str | None = Field(description="keyed hash of the normalised facts; null when refused")
    number_fingerprint: str | None = Field(description="keyed hash of seller and number alone; null when refused")
    reason: str | None


class JudgementList(Resource):
    items: list[JudgementResource]
    demonstration_key: bool = Field(
        description="the fingerprints were made with the demonstration key, which everybody knows"
    )


class IntakeItem(Resource):
    """One invoice of an upload: a file, or a line of a CSV file."""

    file: str
    line: int | None = Field(None, description="where the record begins in a CSV file; the heading is line 1")
    outcome: str = Field(description="accepted, refused, or would_be_accepted in a dry run")
    field: str | None = Field(None, description="the element, column or form field that breaks a rule")
    reason: str | None = Field(None, description="the rule")
    number: str | None = None
    seller: str | None = None
    buyer: str | None = None
    issue_date: str | None = None
    due_date: str | None = None
    currency: str | None = None
    payable: str | None = Field(None, description="minor units of the currency")
    fingerprint: str | None = None
    number_fingerprint: str | None = None
    debtor: str | None = Field(None, description="the account that would owe, or owes")
    due_at: int | None = Field(None, description="Unix seconds")
    transaction: str | None = Field(None, description="id of the transaction that drafts the receivable")


class IntakeReport(Resource):
    accepted: int
    refused: int
    dry_run: bool = Field(description="nothing was stored")
    demonstration_key: bool
    items: list[IntakeItem]
