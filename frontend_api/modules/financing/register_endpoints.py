"""/financing-register: which invoices and inventory lots are spoken for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ...auth import Caller, Writer
from ...kit.pagination import Cursor, Limit
from ...submission import Act, TransactionResource
from .register import RegisterService
from .register_schemas import (
    Annulment,
    Clearance,
    ConsentPreparation,
    ConsentWithdrawal,
    FilingBody,
    Financing,
    FingerprintInPath,
    IsCreditNote,
    NumberInQuery,
    PreparedConsent,
    RegisterEntry,
    RegisterList,
    SignedConsent,
)

router = APIRouter(prefix="/financing-register", tags=["financing register"])


def _service(request: Request) -> RegisterService:
    found: RegisterService = request.app.state.city.financing.register
    return found


Service = Annotated[RegisterService, Depends(_service)]

# --- reading


@router.get("", operation_id="listRegisterEntries")
async def list_entries(service: Service, caller: Caller, cursor: Cursor = None, limit: Limit = 100) -> RegisterList:
    """What the caller has reserved or financed, as a bank, with the next action."""
    return await service.held(caller.account, cursor, limit)


@router.get("/{fingerprint}", operation_id="getRegisterEntry")
async def get_entry(
    fingerprint: FingerprintInPath,
    service: Service,
    caller: Caller,
    number: NumberInQuery = None,
    credit_note: IsCreditNote = False,
) -> RegisterEntry:
    """Whether an invoice or lot is free, reserved, financed or entered, by whom and until when, by chain time.

    With `numberFingerprint` also whether another invoice with the same number is: an altered copy, or a clash. With `creditNote` both are
    a credit note's, and the answer says whether it was used, under the fingerprints that the register has for it.
    """
    return await service.entry(caller.account, fingerprint, number, credit_note=credit_note)


# --- sellers


@router.post("/consents/prepare", operation_id="prepareConsent")
async def prepare_consent(body: ConsentPreparation, service: Service, caller: Writer) -> PreparedConsent:
    """The EIP-712 message by which the caller, a seller, lets a bank reserve its invoice or lot once."""
    return await service.prepare_consent(caller.account, body)


@router.post("/consents/withdraw", status_code=202, operation_id="withdrawConsent")
async def withdraw_consent(body: ConsentWithdrawal, act: Act, service: Service) -> TransactionResource:
    """Make sure that a consent is never used, as the seller."""
    return await act.send(service.withdraw(body.consent))


# --- banks


@router.post("/reservations", status_code=202, operation_id="reserveFingerprint")
async def reserve(body: SignedConsent, act: Act, service: Service) -> TransactionResource:
    """Reserve an invoice or lot with its seller's consent, as the bank that the consent names."""
    return await act.send(service.reserve(body))


@router.post("/{fingerprint}/release", status_code=202, operation_id="releaseFingerprint")
async def release(fingerprint: FingerprintInPath, act: Act) -> TransactionResource:
    """Give a reservation up, as the bank that made it."""
    return await act.send(act.city.financing_register.release(fingerprint))


@router.post("/{fingerprint}/finance", status_code=202, operation_id="financeFingerprint")
async def finance(fingerprint: FingerprintInPath, act: Act, body: Financing | None = None) -> TransactionResource:
    """Record that a reserved invoice or lot was financed, as the bank that reserved it, in time."""
    filing = body.filing if body and body.filing else bytes(32)
    return await act.send(act.city.financing_register.finance(fingerprint, filing))


@router.post("/{fingerprint}/filing", status_code=202, operation_id="recordFiling")
async def record_filing(fingerprint: FingerprintInPath, body: FilingBody, act: Act) -> TransactionResource:
    """Record the number under which the caller's financing was filed with the national register; the last one counts."""
    return await act.send(act.city.financing_register.record_filing(fingerprint, body.filing))


# --- the arbiter


@router.post("/clearances", status_code=202, operation_id="clearNumber")
async def clear(body: Clearance, act: Act) -> TransactionResource:
    """Let a fingerprint be taken though its number is, as the arbiter, which has seen that they are two."""
    return await act.send(act.city.financing_register.clear(body.fingerprint, body.number_fingerprint, body.basis))


@router.post("/annulments", status_code=202, operation_id="annulFinancing")
async def annul(body: Annulment, act: Act) -> TransactionResource:
    """Free what was taken wrongly or whose financing was unwound, as the arbiter.

    What an application has entered too: its case, such as a receivable, goes on without the entry.
    """
    return await act.send(act.city.financing_register.annul(body.fingerprint, body.basis))
