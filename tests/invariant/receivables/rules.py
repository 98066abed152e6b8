"""What happens: one set of rules for every driver.

A rule asks its `Source` for small numbers and makes calls of them. Zero is always the ordinary choice, so that whoever shrinks towards
zero shrinks towards an ordinary life; a replay gives the same calls for the same numbers. Most rules look for a case in which the call is
due and then, now and then, spoil one thing about it: who, what, how much, when, signed how.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from . import model as m
from .model import MAX, NIL, Consent, Quote, Signature
from .world import BASIS, CNY, EUR, UNLISTED, World

T = TypeVar("T")
DAY = 86400


class Source(Protocol):
    def choice(self, size: int) -> int:
        """A number from 0 to size − 1."""
        ...


class RandomSource:
    """Seeded, and remembers what it answered."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.taken: list[int] = []

    def choice(self, size: int) -> int:
        answer = int(self.random.random() * size)
        self.taken.append(answer)
        return answer


class ReplaySource:
    def __init__(self, answers: Sequence[int]) -> None:
        self.answers = iter(answers)

    def choice(self, size: int) -> int:
        return next(self.answers, 0) % size


class Nothing(Exception):
    """There is no case that this rule could do anything with."""


class Rules:
    """One episode's life. What is signed but not yet on the chain is kept here."""

    def __init__(self, world: World) -> None:
        self.w, self.model = world, world.model
        self.source: Source = ReplaySource(())
        self.fresh = 1000
        self.quotes: list[tuple[Quote, Signature]] = []
        self.consents: list[tuple[Consent, Signature]] = []
        w = world
        self.companies = (w.supplier, w.debtor, w.company3, w.company4, w.hook)
        self.banks = (w.bank, w.bank2, w.bank3)
        self.financiers = (w.bank, w.bank2)
        self.all = (*self.companies, *self.banks, w.guest, w.warehouse, w.supervisor2, w.court, w.stranger)
        self.warehouses, self.supervisors = (w.warehouse, w.warehouse2), (w.supervisor, w.supervisor2)

    def run(self, name: str, source: Source) -> None:
        self.source = source
        with contextlib.suppress(Nothing):
            getattr(self, name)()

    # --- choosing

    def pick(self, options: Sequence[T]) -> T:
        return options[self.source.choice(len(options))]

    def odd(self, size: int) -> bool:
        """Once in `size`."""
        return self.source.choice(size) == size - 1

    def recent(self, options: Sequence[T]) -> T:
        """Rather one of the latest."""
        tail = options if self.odd(4) else options[-6:]
        return tail[len(tail) - 1 - self.source.choice(len(tail))]

    def number_of(self, table: m.Table, *states: int) -> int:
        """A case in one of these states; once in 16 any, which may not exist."""
        fitting = [key for key, row in table.items() if row.state in states]
        if self.odd(16):
            return self.source.choice(len(table) + 2)
        return self.recent(self.some(fitting))

    def some(self, fitting: Sequence[T]) -> Sequence[T]:
        if not fitting:
            raise Nothing
        return fitting

    def actor(self, due: str, size: int = 14) -> str:
        return self.pick(self.all) if self.odd(size) else due

    def part(self, limit: int) -> int:
        """Of what is there, mostly: all, one, some; at times nothing, one too many, or the largest number."""
        how = self.source.choice(40)
        if how == 39:
            return 0
        if how >= 36:
            return min(limit + 1, MAX)
        if how == 35:
            return MAX
        if how < 8 or limit <= 1:
            return max(limit, 1)
        options = (1, limit // 2, limit // 3, limit - 1, 1 + self.source.choice(min(limit, 7)))
        return max(1, options[how % 5])

    def new(self) -> bytes:
        self.fresh += 1
        return self.fresh.to_bytes(32, "big")

    def fingerprint(self) -> bytes:
        if self.odd(10) and self.model.entries:
            return self.recent(tuple(self.model.entries))
        if self.odd(60):
            return self.pick((NIL, m.AMBIGUOUS))
        return self.new()

    def number(self) -> bytes:
        if self.odd(10) and self.model.numbers:
            return self.recent(tuple(self.model.numbers))
        return NIL if self.odd(80) else self.new()

    def instant(self, *days: int) -> int:
        """Some time ahead, at times the boundary itself or a second to either side."""
        span = self.pick(days) * DAY
        return self.model.now + span + (self.pick((0, 1, 60, 3600, -1)) if span else self.pick((1, 60, 3600)))

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
        self.w.do(self.actor(supplier, 20), "ledger.dilute", id_, amount, self.fingerprint(), self.number())

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

    # --- quotes

    def _relay(self, actor: str) -> bool:
        return actor in (self.w.bank3, self.w.signing_company) or (actor in self.w.keys and self.odd(12))

    def _offer(self, id_: int, seller: str, bank: str, units: int, recourse: bool, divisible: bool) -> None:
        nonces = [quote.nonce for quote, _ in self.quotes if quote.bank == bank]
        nonce = max(nonces, default=-1) + 1
        if self.odd(25) and nonces:
            nonce = self.pick(nonces)
        proceeds = max(1, units - self.source.choice(4))
        if self.odd(8):
            proceeds = self.pick((max(1, units // 3), 1, MAX, 0))
        until = self.instant(5, 0, 2)
        quote = Quote(id_, units, proceeds, seller, bank, recourse, divisible, until, nonce)
        self.quotes.append((quote, self.w.sign(bank, self.model.quote_digest(quote))))

    def _fill(self, quote: Quote, units: int, signature: Signature, actor: str | None = None) -> bool:
        who = actor or quote.seller
        relayed = self._relay(who)
        return self.w.do(who, "desk.fill", quote, units, signature, relayed=relayed)

    def quote(self) -> None:
        """A new quote, filled at once or kept."""
        id_ = self._opened()
        seller = self._holder(id_)
        bank = self.pick([b for b in self.banks if b != seller])
        if self.odd(60):
            bank = self.pick((self.w.company3, seller))
        units = self.part(self.model.holdings[id_, seller].units)
        self._offer(id_, seller, bank, units, recourse=self.odd(2), divisible=self.odd(2))
        if self.odd(2):
            self.fill()

    def fill(self) -> None:
        """A quote that is still good, or any."""
        good = [
            (quote, signature)
            for quote, signature in self.quotes
            if self.model.nonces[quote.bank, quote.nonce] in (m.OPEN, m.IN_PARTS)
            and self.model.is_open(quote.receivable)
            and self.model.now <= quote.valid_until
        ]
        if self.odd(7):
            good = self.quotes
        quote, signature = self.recent(self.some(good))
        digest = self.model.quote_digest(quote)
        rest = max(0, quote.units - self.model.filled[digest])
        units = self.part(rest) if quote.divisible or self.odd(10) else quote.units
        actor = None
        spoilt = self.source.choice(40)
        if spoilt == 39:
            actor = self._can_send(self.pick(self.all))
        elif spoilt == 38:
            signature = self.w.sign(quote.bank, digest, 1 + self.source.choice(8))
        elif spoilt == 37:  # for another chain, or another desk
            other = self.model.quote_digest(quote, *self.pick(((1, None), (None, self.w.where.ledger))))
            signature = self.w.sign(quote.bank, other)
        elif spoilt == 36:  # another quote than was signed
            quote = self.pick(
                (
                    quote._replace(proceeds=min(MAX, quote.proceeds + 1)),
                    quote._replace(receivable=quote.receivable + 1),
                    quote._replace(recourse=not quote.recourse),
                    quote._replace(divisible=not quote.divisible),
                    quote._replace(valid_until=quote.valid_until + DAY),
                    quote._replace(nonce=quote.nonce + 1),
                    quote._replace(units=min(MAX, quote.units + 1)),
                )
            )
        elif spoilt == 35:  # properly signed, with a nonce that another quote began
            quote = quote._replace(proceeds=min(MAX, quote.proceeds + 1))
            signature = self.w.sign(quote.bank, self.model.quote_digest(quote))
        elif spoilt == 34 and quote.valid_until - self.model.now <= 5 * DAY:  # beyond the last second, or just in time
            self.w.wait(quote.valid_until - self.model.now + self.pick((1, 0)))
        if self._fill(quote, units, signature, actor) and self.odd(6):
            self._fill(quote, units, signature)

    def own_quote(self) -> None:
        """A bank that quotes to itself, and one that has no role."""
        id_ = self._opened()
        self._offer(id_, self.w.bank, self.w.bank, 1, recourse=False, divisible=False)
        self._fill(self.quotes[-1][0], 1, self.quotes[-1][1])
        self._offer(id_, self.w.supplier, self.w.company3, 1, recourse=False, divisible=False)
        self._fill(self.quotes[-1][0], self.pick((1, 0)), self.quotes[-1][1])
        self._offer(id_, self.w.supplier, self.w.bank, 5, recourse=False, divisible=True)
        quote = self.quotes[-1][0]._replace(proceeds=self.pick((1, 0)))
        self._fill(quote, 1, self.w.sign(self.w.bank, self.model.quote_digest(quote)))

    def two_quotes_one_nonce(self) -> None:
        """A part of one, then the other with the same nonce."""
        id_ = self._opened()
        seller = self._holder(id_)
        if self.model.holdings[id_, seller].units < 2:
            return
        self._offer(id_, seller, self.pick(self.banks), 2, recourse=self.odd(2), divisible=True)
        quote = self.quotes[-1][0]._replace(proceeds=2)
        self._fill(quote, 1, self.w.sign(quote.bank, self.model.quote_digest(quote)))
        other = quote._replace(proceeds=1, units=1)
        self._fill(other, 1, self.w.sign(quote.bank, self.model.quote_digest(other)))
        self.quotes[-1] = (quote, self.w.sign(quote.bank, self.model.quote_digest(quote)))

    def cancel(self) -> None:
        if self.quotes and not self.odd(8):
            quote, _ = self.recent(self.quotes)
            bank, nonce = quote.bank, quote.nonce
            in_parts = [key for key, state in self.model.nonces.items() if state == m.IN_PARTS]
            if in_parts and self.odd(3):
                bank, nonce = self.recent(in_parts)
        else:
            bank, nonce = self.pick(self.banks), self.pick((500, 501, 2**256 - 1, 127, 128))
        self.w.do(bank, "desk.cancel", nonce, relayed=self._relay(bank))

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
            fingerprint = self._reserved(m.RESERVED, m.FINANCED)
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
            self.w.do(actor, "register.leave", fingerprint, self.w.company3)

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
                if self.odd(4):
                    self.w.do(owner, "warehouse.withdraw", pledge)
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

    # --- mistakes, one at a time and on purpose

    def wrong_receivable(self) -> None:
        w, now = self.w, self.model.now
        open_ones = [i for i in self.model.receivables if self.model.is_open(i)]
        drafts = [i for i, r in self.model.receivables.items() if r.state in (m.DRAFT, m.DISPUTED)]
        mistake = self.source.choice(8)
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
        if self.odd(3):
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
        mistake = self.source.choice(10)
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
            return
        elif mistake == 7:
            w.do(row.warehouse, "warehouse.reportShortage", id_, 0, min(MAX, row.quantity + 1), BASIS)
            w.do(owner, "warehouse.deliver", id_, 1)
            return
        elif mistake == 8:
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
        """A whole lot, pledged and enforced; or left with the bank's acceptance until it lapses."""
        w = self.w
        quantity = 2 + self.source.choice(5)
        if not w.do(w.warehouse2, "warehouse.issue", w.company3, self.new(), self.new(), BASIS, quantity, b"KGM"):
            return
        args = (len(self.model.receipts), w.bank, w.supervisor2, quantity, 9, EUR, self.model.now + 60)
        if not w.do(w.company3, "warehouse.pledge", *args):
            return
        pledge = len(self.model.pledges)
        w.do(w.bank, "warehouse.accept", pledge)
        end = self.source.choice(5)
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
            (w.application, "register.leave", lot, w.supplier),
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
    "draft": 30,
    "answer": 14,
    "transfer": 12,
    "transfer_batch": 6,
    "hook_takes": 3,
    "pay": 16,
    "claim": 14,
    "dilute": 7,
    "write_off": 4,
    "put_back": 3,
    "repay": 9,
    "default_story": 1,
    "nothing_owed_story": 1,
    "carry_story": 1,
    "largest_story": 1,
    "mover": 4,
    "quote": 18,
    "fill": 12,
    "own_quote": 1,
    "two_quotes_one_nonce": 2,
    "wrong_receivable": 10,
    "dispute_story": 4,
    "at_the_due_date": 4,
    "parts_story": 4,
    "wrong_recourse": 12,
    "wrong_goods": 12,
    "wrong_pledge": 14,
    "goods_story": 4,
    "cancel": 5,
    "reserve": 14,
    "withdraw_consent": 3,
    "after_reservation": 12,
    "arbiter": 6,
    "application": 6,
    "issue": 10,
    "goods": 12,
    "pledge": 12,
    "answer_pledge": 14,
    "active_pledge": 10,
    "standing": 9,
    "money": 5,
    "short_of_money": 3,
    "wait": 10,
    "long_wait": 1,
    "manager": 6,
}
DRAWN = tuple(name for name, weight in WEIGHTS.items() for _ in range(weight))


#: These come once, in this order.
ENDINGS = ("goodbye", "expiry")
Step = tuple[str, tuple[int, ...]]
