"""Mistakes, one at a time and on purpose, and short stories whose end is a rare one."""

from __future__ import annotations

from . import model as m
from .choosing import DAY, Life
from .model import MAX, NIL, Consent
from .world import BASIS, CNY, EUR, UNLISTED


class MistakeRules(Life):
    def wrong_receivable(self) -> None:
        w, now = self.w, self.model.now
        open_ones = [i for i in self.model.receivables if self.model.is_open(i)]
        drafts = [i for i, r in self.model.receivables.items() if r.state in (m.DRAFT, m.DISPUTED)]
        mistake = self.source.choice(9)
        if mistake == 0 and open_ones:
            id_ = self.recent(open_ones)
            supplier = self.model.receivables[id_].supplier
            other = self.pick([c for c in self.companies if c != supplier])
            w.do(other, "ledger.dilute", id_, 1, self.new(), self.new())
        elif mistake == 1 and drafts:
            id_ = self.recent(drafts)
            row = self.model.receivables[id_]
            w.do(row.debtor, "ledger.withdraw", id_)
            w.do(row.supplier, self.pick(("ledger.reject", "ledger.confirm")), id_)
        elif mistake == 2 and open_ones:
            id_ = self.recent(open_ones)
            holder = self._holder(id_)
            w.do(holder, "ledger.safeTransferFrom", holder, w.bank, id_, 0, b"")
        elif mistake == 3:
            w.do(
                w.application,
                "register.enter",
                self.new(),
                self.new(),
                self.pick((2**48, 2**256 - 1, 2**48 - 1)),
                w.bank,
            )
        elif mistake == 4:
            until = now + m.MAX_RESERVATION + self.pick((1, 1, 0))
            seller = self.pick((w.supplier, w.company3))
            consent = Consent(self.new(), self.new(), seller, w.bank, until, 9)
            w.do(w.bank, "register.reserve", consent, w.sign(seller, self.model.consent_digest(consent)))
        elif mistake == 5:
            bank = self.pick(self.financiers)
            consent = Consent(self.new(), self.new(), bank, bank, now + 9, 9)
            w.do(bank, "register.reserve", consent, w.sign(bank, self.model.consent_digest(consent)))
        elif mistake == 8:
            fingerprint = self._reserved(m.RESERVED)
            other = w.bank2 if self.model.entries[fingerprint].holder == w.bank else w.bank
            w.do(other, "register.release", fingerprint)
            w.do(other, self.pick(("register.finance", "register.recordFiling")), fingerprint, BASIS)
        elif mistake == 6:
            for contract in ("register", "ledger", "desk", "warehouse"):
                w.do(self.pick((w.founder, w.supplier)), f"{contract}.setAuthority", w.at["authority"])
        elif open_ones:
            id_ = self.recent(open_ones)
            w.do(w.mover, "ledger.giveBack", id_, w.bank, w.supplier, 1, w.bank)

    def at_the_due_date(self) -> None:
        """The last second in which units change hands, or the first in which they do not."""
        now = self.model.now
        soon = [i for i, r in self.model.receivables.items() if self.model.is_open(i) and r.due <= now + 4 * DAY]
        id_ = self.recent(self.some(soon))
        holders = [a for (i, a), held in self.model.holdings.items() if i == id_ and held.units and a in self.w.keys]
        giver = self._can_send(self.pick(self.some(holders)))
        self.w.wait(self.model.receivables[id_].due - now - self.pick((0, 1)))
        for taker in (self.w.company3, self.w.guest):
            self.w.do(giver, "ledger.safeTransferFrom", giver, taker, id_, 1, b"")

    def at_a_reservations_end(self) -> None:
        """Its last second, in which it holds against everybody, or the first after it, in which anybody may take the fingerprint."""
        w, now = self.w, self.model.now
        soon = [
            f
            for f, e in self.model.entries.items()
            if e.state == m.RESERVED and now <= e.reserved_until <= now + 4 * DAY
        ]
        fingerprint = self.recent(self.some(soon))
        entry = self.model.entries[fingerprint]
        w.wait(entry.reserved_until - now + self.pick((0, 0, 1)))
        w.do(w.application, "register.enter", fingerprint, entry.number, 1, w.company3)
        if self.odd(2):
            w.do(entry.holder, "register.release", fingerprint)

    def wrong_terms(self) -> None:
        """A draft, a batch, a consent or a nonce that is refused for what it says."""
        w, now = self.w, self.model.now
        terms = [w.debtor, CNY, 5, now + DAY, self.new(), self.new()]
        mistake = self.source.choice(15)
        if mistake in (10, 11):
            w.do(w.supplier, "ledger.draft", w.stranger if mistake == 10 else w.supplier, *terms[1:])
        elif mistake == 12:
            w.do(self.pick(self.financiers), "register.recordFiling", self.new(), NIL)
        elif mistake >= 13:
            quote, _ = self.recent(
                self.some([q for q in self.quotes if self.model.nonces[q[0].bank, q[0].nonce] == m.OPEN])
            )
            self._fill(quote, quote.units, w.sign(quote.bank, NIL))
        elif mistake <= 3:
            place, value = ((1, UNLISTED), (2, 0), (3, now - self.pick((0, 1))), (3, now + m.MAX_TERM + 1))[mistake]
            terms[place] = value
            w.do(self.pick((w.supplier, w.company3)), "ledger.draft", *terms)
        elif mistake == 4:
            ids = self.pick(([1] * 33, [1, 1]))
            units = [1] * (33 if len(ids) == 33 else 1)
            w.do(w.supplier, "ledger.safeBatchTransferFrom", w.supplier, w.company3, ids, units, b"")
        elif mistake == 5:
            w.do(w.supplier, "ledger.safeBatchTransferFrom", w.supplier, w.company3, [1] * 33, [1] * 33, b"")
        elif mistake == 6:
            consent = Consent(self.new(), self.new(), w.supplier, w.bank, now - 1, 3)
            w.do(w.bank, "register.reserve", consent, w.sign(w.supplier, self.model.consent_digest(consent)))
        elif mistake == 7:
            bank = self.pick(self.financiers)
            nonce = 700 + self.source.choice(50)
            w.do(bank, "desk.cancel", nonce)
            w.do(bank, "desk.cancel", nonce)
        elif mistake == 8:
            owed = [i for i, r in self.model.receivables.items() if r.state in (m.CONFIRMED, m.PARTLY_PAID)]
            id_ = self.recent(self.some(owed))
            w.do(self.model.receivables[id_].debtor, "ledger.pay", id_, 0)
        else:
            free = [i for i, r in self.model.receipts.items() if r.state == m.STORED]
            id_ = self.recent(self.some(free))
            owner = self.model.receipts[id_].owner
            w.do(owner, "warehouse.transfer", id_, owner)

    def dispute_story(self) -> None:
        debtor, supplier = self.pick((self.w.debtor, self.w.company4)), self.pick((self.w.supplier, self.w.company3))
        args = (debtor, CNY, 1 + self.source.choice(9), self.instant(5), self.new(), self.new())
        if self.w.do(supplier, "ledger.draft", *args):
            id_ = len(self.model.receivables)
            self.w.do(debtor, "ledger.dispute", id_, BASIS)
            how = self.pick(("confirm", "reject", "withdraw", "strike", "dispute"))
            actor = {"withdraw": supplier, "strike": self.w.court}.get(how, debtor)
            self.w.do(actor, f"ledger.{how}", id_, *((BASIS,) if how in ("strike", "dispute") else ()))

    def parts_story(self) -> None:
        """A divisible quote filled unit by unit, and then some; or an indivisible one in parts."""
        fitting = [
            (i, account)
            for (i, account), held in self.model.holdings.items()
            if held.units > 3 and self.model.is_open(i) and (account in self.w.keys or account == self.w.hook)
        ]
        if not fitting:
            return
        id_, seller = self.recent(fitting)
        if seller in (self.w.bank3, self.w.bank, self.w.bank2):
            return
        self._offer(id_, seller, self.pick(self.banks), 4, recourse=self.odd(2), divisible=not self.odd(4))
        quote, signature = self.quotes[-1]
        quote = quote._replace(proceeds=self.pick((4, 7, 5, 3)))
        signature = self.w.sign(quote.bank, self.model.quote_digest(quote))
        self.quotes[-1] = (quote, signature)
        for units in self.pick(((1, 1, 2), (1, 2, 1), (2, 1, 2), (1, 1, 1), (3, 1, 1))):
            self._fill(quote, units, signature)
        if self.odd(2):
            self.w.do(quote.bank, "desk.cancel", quote.nonce)

    def wrong_recourse(self) -> None:
        owed = [key for key, found in self.model.recourses.items() if found.state == m.OWED]
        if not owed:
            return
        bank, nonce = self.recent(owed)
        found = self.model.recourses[bank, nonce]
        amount = self.pick((found.amount - found.repaid + 1, 0, 0, MAX))
        self.w.do(found.seller, "desk.repay", bank, nonce, amount)
        self.w.do(self.w.company4, "desk.repay", bank, nonce, 1)

    def wrong_goods(self) -> None:
        stored = [i for i, r in self.model.receipts.items() if r.state == m.STORED and r.quantity > r.pledged]
        if not stored:
            return
        w, now = self.w, self.model.now
        id_ = self.recent(stored)
        row = self.model.receipts[id_]
        free, owner = row.quantity - row.pledged, row.owner
        terms = [id_, w.bank, w.supervisor, 1, 5, CNY, now + DAY]
        mistake = self.source.choice(11)
        if mistake == 0:
            terms[6] = now - self.pick((1, 1, 0))
        elif mistake == 1:
            terms[6] = now + m.MAX_ANSWER + self.pick((1, 1, 0))
        elif mistake == 2:
            terms[1] = self.pick((owner, row.warehouse))
        elif mistake == 3:
            terms[2] = self.pick((owner, row.warehouse, w.bank))
        elif mistake == 4:
            terms[4] = 0
        elif mistake == 5:
            terms[3] = min(MAX, free + 1)
        elif mistake == 6:
            w.do(owner, "warehouse.transfer", id_, self.pick((owner, row.warehouse)))
            w.do(w.guest if owner != w.guest else w.company3, "warehouse.transfer", id_, w.company4)
            return
        elif mistake == 7:
            w.do(row.warehouse, "warehouse.reportShortage", id_, 0, min(MAX, row.quantity + 1), BASIS)
            w.do(owner, "warehouse.deliver", id_, 1)
            return
        elif mistake in (8, 10):
            args = [w.supplier, self.new(), self.new(), BASIS, 5, b"TNE"]
            args[self.pick((3, 3, 4, 5))] = 0
            args = [NIL if n == 3 and not a else bytes(3) if n == 5 and not a else a for n, a in enumerate(args)]
            w.do(row.warehouse, "warehouse.issue", *args)
            return
        else:
            w.do(row.warehouse, "warehouse.deliver", id_, self.pick((min(MAX, free + 1), 0)))
            return
        w.do(owner, "warehouse.pledge", *terms)

    def wrong_pledge(self) -> None:
        w = self.w
        waiting = [i for i, p in self.model.pledges.items() if p.state in (m.PROPOSED, m.ACCEPTED)]
        active = [i for i, p in self.model.pledges.items() if p.state == m.PLEDGED]
        if active and self.odd(2):
            id_ = self.recent(active)
            row = self.model.pledges[id_]
            mistake = self.pick((3, 0, 1, 2, 3, 4))
            if mistake == 0:
                w.do(self.pick((w.company3, row.supervisor)), "warehouse.release", id_, 1)
            elif mistake == 1:
                w.do(row.bank, "warehouse.release", id_, min(MAX, row.quantity + 1))
            elif mistake == 2:
                w.do(w.court, "warehouse.enforce", id_, min(MAX, row.quantity + 1), row.bank, BASIS)
            elif mistake == 3:
                other = [i for i, r in self.model.receipts.items() if r.state == m.STORED and i != row.receipt]
                if other:
                    w.do(row.supervisor, "warehouse.reportShortage", self.recent(other), id_, 1, BASIS)
            else:
                other_one = w.supervisor if row.supervisor != w.supervisor else w.supervisor2
                w.do(other_one, "warehouse.reportShortage", row.receipt, id_, 1, BASIS)
        elif waiting:
            id_ = self.recent(waiting)
            row = self.model.pledges[id_]
            mistake = self.source.choice(4)
            if mistake == 0:
                other_bank = w.bank if row.bank != w.bank else w.bank2
                other_one = w.supervisor if row.supervisor != w.supervisor else w.supervisor2
                if row.state == m.PROPOSED:
                    w.do(other_bank, "warehouse.accept", id_)
                else:
                    w.do(other_one, "warehouse.confirm", id_, BASIS)
            elif mistake == 1:
                w.do(self.pick((w.company3, self.model.receipts[row.receipt].owner)), "warehouse.decline", id_, BASIS)
            elif mistake == 2:
                w.do(w.stranger, "warehouse.lapse", id_)
            elif row.answer_by - self.model.now <= 3 * DAY:  # a second too late, or just in time
                w.wait(row.answer_by - self.model.now + self.pick((1, 1, 0)))
                call = "warehouse.accept" if row.state == m.PROPOSED else "warehouse.confirm"
                actor, args = (row.bank, ()) if row.state == m.PROPOSED else (row.supervisor, (BASIS,))
                w.do(actor, call, id_, *args)

    def goods_story(self) -> None:
        """A whole lot, pledged and enforced; or left until it lapses, is declined or withdrawn, accepted by the bank or not."""
        w = self.w
        quantity = 2 + self.source.choice(5)
        if not w.do(w.warehouse2, "warehouse.issue", w.company3, self.new(), self.new(), BASIS, quantity, b"KGM"):
            return
        args = (len(self.model.receipts), w.bank, w.supervisor2, quantity, 9, EUR, self.model.now + 60)
        if not w.do(w.company3, "warehouse.pledge", *args):
            return
        pledge = len(self.model.pledges)
        end = self.source.choice(8)
        if end <= 4:
            w.do(w.bank, "warehouse.accept", pledge)
        else:
            end = (0, 1, 4)[end - 5]
        if end == 0:
            w.wait(61)
            w.do(w.stranger, "warehouse.lapse", pledge)
        elif end == 1:
            w.do(self.pick((w.bank, w.supervisor2)), "warehouse.decline", pledge, BASIS)
        elif end == 4:
            w.do(w.company3, "warehouse.withdraw", pledge)
        else:
            w.do(w.supervisor2, "warehouse.confirm", pledge, BASIS)
            if end == 2:
                w.do(w.court, "warehouse.enforce", pledge, 1, w.company4, BASIS)
                w.do(w.court, "warehouse.enforce", pledge, quantity - 1, w.bank, BASIS)
            else:
                w.do(w.bank, "warehouse.release", pledge, 1)
                w.do(w.bank, "warehouse.release", pledge, quantity - 1)
                w.do(w.warehouse2, "warehouse.deliver", args[0], quantity)
