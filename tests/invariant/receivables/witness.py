"""The numbered invariants, checked on what the contracts themselves say: their events as they come, their views now and then.

Nothing here reads the model's tables; only which accounts and cases there are is taken from it. README.md lists the numbers.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from eth_abi import encode
from eth_utils import keccak

from .model import ZERO


class Broken(AssertionError):
    """An invariant does not hold; the message begins with its number."""


def hold(number: str, condition: bool, *facts: Any) -> None:
    if not condition:
        raise Broken(f"{number} {facts}")


class Witness:
    """What the events have said so far."""

    def __init__(self, ledger: str, warehouse: str) -> None:
        self.ledger, self.warehouse = ledger, warehouse
        self.face: Counter[int] = Counter()
        self.units: Counter[tuple[int, str]] = Counter()
        self.minted: dict[int, int] = {}
        self.diluted: Counter[int] = Counter()
        self.paid: Counter[int] = Counter()
        self.claimed: Counter[int] = Counter()
        self.currency: dict[int, bytes] = {}
        self.drafted: dict[int, tuple[bytes, str]] = {}
        self.ended: dict[int, str] = {}
        self.due: dict[int, int] = {}
        self.given_back: Counter[int] = Counter()
        self.into_escrow: Counter[str] = Counter()
        self.out_of_escrow: Counter[str] = Counter()
        # Fingerprints: who has it until when (None: for good), with which number, cleared or not.
        self.taken: dict[bytes, tuple[str, int | None, bytes]] = {}
        self.financed: set[bytes] = set()
        # Those that an application has, and for which case. What the last credit note said it was.
        self.entered: dict[bytes, tuple[str, int]] = {}
        self.credit_note = b""
        self.annulled: set[tuple[str, int]] = set()
        self.cleared: set[tuple[bytes, bytes]] = set()
        self.consents: set[bytes] = set()
        # Quotes by (bank, nonce): the digest, units and proceeds so far; ended ones.
        self.quotes: dict[tuple[str, int], bytes] = {}
        self.filled: Counter[tuple[str, int]] = Counter()
        self.received: Counter[tuple[str, int]] = Counter()
        self.done: set[tuple[str, int]] = set()
        self.put_back: set[tuple[str, int]] = set()
        self.owed: dict[tuple[str, int], int] = {}
        self.repaid: Counter[tuple[str, int]] = Counter()
        self.written_off: set[tuple[int, str]] = set()
        # Warehouse: goods on hand, and what pledges that are open bind.
        self.on_hand: dict[int, int] = {}
        self.lots: dict[int, bytes] = {}
        self.open_pledges: dict[int, tuple[int, int]] = {}
        self.pledge_ends: set[int] = set()

    def see(self, events: list[tuple[str, str, tuple[Any, ...]]], now: int, inactive: set[str], context: Any) -> None:
        """`context` is the quote or consent that the call carried, if any."""
        names = {name for _, name, _ in events}
        for contract, name, values in events:
            handler = getattr(self, f"_{name}", None)
            if handler is not None:
                handler(contract, now, inactive, context, names, *values)

    # --- receivables

    def _ReceivableDrafted(
        self, _c, now, inactive, _x, _n, id_, actor, debtor, currency, face, due, fingerprint, _number
    ) -> None:
        hold("P1", not inactive & {actor, debtor}, "drafted by or for the suspended", id_)
        self.face[id_], self.currency[id_], self.due[id_] = face, currency, due
        self.drafted[id_] = (fingerprint, actor)

    def _ReceivableConfirmed(self, _c, now, inactive, _x, _n, id_, actor) -> None:
        hold("P1", not inactive & {actor, self.drafted[id_][1]}, "confirmed by or for the suspended", id_)
        hold("R4", id_ not in self.ended, "confirmed after its end", id_)
        hold("R1", id_ not in self.minted, "confirmed twice", id_)
        self.minted[id_] = self.face[id_]

    def _end(self, id_: int, how: str) -> None:
        hold("R4", id_ not in self.ended and id_ not in self.minted, how, id_, self.ended.get(id_))
        self.ended[id_] = how

    def _ReceivableRejected(self, _c, now, inactive, _x, _n, id_, actor) -> None:
        self._end(id_, "rejected")

    def _ReceivableWithdrawn(self, _c, now, inactive, _x, _n, id_, actor) -> None:
        self._end(id_, "withdrawn")

    def _ReceivableStruck(self, _c, now, inactive, _x, _n, id_, actor, _basis) -> None:
        self._end(id_, "struck")

    def _ReceivableDiluted(self, _c, now, inactive, _x, _n, id_, actor, amount, face, note) -> None:
        self.diluted[id_] += amount
        self.credit_note = note
        hold("R4", id_ not in self.ended, "diluted after it was settled", id_)
        hold("R1", face == self.minted[id_] - self.diluted[id_] >= 0 and self.paid[id_] == 0, id_, face)
        if face == 0:
            self.ended[id_] = "settled"

    def _ReceivablePaid(self, _c, now, inactive, _x, _n, id_, actor, amount, paid) -> None:
        hold("R4", id_ not in self.ended, "paid after it was settled", id_)
        self.paid[id_] += amount
        owed = self.minted[id_] - self.diluted[id_]
        hold("R2", amount > 0 and paid == self.paid[id_] <= owed, id_, paid, owed)
        if paid == owed:
            self.ended[id_] = "settled"

    def _ReceivableClaimed(self, _c, now, inactive, _x, _n, id_, actor, amount) -> None:
        self.claimed[id_] += amount
        hold("R2", amount > 0 and self.claimed[id_] <= self.paid[id_], "claimed more than was paid", id_)

    def _ReceivableWrittenOff(self, _c, now, inactive, _x, _n, id_, actor, _unpaid, _basis) -> None:
        hold("R6", (id_, actor) not in self.written_off, "written off twice", id_, actor)
        self.written_off.add((id_, actor))

    def _UnitsGivenBack(self, _c, now, inactive, _x, _n, id_, actor, giver, taker, units, along) -> None:
        self.given_back[id_] += 1
        hold("R5", id_ not in self.ended and now >= self.due[id_], "given back before default", id_)

    def _TransferSingle(self, contract, now, inactive, _x, names, operator, giver, taker, id_, units) -> None:
        if contract != self.ledger:
            return
        self._move_units(giver, taker, id_, units)
        if ZERO in (giver, taker) or "UnitsGivenBack" in names:
            return
        self._handed_on(now, inactive, giver, taker, id_)

    def _TransferBatch(self, contract, now, inactive, _x, _n, operator, giver, taker, ids, units) -> None:
        for id_, moved in zip(ids, units, strict=True):
            self._move_units(giver, taker, id_, moved)
            self._handed_on(now, inactive, giver, taker, id_)

    def _move_units(self, giver: str, taker: str, id_: int, units: int) -> None:
        self.units[id_, taker] += units
        if giver != ZERO:
            self.units[id_, giver] -= units
            hold("R1", self.units[id_, giver] >= 0, "more units passed on than held", id_, giver)

    def _handed_on(self, now: int, inactive: set[str], giver: str, taker: str, id_: int) -> None:
        hold("R5", now < self.due[id_] and self.paid[id_] == 0, "units changed hands when it was closed", id_)
        hold("P1", not inactive & {giver, taker}, "units passed on by or to the suspended", id_)

    # --- money

    def _Held(self, _c, now, inactive, _x, _n, desk, id_, payer, token, amount) -> None:
        self.into_escrow[token] += amount

    def _PaidOut(self, _c, now, inactive, _x, _n, desk, id_, payee, token, amount) -> None:
        self.out_of_escrow[token] += amount
        hold("E1", self.out_of_escrow[token] <= self.into_escrow[token], token)

    # --- fingerprints

    def _live(self, fingerprint: bytes, now: int) -> bool:
        if fingerprint not in self.taken:
            return False
        until = self.taken[fingerprint][1]
        return until is None or now <= until

    def _took(self, now: int, fingerprint: bytes, holder: str, until: int | None, number: bytes) -> None:
        hold("F1", not self._live(fingerprint, now) and fingerprint not in self.financed, "taken twice", fingerprint)
        others = [
            f
            for f, (_, _, n) in self.taken.items()
            if n == number and self._live(f, now) and (f, number) not in self.cleared
        ]
        hold("F2", not others or (fingerprint, number) in self.cleared, "number taken twice", number)
        self.taken[fingerprint] = (holder, until, number)

    def _FingerprintReserved(self, _c, now, inactive, context, _n, fingerprint, actor, seller, number, until) -> None:
        hold("P1", not inactive & {actor, seller}, "reserved by or from the suspended")
        hold("F3", context not in self.consents, "a consent was used twice")
        self.consents.add(context)
        self._took(now, fingerprint, actor, until, number)

    def _ConsentWithdrawn(self, _c, now, inactive, context, _n, digest, actor) -> None:
        hold("F3", context not in self.consents, "a used consent was withdrawn")
        self.consents.add(context)

    def _FingerprintEntered(self, _c, now, inactive, _x, names, fingerprint, actor, application, case, number) -> None:
        if "ReceivableDiluted" in names:
            apart = keccak(encode(["string", "bytes32"], ["credit note", self.credit_note]))
            hold("F4", any(self.credit_note) and fingerprint == apart, "a credit note not apart from invoices", case)
        elif "ReceivableDrafted" in names:
            hold("F4", fingerprint == self.drafted[case][0], "not the draft's invoice", case)
        self._took(now, fingerprint, application, None, number)
        self.entered[fingerprint] = (application, case)

    def _given_up(self, fingerprint: bytes, who: str, now: int) -> None:
        hold("F1", self._live(fingerprint, now) and self.taken[fingerprint][0] == who, "given up by another")
        del self.taken[fingerprint]
        self.entered.pop(fingerprint, None)

    def _FingerprintReleased(self, _c, now, inactive, _x, _n, fingerprint, actor) -> None:
        hold("F1", fingerprint not in self.financed, "released after financing")
        self._given_up(fingerprint, actor, now)

    def _FingerprintLeft(self, _c, now, inactive, _x, _n, fingerprint, actor, application, case) -> None:
        own = self.entered.get(fingerprint) == (application, case)
        hold("F1", own, "given up for another case", fingerprint, case)
        self._given_up(fingerprint, application, now)

    def _FingerprintFinanced(self, _c, now, inactive, _x, _n, fingerprint, actor, _filing) -> None:
        hold("P1", actor not in inactive, "financed by the suspended")
        hold("F1", self._live(fingerprint, now) and fingerprint not in self.financed, "financed twice", fingerprint)
        hold("F1", self.taken[fingerprint][0] == actor, "financed by another", fingerprint)
        self.financed.add(fingerprint)
        self.taken[fingerprint] = (actor, None, self.taken[fingerprint][2])

    def _FinancingAnnulled(self, _c, now, inactive, _x, _n, fingerprint, actor, holder, _basis) -> None:
        if fingerprint in self.entered:
            self.annulled.add(self.entered[fingerprint])
        self._given_up(fingerprint, holder, now)
        self.financed.discard(fingerprint)

    def _NumberCleared(self, _c, now, inactive, _x, _n, fingerprint, actor, number, _basis) -> None:
        self.cleared.add((fingerprint, number))

    # --- quotes

    def _QuoteFilled(
        self,
        _c,
        now,
        inactive,
        quote,
        _n,
        id_,
        actor,
        bank,
        nonce,
        digest,
        units,
        proceeds,
        recourse,
        complete,
    ) -> None:
        key = (bank, nonce)
        hold("Q3", key not in self.done, "filled after its end", key)
        hold("P1", not inactive & {actor, bank}, "filled by or for the suspended", key)
        hold("Q1", self.quotes.setdefault(key, digest) == digest, "two quotes with one nonce", key)
        self.filled[key] += units
        self.received[key] += proceeds
        hold("Q1", self.filled[key] <= quote.units, "filled beyond its size", key)
        # Paid to the minor unit: rounded down on the whole of what was filled.
        exact = quote.proceeds * self.filled[key] // quote.units
        hold("Q1", self.received[key] == exact <= quote.proceeds, "proceeds", key, self.received[key], exact)
        hold("Q1", complete == (self.filled[key] == quote.units), "complete", key)
        if complete:
            self.done.add(key)

    def _QuoteCancelled(self, _c, now, inactive, _x, _n, nonce, actor) -> None:
        hold("Q3", (actor, nonce) not in self.done, "cancelled after its end", nonce)
        self.done.add((actor, nonce))

    def _UnitsPutBack(self, _c, now, inactive, _x, _n, id_, actor, seller, nonce, units, owed) -> None:
        key = (actor, nonce)
        held = self.units[id_, actor] + units  # before they went
        hold("Q2", key not in self.put_back and 0 < units == min(self.filled[key], held), "put back", key, units, held)
        hold("Q2", 0 < owed <= units, "owed", key, owed)
        self.put_back.add(key)
        self.owed[key] = owed

    def _RecourseRepaid(self, _c, now, inactive, _x, _n, id_, actor, bank, nonce, amount, repaid) -> None:
        key = (bank, nonce)
        self.repaid[key] += amount
        hold("Q4", amount > 0 and self.repaid[key] == repaid <= self.owed[key], key, repaid)

    # --- goods

    def _ReceiptIssued(
        self, _c, now, inactive, _x, _n, receipt, actor, owner, fingerprint, number, goods, quantity, unit
    ) -> None:
        hold("P1", not inactive & {actor, owner}, "issued by or for the suspended", receipt)
        self.on_hand[receipt], self.lots[receipt] = quantity, fingerprint

    def _ReceiptTransferred(self, _c, now, inactive, _x, _n, receipt, actor, to) -> None:
        hold("P1", not inactive & {actor, to}, "goods passed on by or to the suspended", receipt)
        hold("W1", self._bound(receipt) == 0, "transferred while pledged", receipt)

    def _bound(self, receipt: int) -> int:
        return sum(quantity for r, quantity in self.open_pledges.values() if r == receipt)

    def _out(self, receipt: int, quantity: int, left: int) -> None:
        self.on_hand[receipt] -= quantity
        hold("W1", quantity > 0 and left == self.on_hand[receipt] >= self._bound(receipt), receipt, left)

    def _GoodsDelivered(self, _c, now, inactive, _x, _n, receipt, actor, to, quantity, left) -> None:
        self._out(receipt, quantity, left)

    def _ReceiptStruck(self, _c, now, inactive, _x, _n, receipt, actor, _basis) -> None:
        hold("W1", self._bound(receipt) == 0, "struck while pledged", receipt)
        del self.on_hand[receipt]

    def _PledgeProposed(
        self, _c, now, inactive, _x, _n, pledge, actor, receipt, bank, supervisor, quantity, secured, cur, by
    ) -> None:
        hold("P1", not inactive & {actor, bank, supervisor}, "pledged by or to the suspended", pledge)
        hold("W3", pledge not in self.open_pledges and pledge not in self.pledge_ends, pledge)
        self.open_pledges[pledge] = (receipt, quantity)
        hold("W1", self._bound(receipt) <= self.on_hand[receipt], "pledged twice", receipt)

    def _PledgeAccepted(self, _c, now, inactive, _x, _n, pledge, actor) -> None:
        hold("P1", actor not in inactive, "accepted by the suspended", pledge)
        hold("W3", pledge in self.open_pledges, "accepted after its end", pledge)

    def _PledgeConfirmed(self, _c, now, inactive, _x, _n, pledge, actor, _basis) -> None:
        self._PledgeAccepted(_c, now, inactive, _x, _n, pledge, actor)

    def _close(self, pledge: int) -> None:
        hold("W3", pledge in self.open_pledges, "ended twice", pledge)
        del self.open_pledges[pledge]
        self.pledge_ends.add(pledge)

    def _PledgeDeclined(self, _c, now, inactive, _x, _n, pledge, actor, _basis) -> None:
        self._close(pledge)

    def _PledgeWithdrawn(self, _c, now, inactive, _x, _n, pledge, actor) -> None:
        self._close(pledge)

    def _PledgeLapsed(self, _c, now, inactive, _x, _n, pledge, actor) -> None:
        self._close(pledge)

    def _unbind(self, pledge: int, quantity: int, left: int) -> int:
        hold("W3", pledge in self.open_pledges, "released after its end", pledge)
        receipt, bound = self.open_pledges[pledge]
        hold("W1", 0 < quantity <= bound and left == bound - quantity, "released", pledge, quantity, left)
        self.open_pledges[pledge] = (receipt, left)
        if left == 0:
            self._close(pledge)
        return receipt

    def _PledgeReleased(self, _c, now, inactive, _x, _n, pledge, actor, quantity, left) -> None:
        self._unbind(pledge, quantity, left)

    def _PledgeEnforced(self, _c, now, inactive, _x, _n, pledge, actor, to, quantity, left, _basis) -> None:
        receipt = self._unbind(pledge, quantity, left)
        self._out(receipt, quantity, self.on_hand[receipt] - quantity)
