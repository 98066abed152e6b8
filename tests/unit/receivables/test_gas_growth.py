"""What an operation costs does not depend on how many receivables, holders, quotes and fingerprints there are."""

from __future__ import annotations

from eth_account import Account

from tests.city import CNY
from tests.evm import dev_account
from tests.unit.receivables.conftest import credit_code

DAY = 86400
FEW, MANY = 10, 2_000
MAX = 2**128 - 1
ZERO_BYTE, OTHER_BYTE = 4, 16  # gas of calldata (EIP-2028)


def calldata_gas(data: bytes) -> int:
    return sum(OTHER_BYTE if byte else ZERO_BYTE for byte in data)


class Market:
    """A city in which any number of receivables was drafted, confirmed, split, sold and paid, one of them with as many holders."""

    def __init__(self, city):
        self.city = city
        self.ledger, self.desk = city.contract("ReceivableLedger"), city.contract("FinancingDesk")
        self.count = 0
        self.bank = city.chain.deploy("CarelessSignerMock")
        city.contract("Members").admit(self.bank, 3, credit_code(1), b"\1" * 32, sender=city.founder)
        for account in (city.bank, city.debtor, city.supplier, self.bank.address):
            city.fund(account, 10**10)
        city.token.approve(self.desk, MAX, sender=city.bank)
        self.bank.approve(city.token, self.desk, MAX, sender=city.founder)
        city.approve_escrow(city.debtor, MAX)
        self.shared = self.draft(1)
        self.ledger.confirm(self.shared, sender=city.debtor)

    def draft_args(self, number):
        fingerprint, numbered = ((kind << 200 | number).to_bytes(32, "big") for kind in (1, 2))
        return self.city.debtor, CNY, 10**6, self.city.chain.time + 90 * DAY, fingerprint, numbered

    def draft(self, number):
        return self.ledger.draft(*self.draft_args(number), sender=self.city.supplier).value

    def quote(self, id_, bank, nonce):
        valid = self.city.chain.time + DAY
        return (id_, 100, 99, self.city.supplier, bank, True, True, valid, nonce)

    def grow(self, to):
        """Up to so many receivables, holders of the shared one, fills in parts, recourses, payments and claims."""
        for number in range(self.count + 2, to + 2):
            id_ = self.draft(number)
            self.ledger.confirm(id_, sender=self.city.debtor)
            holder = "0x" + (0xA0 << 152 | number).to_bytes(20, "big").hex()
            code = credit_code(number)
            self.city.contract("Members").admit(holder, 5, code, b"\1" * 32, sender=self.city.founder)
            for receivable in (id_, self.shared):
                args = (self.city.supplier, holder, receivable, 5, b"")
                self.ledger.safeTransferFrom(*args, sender=self.city.supplier)
            offer = self.quote(id_, self.bank.address, number)
            self.desk.fill(offer, 50, b"", sender=self.city.supplier)
            self.ledger.pay(id_, 10**5, sender=self.city.debtor)
            self.ledger.claim(id_, sender=self.city.supplier)
        self.count = to

    def measured(self):
        """Gas without calldata of each operation on a new receivable and on the shared one, leaving no trace."""
        city, ledger, desk = self.city, self.ledger, self.desk
        gas = {}

        def measure(name, function, *args, sender):
            receipt = function(*args, sender=sender)
            gas[name] = receipt.gas_used - calldata_gas(function.encode(*args))
            return receipt.value

        with city.chain.isolated():
            id_ = measure("draft", ledger.draft, *self.draft_args(10**9), sender=city.supplier)
            measure("confirm", ledger.confirm, id_, sender=city.debtor)
            for name, receivable in (("split", id_), ("split shared", self.shared)):
                args = (city.supplier, city.bank2, receivable, 5, b"")
                measure(name, ledger.safeTransferFrom, *args, sender=city.supplier)
            for name, receivable, nonce in (("fill", id_, 1 << 200), ("fill shared", self.shared, 2 << 200)):
                offer = self.quote(receivable, city.bank, nonce)
                signature = dev_account(2).unsafe_sign_hash(desk.digestOf(offer)).signature
                assert Account._recover_hash(desk.digestOf(offer), signature=signature) == city.bank
                measure(f"{name} in part", desk.fill, offer, 60, bytes(signature), sender=city.supplier)
                measure(name, desk.fill, offer, 40, bytes(signature), sender=city.supplier)
            args = (id_, 7, b"\xc1" * 32, b"\xc2" * 32)
            measure("dilute", ledger.dilute, *args, sender=city.supplier)
            for name, receivable in (("", id_), (" shared", self.shared)):
                measure(f"pay{name}", ledger.pay, receivable, 10**5, sender=city.debtor)
                measure(f"claim{name}", ledger.claim, receivable, sender=city.supplier)
            city.chain.mine(120 * DAY)
            measure("write off", ledger.writeOff, id_, b"\1" * 32, sender=city.supplier)
            measure("put back", desk.putBack, 1 << 200, sender=city.bank)
            city.token.approve(desk, MAX, sender=city.supplier)
            measure("repay", desk.repay, city.bank, 1 << 200, 5, sender=city.supplier)
        return gas


def test_gas__with_two_thousand_of_everything__as_with_ten(city):
    market = Market(city)
    market.grow(FEW)
    few = market.measured()
    assert len(few) == 16
    market.grow(MANY)
    many = market.measured()
    assert city.contract("ReceivableLedger").receivable(MANY + 1).paid == 10**5
    assert many == few
