"""From the draft to the last minor unit, and to the default."""

from __future__ import annotations

from . import model as m
from .choosing import DAY, Life
from .model import MAX, NIL
from .world import BASIS, CNY, EUR, UNLISTED


class ReceivableRules(Life):
    # --- receivables

    def draft(self) -> None:
        supplier = self.pick(self.companies)
        debtor = self.pick([c for c in self.companies if c != supplier])
        face = 1 + self.source.choice(40)
        if self.odd(4):
            face = self.pick((10**4, 10**6 + 7, MAX, MAX - 1))
        due = self.instant(10, 3, 1, 0, 20, 60)
        currency = self.pick((CNY, CNY, EUR))
        spoilt = self.source.choice(48)
        if spoilt == 47:
            face = 0
        elif spoilt == 46:
            debtor = supplier
        elif spoilt == 45:
            due = self.model.now - self.pick((0, 0, 1))
        elif spoilt == 44:
            due = self.model.now + m.MAX_TERM + self.pick((1, 0))
        elif spoilt == 43:
            currency = UNLISTED
        elif spoilt == 42:
            due = 2**64 - 1
        elif spoilt == 41:
            debtor = self.pick(self.all)
        args = (debtor, currency, face, due, self.fingerprint(), self.number())
        if self.w.do(self.actor(supplier, 25), "ledger.draft", *args) and not self.odd(4):
            self.w.do(debtor, "ledger.confirm", len(self.model.receivables))

    def answer(self) -> None:
        id_ = self.number_of(self.model.receivables, m.DRAFT, m.DISPUTED)
        found = self.model.receivables[id_]
        how = self.pick(("confirm", "dispute", "reject", "withdraw", "strike"))
        due = {"withdraw": found.supplier, "strike": self.w.court}.get(how, found.debtor)
        actor = self.actor(due if due != m.ZERO else self.w.debtor)
        args = (id_, BASIS) if how in ("dispute", "strike") else (id_,)
        self.w.do(actor, f"ledger.{how}", *args, relayed=actor in self.w.keys and self.odd(40))

    def _holder(self, id_: int) -> str:
        holders = [account for (i, account), held in self.model.holdings.items() if i == id_ and held.units]
        return self.pick(holders) if holders and not self.odd(25) else self.pick(self.all)

    def _opened(self) -> int:
        if self.odd(20):
            return self.source.choice(len(self.model.receivables) + 2)
        return self.recent(self.some([i for i in self.model.receivables if self.model.is_open(i)]))

    def transfer(self) -> None:
        id_ = self._opened()
        giver = self._holder(id_)
        taker = self.pick((*self.companies, *self.banks, self.w.guest)) if not self.odd(30) else self.pick(self.all)
        units = self.part(self.model.holdings[id_, giver].units)
        if giver in self.w.keys or giver == self.w.hook:
            self.w.do(self._can_send(self.actor(giver, 30)), "ledger.safeTransferFrom", giver, taker, id_, units, b"")

    def _can_send(self, account: str) -> str:
        """An ERC-1271 account acts through the forwarder only, which registries do not trust."""
        return self.w.debtor if account in (self.w.bank3, self.w.signing_company) else account

    def transfer_batch(self) -> None:
        giver = self.pick((self.w.supplier, self.w.company3, self.w.hook, self.w.debtor, self.w.company4, self.w.guest))
        own = [
            i
            for (i, account), held in self.model.holdings.items()
            if account == giver and held.units and self.model.is_open(i)
        ]
        ids = [self.recent(own) for _ in range(1 + self.source.choice(3))] if own else []
        units = [max(1, self.model.holdings[i, giver].units // 4) for i in ids]
        spoilt = self.source.choice(13)
        if spoilt == 12:
            ids, units = [1] * 33, [1] * 33
        elif spoilt == 11:
            units = [*units, 1]
        elif spoilt == 10 and units:
            units[-1] = self.part(self.model.holdings[ids[-1], giver].units)
        elif spoilt == 9 and ids:
            ids[0] = self.source.choice(len(self.model.receivables) + 2)
        taker = self.pick((*self.companies, self.w.bank, self.w.guest))
        self.w.do(self._can_send(self.actor(giver, 25)), "ledger.safeBatchTransferFrom", giver, taker, ids, units, b"")

    def hook_mode(self) -> None:
        """Not a call of the product: how the one holder with code answers from now on."""
        mode = self.pick((m.ACCEPT, m.SEND_TWICE_ON, m.REFUSE, m.NONSENSE))
        accomplice = self.pick((self.w.guest, self.w.company3, self.w.stranger))
        self.w.hook_contract.set(mode, accomplice, sender=self.w.stranger)
        self.w.log.append(f"the hook's mode is {mode}, its accomplice {self.w.names[accomplice]}")
        self.model.hooks[self.w.hook] = m.Hook(mode, accomplice)

    def hook_takes(self) -> None:
        """Units for the holder with code, in whatever mood it is, and at once some more."""
        fitting = [
            (i, account)
            for (i, account), held in self.model.holdings.items()
            if held.units and account in self.w.keys and self.model.is_open(i)
        ]
        if not fitting:
            return
        self.hook_mode()
        id_, giver = self.recent(fitting)
        units = max(1, self.model.holdings[id_, giver].units // 3)
        for _ in range(2):
            self.w.do(self._can_send(giver), "ledger.safeTransferFrom", giver, self.w.hook, id_, units, b"")
        self.w.hook_contract.set(m.ACCEPT, self.w.guest, sender=self.w.stranger)
        self.model.hooks[self.w.hook] = m.Hook()

    def pay(self) -> None:
        id_ = self.number_of(self.model.receivables, m.CONFIRMED, m.PARTLY_PAID)
        self._pay(id_, self.part(self.model.receivables[id_].face - self.model.receivables[id_].paid))

    def _pay(self, id_: int, amount: int) -> None:
        found = self.model.receivables[id_]
        payer = found.debtor if found.debtor != m.ZERO else self.w.debtor
        receiver = self.model.parties[payer].receiver
        if receiver != m.ZERO and not self.odd(3):
            payer = receiver
        self.w.do(self._can_send(self.actor(payer, 20)), "ledger.pay", id_, amount)

    def claim(self) -> None:
        fitting = [key for key in self.model.holdings if self.model.claimable(*key)]
        if self.odd(7):
            fitting = list(self.model.holdings)
        id_, holder = self.recent(self.some(fitting))
        self.w.do(self._can_send(holder), "ledger.claim", id_)

    def dilute(self) -> None:
        id_ = self.number_of(self.model.receivables, m.CONFIRMED)
        found = self.model.receivables[id_]
        supplier = found.supplier if found.supplier != m.ZERO else self.w.supplier
        held = self.model.holdings[id_, supplier].units
        if held == 0 and not self.odd(4):
            return
        amount = self.part(held)
        note, number = self.fingerprint(), self.number()
        how = self.source.choice(13)
        if how in (8, 9):  # its own invoice's, as who misreads the form would give it
            note, number = found.fingerprint, self.model.entries[found.fingerprint].number
        elif how == 10:  # somebody else's, which must not be taken by it
            other = self.model.receivables[self.recent(tuple(self.model.receivables) or (0,))].fingerprint
            note, number = other, self.model.entries[other].number
        elif how >= 11:
            note, number = self.pick(((NIL, number), (note, NIL)))
        if self.w.do(self.actor(supplier, 20), "ledger.dilute", id_, amount, note, number) and self.odd(2):
            terms = (self.w.debtor, CNY, 5, self.model.now + DAY, note, number)
            self.w.do(self.w.company3, "ledger.draft", *terms)

    # --- default

    def _overdue(self) -> list[int]:
        return [i for i in self.model.receivables if self.model.is_defaulted(i)]

    def write_off(self) -> None:
        fitting = [
            (i, holder)
            for (i, holder), held in self.model.holdings.items()
            if held.units and self.model.is_defaulted(i)
        ]
        if self.odd(6):
            fitting = list(self.model.holdings)
        id_, holder = self.recent(self.some(fitting))
        if self.w.do(self._can_send(holder), "ledger.writeOff", id_, BASIS) and self.odd(3):
            self.w.do(self._can_send(holder), "ledger.writeOff", id_, BASIS)

    def _put_back(self, bank: str, nonce: int) -> bool:
        return self.w.do(bank, "desk.putBack", nonce, relayed=bank == self.w.bank3)

    def put_back(self) -> None:
        held = [key for key, found in self.model.recourses.items() if found.state == m.HELD]
        ripe = [key for key in held if self.model.is_defaulted(self.model.recourses[key].receivable)]
        if ripe and not self.odd(12):
            self._put_back(*self.recent(ripe))
        elif self.odd(3):
            self._put_back(*self.recent(tuple(self.model.recourses) or ((self.w.bank, 1),)))

    def repay(self) -> None:
        owed = [key for key, found in self.model.recourses.items() if found.state == m.OWED]
        if self.odd(12):
            owed = list(self.model.recourses) or [(self.w.bank, 1)]
        bank, nonce = self.recent(self.some(owed))
        found = self.model.recourses[bank, nonce]
        seller = found.seller if found.seller != m.ZERO else self.w.supplier
        receiver = self.model.parties[seller].receiver
        if receiver != m.ZERO and not self.odd(3):
            seller = receiver
        actor = self.actor(seller, 12)
        amount = self.part(found.amount - found.repaid)
        self.w.do(self._can_send(actor), "desk.repay", bank, nonce, amount, relayed=self._relay(actor))

    def default_story(self) -> None:
        """Sold with recourse, in parts; partly paid or not; the default; put back; repaid."""
        seller, debtor = self.w.supplier, self.w.debtor
        bank = self.pick((self.w.bank, self.w.bank2, self.w.bank3))
        face = 3 + self.source.choice(20)
        due = self.model.now + DAY
        if not self.w.do(seller, "ledger.draft", debtor, CNY, face, due, self.new(), self.new()):
            return
        id_ = len(self.model.receivables)
        if not self.w.do(debtor, "ledger.confirm", id_):
            return
        for _ in range(1 + self.source.choice(3)):
            units = 1 + self.source.choice(max(1, self.model.holdings[id_, seller].units))
            self._offer(id_, seller, bank, units, recourse=not self.odd(5), divisible=self.odd(2))
            quote, signature = self.quotes[-1]
            if quote.divisible:
                self._fill(quote, 1, signature)
            self._fill(quote, units - (1 if quote.divisible else 0), signature)
        own = self.model.holdings[id_, bank].units
        if own and bank != self.w.bank3 and self.odd(3):  # sold on: less can be put back than was bought
            self.w.do(bank, "ledger.safeTransferFrom", bank, self.w.company3, id_, self.pick((1, own)), b"")
        paid = self.source.choice(face)
        if paid:
            self._pay(id_, paid)
        if self.odd(2):
            self.w.do(self._can_send(bank), "ledger.claim", id_)
        self.w.wait(due + self.w.where.grace - self.model.now - self.pick((0, 0, 0, 1)))
        for _ in range(3):
            self.put_back()
        self.write_off()
        if not self.odd(3):
            self.repay()
        self.repay()
        if self.odd(2):
            self._pay(id_, face - paid)
        self.claim()

    def sold_on_story(self) -> None:
        """Bought with recourse, with one nonce or two; some sold on, at times with recourse in turn; after the default put back what is
        left, before or after what was sold on has come back."""
        w, seller, bank = self.w, self.w.company3, self.w.bank
        face, due = 4 + self.source.choice(9), self.model.now + DAY
        if not w.do(seller, "ledger.draft", w.debtor, EUR, face, due, self.new(), self.new()):
            return
        id_ = len(self.model.receivables)
        w.do(w.debtor, "ledger.confirm", id_)
        puts = []
        for units in self.pick(((4,), (2, 2), (1, 3))):
            self._offer(id_, seller, bank, units, recourse=True, divisible=False)
            self._fill(*self.quotes[-1][:1], units, self.quotes[-1][1])
            puts.append((bank, self.quotes[-1][0].nonce))
        sold = self.pick((1, 2, 3, 4))
        if self.odd(2):
            w.do(bank, "ledger.safeTransferFrom", bank, self.pick((w.guest, w.bank2)), id_, sold, b"")
        else:
            self._offer(id_, bank, w.bank2, sold, recourse=True, divisible=False)
            self._fill(*self.quotes[-1][:1], sold, self.quotes[-1][1])
            puts.insert(self.pick((0, len(puts))), (w.bank2, self.quotes[-1][0].nonce))
        if self.odd(2):
            self._pay(id_, 1 + self.source.choice(face - 1))
        w.wait(due + w.where.grace - self.model.now)
        for put in puts:
            self._put_back(*put)
        self._pay(id_, self.model.receivables[id_].face - self.model.receivables[id_].paid)
        for holder in (seller, bank):
            w.do(holder, "ledger.claim", id_)

    def nothing_owed_story(self) -> None:
        """All but a little is paid, and rounding made what was claimed on a unit as much as the unit."""
        seller, bank = self.w.supplier, self.w.bank
        face, due = 10 + self.source.choice(5), self.model.now + DAY
        if not self.w.do(seller, "ledger.draft", self.w.debtor, CNY, face, due, self.new(), self.new()):
            return
        id_ = len(self.model.receivables)
        self.w.do(self.w.debtor, "ledger.confirm", id_)
        for _ in range(2):
            self._offer(id_, seller, bank, 1, recourse=True, divisible=False)
            self._fill(*self.quotes[-1][:1], 1, self.quotes[-1][1])
        self._pay(id_, face - 1)
        self.w.wait(due + self.w.where.grace - self.model.now)
        for _ in range(2):
            self.put_back()

    def largest_story(self) -> None:
        """The largest face there is, paid to the end with money that comes round: what is multiplied nears 2^256."""
        w, debtor, holders = self.w, self.w.debtor, (self.w.supplier, self.w.company3, self.w.guest)
        token = w.at["CNY"]
        face = self.pick((MAX, MAX - 1))
        if self.odd(2):
            return
        if not w.do(w.supplier, "ledger.draft", debtor, CNY, face, self.instant(5), self.new(), self.new()):
            return
        id_ = len(self.model.receivables)
        if not w.do(debtor, "ledger.confirm", id_):
            return
        for taker in holders[1:]:
            w.do(w.supplier, "ledger.safeTransferFrom", w.supplier, taker, id_, face // 3, b"")
        for _ in range(9):
            row = self.model.receivables[id_]
            rest, purse = row.face - row.paid, self.model.balances[token, debtor] - self.model.frozen[token, debtor]
            if rest == 0 or purse <= 0 or not w.do(debtor, "ledger.pay", id_, min(rest, purse)):
                break
            for holder in holders:
                before = self.model.balances[token, holder]
                if w.do(holder, "ledger.claim", id_):
                    w.do(holder, "CNY.transfer", debtor, self.model.balances[token, holder] - before)

    def carry_story(self) -> None:
        """Two banks put three units of seven back each: rounding makes more claimed on them than their part, and at the next payment all
        entitlements together exceed what is held."""
        seller, keeper, now = self.w.supplier, self.w.company3, self.model.now
        due = now + DAY
        if not self.w.do(seller, "ledger.draft", self.w.debtor, EUR, 20, due, self.new(), self.new()):
            return
        id_ = len(self.model.receivables)
        self.w.do(self.w.debtor, "ledger.confirm", id_)
        banks = (self.w.bank, self.w.bank2)
        for bank in banks:
            for units, recourse in ((4, False), (3, True)):
                self._offer(id_, seller, bank, units, recourse=recourse, divisible=False)
                quote = self.quotes[-1][0]._replace(proceeds=1, nonce=1000 + len(self.quotes))
                self.quotes[-1] = (quote, self.w.sign(bank, self.model.quote_digest(quote)))
                self._fill(quote, units, self.quotes[-1][1])
        self.w.do(seller, "ledger.safeTransferFrom", seller, keeper, id_, 6, b"")
        self._pay(id_, self.pick((9, 9, 4, 13)))
        self.w.wait(due + self.w.where.grace - now)
        for bank in banks:
            for key, found in tuple(self.model.recourses.items()):
                if key[0] == bank and found.receivable == id_ and found.state == m.HELD:
                    self._put_back(*key)
        self._pay(id_, self.pick((1, 1, 2)))
        for holder in (*banks, keeper, seller, keeper):
            self.w.do(holder, "ledger.claim", id_)
        if self.odd(2):
            self.w.do(self.w.mover, "ledger.giveBack", id_, seller, keeper, 1, keeper)

    def mover(self) -> None:
        """Another desk than the financing desk, which asks for what it likes."""
        overdue = self._overdue()
        if overdue and self.odd(2):
            id_ = self.recent(overdue)
            call, giver = "ledger.giveBack", self._holder(id_)
            taker = self.pick((self.w.supplier, self.w.company3, self.w.guest, giver))
        else:
            id_ = self._opened()
            call, giver, taker = "ledger.move", self._holder(id_), self.pick((*self.companies, *self.banks))
            if self.odd(8):
                call = "ledger.giveBack"
        units = self.part(self.model.holdings[id_, giver].units)
        actor = self._can_send(self.actor(self.w.mover, 25))
        self.w.do(actor, call, id_, giver, taker, units, self.w.company3)
