"""What begins with an invoice: /invoices/check, /receivables/from-invoice and /receivables/from-csv."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile

from ...auth import Caller
from ...kit.ids import Address
from ...submission import Act, BulkResource, TransactionResource
from .drafts import parse_date
from .intake import IntakeService, InvoiceFile, Wanted
from .intake_schemas import IntakeReport, JudgementList

router = APIRouter()


def _service(request: Request) -> IntakeService:
    found: IntakeService = request.app.state.city.intake
    return found


Service = Annotated[IntakeService, Depends(_service)]
DryRun = Annotated[bool, Query(alias="dryRun", description="judge, say what would be drafted, store nothing")]
OnError = Annotated[
    str, Query(alias="onError", pattern="^(skip|refuse)$", description="`refuse`: all or nothing; else the good ones")
]


@router.post("/invoices/check", tags=["invoices"], operation_id="checkInvoices")
async def check_invoices(
    service: Service,
    _: Caller,
    file: Annotated[list[UploadFile], File(description="UBL 2.1 invoices or credit notes, one or many")],
) -> JudgementList:
    """Judge invoices: which could become receivables, and why the others cannot. Nothing is stored."""
    return await service.check([await _read(entry) for entry in file])


@router.post("/receivables/from-invoice", status_code=202, tags=["receivables"], operation_id="draftFromInvoice")
async def draft_from_invoice(
    act: Act,
    service: Service,
    response: Response,
    file: Annotated[list[UploadFile], File(description="UBL 2.1 invoices, one or up to 1,000")],
    debtor: Annotated[
        Address | None,
        Form(description="whose account it is where the buyer's id is no member's credit code"),
    ] = None,
    due_date: Annotated[
        str | None, Form(alias="dueDate", description="YYYY-MM-DD, where the invoice does not say it")
    ] = None,
    dry_run: DryRun = False,
    on_error: OnError = "skip",
) -> TransactionResource | BulkResource | IntakeReport:
    """Draft receivables from invoices, as their seller. One file answers its transaction, several one outcome each.

    The debtor is the member with the buyer's credit code. A receivable is due when the due date ends (UTC). Of several
    files with one seller and number, the first is taken.
    """
    if due_date is not None:
        parse_date(due_date)
    wanted = Wanted(debtor, due_date, everywhere=len(file) == 1)
    files = [await _read(entry) for entry in file]
    if dry_run:
        response.status_code = 200
        return await service.dry_run(act, files, wanted)
    if len(files) == 1:
        return await act.send(await service.draft_from_invoice(act.account, files[0], wanted))
    return await service.draft_many(act, files, wanted, on_error == "refuse")


@router.post("/receivables/from-csv", status_code=202, tags=["receivables"], operation_id="draftFromCsv")
async def draft_from_csv(
    act: Act,
    service: Service,
    response: Response,
    file: Annotated[
        UploadFile,
        File(
            description="CSV, UTF-8, up to 10,000 rows; columns number, buyer (credit code), issueDate, dueDate, "
            "currency, payable (major units: 1234.50)"
        ),
    ],
    dry_run: DryRun = False,
    on_error: OnError = "skip",
) -> IntakeReport:
    """Draft receivables from a CSV file of one's own invoices, as their seller; each row has its own outcome.

    Send an Idempotency-Key: the same request again then completes what broke off, and drafts nothing twice.
    """
    report = await service.draft_rows(act, await _read(file), dry_run=dry_run, refuse=on_error == "refuse")
    if not any(item.transaction for item in report.items):
        response.status_code = 200
    return report


async def _read(upload: UploadFile) -> InvoiceFile:
    return InvoiceFile(upload.filename or "file", await upload.read())
