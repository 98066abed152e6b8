"""Consents, reservations, clearances."""

from __future__ import annotations

from . import model as m
from .choosing import DAY, Life
from .model import NIL, Consent, Signature
from .world import BASIS, CNY


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
                *self.pick(((m.RESERVED,), (m.FINANCED,), (m.RESERVED,), (m.FINANCED,), (m.RESERVED,), (m.ENTERED,)))
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

    def _take(self, whose: str, fingerprint: bytes, number: bytes, case: int) -> int:
        """A case of this application, or 0. Only the application without a ledger chooses the case's number."""
        if whose == "ledger":
            terms = (self.w.debtor, CNY, 5, self.instant(5), fingerprint, number)
            return len(self.model.receivables) if self.w.do(self.w.supplier, "ledger.draft", *terms) else 0
        if whose == "warehouse":
            lot = (self.w.company3, fingerprint, number, BASIS, 3, b"TNE")
            return len(self.model.receipts) if self.w.do(self.w.warehouse2, "warehouse.issue", *lot) else 0
        done = self.w.do(self.w.application, "register.enter", fingerprint, number, case, self.w.company3)
        return case if done else 0

    def _finish(self, whose: str, fingerprint: bytes, case: int) -> None:
        if whose == "ledger":
            how = self.pick(("reject", "withdraw", "strike", "confirm"))
            actor = {"withdraw": self.w.supplier, "strike": self.w.court}.get(how, self.w.debtor)
            self.w.do(actor, f"ledger.{how}", case, *((BASIS,) if how == "strike" else ()))
        elif whose == "warehouse":
            how = self.pick(("deliver", "strike", "enforce"))
            if how == "deliver":
                self.w.do(self.w.warehouse2, "warehouse.deliver", case, 3)
            elif how == "strike":
                self.w.do(self.w.court, "warehouse.strike", case, BASIS)
            else:
                terms = (case, self.w.bank, self.w.supervisor2, 3, 9, CNY, self.model.now + DAY)
                if self.w.do(self.w.company3, "warehouse.pledge", *terms):
                    pledge = len(self.model.pledges)
                    self.w.do(self.w.bank, "warehouse.accept", pledge)
                    self.w.do(self.w.supervisor2, "warehouse.confirm", pledge, BASIS)
                    self.w.do(self.w.court, "warehouse.enforce", pledge, 3, self.w.bank, BASIS)
        else:
            self.w.do(self.w.application, "register.leave", fingerprint, case, self.w.company3)

    def annulled_story(self) -> None:
        """The arbiter annuls an entry; nobody, another case or somebody else takes it; the first case ends, and maybe the other."""
        whose, fingerprint, number = (
            self.pick(("ledger", "warehouse", "ledger", "warehouse", "register")),
            self.new(),
            self.new(),
        )
        first = self._take(whose, fingerprint, number, 1 + self.source.choice(3))
        if not first or not self.w.do(self.w.arbiter, "register.annul", fingerprint, BASIS):
            return
        other = self.pick((whose, whose, "ledger", "warehouse", "register", "bank", "copy", "", ""))
        second = 0
        if other == "bank":
            consent = Consent(fingerprint, number, self.w.company3, self.w.bank, self.model.now + DAY, 8)
            signed = self.w.sign(self.w.company3, self.model.consent_digest(consent))
            if self.w.do(self.w.bank, "register.reserve", consent, signed) and self.odd(2):
                self.w.do(self.w.bank, "register.finance", fingerprint, NIL)
        elif other == "copy":  # another fingerprint with the number that is free again: now the first may not come back
            self._take(self.pick(("ledger", "register")), self.new(), number, 1)
            self._take(whose, fingerprint, number, first)
        elif other:
            # Another application with the same case's number, or the same one with another number.
            second = self._take(other, fingerprint, number, first + 1 if other == whose else first)
        self._finish(whose, fingerprint, first)
        if second and self.odd(2):
            self._finish(other, fingerprint, second)

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
