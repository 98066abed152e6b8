"""A receivable of the charter's supplier against its debtor, and what the tests here do with it again and again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from eth_abi import encode
from eth_account import Account
from eth_utils import keccak

from tests.city import CNY
from tests.evm import CHAIN_ID, dev_account

FACE = 48_600_000  # 486,000.00 CNY
TENOR = 90 * 86400
INVOICE = b"\x5a" * 32
SEATS = {"bank": 2, "bank2": 3, "supplier": 5, "debtor": 6}
QUOTE_TYPES = {
    "Quote": [
        {"name": "receivableId", "type": "uint256"},
        {"name": "units", "type": "uint128"},
        {"name": "proceeds", "type": "uint128"},
        {"name": "seller", "type": "address"},
        {"name": "bank", "type": "address"},
        {"name": "recourse", "type": "bool"},
        {"name": "divisible", "type": "bool"},
        {"name": "validUntil", "type": "uint64"},
        {"name": "nonce", "type": "uint256"},
    ]
}
CONSENT_TYPES = {
    "Consent": [
        {"name": "fingerprint", "type": "bytes32"},
        {"name": "numberFingerprint", "type": "bytes32"},
        {"name": "seller", "type": "address"},
        {"name": "bank", "type": "address"},
        {"name": "reservedUntil", "type": "uint64"},
        {"name": "nonce", "type": "uint256"},
    ]
}
QUOTE_FIELDS = [f["name"] for f in QUOTE_TYPES["Quote"]]


def credit_code(number: int) -> bytes:
    """A made-up valid credit code (GB 32100-2015); different numbers give different codes."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"91431300MT{number:07d}"
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return (body + alphabet[-total % 31]).encode()


def number_of(fingerprint: bytes) -> bytes:
    """A number fingerprint of its own for a fingerprint: each made-up invoice has another number."""
    return bytes(255 - b for b in fingerprint)


def registered(fingerprint: bytes) -> bytes:
    """A credit note's fingerprint, or its number's, as the register knows it."""
    return keccak(encode(["string", "bytes32"], ["credit note", fingerprint]))


@pytest.fixture
def ledger(city):
    return city.contract("ReceivableLedger")


@pytest.fixture
def desk(city):
    return city.contract("FinancingDesk")


@pytest.fixture
def register(city):
    return city.contract("FinancingRegister")


@pytest.fixture
def draft(city, ledger):
    def made(face=FACE, due_in=TENOR, invoice=INVOICE, number=None, debtor=None, currency=CNY):
        due = city.chain.time + due_in
        args = (debtor or city.debtor, currency, face, due, invoice, number_of(invoice) if number is None else number)
        return ledger.draft(*args, sender=city.supplier).value

    return made


@pytest.fixture
def confirmed(city, ledger, draft):
    def made(**kwargs):
        id_ = draft(**kwargs)
        ledger.confirm(id_, sender=city.debtor)
        return id_

    return made


@pytest.fixture
def split(city, ledger):
    def done(id_, to, units, sender=None):
        sender = sender or city.supplier
        return ledger.safeTransferFrom(sender, to, id_, units, b"", sender=sender)

    return done


@pytest.fixture
def pay(city, ledger):
    def done(id_, amount):
        city.fund(city.debtor, amount)
        city.approve_escrow(city.debtor, amount)
        return ledger.pay(id_, amount, sender=city.debtor)

    return done


@pytest.fixture
def admit(city):
    """Admit one more member of a kind: 3 is a bank, 5 a company."""
    numbers = iter(range(1, 1000))

    def done(account, kind):
        args = (account, kind, credit_code(next(numbers)), b"\x77" * 32)
        city.contract("Members").admit(*args, sender=city.founder)
        return account

    return done


@pytest.fixture
def suspend(city):
    return lambda account: city.contract("Members").suspend(account, b"\x0b" * 32, sender=city.founder)


@pytest.fixture
def quote(city, confirmed):
    """A quote of the bank for part of a confirmed receivable, with any field replaced."""

    def made(**changed):
        values = {
            "units": 30_000_000,
            "proceeds": 29_400_000,
            "seller": city.supplier,
            "bank": city.bank,
            "recourse": True,
            "divisible": False,
            "validUntil": city.chain.time + 86400,
            "nonce": 7,
        } | changed
        if "receivableId" not in values:
            values["receivableId"] = confirmed()
        return SimpleNamespace(**values)

    return made


@pytest.fixture
def sign(desk):
    """An EIP-712 signature made by eth_account, independently of the contract's own digest."""

    def made(quote, key=None, chain_id=CHAIN_ID, contract=None, name="chaincity FinancingDesk", version="1"):
        domain = {"name": name, "version": version, "chainId": chain_id, "verifyingContract": contract or desk.address}
        signed = Account.sign_typed_data(key or dev_account(SEATS["bank"]).key, domain, QUOTE_TYPES, vars(quote))
        return bytes(signed.signature)

    return made


@pytest.fixture
def as_tuple():
    return lambda quote: tuple(getattr(quote, name) for name in QUOTE_FIELDS)


@pytest.fixture
def consent(city):
    """What the supplier signs so that the bank may reserve its invoice, with any field replaced."""

    def made(**changed):
        values = {
            "fingerprint": INVOICE,
            "seller": city.supplier,
            "bank": city.bank,
            "reservedUntil": city.chain.time + 7 * 86400,
            "nonce": 1,
        } | changed
        values.setdefault("numberFingerprint", number_of(values["fingerprint"]))
        return SimpleNamespace(**{f["name"]: values[f["name"]] for f in CONSENT_TYPES["Consent"]})

    return made


@pytest.fixture
def sign_consent(register):
    def made(consent, key=None, chain_id=CHAIN_ID, contract=None, name="chaincity FinancingRegister", version="1"):
        domain = {
            "name": name,
            "version": version,
            "chainId": chain_id,
            "verifyingContract": contract or register.address,
        }
        signed = Account.sign_typed_data(
            key or dev_account(SEATS["supplier"]).key, domain, CONSENT_TYPES, vars(consent)
        )
        return bytes(signed.signature)

    return made


@pytest.fixture
def reserve(city, register, sign_consent):
    """By the consent's bank, signed by the charter's supplier unless another signature is given."""

    def done(consent, signature=None, sender=None):
        signed = sign_consent(consent) if signature is None else signature
        return register.reserve(tuple(vars(consent).values()), signed, sender=sender or consent.bank)

    return done


@pytest.fixture
def runs_out_of_gas(city):
    """Whether a call ends for want of gas; the in-process chain has no limit of its own."""

    def done(function, *args, sender, gas=3_000_000):
        try:
            city.chain.evm.message_call(sender, function.contract.address, calldata=function.encode(*args), gas=gas)
        except RuntimeError as error:
            return "OutOfGas" in str(error) or "output: 0x" in str(error)
        finally:
            city.chain.evm.reset_transient_storage()
        return False

    return done
