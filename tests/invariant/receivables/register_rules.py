"""Consents, reservations, clearances."""

from __future__ import annotations

from . import model as m
from .choosing import Life
from .model import NIL, Consent, Signature
from .world import BASIS


class RegisterRules(Life):
    # --- register

    def _agree(self, bank: str) -> tuple[Consent, Signature]:
        seller = self.pick((self.w.supplier, self.w.company3, self.w.signing_company, self.w.company4))
        until = self.instant(3, 1, 0, 29)
        nonce = self.source.choice(5)
        fingerprint, number = self.fingerprint(), self.number()
        spoilt = self.source.choice(40)
        if spoilt == 39:
            until = self.model.now + m.MAX_RESERVATION + self.pick((1, 0))
        elif spoilt == 38:
            until = self.model.now - self.pick((1, 1, 0))
        elif spoilt == 37:
            seller = bank
        elif spoilt == 36:
            seller = self.pick(self.all)
        consent = Consent(fingerprint, number, seller, bank, until, nonce)
        signed = self.w.sign(seller, self.model.consent_digest(consent))
        if spoilt == 35:
            signed = self.w.sign(seller, self.model.consent_digest(consent), 1 + self.source.choice(8))
        elif spoilt == 34:
            other = self.model.consent_digest(consent, *self.pick(((1, None), (None, self.w.where.desk))))
            signed = self.w.sign(seller, other)
        elif spoilt == 33:
            signed = self.w.sign(seller, self.model.consent_digest(consent._replace(nonce=nonce + 1)))
        self.consents.append((consent, signed))
        return consent, signed

    def reserve(self) -> None:
        bank = self.pick(self.financiers)
        actor = bank if not self.odd(20) else self._can_send(self.pick((*self.financiers, *self.all)))
        if self.consents and self.odd(8):
            consent, signed = self.recent(self.consents)
        else:
            consent, signed = self._agree(bank)
            if self.odd(30):
                self.w.do(self._can_send(consent.seller), "register.withdrawConsent", consent)
        self.w.do(actor, "register.reserve", consent, signed)

    def withdraw_consent(self) -> None:
        if not self.consents or not self.odd(3):
            self._agree(self.pick(self.banks))
        consent, _ = self.recent(self.consents)
        self.w.do(self._can_send(self.actor(consent.seller, 8)), "register.withdrawConsent", consent)

    def _reserved(self, *states: int) -> bytes:
        fitting = [f for f in self.model.entries if self.model.state_of(f) in states]
        if not self.odd(8):
            return self.recent(self.some(fitting))
        return self.recent(tuple(self.model.entries)) if self.model.entries and not self.odd(5) else self.fingerprint()

    def after_reservation(self) -> None:
        fingerprint = self._reserved(m.RESERVED)
        entry = self.model.entries[fingerprint]
        bank = entry.holder if entry.holder in self.financiers and not self.odd(15) else self.pick(self.financiers)
        how = self.pick(("release", "finance", "recordFiling", "finance"))
        args = () if how == "release" else (self.pick((b"zd-0001".ljust(32, b"\0"), NIL)),)
        self.w.do(self._can_send(self.actor(bank, 30)), f"register.{how}", fingerprint, *args)

    def arbiter(self) -> None:
        if self.odd(2):
            fingerprint = self._reserved(
                *self.pick(((m.RESERVED,), (m.FINANCED,), (m.RESERVED,), (m.FINANCED,), (m.ENTERED,)))
            )
            self.w.do(self._can_send(self.actor(self.w.arbiter)), "register.annul", fingerprint, BASIS)
            return
        fingerprint = self.new() if not self.odd(4) else self.fingerprint()
        if self.odd(25):
            fingerprint = self.pick((NIL, m.AMBIGUOUS))
        taken = [n for n in self.model.numbers if self.model.taken_by(n) != NIL]
        number = self.recent(taken) if taken and not self.odd(6) else self.number()
        if self.w.do(self.actor(self.w.arbiter), "register.clear", fingerprint, number, BASIS) and not self.odd(3):
            self.w.do(self.w.application, "register.enter", fingerprint, number, 7, self.w.company3)

    def application(self) -> None:
        entered = [
            f
            for f, entry in self.model.entries.items()
            if entry.state == m.ENTERED and entry.holder == self.w.application
        ]
        actor = self._can_send(self.actor(self.w.application, 25))
        if self.odd(2):
            case = self.pick((1, 2, 2**48 - 1)) if not self.odd(12) else self.pick((2**48, 2**256 - 1))
            self.w.do(actor, "register.enter", self.fingerprint(), self.number(), case, self.w.company3)
        else:
            fingerprint = self.recent(entered) if entered and not self.odd(8) else self._reserved(m.ENTERED)
            case = self.model.entries[fingerprint].case if not self.odd(8) else self.pick((1, 2, 2**48 + 1))
            self.w.do(actor, "register.leave", fingerprint, case, self.w.company3)
