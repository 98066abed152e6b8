"""Quotes: good, stale, spoilt, replayed, in parts."""

from __future__ import annotations

from . import model as m
from .choosing import DAY, Life
from .model import MAX, Quote, Signature


class QuoteRules(Life):
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
