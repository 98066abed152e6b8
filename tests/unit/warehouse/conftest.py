"""A lot of the charter's supplier in the charter's warehouse, its receipt, and pledges brought into any state."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.lots import DAY, FINGERPRINT, GOODS, NUMBER, QUANTITY, SECURED, UNIT, Held, Pledged
from tests.samples import BASIS, credit_code


@pytest.fixture
def ledger(city):
    return city.contract("WarehouseLedger")


@pytest.fixture
def register(city):
    return city.contract("FinancingRegister")


@pytest.fixture
def suspend(city):
    return lambda account: city.contract("Members").suspend(account, BASIS, sender=city.founder)


@pytest.fixture
def retire(city):
    return lambda account: city.contract("Members").retire(account, BASIS, sender=city.founder)


@pytest.fixture
def receiver_of(city, suspend):
    """Suspend a member and let the court appoint a receiver for it."""

    def appointed(account, receiver):
        suspend(account)
        city.contract("Members").appointReceiver(account, receiver, BASIS, sender=city.court)
        return receiver

    return appointed


@pytest.fixture
def admit(city):
    """Admit one more member of a kind."""
    numbers = iter(range(1, 1000))

    def done(account, kind):
        args = (account, kind, credit_code(next(numbers)), b"\x77" * 32)
        city.contract("Members").admit(*args, sender=city.founder)
        return account

    return done


@pytest.fixture
def issue(city, ledger):
    """A receipt for the supplier; the number of the lot follows its fingerprint unless given."""

    def made(lot=FINGERPRINT, number=None, owner=None, quantity=QUANTITY, goods=GOODS, unit=UNIT, sender=None):
        number = number or (NUMBER if lot == FINGERPRINT else lot[::-1][:31] + b"\x02")
        args = (owner or city.supplier, lot, number, goods, quantity, unit)
        return ledger.issue(*args, sender=sender or city.warehouse).value

    return made


@pytest.fixture
def propose(city, ledger):
    """A pledge of a receipt's goods to the bank; returns the receipt of the transaction."""

    def made(receipt=1, quantity=200_000, bank=None, supervisor=None, answer_in=DAY, sender=None, **other):
        amount, currency = other.get("secured", SECURED), other.get("currency", CNY)
        parties = bank or city.bank, supervisor or city.supervisor
        args = (receipt, *parties, quantity, amount, currency, city.chain.time + answer_in)
        return ledger.pledge(*args, sender=sender or city.supplier)

    return made


@pytest.fixture
def receipt_in(city, ledger, issue):
    """The number of a receipt in a given state; `NONE` is a number that was not given out."""

    def brought(state):
        if state == Held.NONE:
            return 999
        receipt = issue()
        if state == Held.DELIVERED:
            ledger.deliver(receipt, QUANTITY, sender=city.warehouse)
        elif state == Held.STRUCK:
            ledger.strike(receipt, BASIS, sender=city.court)
        assert ledger.receipt(receipt).state == state
        return receipt

    return brought


@pytest.fixture
def pledge_in(city, ledger, issue, propose):
    """The number of a pledge of 200,000 of receipt 1 in a given state."""

    def brought(state, quantity=200_000):
        if state == Pledged.NONE:
            return 999
        receipt = 1 if ledger.receipt(1).state == Held.STORED else issue()
        number = propose(receipt, quantity).value
        if state == Pledged.DECLINED:
            ledger.decline(number, BASIS, sender=city.bank)
        elif state == Pledged.WITHDRAWN:
            ledger.withdraw(number, sender=city.supplier)
        elif state == Pledged.LAPSED:
            city.chain.mine(DAY + 1)
            ledger.lapse(number, sender=city.bank2)
        elif state != Pledged.PROPOSED:
            ledger.accept(number, sender=city.bank)
            if state != Pledged.ACCEPTED:
                ledger.confirm(number, BASIS, sender=city.supervisor)
            if state == Pledged.RELEASED:
                ledger.release(number, quantity, sender=city.bank)
            elif state == Pledged.ENFORCED:
                ledger.enforce(number, quantity, city.debtor, BASIS, sender=city.court)
        assert ledger.pledgeOf(number).state == state
        return number

    return brought
