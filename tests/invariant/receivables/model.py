"""What the receivables' contracts should do, in plain Python, written from their interfaces.

A call either changes tables and adds events, or raises `Refused` with the error that is due and its arguments. Whoever runs the model lets
`Model.run` undo what a refused call had changed; the journal it keeps for that also says which rows a call touched.

Accounts are lower-case addresses; `bytes3` and `bytes32` are bytes of that length; times are seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from eth_utils import keccak

MAX = 2**128 - 1
INFINITE = 2**256 - 1
ZERO = "0x" + "00" * 20
NIL = bytes(32)
#: In the register: a number that more than one fingerprint has been let in for.
AMBIGUOUS = (1).to_bytes(32, "big")
MAX_RESERVATION = MAX_ANSWER = 30 * 86400
MAX_TERM = 50 * 365 * 86400
MAX_BATCH = 32

UNKNOWN, ACTIVE, SUSPENDED, RETIRED = range(4)
FREE, RESERVED, FINANCED, ENTERED = range(4)
NONE, DRAFT, REJECTED, WITHDRAWN, CONFIRMED, PARTLY_PAID, SETTLED, DISPUTED = range(8)
OPEN, USED, CANCELLED, IN_PARTS = range(4)
NO_RECOURSE, HELD, OWED, REPAID = range(4)
NO_RECEIPT, STORED, DELIVERED, STRUCK = range(4)
NO_PLEDGE, PROPOSED, ACCEPTED, PLEDGED, DECLINED, TAKEN_BACK, LAPSED, RELEASED, ENFORCED = range(9)
ACCEPT, REFUSE, NONSENSE, SEND_TWICE_ON = range(4)


class Refused(Exception):
    def __init__(self, error: str, *args: Any):
        super().__init__(error, *args)
        self.error, self.values = error, args


def words(*values: Any) -> bytes:
    """Values of static types as the ABI writes them: numbers and addresses to the right, bytes to the left of 32 bytes each."""
    parts = []
    for value in values:
        if isinstance(value, int):
            parts.append(value.to_bytes(32, "big"))
        elif isinstance(value, str):
            parts.append(bytes(12) + bytes.fromhex(value[2:]))
        else:
            parts.append(value.ljust(32, b"\0"))
    return b"".join(parts)


class Signature(NamedTuple):
    """What somebody signed, kept beside the bytes so that the model need not recover anything."""

    raw: bytes
    signer: str
    digest: bytes
    well_formed: bool = True


class Consent(NamedTuple):
    fingerprint: bytes
    number: bytes
    seller: str
    bank: str
    reserved_until: int
    nonce: int


class Quote(NamedTuple):
    receivable: int
    units: int
    proceeds: int
    seller: str
    bank: str
    recourse: bool
    divisible: bool
    valid_until: int
    nonce: int


class Entry(NamedTuple):
    state: int = FREE
    holder: str = ZERO
    reserved_until: int = 0
    case: int = 0
    number: bytes = NIL


class Receivable(NamedTuple):
    debtor: str = ZERO
    due: int = 0
    state: int = NONE
    currency: bytes = bytes(3)
    face: int = 0
    paid: int = 0
    supplier: str = ZERO
    fingerprint: bytes = NIL


class Holding(NamedTuple):
    units: int = 0
    claimed: int = 0


class Recourse(NamedTuple):
    seller: str = ZERO
    currency: bytes = bytes(3)
    state: int = NO_RECOURSE
    amount: int = 0
    repaid: int = 0
    receivable: int = 0


class Receipt(NamedTuple):
    owner: str = ZERO
    state: int = NO_RECEIPT
    unit: bytes = bytes(3)
    warehouse: str = ZERO
    quantity: int = 0
    pledged: int = 0
    fingerprint: bytes = NIL


class Pledge(NamedTuple):
    bank: str = ZERO
    answer_by: int = 0
    state: int = NO_PLEDGE
    currency: bytes = bytes(3)
    supervisor: str = ZERO
    receipt: int = 0
    quantity: int = 0
    secured: int = 0


class Hook(NamedTuple):
    mode: int = ACCEPT
    accomplice: str = ZERO


class Party(NamedTuple):
    status: int = UNKNOWN
    roles: tuple[str, ...] = ()
    valid_until: int = 0
    receiver: str = ZERO
    #: Who signs for it: itself, or the operator of an ERC-1271 account.
    signer: str = ZERO


@dataclass(frozen=True)
class Where:
    """Addresses of the contracts, and the settlement token of each listed currency."""

    chain_id: int
    grace: int
    authority: str
    forwarder: str
    members: str
    escrow: str
    register: str
    ledger: str
    desk: str
    warehouse: str
    tokens: dict[bytes, str]
    role_numbers: dict[str, int]


class Table(dict[Any, Any]):
    """Rows by key; a row that was never written reads as the default. Every write is noted, so that it can be undone."""

    def __init__(self, name: str, default: Any, journal: list[tuple[Table, Any, Any, bool]]):
        super().__init__()
        self.name, self.default, self.journal = name, default, journal

    def __missing__(self, key: Any) -> Any:
        return self.default

    def __setitem__(self, key: Any, row: Any) -> None:
        self.journal.append((self, key, self[key], key in self))
        super().__setitem__(key, row)


class Touched(NamedTuple):
    table: Table
    key: Any
    before: Any


@dataclass
class Outcome:
    error: tuple[str, tuple[Any, ...]] | None
    value: Any = None
    events: list[tuple[str, str, tuple[Any, ...]]] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)


_DOMAIN = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_CONSENT = keccak(
    text="Consent(bytes32 fingerprint,bytes32 numberFingerprint,address seller,address bank,uint64 reservedUntil,uint256 nonce)"
)
_QUOTE = keccak(
    text="Quote(uint256 receivableId,uint128 units,uint128 proceeds,address seller,address bank,bool recourse,bool divisible,"
    "uint64 validUntil,uint256 nonce)"
)


@lru_cache
def _domain(name: str, chain_id: int, contract: str) -> bytes:
    return keccak(words(_DOMAIN, keccak(text=name), keccak(b"1"), chain_id, contract))


def digest(name: str, chain_id: int, contract: str, struct: bytes) -> bytes:
    return keccak(b"\x19\x01" + _domain(name, chain_id, contract) + keccak(struct))


def left(application: str, whose: str) -> str:
    return f"a case ends whose fingerprint is no longer its own but {whose} ({application})"


CONFIRMED_ANNULLED = "a draft is confirmed whose fingerprint is no longer its own (ledger)"
NOTE_OF_INVOICE = "a credit note has the fingerprint of an invoice (ledger)"
NUMBER_OF_INVOICE = "a credit note has the number of an invoice (ledger)"
INVOICE_OF_NOTE = "an invoice has the fingerprint of a credit note (ledger)"
PUT_BACK_ALL = "all that was bought is put back (desk)"
PUT_BACK_LESS = "less is put back than was bought (desk)"
PUT_BACK_NOT_MORE = "more is held than was bought with the nonce, and not put back (desk)"


def of_credit_note(fingerprint: bytes) -> bytes:
    """As the register knows it, apart from invoices' fingerprints."""
    return NIL if fingerprint == NIL else keccak(words(64, fingerprint, 11, b"credit note"))


class Model:
    def __init__(self, where: Where, now: int):
        self.where, self.now = where, now
        self.journal: list[tuple[Table, Any, Any, bool]] = []
        self.events: list[tuple[str, str, tuple[Any, ...]]] = []
        self.situations: list[str] = []
        table = lambda name, default: Table(name, default, self.journal)  # noqa: E731
        self.parties = table("parties", Party())
        self.hooks = table("hooks", None)
        self.balances = table("balances", 0)  # (token, account)
        self.allowances = table("allowances", 0)  # (token, owner, spender)
        self.frozen = table("frozen", 0)  # (token, account)
        self.forwarded = table("forwarded", 0)
        self.entries = table("entries", Entry())
        self.numbers = table("numbers", NIL)
        self.cleared = table("cleared", NIL)
        self.filings = table("filings", NIL)  # (fingerprint, bank)
        self.spent = table("spent", False)
        self.receivables = table("receivables", Receivable())
        self.holdings = table("holdings", Holding())  # (id, account)
        self.given_back = table("given back", False)
        self.written_off = table("written off", False)  # (id, account)
        self.held = table("held", 0)  # by receivable
        self.nonces = table("nonces", OPEN)  # (bank, nonce)
        self.filled = table("filled", 0)
        self.recourses = table("recourses", Recourse())  # (bank, nonce)
        self.receipts = table("receipts", Receipt())
        self.pledges = table("pledges", Pledge())

    # --- running

    def run(self, function: Callable[..., Any], *args: Any) -> Outcome:
        self.journal.clear()
        self.events = []
        self.situations = []
        try:
            value = function(*args)
        except Refused as refusal:
            for table, key, before, existed in reversed(self.journal):
                dict.__setitem__(table, key, before) if existed else table.pop(key)
            return Outcome((refusal.error, refusal.values))
        first: dict[tuple[str, Any], Touched] = {}
        for table, key, before, _ in self.journal:
            first.setdefault((table.name, key), Touched(table, key, before))
        return Outcome(None, value, self.events, list(first.values()))

    def emit(self, contract: str, event: str, *values: Any) -> None:
        self.events.append((contract, event, values))

    def through_forwarder(self, signer: str, target: str, trusting: bool, call: Callable[[], Any]) -> None:
        """A call that somebody else relays, with the signer as actor: to contracts that trust the forwarder."""
        if not trusting:
            raise Refused("ERC2771UntrustfulTarget", target, self.where.forwarder)
        nonce = self.forwarded[signer]
        self.forwarded[signer] = nonce + 1
        call()
        self.emit(self.where.forwarder, "ExecutedForwardRequest", signer, nonce, True)

    # --- parties

    def has_role(self, account: str, role: str) -> bool:
        return role in self.parties[account].roles

    def require_role(self, account: str, role: str) -> None:
        # A call through the authority is judged by who asked for it; then the contract refuses the authority itself.
        if account != self.where.authority and not self.has_role(account, role):
            raise Refused("AccessManagedUnauthorized", account)

    def require_person(self, account: str) -> None:
        if account == self.where.authority:
            raise Refused("Application_ManagerCannotAct", account)

    def require_active(self, *accounts: str) -> None:
        for account in accounts:
            party = self.parties[account]
            if party.status == UNKNOWN:
                raise Refused("Members_NotEnrolled", account)
            if party.status == SUSPENDED:
                raise Refused("Members_Suspended", account)
            if party.status == RETIRED:
                raise Refused("Members_Retired", account)
            if party.valid_until and party.valid_until < self.now:
                raise Refused("Members_Expired", account, party.valid_until)

    def is_active(self, account: str) -> bool:
        party = self.parties[account]
        return party.status == ACTIVE and not (party.valid_until and party.valid_until < self.now)

    def acts_for(self, actor: str, party: str) -> bool:
        return actor == party or (actor == self.parties[party].receiver and self.is_active(actor))

    def _set_authority(self, actor: str, authority: str) -> None:
        """Only the authority itself may say that there is another one, and the city never lets it."""
        raise Refused("AccessManagedUnauthorized", actor)

    register_setAuthority = ledger_setAuthority = desk_setAuthority = warehouse_setAuthority = _set_authority

    def members_suspend(self, actor: str, account: str, basis: bytes) -> None:
        if self.parties[account].status != ACTIVE:
            raise Refused("Members_WrongStatus", account, self.parties[account].status, ACTIVE)
        self.parties[account] = self.parties[account]._replace(status=SUSPENDED)
        self.emit(self.where.members, "PartySuspended", account, actor, basis)

    def members_reinstate(self, actor: str, account: str, basis: bytes) -> None:
        if self.parties[account].status != SUSPENDED:
            raise Refused("Members_WrongStatus", account, self.parties[account].status, SUSPENDED)
        self.parties[account] = self.parties[account]._replace(status=ACTIVE, receiver=ZERO)
        self.emit(self.where.members, "PartyReinstated", account, actor, basis)

    def members_retire(self, actor: str, account: str, basis: bytes) -> None:
        if self.parties[account].status == RETIRED:
            raise Refused("Members_Retired", account)
        roles = self.parties[account].roles
        self.parties[account] = self.parties[account]._replace(status=RETIRED, roles=())
        self.emit(self.where.members, "PartyRetired", account, actor, basis)
        for role in roles:
            self.emit(self.where.authority, "RoleRevoked", self.where.role_numbers[role], account)

    def members_appointReceiver(self, actor: str, account: str, receiver: str, basis: bytes) -> None:
        if self.parties[account].status != SUSPENDED:
            raise Refused("Members_WrongStatus", account, self.parties[account].status, SUSPENDED)
        if not self.is_active(receiver):
            raise Refused("Members_ReceiverNotActive", receiver)
        self.parties[account] = self.parties[account]._replace(receiver=receiver)
        self.emit(self.where.members, "ReceiverAppointed", account, actor, receiver, basis)

    # --- money

    def _transfer(self, token: str, giver: str, taker: str, amount: int) -> None:
        balance, frozen = self.balances[token, giver], self.frozen[token, giver]
        if frozen and balance >= amount and balance - amount < frozen:
            raise Refused("SettlementToken_Frozen", giver, balance, frozen, amount)
        if taker != self.where.escrow and self.parties[taker].status not in (ACTIVE, SUSPENDED):
            raise Refused("SettlementToken_NotAHolder", taker)
        if balance < amount:
            raise Refused("ERC20InsufficientBalance", giver, balance, amount)
        self.balances[token, giver] = balance - amount
        self.balances[token, taker] += amount
        self.emit(token, "Transfer", giver, taker, amount)

    def _transfer_from(self, token: str, spender: str, giver: str, taker: str, amount: int) -> None:
        allowance = self.allowances[token, giver, spender]
        if allowance != INFINITE:
            if allowance < amount:
                raise Refused("ERC20InsufficientAllowance", spender, allowance, amount)
            self.allowances[token, giver, spender] = allowance - amount
        self._transfer(token, giver, taker, amount)

    def token_transfer(self, token: str, actor: str, taker: str, amount: int) -> bool:
        self._transfer(token, actor, taker, amount)
        return True

    def token_approve(self, token: str, actor: str, spender: str, amount: int) -> bool:
        self.allowances[token, actor, spender] = amount
        self.emit(token, "Approval", actor, spender, amount)
        return True

    def token_set_freeze(self, token: str, actor: str, account: str, amount: int, basis: bytes) -> None:
        self.frozen[token, account] = amount
        self.emit(token, "FreezeSet", account, actor, amount, basis)

    def _token(self, currency: bytes) -> str:
        if currency not in self.where.tokens:
            raise Refused("Currencies_NotListed", currency)
        return self.where.tokens[currency]

    def _hold(self, receivable: int, currency: bytes, payer: str, amount: int) -> None:
        token = self._token(currency)
        self.held[receivable] += amount
        self.emit(self.where.escrow, "Held", self.where.ledger, receivable, payer, token, amount)
        self._transfer_from(token, self.where.escrow, payer, self.where.escrow, amount)

    def _pay_out(self, receivable: int, currency: bytes, payee: str, amount: int) -> None:
        token = self._token(currency)
        held = self.held[receivable]
        if held < amount:
            raise Refused("Escrow_InsufficientHeld", self.where.ledger, receivable, held, amount)
        self.held[receivable] = held - amount
        self.emit(self.where.escrow, "PaidOut", self.where.ledger, receivable, payee, token, amount)
        self._transfer(token, self.where.escrow, payee, amount)

    # --- financing register

    def state_of(self, fingerprint: bytes) -> int:
        entry = self.entries[fingerprint]
        return FREE if entry.state == RESERVED and self.now > entry.reserved_until else entry.state

    def taken_by(self, number: bytes) -> bytes:
        """The live fingerprint with this number, or `AMBIGUOUS`, or nothing."""
        fingerprint = self.numbers[number]
        if fingerprint == AMBIGUOUS:
            return AMBIGUOUS
        live = self.state_of(fingerprint) != FREE and self.entries[fingerprint].number == number
        return fingerprint if live else NIL

    def consent_digest(self, consent: Consent, chain_id: int | None = None, contract: str | None = None) -> bytes:
        where = self.where
        name, chain_id, contract = "chaincity FinancingRegister", chain_id or where.chain_id, contract or where.register
        return digest(name, chain_id, contract, words(_CONSENT, *consent))

    def _signed(self, account: str, expected: bytes, signature: Signature) -> bool:
        return (
            signature.well_formed and signature.digest == expected and signature.signer == self.parties[account].signer
        )

    def _take(self, fingerprint: bytes, entry: Entry) -> None:
        if fingerprint in (NIL, AMBIGUOUS) or entry.number == NIL:
            raise Refused("FinancingRegister_EmptyFingerprint")
        state, taken = self.state_of(fingerprint), self.entries[fingerprint]
        if state != FREE:
            raise Refused("FinancingRegister_Taken", fingerprint, state, taken.holder, taken.case)
        by = self.taken_by(entry.number)
        if by == NIL:
            self.numbers[entry.number] = fingerprint
        elif self.cleared[fingerprint] != entry.number:
            raise Refused("FinancingRegister_NumberTaken", fingerprint, entry.number, by)
        self.entries[fingerprint] = entry

    def _require_reserved_by(self, fingerprint: bytes, bank: str) -> None:
        state = self.state_of(fingerprint)
        if state != RESERVED:
            raise Refused("FinancingRegister_WrongState", fingerprint, state)
        if self.entries[fingerprint].holder != bank:
            raise Refused("FinancingRegister_NotHolder", fingerprint, self.entries[fingerprint].holder, bank)

    def register_reserve(self, actor: str, consent: Consent, signature: Signature) -> None:
        self.require_role(actor, "RECEIVABLE_FINANCIER")
        self.require_person(actor)
        self.require_active(actor, consent.seller)
        until = consent.reserved_until
        if actor != consent.bank:
            raise Refused("FinancingRegister_WrongBank", consent.bank, actor)
        if actor == consent.seller:
            raise Refused("FinancingRegister_OwnConsent", actor)
        if self.now > until:
            raise Refused("FinancingRegister_ConsentExpired", until, self.now)
        if until > self.now + MAX_RESERVATION:
            raise Refused("FinancingRegister_ReservationTooLong", until, self.now + MAX_RESERVATION)
        signed = self.consent_digest(consent)
        if self.spent[signed]:
            raise Refused("FinancingRegister_ConsentUsed", signed)
        if not self._signed(consent.seller, signed, signature):
            raise Refused("FinancingRegister_WrongSigner", consent.seller, signed)
        self.spent[signed] = True
        self._take(consent.fingerprint, Entry(RESERVED, actor, until, 0, consent.number))
        self.emit(
            self.where.register,
            "FingerprintReserved",
            consent.fingerprint,
            actor,
            consent.seller,
            consent.number,
            until,
        )

    def register_release(self, actor: str, fingerprint: bytes) -> None:
        self.require_person(actor)
        self._require_reserved_by(fingerprint, actor)
        self.entries[fingerprint] = Entry()
        self.emit(self.where.register, "FingerprintReleased", fingerprint, actor)

    def register_finance(self, actor: str, fingerprint: bytes, filing: bytes) -> None:
        self.require_role(actor, "RECEIVABLE_FINANCIER")
        self.require_person(actor)
        self.require_active(actor)
        self._require_reserved_by(fingerprint, actor)
        self.entries[fingerprint] = self.entries[fingerprint]._replace(state=FINANCED, reserved_until=0)
        if filing != NIL:
            self.filings[fingerprint, actor] = filing
        self.emit(self.where.register, "FingerprintFinanced", fingerprint, actor, filing)

    def register_recordFiling(self, actor: str, fingerprint: bytes, filing: bytes) -> None:
        self.require_role(actor, "RECEIVABLE_FINANCIER")
        self.require_person(actor)
        self.require_active(actor)
        if filing == NIL:
            raise Refused("FinancingRegister_EmptyFiling", fingerprint)
        state, entry = self.state_of(fingerprint), self.entries[fingerprint]
        if state == FREE:
            raise Refused("FinancingRegister_WrongState", fingerprint, FREE)
        if state != ENTERED and entry.holder != actor:
            raise Refused("FinancingRegister_NotHolder", fingerprint, entry.holder, actor)
        self.filings[fingerprint, actor] = filing
        self.emit(self.where.register, "FilingRecorded", fingerprint, actor, filing)

    def register_enter(self, actor: str, fingerprint: bytes, number: bytes, case: int, for_whom: str) -> None:
        self.require_role(actor, "FINANCING_APPLICATION")
        self.require_person(actor)
        if case >= 2**48:
            raise Refused("FinancingRegister_CaseIdTooLarge", case)
        self._take(fingerprint, Entry(ENTERED, actor, 0, case, number))
        self.emit(self.where.register, "FingerprintEntered", fingerprint, for_whom, actor, case, number)

    def register_leave(self, actor: str, fingerprint: bytes, case: int, for_whom: str) -> None:
        self.require_role(actor, "FINANCING_APPLICATION")
        self.require_person(actor)
        entry = self.entries[fingerprint]
        if (entry.state, entry.holder, entry.case) != (ENTERED, actor, case):
            # The arbiter has annulled it; the end of the case does not hang on that.
            whose = "free"
            if self.state_of(fingerprint) != FREE:
                whose = "another case's" if entry.holder == actor else "somebody else's"
            self.situations.append(left(self._name_of(actor), whose))
            return
        self.entries[fingerprint] = Entry()
        self.emit(self.where.register, "FingerprintLeft", fingerprint, for_whom, actor, case)

    def _name_of(self, application: str) -> str:
        return {self.where.ledger: "ledger", self.where.warehouse: "warehouse"}.get(application, "register")

    def register_clear(self, actor: str, fingerprint: bytes, number: bytes, basis: bytes) -> None:
        self.require_role(actor, "FINANCING_ARBITER")
        self.require_person(actor)
        self.require_active(actor)
        if fingerprint in (NIL, AMBIGUOUS):
            raise Refused("FinancingRegister_EmptyFingerprint")
        if self.taken_by(number) in (NIL, fingerprint):
            raise Refused("FinancingRegister_NumberFree", number)
        self.cleared[fingerprint] = number
        self.numbers[number] = AMBIGUOUS
        self.emit(self.where.register, "NumberCleared", fingerprint, actor, number, basis)

    def register_annul(self, actor: str, fingerprint: bytes, basis: bytes) -> None:
        self.require_role(actor, "FINANCING_ARBITER")
        self.require_person(actor)
        self.require_active(actor)
        state, entry = self.state_of(fingerprint), self.entries[fingerprint]
        if state == FREE:
            raise Refused("FinancingRegister_WrongState", fingerprint, state)
        self.entries[fingerprint] = Entry()
        self.emit(self.where.register, "FinancingAnnulled", fingerprint, actor, entry.holder, basis)

    def register_withdrawConsent(self, actor: str, consent: Consent) -> None:
        self.require_person(actor)
        if actor != consent.seller:
            raise Refused("FinancingRegister_NotSeller", consent.seller, actor)
        signed = self.consent_digest(consent)
        if self.spent[signed]:
            raise Refused("FinancingRegister_ConsentUsed", signed)
        self.spent[signed] = True
        self.emit(self.where.register, "ConsentWithdrawn", signed, actor)

    # --- receivable ledger

    def ledger_draft(
        self, actor: str, debtor: str, currency: bytes, face: int, due: int, fingerprint: bytes, number: bytes
    ) -> int:
        self.require_role(actor, "COMPANY")
        self.require_person(actor)
        self.require_active(actor, debtor)
        if debtor == actor:
            raise Refused("ReceivableLedger_OwnDebtor", actor)
        if face == 0:
            raise Refused("ReceivableLedger_ZeroFace")
        if due <= self.now:
            raise Refused("ReceivableLedger_DueInPast", due, self.now)
        if due > self.now + MAX_TERM:
            raise Refused("ReceivableLedger_DueTooLate", due, self.now + MAX_TERM)
        self._token(currency)
        number_of_it = len(self.receivables) + 1
        self.receivables[number_of_it] = Receivable(debtor, due, DRAFT, currency, face, 0, actor, fingerprint)
        self.emit(
            self.where.ledger,
            "ReceivableDrafted",
            number_of_it,
            actor,
            debtor,
            currency,
            face,
            due,
            fingerprint,
            number,
        )
        if self.state_of(of_credit_note(fingerprint)) != FREE:
            self.situations.append(INVOICE_OF_NOTE)
        self.register_enter(self.where.ledger, fingerprint, number, number_of_it, actor)
        return number_of_it

    def _draft(self, receivable: int) -> Receivable:
        found: Receivable = self.receivables[receivable]
        if found.state not in (DRAFT, DISPUTED):
            raise Refused("ReceivableLedger_WrongState", receivable, found.state)
        return found

    def _units(self, operator: str, giver: str, taker: str, receivable: int, units: int) -> None:
        self.emit(self.where.ledger, "TransferSingle", operator, giver, taker, receivable, units)

    def _require_debtor(self, actor: str, receivable: int) -> None:
        self.require_person(actor)
        if actor != self.receivables[receivable].debtor:
            raise Refused("ReceivableLedger_NotDebtor", receivable, actor)

    def _move_on(self, receivable: int, state: int) -> None:
        self.receivables[receivable] = self.receivables[receivable]._replace(state=state)

    def ledger_confirm(self, actor: str, receivable: int) -> None:
        self.require_role(actor, "COMPANY")
        found = self._draft(receivable)
        self._require_debtor(actor, receivable)
        self.require_active(actor, found.supplier)
        self._move_on(receivable, CONFIRMED)
        entry = self.entries[found.fingerprint]
        if (entry.state, entry.holder, entry.case) != (ENTERED, self.where.ledger, receivable):
            self.situations.append(CONFIRMED_ANNULLED)
        self.holdings[receivable, found.supplier] = Holding(found.face, 0)
        self.emit(self.where.ledger, "ReceivableConfirmed", receivable, actor)
        self._units(actor, ZERO, found.supplier, receivable, found.face)

    def ledger_dispute(self, actor: str, receivable: int, basis: bytes) -> None:
        found = self._draft(receivable)
        self._require_debtor(actor, receivable)
        if found.state == DISPUTED:
            raise Refused("ReceivableLedger_WrongState", receivable, DISPUTED)
        self._move_on(receivable, DISPUTED)
        self.emit(self.where.ledger, "ReceivableDisputed", receivable, actor, basis)

    def ledger_reject(self, actor: str, receivable: int) -> None:
        found = self._draft(receivable)
        self._require_debtor(actor, receivable)
        self._move_on(receivable, REJECTED)
        self.emit(self.where.ledger, "ReceivableRejected", receivable, actor)
        self.register_leave(self.where.ledger, found.fingerprint, receivable, actor)

    def ledger_withdraw(self, actor: str, receivable: int) -> None:
        found = self._draft(receivable)
        self.require_person(actor)
        if actor != found.supplier:
            raise Refused("ReceivableLedger_NotSupplier", receivable, actor)
        self._move_on(receivable, WITHDRAWN)
        self.emit(self.where.ledger, "ReceivableWithdrawn", receivable, actor)
        self.register_leave(self.where.ledger, found.fingerprint, receivable, actor)

    def ledger_strike(self, actor: str, receivable: int, basis: bytes) -> None:
        self.require_role(actor, "COURT")
        found = self._draft(receivable)
        self.require_person(actor)
        self.require_active(actor)
        self._move_on(receivable, WITHDRAWN)
        self.emit(self.where.ledger, "ReceivableStruck", receivable, actor, basis)
        self.register_leave(self.where.ledger, found.fingerprint, receivable, actor)

    def is_open(self, receivable: int) -> bool:
        found = self.receivables[receivable]
        return found.state == CONFIRMED and self.now < found.due

    def is_defaulted(self, receivable: int) -> bool:
        found = self.receivables[receivable]
        return found.state in (CONFIRMED, PARTLY_PAID) and self.now >= found.due + self.where.grace

    def _change_hands(self, receivable: int, giver: str, taker: str, units: int) -> bytes:
        found: Receivable = self.receivables[receivable]
        if found.state != CONFIRMED:
            raise Refused("ReceivableLedger_WrongState", receivable, found.state)
        if self.now >= found.due:
            raise Refused("ReceivableLedger_Due", receivable, found.due)
        if units == 0:
            raise Refused("ReceivableLedger_ZeroUnits", receivable)
        held = self.holdings[receivable, giver]
        if units > held.units:
            raise Refused("ReceivableLedger_InsufficientUnits", receivable, giver, held.units, units)
        self.holdings[receivable, giver] = held._replace(units=held.units - units)
        taken = self.holdings[receivable, taker]
        self.holdings[receivable, taker] = taken._replace(units=taken.units + units)
        return found.currency

    def ledger_move(
        self, actor: str, receivable: int, giver: str, taker: str, units: int, for_whom: str
    ) -> tuple[bytes]:
        self.require_role(actor, "RECEIVABLE_DESK")
        self.require_active(giver, taker)
        currency = self._change_hands(receivable, giver, taker, units)
        self._units(for_whom, giver, taker, receivable, units)
        return (currency,)

    def _require_holder(self, actor: str, giver: str) -> None:
        self.require_person(actor)
        if actor != giver:
            raise Refused("ReceivableLedger_ApprovalsRefused", actor)

    def _call_hook(self, giver: str, taker: str, receivable: int | None, units: int) -> None:
        hook = self.hooks[taker]
        if hook is None or hook.mode == ACCEPT:
            return
        if hook.mode == REFUSE:
            raise Refused("UnitReceiverMock_Refused")
        if hook.mode == NONSENSE:
            raise Refused("ERC1155InvalidReceiver", taker)
        if receivable is not None:
            for _ in range(2):
                self.ledger_safeTransferFrom(taker, taker, hook.accomplice, receivable, units, b"")

    def ledger_safeTransferFrom(
        self, actor: str, giver: str, taker: str, receivable: int, units: int, data: bytes
    ) -> None:
        self._require_holder(actor, giver)
        self.require_active(giver, taker)
        self._change_hands(receivable, giver, taker, units)
        self._units(giver, giver, taker, receivable, units)
        self._call_hook(giver, taker, receivable, units)

    def ledger_safeBatchTransferFrom(
        self, actor: str, giver: str, taker: str, receivables: list[int], units: list[int], data: bytes
    ) -> None:
        self._require_holder(actor, giver)
        if len(receivables) != len(units):
            raise Refused("ReceivableLedger_LengthMismatch", len(receivables), len(units))
        if len(receivables) > MAX_BATCH:
            raise Refused("ReceivableLedger_BatchTooLong", len(receivables), MAX_BATCH)
        self.require_active(giver, taker)
        for receivable, amount in zip(receivables, units, strict=True):
            self._change_hands(receivable, giver, taker, amount)
        self.emit(self.where.ledger, "TransferBatch", giver, giver, taker, tuple(receivables), tuple(units))
        self._call_hook(giver, taker, None, 0)

    def entitlement(self, receivable: int, units: int) -> int:
        found = self.receivables[receivable]
        return units * found.paid // found.face

    def claimable(self, receivable: int, holder: str) -> int:
        held = self.holdings[receivable, holder]
        if held.units == 0:
            return 0
        open_claim = max(0, self.entitlement(receivable, held.units) - held.claimed)
        # Rounding at a put-back can leave one minor unit less in the Escrow than is due to all.
        return min(open_claim, self.held[receivable]) if self.given_back[receivable] else open_claim

    def ledger_pay(self, actor: str, receivable: int, amount: int) -> None:
        found: Receivable = self.receivables[receivable]
        if found.state not in (CONFIRMED, PARTLY_PAID):
            raise Refused("ReceivableLedger_WrongState", receivable, found.state)
        self.require_person(actor)
        if actor not in (found.debtor, self.parties[found.debtor].receiver):
            raise Refused("ReceivableLedger_NotDebtor", receivable, actor)
        if amount == 0:
            raise Refused("ReceivableLedger_ZeroAmount", receivable)
        outstanding = found.face - found.paid
        if amount > outstanding:
            raise Refused("ReceivableLedger_Overpaid", receivable, outstanding, amount)
        state = SETTLED if amount == outstanding else PARTLY_PAID
        self.receivables[receivable] = found._replace(paid=found.paid + amount, state=state)
        self.emit(self.where.ledger, "ReceivablePaid", receivable, actor, amount, found.paid + amount)
        self._hold(receivable, found.currency, actor, amount)

    def ledger_claim(self, actor: str, receivable: int) -> int:
        self.require_person(actor)
        amount = self.claimable(receivable, actor)
        if amount == 0:
            raise Refused("ReceivableLedger_NothingToClaim", receivable, actor)
        self._claimed(receivable, actor, amount)
        self.emit(self.where.ledger, "ReceivableClaimed", receivable, actor, amount)
        self._pay_out(receivable, self.receivables[receivable].currency, actor, amount)
        return amount

    def _claimed(self, receivable: int, holder: str, amount: int) -> None:
        held = self.holdings[receivable, holder]
        self.holdings[receivable, holder] = held._replace(claimed=held.claimed + amount)

    def ledger_dilute(self, actor: str, receivable: int, amount: int, note: bytes, number: bytes) -> None:
        self.require_role(actor, "COMPANY")
        found: Receivable = self.receivables[receivable]
        if found.state != CONFIRMED:
            raise Refused("ReceivableLedger_WrongState", receivable, found.state)
        self.require_person(actor)
        self.require_active(actor)
        if actor != found.supplier:
            raise Refused("ReceivableLedger_NotSupplier", receivable, actor)
        if amount == 0:
            raise Refused("ReceivableLedger_ZeroAmount", receivable)
        held = self.holdings[receivable, actor]
        if amount > held.units:
            raise Refused("ReceivableLedger_InsufficientUnits", receivable, actor, held.units, amount)
        face = found.face - amount
        self.receivables[receivable] = found._replace(face=face, state=CONFIRMED if face else SETTLED)
        self.holdings[receivable, actor] = held._replace(units=held.units - amount)
        self.emit(self.where.ledger, "ReceivableDiluted", receivable, actor, amount, face, note)
        self._units(actor, actor, ZERO, receivable, amount)
        if self.state_of(note) != FREE:
            self.situations.append(NOTE_OF_INVOICE)
        if self.taken_by(number) not in (NIL, AMBIGUOUS):
            self.situations.append(NUMBER_OF_INVOICE)
        self.register_enter(self.where.ledger, of_credit_note(note), of_credit_note(number), receivable, actor)

    def _require_defaulted(self, receivable: int) -> None:
        found: Receivable = self.receivables[receivable]
        if found.state not in (CONFIRMED, PARTLY_PAID):
            raise Refused("ReceivableLedger_WrongState", receivable, found.state)
        if self.now < found.due + self.where.grace:
            raise Refused("ReceivableLedger_NotDefaulted", receivable, found.due + self.where.grace, self.now)

    def ledger_writeOff(self, actor: str, receivable: int, basis: bytes) -> None:
        self._require_defaulted(receivable)
        self.require_person(actor)
        units = self.holdings[receivable, actor].units
        if units == 0:
            raise Refused("ReceivableLedger_ZeroUnits", receivable)
        if self.written_off[receivable, actor]:
            raise Refused("ReceivableLedger_AlreadyWrittenOff", receivable, actor)
        self.written_off[receivable, actor] = True
        unpaid = units - self.entitlement(receivable, units)
        self.emit(self.where.ledger, "ReceivableWrittenOff", receivable, actor, unpaid, basis)

    def ledger_giveBack(
        self, actor: str, receivable: int, giver: str, taker: str, units: int, for_whom: str
    ) -> tuple[bytes, int]:
        self.require_role(actor, "RECEIVABLE_DESK")
        self._require_defaulted(receivable)
        if units == 0:
            raise Refused("ReceivableLedger_ZeroUnits", receivable)
        currency = self.receivables[receivable].currency
        claimed_now = self.claimable(receivable, giver)
        self._claimed(receivable, giver, claimed_now)
        held = self.holdings[receivable, giver]
        if units > held.units:
            raise Refused("ReceivableLedger_InsufficientUnits", receivable, giver, held.units, units)
        # The giver keeps what the units it keeps entitle it to; the rest of what it claimed goes with the units.
        along = min(units, max(0, held.claimed - self.entitlement(receivable, held.units - units)))
        self.given_back[receivable] = True
        self.holdings[receivable, giver] = Holding(held.units - units, held.claimed - along)
        taken = self.holdings[receivable, taker]
        self.holdings[receivable, taker] = Holding(taken.units + units, taken.claimed + along)
        if claimed_now:
            self.emit(self.where.ledger, "ReceivableClaimed", receivable, giver, claimed_now)
        self.emit(self.where.ledger, "UnitsGivenBack", receivable, for_whom, giver, taker, units, along)
        self._units(for_whom, giver, taker, receivable, units)
        if claimed_now:
            self._pay_out(receivable, currency, giver, claimed_now)
        return currency, units - along

    # --- financing desk

    def quote_digest(self, quote: Quote, chain_id: int | None = None, contract: str | None = None) -> bytes:
        chain_id, contract = chain_id or self.where.chain_id, contract or self.where.desk
        return digest("chaincity FinancingDesk", chain_id, contract, words(_QUOTE, *quote))

    def _endable(self, bank: str, nonce: int) -> int:
        state: int = self.nonces[bank, nonce]
        if state == USED:
            raise Refused("FinancingDesk_NonceUsed", bank, nonce)
        if state == CANCELLED:
            raise Refused("FinancingDesk_NonceCancelled", bank, nonce)
        return state

    def desk_fill(self, actor: str, quote: Quote, units: int, signature: Signature) -> None:
        self.require_person(actor)
        bank, nonce = quote.bank, quote.nonce
        if actor != quote.seller:
            raise Refused("FinancingDesk_WrongSeller", quote.seller, actor)
        if actor == bank:
            raise Refused("FinancingDesk_OwnQuote", bank)
        if self.now > quote.valid_until:
            raise Refused("FinancingDesk_Expired", quote.valid_until, self.now)
        if units == 0:
            raise Refused("FinancingDesk_ZeroUnits", quote.receivable)
        if not self.has_role(bank, "RECEIVABLE_FINANCIER"):
            raise Refused("FinancingDesk_NotAFinancier", bank)
        signed = self.quote_digest(quote)
        if not self._signed(bank, signed, signature):
            raise Refused("FinancingDesk_WrongSigner", bank, signed)
        before = self.filled[signed] if self._endable(bank, nonce) == IN_PARTS else 0
        if self.nonces[bank, nonce] == IN_PARTS and before == 0:
            raise Refused("FinancingDesk_NonceOfAnotherQuote", bank, nonce)
        rest = quote.units - before
        if units > rest:
            raise Refused("FinancingDesk_Overfilled", bank, nonce, rest, units)
        complete = units == rest
        if not complete and not quote.divisible:
            raise Refused("FinancingDesk_Indivisible", quote.units, units)
        so_far = quote.proceeds * before // quote.units
        proceeds = quote.proceeds * (before + units) // quote.units - so_far
        if proceeds == 0:
            raise Refused("FinancingDesk_ZeroProceeds", quote.receivable)
        self.nonces[bank, nonce] = USED if complete else IN_PARTS
        if before or not complete:
            self.filled[signed] = before + units
        if quote.recourse:
            kept = self.recourses[bank, nonce]
            self.recourses[bank, nonce] = Recourse(actor, bytes(3), HELD, kept.amount + units, 0, quote.receivable)
        self.emit(
            self.where.desk,
            "QuoteFilled",
            quote.receivable,
            actor,
            bank,
            nonce,
            signed,
            units,
            proceeds,
            quote.recourse,
            complete,
        )
        (currency,) = self.ledger_move(self.where.desk, quote.receivable, actor, bank, units, actor)
        self._transfer_from(self._token(currency), self.where.desk, bank, actor, proceeds)

    def desk_cancel(self, actor: str, nonce: int) -> None:
        self.require_person(actor)
        self._endable(actor, nonce)
        self.nonces[actor, nonce] = CANCELLED
        self.emit(self.where.desk, "QuoteCancelled", nonce, actor)

    def desk_putBack(self, actor: str, nonce: int) -> None:
        self.require_person(actor)
        found: Recourse = self.recourses[actor, nonce]
        if found.state != HELD:
            raise Refused("FinancingDesk_WrongRecourseState", actor, nonce, found.state)
        held = self.holdings[found.receivable, actor].units
        units = min(found.amount, held)
        self.situations.append(PUT_BACK_ALL if units == found.amount else PUT_BACK_LESS)
        if held > units:
            self.situations.append(PUT_BACK_NOT_MORE)
        currency, owed = self.ledger_giveBack(self.where.desk, found.receivable, actor, found.seller, units, actor)
        if owed == 0:
            raise Refused("FinancingDesk_NothingOwed", actor, nonce)
        self.recourses[actor, nonce] = found._replace(state=OWED, currency=currency, amount=owed)
        self.emit(self.where.desk, "UnitsPutBack", found.receivable, actor, found.seller, nonce, units, owed)

    def desk_repay(self, actor: str, bank: str, nonce: int, amount: int) -> None:
        self.require_person(actor)
        found: Recourse = self.recourses[bank, nonce]
        if found.state != OWED:
            raise Refused("FinancingDesk_WrongRecourseState", bank, nonce, found.state)
        if actor not in (found.seller, self.parties[found.seller].receiver):
            raise Refused("FinancingDesk_WrongSeller", found.seller, actor)
        if amount == 0:
            raise Refused("FinancingDesk_ZeroAmount", bank, nonce)
        outstanding = found.amount - found.repaid
        if amount > outstanding:
            raise Refused("FinancingDesk_Overpaid", bank, nonce, outstanding, amount)
        state = REPAID if amount == outstanding else OWED
        self.recourses[bank, nonce] = found._replace(repaid=found.repaid + amount, state=state)
        repaid = found.repaid + amount
        self.emit(self.where.desk, "RecourseRepaid", found.receivable, actor, bank, nonce, amount, repaid)
        self._transfer_from(self._token(found.currency), self.where.desk, actor, bank, amount)

    # --- warehouse ledger

    def _stored(self, receipt: int) -> Receipt:
        found: Receipt = self.receipts[receipt]
        if found.state != STORED:
            raise Refused("WarehouseLedger_WrongReceiptState", receipt, found.state)
        return found

    def _pledge_in(self, pledge: int, *states: int) -> Pledge:
        found: Pledge = self.pledges[pledge]
        if found.state not in states:
            raise Refused("WarehouseLedger_WrongPledgeState", pledge, found.state)
        return found

    def warehouse_issue(
        self, actor: str, owner: str, fingerprint: bytes, number: bytes, goods: bytes, quantity: int, unit: bytes
    ) -> int:
        self.require_role(actor, "WAREHOUSE")
        self.require_person(actor)
        self.require_active(actor, owner)
        if owner == actor:
            raise Refused("WarehouseLedger_OwnWarehouse", actor)
        if goods == NIL:
            raise Refused("WarehouseLedger_EmptyGoods")
        if quantity == 0:
            raise Refused("WarehouseLedger_ZeroQuantity", 0)
        if unit == bytes(3):
            raise Refused("WarehouseLedger_EmptyUnit")
        receipt = len(self.receipts) + 1
        self.receipts[receipt] = Receipt(owner, STORED, unit, actor, quantity, 0, fingerprint)
        self.emit(
            self.where.warehouse,
            "ReceiptIssued",
            receipt,
            actor,
            owner,
            fingerprint,
            number,
            goods,
            quantity,
            unit,
        )
        self.register_enter(self.where.warehouse, fingerprint, number, receipt, actor)
        return receipt

    def warehouse_transfer(self, actor: str, receipt: int, to: str) -> None:
        found = self._stored(receipt)
        self.require_person(actor)
        if actor != found.owner:
            raise Refused("WarehouseLedger_NotOwner", receipt, actor)
        self.require_active(actor, to)
        if to == actor:
            raise Refused("WarehouseLedger_OwnReceipt", receipt, actor)
        if to == found.warehouse:
            raise Refused("WarehouseLedger_OwnWarehouse", to)
        if found.pledged:
            raise Refused("WarehouseLedger_Pledged", receipt, found.pledged)
        self.receipts[receipt] = found._replace(owner=to)
        self.emit(self.where.warehouse, "ReceiptTransferred", receipt, actor, to)

    def _take_out(self, receipt: int, quantity: int) -> int:
        found: Receipt = self.receipts[receipt]
        left = found.quantity - quantity
        self.receipts[receipt] = found._replace(quantity=left, state=STORED if left else DELIVERED)
        return left

    def warehouse_deliver(self, actor: str, receipt: int, quantity: int) -> None:
        found = self._stored(receipt)
        self.require_person(actor)
        if not self.acts_for(actor, found.warehouse):
            raise Refused("WarehouseLedger_NotWarehouse", receipt, actor)
        if quantity == 0:
            raise Refused("WarehouseLedger_ZeroQuantity", receipt)
        free = found.quantity - found.pledged
        if quantity > free:
            raise Refused("WarehouseLedger_InsufficientFree", receipt, free, quantity)
        left = self._take_out(receipt, quantity)
        self.emit(self.where.warehouse, "GoodsDelivered", receipt, actor, found.owner, quantity, left)
        if left == 0:
            self.register_leave(self.where.warehouse, found.fingerprint, receipt, actor)

    def warehouse_reportShortage(self, actor: str, receipt: int, pledge: int, quantity: int, basis: bytes) -> None:
        found = self._stored(receipt)
        self.require_person(actor)
        if pledge == 0:
            if not self.acts_for(actor, found.warehouse):
                raise Refused("WarehouseLedger_NotWarehouse", receipt, actor)
        else:
            pledged = self._pledge_in(pledge, PLEDGED)
            if pledged.receipt != receipt:
                raise Refused("WarehouseLedger_PledgeOfAnotherReceipt", pledge, receipt)
            if actor != pledged.supervisor:
                raise Refused("WarehouseLedger_NotSupervisor", pledge, actor)
        if quantity > found.quantity:
            raise Refused("WarehouseLedger_MoreThanOnHand", receipt, found.quantity, quantity)
        self.emit(self.where.warehouse, "ShortageReported", receipt, actor, pledge, quantity, basis)

    def warehouse_strike(self, actor: str, receipt: int, basis: bytes) -> None:
        self.require_role(actor, "COURT")
        found = self._stored(receipt)
        self.require_person(actor)
        self.require_active(actor)
        if found.pledged:
            raise Refused("WarehouseLedger_Pledged", receipt, found.pledged)
        self.receipts[receipt] = found._replace(state=STRUCK)
        self.emit(self.where.warehouse, "ReceiptStruck", receipt, actor, basis)
        self.register_leave(self.where.warehouse, found.fingerprint, receipt, actor)

    def warehouse_pledge(
        self,
        actor: str,
        receipt: int,
        bank: str,
        supervisor: str,
        quantity: int,
        secured: int,
        currency: bytes,
        answer_by: int,
    ) -> int:
        found = self._stored(receipt)
        self.require_person(actor)
        if actor != found.owner:
            raise Refused("WarehouseLedger_NotOwner", receipt, actor)
        self.require_active(actor, bank, supervisor)
        if bank in (actor, found.warehouse):
            raise Refused("WarehouseLedger_WrongBank", receipt, bank)
        if supervisor in (actor, found.warehouse, bank):
            raise Refused("WarehouseLedger_WrongSupervisor", receipt, supervisor)
        if quantity == 0:
            raise Refused("WarehouseLedger_ZeroQuantity", receipt)
        if secured == 0:
            raise Refused("WarehouseLedger_ZeroSecuredAmount", receipt)
        if answer_by < self.now:
            raise Refused("WarehouseLedger_AnswerInPast", answer_by, self.now)
        if answer_by > self.now + MAX_ANSWER:
            raise Refused("WarehouseLedger_AnswerTooLate", answer_by, self.now + MAX_ANSWER)
        self._token(currency)
        free = found.quantity - found.pledged
        if quantity > free:
            raise Refused("WarehouseLedger_InsufficientFree", receipt, free, quantity)
        self.receipts[receipt] = found._replace(pledged=found.pledged + quantity)
        pledge = len(self.pledges) + 1
        self.pledges[pledge] = Pledge(bank, answer_by, PROPOSED, currency, supervisor, receipt, quantity, secured)
        self.emit(
            self.where.warehouse,
            "PledgeProposed",
            pledge,
            actor,
            receipt,
            bank,
            supervisor,
            quantity,
            secured,
            currency,
            answer_by,
        )
        return pledge

    def _require_in_time(self, pledge: int) -> None:
        answer_by = self.pledges[pledge].answer_by
        if self.now > answer_by:
            raise Refused("WarehouseLedger_HasLapsed", pledge, answer_by, self.now)

    def _answer(self, pledge: int, state: int) -> None:
        self.pledges[pledge] = self.pledges[pledge]._replace(state=state)

    def warehouse_accept(self, actor: str, pledge: int) -> None:
        self.require_role(actor, "RECEIVABLE_FINANCIER")
        found = self._pledge_in(pledge, PROPOSED)
        self.require_person(actor)
        if actor != found.bank:
            raise Refused("WarehouseLedger_NotBank", pledge, actor)
        self._require_in_time(pledge)
        self.require_active(actor, found.supervisor, self.receipts[found.receipt].owner)
        self._answer(pledge, ACCEPTED)
        self.emit(self.where.warehouse, "PledgeAccepted", pledge, actor)

    def warehouse_confirm(self, actor: str, pledge: int, basis: bytes) -> None:
        self.require_role(actor, "SUPERVISOR")
        found = self._pledge_in(pledge, ACCEPTED)
        self.require_person(actor)
        if actor != found.supervisor:
            raise Refused("WarehouseLedger_NotSupervisor", pledge, actor)
        self._require_in_time(pledge)
        self.require_active(actor, found.bank, self.receipts[found.receipt].owner)
        self._answer(pledge, PLEDGED)
        self.emit(self.where.warehouse, "PledgeConfirmed", pledge, actor, basis)

    def _drop(self, pledge: int, state: int) -> None:
        found: Pledge = self.pledges[pledge]
        self._answer(pledge, state)
        receipt = self.receipts[found.receipt]
        self.receipts[found.receipt] = receipt._replace(pledged=receipt.pledged - found.quantity)

    def warehouse_decline(self, actor: str, pledge: int, basis: bytes) -> None:
        found = self._pledge_in(pledge, PROPOSED, ACCEPTED)
        self.require_person(actor)
        if not self.acts_for(actor, found.bank) and not self.acts_for(actor, found.supervisor):
            raise Refused("WarehouseLedger_NotBankOrSupervisor", pledge, actor)
        self._drop(pledge, DECLINED)
        self.emit(self.where.warehouse, "PledgeDeclined", pledge, actor, basis)

    def warehouse_withdraw(self, actor: str, pledge: int) -> None:
        found = self._pledge_in(pledge, PROPOSED, ACCEPTED)
        self.require_person(actor)
        if not self.acts_for(actor, self.receipts[found.receipt].owner):
            raise Refused("WarehouseLedger_NotOwner", found.receipt, actor)
        self._drop(pledge, TAKEN_BACK)
        self.emit(self.where.warehouse, "PledgeWithdrawn", pledge, actor)

    def warehouse_lapse(self, actor: str, pledge: int) -> None:
        found = self._pledge_in(pledge, PROPOSED, ACCEPTED)
        self.require_person(actor)
        if self.now <= found.answer_by:
            raise Refused("WarehouseLedger_NotLapsed", pledge, found.answer_by, self.now)
        self._drop(pledge, LAPSED)
        self.emit(self.where.warehouse, "PledgeLapsed", pledge, actor)

    def _unbind(self, pledge: int, quantity: int, end: int) -> int:
        found: Pledge = self.pledges[pledge]
        if quantity == 0:
            raise Refused("WarehouseLedger_ZeroQuantity", pledge)
        if quantity > found.quantity:
            raise Refused("WarehouseLedger_InsufficientPledged", pledge, found.quantity, quantity)
        left = found.quantity - quantity
        self.pledges[pledge] = found._replace(quantity=left, state=PLEDGED if left else end)
        receipt = self.receipts[found.receipt]
        self.receipts[found.receipt] = receipt._replace(pledged=receipt.pledged - quantity)
        return left

    def warehouse_release(self, actor: str, pledge: int, quantity: int) -> None:
        found = self._pledge_in(pledge, PLEDGED)
        self.require_person(actor)
        if not self.acts_for(actor, found.bank):
            raise Refused("WarehouseLedger_NotBank", pledge, actor)
        left = self._unbind(pledge, quantity, RELEASED)
        self.emit(self.where.warehouse, "PledgeReleased", pledge, actor, quantity, left)

    def warehouse_enforce(self, actor: str, pledge: int, quantity: int, to: str, basis: bytes) -> None:
        self.require_role(actor, "COURT")
        found = self._pledge_in(pledge, PLEDGED)
        self.require_person(actor)
        self.require_active(actor, to)
        left = self._unbind(pledge, quantity, ENFORCED)
        on_hand = self._take_out(found.receipt, quantity)
        self.emit(self.where.warehouse, "PledgeEnforced", pledge, actor, to, quantity, left, basis)
        if on_hand == 0:
            self.register_leave(self.where.warehouse, self.receipts[found.receipt].fingerprint, found.receipt, actor)
