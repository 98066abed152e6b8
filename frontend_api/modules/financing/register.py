"""Rules of the financing register's routes. No JSON-RPC here."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ...chain.abi import Call
from ...chain.projection import CHANGED
from ...errors import InvalidInput
from ...kit.pagination import decode_cursor, encode_cursor
from ..receivables.credit_notes import registered
from . import register_repository as repository
from .contract import Consent
from .register_schemas import (
    ConsentFields,
    ConsentPreparation,
    FilingResource,
    PreparedConsent,
    RegisterEntry,
    RegisterList,
    SignedConsent,
)

if TYPE_CHECKING:
    from ...city import City


class RegisterService:
    def __init__(self, city: City):
        self._city = city
        self._longest: int | None = None

    async def entry(
        self, caller: str, fingerprint: bytes, number: bytes | None, *, credit_note: bool = False
    ) -> RegisterEntry:
        if credit_note:
            fingerprint, number = registered(fingerprint), None if number is None else registered(number)
        asked = None if number is None else "0x" + number.hex()
        return await self._city.database.read(self._entry, caller, "0x" + fingerprint.hex(), asked)

    async def held(self, bank: str, cursor: str | None, limit: int) -> RegisterList:
        """What the bank has reserved or financed."""
        position = decode_cursor(cursor, 1)

        def work(connection: Connection) -> list[RegisterEntry]:
            after = None if position is None else position[0]
            rows = repository.list_held(connection, bank, self._now, after, limit)
            return [self._entry(connection, bank, row["fingerprint"], None) for row in rows]

        items = await self._city.database.read(work)
        return RegisterList(items=items, next=encode_cursor(items[-1].fingerprint) if len(items) == limit else None)

    async def prepare_consent(self, seller: str, body: ConsentPreparation) -> PreparedConsent:
        """The EIP-712 message of a consent, and the seller's signature where it asks for it."""
        if body.bank == seller:
            raise InvalidInput("A bank cannot consent to its own reservation.", field="bank")
        if not await self._city.financing.requests.is_financier(body.bank):
            raise InvalidInput(f"{body.bank} is no active member that may finance.", field="bank")
        latest = self._now + await self._longest_reservation()
        if not self._now < body.reserved_until <= latest:
            raise InvalidInput(
                f"A reservation ends after now, {self._now} on the chain, and at {latest} at the latest.",
                field="reservedUntil",
            )
        nonce = secrets.randbits(128) if body.nonce is None else body.nonce
        consent = Consent(body.fingerprint, body.number_fingerprint, seller, body.bank, body.reserved_until, nonce)
        typed = self._city.financing_register.typed_data(consent, self._city.deployment.chain_id)
        written = {**typed["message"], "reservedUntil": body.reserved_until}
        signature = None
        if body.sign:
            signature = "0x" + self._city.keys.sign_typed_data(seller, typed).hex()
        return PreparedConsent(typed_data=typed, consent=written, signature=signature)

    def reserve(self, body: SignedConsent) -> Call:
        return self._city.financing_register.reserve(_consent(body.consent), bytes.fromhex(body.signature[2:]))

    def withdraw(self, consent: ConsentFields) -> Call:
        return self._city.financing_register.withdraw_consent(_consent(consent))

    # --- internals

    @property
    def _now(self) -> int:
        return self._city.indexer.head.time

    async def _longest_reservation(self) -> int:
        if self._longest is None:
            self._longest = await self._city.financing_register.longest_reservation()
        return self._longest

    def _entry(self, connection: Connection, caller: str, fingerprint: str, asked: str | None) -> RegisterEntry:
        row = repository.find_entry(connection, fingerprint)
        state = "free" if row is None else repository.entry_state(row, self._now)
        if row is None or state == "free":
            taken, number = None, asked
        else:
            taken, number = row, row["number_fingerprint"]
        other = None if number is None else repository.taken_by(connection, number, self._now)
        clearance = repository.find_clearance(connection, fingerprint)
        holder = None if taken is None else taken["holder"]
        return RegisterEntry(
            fingerprint=fingerprint,
            state=state,
            holder=holder,
            application=None if state != "entered" else self._city.deployment.by_address.get(str(holder)),
            case_id=None if taken is None else taken["case_id"],
            seller=None if taken is None else taken["seller"],
            reserved_until=None if taken is None else taken["reserved_until"],
            number_fingerprint=number,
            number_taken_by="ambiguous" if other == repository.AMBIGUOUS else None if other == fingerprint else other,
            cleared=clearance is not None and number in (None, clearance["number_fingerprint"]),
            filings=[
                FilingResource(bank=f["bank"], filing=f["filing"], recorded_at=f["recorded_at"])
                for f in repository.filings_of(connection, fingerprint)
            ],
            next_action="finance" if state == "reserved" and holder == caller else None,
            finality=None if row is None else "final" if row[CHANGED] <= self._city.indexer.head.final else "mined",
        )


def _consent(fields: ConsentFields) -> Consent:
    return Consent(
        fields.fingerprint,
        fields.number_fingerprint,
        fields.seller,
        fields.bank,
        fields.reserved_until,
        fields.nonce,
    )
