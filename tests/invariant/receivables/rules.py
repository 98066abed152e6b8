"""What happens: one set of rules for every driver, and how often each is taken.

Most rules look for a case in which the call is due and then, now and then, spoil one thing about it: who, what, how much, when, signed how.
"""

from __future__ import annotations

from typing import Any

from . import model as m
from .choosing import DAY
from .mistake_rules import MistakeRules
from .model import MAX, NIL, Quote
from .quote_rules import QuoteRules
from .receivable_rules import ReceivableRules
from .register_rules import RegisterRules
from .warehouse_rules import WarehouseRules
from .world import BASIS, CNY


class Rules(ReceivableRules, QuoteRules, RegisterRules, WarehouseRules, MistakeRules):
    """All of them, with what goes on around them: suspensions, money, time, and calls through the manager."""

    # --- everything around it

    def standing(self) -> None:
        """Suspensions never last long, so that life goes on; receivers stand in; once in a while somebody goes for good."""
        suspended = sorted(a for a, party in self.model.parties.items() if party.status == m.SUSPENDED)
        founder = self.w.founder
        if suspended and not self.odd(4):
            account = self.pick(suspended)
            if self.odd(3) and self.model.is_active(self.w.court):
                if account in (self.w.founder, self.w.court):
                    return
                candidates = [c for c in (self.w.company3, self.w.debtor, self.w.warehouse2) if self.model.is_active(c)]
                if candidates:
                    args = (account, self.pick(candidates), BASIS)
                    self.w.do(self.w.court, "members.appointReceiver", *args)
                return
            self.w.do(founder, "members.reinstate", account, BASIS)
            return
        account = self.pick(
            (
                self.w.supplier,
                self.w.debtor,
                self.w.bank,
                self.w.company3,
                self.w.company4,
                self.w.warehouse,
                self.w.supervisor,
                self.w.bank2,
                self.w.arbiter,
                self.w.court,
                self.w.hook,
            )
        )
        if self.model.parties[account].status == m.ACTIVE:
            if self.odd(10) and account != self.w.court:
                account = self.pick(
                    (self.w.company4, self.w.bank2, self.w.supervisor2, self.w.company3, self.w.warehouse2)
                )
                if self.model.parties[account].status != m.RETIRED:
                    self.w.do(founder, "members.retire", account, BASIS)
                return
            self.w.do(founder, "members.suspend", account, BASIS)

    def money(self) -> None:
        currency = self.pick(("CNY", "EUR"))
        owner = self.pick((self.w.company4, self.w.company3, self.w.guest, self.w.supplier, self.w.bank2))
        token = self.w.at[currency]
        balance = self.model.balances[token, owner]
        how = self.source.choice(6)
        if how <= 1:
            amount = self.pick((m.INFINITE, m.INFINITE, 1, 5, 0))
            self.w.do(owner, f"{currency}.approve", self.pick((self.w.at["escrow"], self.w.at["desk"])), amount)
        elif how <= 3:
            frozen = self.model.frozen[token, owner]
            amount = 0 if frozen else self.pick((balance, max(0, balance - 3), balance + 1, MAX))
            if self.model.is_active(self.w.court):
                self.w.do(self.w.court, f"{currency}.setFreeze", owner, amount, BASIS)
        else:
            giver = self.w.debtor if how == 4 else owner
            taker = owner if how == 4 else self.pick((self.w.debtor, self.w.company3))
            self.w.do(giver, f"{currency}.transfer", taker, 1 + self.source.choice(50))

    def short_of_money(self) -> None:
        """Allowance, freeze and balance of somebody who owes."""
        owed = [
            (i, row.debtor)
            for i, row in self.model.receivables.items()
            if row.state in (m.CONFIRMED, m.PARTLY_PAID) and row.debtor in self.w.keys
        ]
        if not owed:
            return
        id_, payer = self.recent(owed)
        row = self.model.receivables[id_]
        currency = "CNY" if row.currency == CNY else "EUR"
        token, amount = self.w.at[currency], row.face - row.paid
        how = self.source.choice(3)
        if how == 0:
            self.w.do(payer, f"{currency}.approve", self.w.at["escrow"], amount - 1)
            self.w.do(payer, "ledger.pay", id_, amount)
            self.w.do(payer, f"{currency}.approve", self.w.at["escrow"], m.INFINITE)
        elif how == 1 and self.model.is_active(self.w.court):
            balance = self.model.balances[token, payer]
            self.w.do(self.w.court, f"{currency}.setFreeze", payer, max(0, balance - amount) + 1, BASIS)
            self.w.do(payer, "ledger.pay", id_, amount)
            self.w.do(self.w.court, f"{currency}.setFreeze", payer, 0, BASIS)
        else:
            self.w.do(payer, "ledger.pay", id_, min(amount, self.model.balances[token, payer] + 1) or 1)

    def wait(self) -> None:
        """A little, or to a deadline that is near: the last second of it, or the first after it."""
        now = self.model.now
        near = [
            *(e.reserved_until for e in self.model.entries.values() if e.state == m.RESERVED),
            *(q.valid_until for q, _ in self.quotes),
            *(r.due for r in self.model.receivables.values() if r.state in (m.CONFIRMED, m.DRAFT)),
            *(p.answer_by for p in self.model.pledges.values() if p.state in (m.PROPOSED, m.ACCEPTED)),
        ]
        near = sorted({t for t in near if now < t <= now + 2 * DAY})
        if near and self.odd(2):
            deadline = near[self.source.choice(min(3, len(near)))]
            self.w.wait(deadline - now + self.pick((0, -1, 1)))
        else:
            self.w.wait(self.pick((1, 60, 600)))

    def long_wait(self) -> None:
        fitting = [r for r in self.model.receivables.values() if r.state in (m.CONFIRMED, m.PARTLY_PAID)]
        soon = sorted(r.due + self.w.where.grace for r in fitting if r.due + self.w.where.grace > self.model.now)
        if soon and soon[0] < self.model.now + 100 * DAY:
            self.w.wait(soon[0] - self.model.now + self.pick((0, -1)))

    # --- what ends an episode, for nothing else would survive it

    def goodbye(self) -> None:
        """Somebody with money to come is retired, and gets it no more; nor does a bank what a seller owes it."""
        for owner, call, args in (
            *(
                (holder, "ledger.claim", (i,))
                for (i, holder) in self.model.holdings
                if self.model.claimable(i, holder) and holder in self.w.keys and holder != self.w.bank3
            ),
            *(
                (found.seller, "desk.repay", (bank, nonce, 1))
                for (bank, nonce), found in self.model.recourses.items()
                if found.state == m.OWED
            ),
        ):
            leaving = owner if call == "ledger.claim" else args[0]
            if not self.odd(3) or leaving in (self.w.founder, self.w.court, self.w.guest, self.w.bank3):
                continue
            if self.model.parties[leaving].status in (m.ACTIVE, m.SUSPENDED):
                self.w.do(self.w.founder, "members.retire", leaving, BASIS)
            self.w.do(owner, call, *args)
            return

    def expiry(self) -> None:
        """The guest's enrolment ends, with the second after its last one."""
        if self.odd(2):
            return
        self.w.wait(self.w.guest_until - self.model.now)
        for _ in range(2):
            args = (self.w.guest, CNY, 5, self.model.now + DAY, self.new(), self.new())
            self.w.do(self.pick((self.w.supplier, self.w.company3)), "ledger.draft", *args)
            self.w.wait(1)

    def manager(self) -> None:
        """Calls through `AccessManager.execute`, which arrive with the manager as their sender, by who may make them."""
        w, founder = self.w, self.w.founder
        basis = BASIS
        held = next(((i, a) for i, a in self.model.holdings), (1, w.supplier))
        consent, signed = self._agree(w.bank)
        lot = self.recent(tuple(self.model.entries) or (NIL,))
        receivable = self.source.choice(len(self.model.receivables) + 1)
        receipt = self.source.choice(len(self.model.receipts) + 1)
        pledge = self.source.choice(len(self.model.pledges) + 1)
        quote = Quote(receivable, 1, 1, w.supplier, w.bank, False, False, self.model.now, 1)
        calls: tuple[tuple[Any, ...], ...] = (
            (founder, "register.release", lot),
            (founder, "register.withdrawConsent", consent),
            (w.bank, "register.reserve", consent, signed),
            (w.bank, "register.finance", lot, NIL),
            (w.bank, "register.recordFiling", lot, basis),
            (w.arbiter, "register.clear", lot, basis, basis),
            (w.arbiter, "register.annul", lot, basis),
            (w.application, "register.enter", lot, basis, 1, w.supplier),
            (w.application, "register.leave", lot, 1, w.supplier),
            (w.supplier, "ledger.draft", w.debtor, CNY, 1, self.model.now + 9, self.new(), self.new()),
            (w.debtor, "ledger.confirm", receivable),
            (founder, "ledger.dispute", receivable, basis),
            (founder, "ledger.reject", receivable),
            (founder, "ledger.withdraw", receivable),
            (w.court, "ledger.strike", receivable, basis),
            (founder, "ledger.pay", receivable, 1),
            (founder, "ledger.claim", receivable),
            (w.supplier, "ledger.dilute", receivable, 1, basis, basis),
            (founder, "ledger.writeOff", receivable, basis),
            (founder, "ledger.safeTransferFrom", w.where.authority, held[1], held[0], 1, b""),
            (founder, "ledger.safeBatchTransferFrom", w.where.authority, held[1], [], [], b""),
            *((founder, "desk.cancel", 7), (founder, "desk.putBack", 7), (founder, "desk.repay", w.bank2, 1, 1)),
            (founder, "desk.fill", quote, 1, w.sign(w.bank, self.model.quote_digest(quote))),
            (founder, "desk.cancel", 1),
            (founder, "desk.putBack", 1),
            (founder, "desk.repay", w.bank, 1, 1),
            (w.warehouse, "warehouse.issue", w.supplier, basis, basis, basis, 1, b"TNE"),
            (founder, "warehouse.transfer", receipt, w.supplier),
            (founder, "warehouse.deliver", receipt, 1),
            (founder, "warehouse.reportShortage", receipt, 0, 1, basis),
            (w.court, "warehouse.strike", receipt, basis),
            (founder, "warehouse.pledge", receipt, w.bank, w.supervisor, 1, 1, CNY, self.model.now),
            (w.bank, "warehouse.accept", pledge),
            (w.supervisor, "warehouse.confirm", pledge, basis),
            (founder, "warehouse.decline", pledge, basis),
            (founder, "warehouse.withdraw", pledge),
            (founder, "warehouse.lapse", pledge),
            (founder, "warehouse.release", pledge, 1),
            (w.court, "warehouse.enforce", pledge, 1, w.bank, basis),
        )
        actor, call, *args = self.pick(calls)
        role = self.model.parties[actor].roles
        if actor == founder or role:  # a retired one may not go through the manager either
            self.w.do(actor, call, *args, by_manager=True)


#: How often each rule is taken, in parts of the whole.
WEIGHTS: dict[str, int] = {
    "draft": 22,
    "answer": 14,
    "transfer": 11,
    "transfer_batch": 6,
    "hook_takes": 4,
    "pay": 13,
    "claim": 11,
    "dilute": 9,
    "write_off": 4,
    "put_back": 3,
    "repay": 14,
    "default_story": 1,
    "sold_on_story": 4,
    "nothing_owed_story": 2,
    "carry_story": 2,
    "largest_story": 1,
    "mover": 4,
    "quote": 18,
    "fill": 15,
    "own_quote": 2,
    "two_quotes_one_nonce": 2,
    "wrong_receivable": 11,
    "wrong_terms": 19,
    "dispute_story": 4,
    "at_the_due_date": 4,
    "at_a_reservations_end": 4,
    "parts_story": 5,
    "wrong_recourse": 12,
    "wrong_goods": 21,
    "wrong_pledge": 22,
    "goods_story": 7,
    "cancel": 5,
    "reserve": 17,
    "withdraw_consent": 3,
    "after_reservation": 16,
    "arbiter": 17,
    "application": 6,
    "annulled_story": 13,
    "issue": 10,
    "goods": 12,
    "pledge": 15,
    "answer_pledge": 14,
    "active_pledge": 10,
    "standing": 9,
    "money": 5,
    "short_of_money": 3,
    "wait": 10,
    "long_wait": 1,
    "manager": 10,
}
DRAWN = tuple(name for name, weight in WEIGHTS.items() for _ in range(weight))


#: These come once, in this order.
ENDINGS = ("goodbye", "expiry")
Step = tuple[str, tuple[int, ...]]
