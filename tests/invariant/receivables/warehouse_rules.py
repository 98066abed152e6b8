"""Lots and the pledges on them."""

from __future__ import annotations

from . import model as m
from .choosing import DAY, Life
from .model import MAX, NIL
from .world import BASIS, CNY, EUR, UNLISTED


class WarehouseRules(Life):
    # --- warehouse

    def issue(self) -> None:
        warehouse = self.pick(self.warehouses)
        owner = self.pick((self.w.supplier, self.w.company3, self.w.company4, self.w.hook, self.w.debtor))
        quantity = 1 + self.source.choice(30) if not self.odd(8) else self.pick((MAX, 10**6))
        goods, unit = BASIS, b"TNE"
        spoilt = self.source.choice(20)
        if spoilt == 19:
            quantity = 0
        elif spoilt == 18:
            owner = warehouse
        elif spoilt == 17:
            goods = NIL
        elif spoilt == 16:
            unit = bytes(3)
        elif spoilt == 15:
            owner = self.pick(self.all)
        args = (owner, self.fingerprint(), self.number(), goods, quantity, unit)
        self.w.do(self._can_send(self.actor(warehouse, 30)), "warehouse.issue", *args)

    def _of(self, account: str, fallback: str) -> str:
        return account if account != m.ZERO else fallback

    def goods(self) -> None:
        id_ = self.number_of(self.model.receipts, m.STORED)
        found = self.model.receipts[id_]
        free = found.quantity - found.pledged
        warehouse = self._of(found.warehouse, self.w.warehouse)
        receiver = self.model.parties[warehouse].receiver
        if receiver != m.ZERO and not self.odd(3):
            warehouse = receiver
        how = self.pick(("deliver", "transfer", "deliver", "shortage", "strike"))
        if how == "deliver":
            self.w.do(self._can_send(self.actor(warehouse)), "warehouse.deliver", id_, self.part(free))
        elif how == "transfer":
            owner = self._of(found.owner, self.w.supplier)
            to = self.pick([c for c in self.companies if c != owner])
            if self.odd(8):
                to = self.pick((owner, warehouse, self.w.stranger))
            self.w.do(self._can_send(self.actor(owner)), "warehouse.transfer", id_, to)
        elif how == "strike":
            self.w.do(self._can_send(self.actor(self.w.court, 10)), "warehouse.strike", id_, BASIS)
        else:
            active = [p for p, row in self.model.pledges.items() if row.state == m.PLEDGED]
            pledge = 0
            actor = warehouse
            if active and self.odd(2):
                pledge = self.recent(active)
                actor = self.model.pledges[pledge].supervisor
                if not self.odd(6):
                    id_ = self.model.pledges[pledge].receipt
            elif self.odd(6):
                pledge = self.source.choice(len(self.model.pledges) + 2)
            quantity = self.part(self.model.receipts[id_].quantity)
            args = (id_, pledge, quantity, BASIS)
            self.w.do(self._can_send(self.actor(actor, 10)), "warehouse.reportShortage", *args)

    def pledge(self) -> None:
        fitting = [i for i, r in self.model.receipts.items() if r.state == m.STORED and r.quantity > r.pledged]
        id_ = self.recent(self.some(fitting)) if not self.odd(12) else self.number_of(self.model.receipts, m.STORED)
        found = self.model.receipts[id_]
        owner = self._of(found.owner, self.w.supplier)
        bank, supervisor = self.pick(self.financiers), self.pick(self.supervisors)
        quantity, secured = self.part(found.quantity - found.pledged), 1 + self.source.choice(90)
        answer_by, currency = self.instant(2, 0, 1, 29), self.pick((CNY, EUR))
        spoilt = self.source.choice(40)
        if spoilt == 39:
            bank = self.pick((owner, self._of(found.warehouse, owner), *self.all))
        elif spoilt == 38:
            supervisor = self.pick((owner, self._of(found.warehouse, owner), bank, *self.all))
        elif spoilt == 37:
            secured = 0
        elif spoilt == 36:
            answer_by = self.model.now - self.pick((1, 0))
        elif spoilt == 35:
            answer_by = self.model.now + m.MAX_ANSWER + self.pick((1, 0))
        elif spoilt == 34:
            currency = UNLISTED
        actor = self._can_send(self.actor(owner, 25))
        args = (id_, bank, supervisor, quantity, secured, currency, answer_by)
        if self.w.do(actor, "warehouse.pledge", *args):
            pledge = len(self.model.pledges)
            if self.odd(3):
                end = self.source.choice(6)
                if end == 3:
                    self.w.do(self.pick((bank, supervisor)), "warehouse.decline", pledge, BASIS)
                elif end == 4:
                    self.w.do(owner, "warehouse.withdraw", pledge)
                elif end == 5 and answer_by - self.model.now <= DAY:
                    self.w.wait(answer_by - self.model.now + 1)
                    self.w.do(self.w.stranger, "warehouse.lapse", pledge)
            elif self.w.do(bank, "warehouse.accept", pledge) and not self.odd(3):
                self.w.do(supervisor, "warehouse.confirm", pledge, BASIS)

    def _for(self, account: str, fallback: str) -> str:
        account = self._of(account, fallback)
        receiver = self.model.parties[account].receiver
        return receiver if receiver != m.ZERO and not self.odd(3) else account

    def answer_pledge(self) -> None:
        id_ = self.number_of(self.model.pledges, m.PROPOSED, m.ACCEPTED)
        found = self.model.pledges[id_]
        how = self.pick(("accept", "confirm", "decline", "withdraw", "lapse"))
        if how in ("accept", "confirm"):
            state = m.PROPOSED if how == "accept" else m.ACCEPTED
            if not self.odd(5):
                id_ = self.number_of(self.model.pledges, state)
                found = self.model.pledges[id_]
            if self.odd(9) and 0 <= found.answer_by - self.model.now <= 3 * DAY:
                self.w.wait(found.answer_by - self.model.now + self.pick((1, 0)))
        if how == "lapse":
            waiting = found.answer_by - self.model.now
            if 0 <= waiting <= 3 * DAY:
                self.w.wait(waiting + (0 if self.odd(4) else 1))
            self.w.do(self._can_send(self.pick(self.all)), "warehouse.lapse", id_)
            return
        if how == "withdraw" and not self.odd(6):
            state = self.pick((m.PROPOSED, m.ACCEPTED))
            id_ = self.number_of(self.model.pledges, state)
            found = self.model.pledges[id_]
        owner = self.model.receipts[found.receipt].owner
        due = {
            "accept": self._of(found.bank, self.w.bank),
            "confirm": self._of(found.supervisor, self.w.supervisor),
            "decline": self._for(self.pick((found.bank, found.supervisor)), self.w.bank),
            "withdraw": self._for(owner, self.w.supplier),
        }[how]
        actor = self.actor(due)
        if how in ("accept", "confirm") and self.odd(10):
            actor = self.pick((*self.financiers, *self.supervisors))
        args = (BASIS,) if how in ("confirm", "decline") else ()
        self.w.do(self._can_send(actor), f"warehouse.{how}", id_, *args)

    def active_pledge(self) -> None:
        id_ = self.number_of(self.model.pledges, m.PLEDGED)
        found = self.model.pledges[id_]
        quantity = self.part(found.quantity)
        if self.odd(2):
            actor = self._can_send(self.actor(self._for(found.bank, self.w.bank), 10))
            self.w.do(actor, "warehouse.release", id_, quantity)
        else:
            to = self.pick((found.bank if found.bank != m.ZERO else self.w.bank, self.w.company3, self.w.company4))
            self.w.do(self._can_send(self.actor(self.w.court, 12)), "warehouse.enforce", id_, quantity, to, BASIS)
