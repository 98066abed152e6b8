"""The contracts and the model side by side: one call to both, the answers compared bit for bit.

A successful call must have the model's events, in order and with all values, and every row that either touched must read the same in the
contract's views. A refused one must have the model's error with all its arguments. Any difference raises `Difference`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import coincurve
from eth_utils import keccak

from scripts.deployment.artifacts import canonical_type, load, signature
from scripts.deployment.plan import read_charter
from tests.city import TestCity
from tests.evm import CHAIN_ID, Contract, Reverted, dev_account
from tests.samples import credit_code

from . import model as m
from .lifecycles import STATES, TRANSITIONS, transition
from .model import INFINITE, ZERO, Consent, Model, Quote, Signature, Table, Where, words
from .witness import Broken, Witness, hold

CNY, EUR, UNLISTED = b"CNY", b"EUR", b"USD"
RICH = 2**125
BASIS = b"\xba" * 32
#: Between two looks at every row of every table and at the invariants that need views.
SWEEP_EVERY = 60
_FORWARD = keccak(
    text="ForwardRequest(address from,address to,uint256 value,uint256 gas,uint256 nonce,uint48 deadline,bytes data)"
)
_GAS, _DEADLINE = 10_000_000, 2**48 - 1


class Difference(AssertionError):
    """The contracts and the model do not agree, or an invariant does not hold. `kind` says in a few words what noticed it."""

    def __init__(self, kind: str, detail: str = ""):
        super().__init__(f"{kind}\n{detail}" if detail else kind)
        self.kind = kind


@dataclass(frozen=True)
class Coded:
    """One function: how its calls are written."""

    contract: str
    selector: bytes
    dynamic: tuple[str | None, ...]

    def calldata(self, values: tuple[Any, ...]) -> bytes:
        heads: list[bytes | None] = []
        tails: list[bytes] = []
        for kind, value in zip(self.dynamic, values, strict=True):
            if kind is None:
                heads.append(words(*value) if isinstance(value, tuple) else words(value))
                continue
            heads.append(None)
            if kind == "bytes":
                raw = value.raw if isinstance(value, Signature) else value
                tails.append(words(len(raw)) + raw + bytes(-len(raw) % 32))
            else:
                tails.append(words(len(value), *value))
        offset = sum(32 if head is None else len(head) for head in heads)
        out, rest, waiting = [], [], iter(tails)
        for head in heads:
            if head is None:
                tail = next(waiting)
                out.append(words(offset))
                offset += len(tail)
                rest.append(tail)
            else:
                out.append(head)
        return self.selector + b"".join(out) + b"".join(rest)


def low(address: Any) -> str:
    return str(getattr(address, "address", address)).lower()


class World:
    """Made once per process on a founded city; `begin` and `end` bracket an episode, which leaves nothing behind."""

    #: Accounts by name. `bank3` and `signing_company` are ERC-1271 accounts, `hook` a company with code that holds units.
    founder: str
    arbiter: str
    court: str
    supplier: str
    debtor: str
    company3: str
    company4: str
    signing_company: str
    hook: str
    bank: str
    bank2: str
    bank3: str
    warehouse: str
    warehouse2: str
    supervisor: str
    supervisor2: str
    application: str
    mover: str
    guest: str
    stranger: str

    def __init__(self, city: TestCity) -> None:
        self.city, self.chain = city, city.chain
        self.tally: Counter[str] = Counter()
        contracts = {
            "register": "FinancingRegister",
            "ledger": "ReceivableLedger",
            "desk": "FinancingDesk",
            "warehouse": "WarehouseLedger",
            "members": "Members",
            "escrow": "Escrow",
            "forwarder": "Forwarder",
            "authority": "Authority",
            "CNY": "SettlementToken:CNY",
            "EUR": "SettlementToken:EUR",
        }
        self.contracts: dict[str, Contract] = {key: city.contract(name) for key, name in contracts.items()}
        self.at = {key: low(contract) for key, contract in self.contracts.items()}
        self.types = {key: name.split(":")[0] for key, name in contracts.items()}
        self.where = Where(
            CHAIN_ID,
            city.contract("ReceivableLedger").gracePeriod(),
            *(
                self.at[key]
                for key in ("authority", "forwarder", "members", "escrow", "register", "ledger", "desk", "warehouse")
            ),
            {CNY: self.at["CNY"], EUR: self.at["EUR"]},
            city.city.roles,
        )
        self.keys: dict[str, coincurve.PrivateKey] = {}
        self._code()
        self._people()

    # --- preparation

    def _code(self) -> None:
        """Functions, events and errors by name, from the ABIs."""
        self.functions: dict[str, Coded] = {}
        self.topics: dict[tuple[str, str], tuple[bytes, list[bool]]] = {}
        for key, name in self.types.items():
            for entry in load()[name].abi:
                if entry["type"] == "function":
                    kinds = [canonical_type(p) for p in entry["inputs"]]
                    dynamic = tuple(k if k == "bytes" or k.endswith("[]") else None for k in kinds)
                    code = keccak(text=signature(entry))[:4]
                    self.functions[f"{key}.{entry['name']}"] = Coded(self.at[key], code, dynamic)
                elif entry["type"] == "event":
                    topic = keccak(text=signature(entry))
                    self.topics[self.at[key], entry["name"]] = (topic, [p["indexed"] for p in entry["inputs"]])
        self.errors: dict[str, bytes] = {}
        for artifact in load().values():
            for entry in artifact.abi:
                if entry["type"] == "error":
                    self.errors[entry["name"]] = keccak(text=signature(entry))[:4]

    def _people(self) -> None:
        city, members, authority = self.city, self.contracts["members"], self.contracts["authority"]
        kinds = {name: kind["number"] for name, kind in read_charter().kinds.items()}
        roles = {name: tuple(kind["roles"]) for name, kind in read_charter().kinds.items()}
        admin = city.founder
        self.parties: dict[str, m.Party] = {}
        self.names: dict[str, str] = {ZERO: "zero"}

        def known(name: str, address: Any, held: tuple[str, ...], key: Any = None, valid_until: int = 0) -> str:
            account = low(address)
            signer = account
            if key is not None:
                private = coincurve.PrivateKey(bytes(key.key))
                signer = low(key)
                self.keys[account] = self.keys[signer] = private
            self.parties[account] = m.Party(m.ACTIVE, held, valid_until, ZERO, signer)
            self.names[account] = name
            setattr(self, name, account)
            return account

        for name, entry in read_charter().members.items():
            if entry["kind"] in ("bank", "company", "court", "government", "warehouse", "supervisor"):
                key = dev_account(entry["account"])
                known(name, key, roles[entry["kind"]], key)
        number = iter(range(900, 999))

        def admit(name: str, kind: str, key: Any = None, account: Any = None) -> str:
            address = account or key
            members.admit(address, kinds[kind], credit_code(next(number)), BASIS, sender=admin)
            return known(name, address, roles[kind], key)

        for index, (name, kind) in enumerate(
            (
                ("company3", "company"),
                ("company4", "company"),
                ("arbiter", "government"),
                ("warehouse2", "warehouse"),
                ("supervisor2", "supervisor"),
            )
        ):
            admit(name, kind, dev_account(20 + index))
        operator, operator2 = dev_account(25), dev_account(26)
        admit("bank3", "bank", operator, self.chain.deploy("SigningAccountMock", operator))
        admit("signing_company", "company", operator2, self.chain.deploy("SigningAccountMock", operator2))
        self.hook_contract = self.chain.deploy("UnitReceiverMock")
        admit("hook", "company", account=self.hook_contract)
        for name, key, role in (
            ("application", dev_account(27), "FINANCING_APPLICATION"),
            ("mover", dev_account(28), "RECEIVABLE_DESK"),
        ):
            authority.grantRole(city.city.roles[role], key, 0, sender=admin)
            self.parties[known(name, key, (role,), key)] = m.Party(m.UNKNOWN, (role,), 0, ZERO, low(key))
        self.guest_until = self.chain.time + 200 * 86400
        guest = dev_account(29)
        members.enrol(guest, b"\x77" * 32, self.guest_until, sender=city.registry)
        known("guest", guest, (), guest, self.guest_until)
        stranger = dev_account(30)
        self.parties[known("stranger", stranger, (), stranger)] = m.Party(signer=low(stranger))
        self.names |= {address: key for key, address in self.at.items()}
        for key in ("ledger", "warehouse"):
            self.parties[self.at[key]] = m.Party(m.UNKNOWN, ("FINANCING_APPLICATION", "ESCROW_DESK"))
        self.parties[self.at["desk"]] = m.Party(m.UNKNOWN, ("RECEIVABLE_DESK",))

        self.money: dict[tuple[str, str], int] = {}
        self.allowed: dict[tuple[str, str, str], int] = {}
        for bank in ("bank", "bank2"):
            for token in ("CNY", "EUR"):
                self.contracts[token].setCap(getattr(self, bank), 2**127 - 1, sender=admin)
        funds = {
            self.debtor: 2 * RICH,
            self.supplier: RICH // 2,
            self.bank: RICH // 2,
            self.bank2: 10**7,
            self.bank3: 10**7,
            self.company3: 10**5,
            self.company4: 60,
            self.hook: 10**5,
            self.court: 10**5,
            self.guest: 50,
        }
        for token in ("CNY", "EUR"):
            for account, amount in funds.items():
                self.contracts[token].issue(account, amount, BASIS, sender=self.bank)
                self.money[self.at[token], account] = amount
            for account in funds:
                for spender in (self.at["escrow"], self.at["desk"]):
                    self.allowed[self.at[token], account, spender] = INFINITE
                    if account == self.bank3:
                        account_contract = self.chain.at("SigningAccountMock", account)
                        account_contract.approve(self.contracts[token], spender, INFINITE, sender=self.bank)
                    elif account == self.hook:
                        data = self.functions[f"{token}.approve"].calldata((spender, INFINITE))
                        self.hook_contract.run(self.contracts[token], data, sender=self.bank)
                    else:
                        self.contracts[token].approve(spender, INFINITE, sender=account)

    # --- episodes

    def begin(self, note: Callable[[str], None] | None = None) -> None:
        self.checkpoint = self.chain.isolated()
        self.checkpoint.__enter__()
        self.model = Model(self.where, self.chain.time)
        self.model.parties.update(self.parties)
        self.model.balances.update(self.money)
        self.model.allowances.update(self.allowed)
        self.model.hooks.update(
            {
                self.hook: m.Hook(),
                # Accounts with code and no hook at all: ERC-1155 refuses them, desks do not ask.
                self.bank3: m.Hook(m.NONSENSE),
                self.signing_company: m.Hook(m.NONSENSE),
            }
        )
        self.held_at_start = {token: 0 for token in self.where.tokens.values()}
        self.witness = Witness(self.where.ledger, self.where.warehouse)
        self.calls = self.unswept = 0
        self.log: list[str] = []

    def end(self) -> None:
        self.checkpoint.__exit__(None, None, None)

    @property
    def now(self) -> int:
        return self.model.now

    def wait(self, seconds: int) -> None:
        """Time passes; what it alone changes is counted."""
        if seconds <= 0:
            return
        before, after = self.model.now, self.model.now + seconds
        self.chain.mine(seconds)
        self.model.now = after
        self.log.append(f"{seconds} seconds pass")
        for entry in self.model.entries.values():
            if entry.state == m.RESERVED and before <= entry.reserved_until < after:
                self._count("fingerprint", "Reserved", "Free", "time")
        for found in self.model.receivables.values():
            if found.state in (m.CONFIRMED, m.PARTLY_PAID):
                if before < found.due <= after:
                    self._count("receivable", "open", "overdue", "time")
                if before < found.due + self.where.grace <= after:
                    self._count("receivable", "overdue", "defaulted", "time")
        for pledge in self.model.pledges.values():
            if pledge.state in (m.PROPOSED, m.ACCEPTED) and before <= pledge.answer_by < after:
                state = STATES["pledges"][1][pledge.state]
                self._count("pledge", state, "lapsed, not yet said so", "time")

    def _count(self, *parts: str) -> None:
        name = transition(*parts)
        if name not in TRANSITIONS:
            raise Difference("forbidden transition", name)
        self.tally[f"transition {name}"] += 1

    # --- signatures

    def sign(self, account: str, digest: bytes, how: int = 0) -> Signature:
        """By the account's key. `how` > 0 are signatures of the wrong kinds."""
        key = self.keys.get(account) or self.keys[self.stranger]
        signer = self.parties[account].signer if account in self.keys else self.stranger
        raw = key.sign_recoverable(digest, hasher=None)
        raw = raw[:64] + bytes([27 + raw[64]])
        if how == 0:
            return Signature(raw, signer, digest)
        if how == 1:  # by somebody else
            other = self.company4 if account != self.company4 else self.company3
            return self.sign(other, digest)
        if how == 2:  # the same with s in the upper half of the order
            order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
            s = order - int.from_bytes(raw[32:64], "big")
            return Signature(raw[:32] + words(s) + bytes([27 + 28 - raw[64]]), signer, digest, False)
        if how == 3:  # compact, ERC-2098
            compact = int.from_bytes(raw[32:64], "big") | (raw[64] - 27) << 255
            return Signature(raw[:32] + words(compact), signer, digest, False)
        if how == 4:  # without 27
            return Signature(raw[:64] + bytes([raw[64] - 27]), signer, digest, False)
        if how == 5:
            return Signature(b"", signer, digest, False)
        if how == 6:  # a byte too many
            return Signature(raw + b"\0", signer, digest, False)
        if how == 7:  # as wallets sign texts
            prefixed = keccak(b"\x19Ethereum Signed Message:\n32" + digest)
            return Signature(self.sign(account, prefixed).raw, signer, prefixed)
        return Signature(bytes(65), signer, digest, False)

    # --- calls

    def do(self, actor: str, call: str, *args: Any, relayed: bool = False, by_manager: bool = False) -> bool:
        """The call to both; True when it succeeded."""
        coded = self.functions[call]
        contract, function = call.split(".")
        data = coded.calldata(args)
        # An account with code sends nothing itself, it signs. The forwarder calls none but desks.
        relayed = relayed or actor in (self.bank3, self.signing_company)
        acting = self.where.authority if by_manager else actor
        self.log.append(self._written(actor, call, args, relayed, by_manager))
        # A settlement token's method takes the token first; the others belong to one contract.
        if contract in ("CNY", "EUR"):
            method = getattr(self.model, f"token_{'set_freeze' if function == 'setFreeze' else function}")
            run = lambda: method(self.at[contract], acting, *args)  # noqa: E731
        else:
            method = getattr(self.model, f"{contract}_{function}")
            run = lambda: method(acting, *args)  # noqa: E731
        sender, target = actor, coded.contract
        nonce = self.model.forwarded[actor]
        if relayed:
            trusting = contract == "desk"
            expected = self.model.run(lambda: self.model.through_forwarder(actor, coded.contract, trusting, run))
            sender, target, data = (
                self.stranger,
                self.where.forwarder,
                self._request(actor, coded.contract, data, nonce),
            )
        elif by_manager:
            expected = self.model.run(run)
            target = self.where.authority
            data = self.functions["authority.execute"].calldata((coded.contract, data))
        elif actor == self.hook:
            expected = self.model.run(run)
            sender, target = self.stranger, self.hook
            data = Coded("", keccak(text="run(address,bytes)")[:4], (None, "bytes")).calldata((coded.contract, data))
        else:
            expected = self.model.run(run)
        direct = not (relayed or by_manager or actor == self.hook)

        self.calls += 1
        self.tally["calls"] += 1
        kind = self.types[contract]
        try:
            raw = bytes(self.chain.evm.message_call(sender, target, calldata=data))
        except RuntimeError as error:
            self.chain.evm.reset_transient_storage()
            self._compare_refusal(call, expected, self.chain._reverted(error))
            name = expected.error[0]  # type: ignore[index]
            self.tally[f"error {kind}: {name}"] += 1
            self.tally[f"error *: {name}"] += 1
            self.tally[f"refused {call}"] += 1
            self.tally[f"why {call}: {name}"] += 1
            return False
        self.chain.evm.reset_transient_storage()
        self.tally["succeeded"] += 1
        self.tally[f"done {call}"] += 1
        self._compare_success(call, args, expected, raw if direct else None)
        self.unswept += 1
        if self.unswept >= SWEEP_EVERY:
            self.sweep()
        return True

    def _written(self, actor: str, call: str, args: tuple[Any, ...], relayed: bool, by_manager: bool) -> str:
        def text(value: Any) -> str:
            if isinstance(value, Signature):
                return f"<signature by {self.names.get(value.signer, value.signer)}{'' if value.well_formed else ', malformed'}>"
            if isinstance(value, tuple) and hasattr(value, "_fields"):
                return f"{type(value).__name__}({', '.join(f'{k}={text(v)}' for k, v in zip(value._fields, value, strict=True))})"
            if isinstance(value, str):
                return self.names.get(value, value)
            return "0x" + value.hex() if isinstance(value, bytes) else repr(value)

        how = " (relayed)" if relayed else " (through the manager)" if by_manager else ""
        return f"at {self.now}: {self.names[actor]}{how} {call}({', '.join(map(text, args))})"

    def _request(self, actor: str, target: str, data: bytes, nonce: int) -> bytes:
        struct = words(_FORWARD, actor, target, 0, _GAS, nonce, _DEADLINE, keccak(data))
        digest = m.digest("chaincity Forwarder", CHAIN_ID, self.where.forwarder, struct)
        signed = self.sign(actor, digest)
        # The request is a tuple with dynamic fields: written by hand as its seven heads and two tails behind one offset.
        tails = [words(len(part)) + part + bytes(-len(part) % 32) for part in (data, signed.raw)]
        heads = words(actor, target, 0, _GAS, _DEADLINE, 7 * 32, 7 * 32 + len(tails[0]))
        return self.functions["forwarder.execute"].selector + words(32) + heads + tails[0] + tails[1]

    def _compare_refusal(self, call: str, expected: m.Outcome, found: Reverted) -> None:
        if expected.error is None:
            raise Difference(f"{call}: refused, the model does it", f"contract: {found}\nmodel: {expected.events}")
        name, values = expected.error
        if found.raw != self.errors[name] + words(*values):
            raise Difference(
                f"{call}: {found.error}, model {name}" if found.error != name else f"{call}: arguments of {name}",
                f"contract: {found}\nmodel: {name}{values}",
            )

    def _compare_success(self, call: str, args: tuple[Any, ...], expected: m.Outcome, raw: bytes | None) -> None:
        logs = [(low(log.address), *log.data) for log in self.chain.evm.result.logs]
        context = self._context(args)
        if expected.error is not None:
            broken = self._what_breaks(call, context, logs)
            raise Difference(f"{call}: done, the model refuses with {expected.error[0]}{broken}", repr(expected.error))
        wanted = [self._log(*event) for event in expected.events]
        if logs != wanted:
            found = [self.chain._event(log) for log in self.chain.evm.result.logs]
            broken = self._what_breaks(call, context, logs)
            raise Difference(f"{call}: events{broken}", f"contract: {found}\nmodel: {expected.events}")
        if raw is not None:
            value = expected.value
            answer = b"" if value is None else words(*value) if isinstance(value, tuple) else words(value)
            if raw != answer:
                raise Difference(f"{call}: answer", f"contract: {raw.hex()}\nmodel: {value}")
        try:
            self.witness.see(expected.events, self.now, self._inactive(), context)
        except Broken as broken_one:
            raise Difference(f"{call}: invariant {broken_one}") from None
        for situation in self.model.situations:
            self.tally[f"situation {situation}"] += 1
        for touched in expected.touched:
            lifecycle = STATES.get(touched.table.name)
            if lifecycle:
                self._count_touched(call, lifecycle, touched)
        for touched in expected.touched:
            self._compare_row(touched.table, touched.key, call)

    def _context(self, args: tuple[Any, ...]) -> Any:
        for value in args:
            if isinstance(value, Quote):
                return value
            if isinstance(value, Consent):
                return self.model.consent_digest(value)
        return None

    def _inactive(self) -> set[str]:
        return {account for account in self.parties if not self.model.is_active(account)}

    def _count_touched(self, call: str, lifecycle: tuple[str, tuple[str, ...]], touched: m.Touched) -> None:
        name, states = lifecycle
        before, after = touched.before, touched.table[touched.key]
        if touched.table is self.model.nonces:
            self._count(name, states[before], states[after], call)
            return
        state = before.state
        if touched.table is self.model.entries and state == m.RESERVED and self.now > before.reserved_until:
            state = m.FREE
        self._count(name, states[state], states[after.state], call)

    def _what_breaks(self, call: str, context: Any, logs: list[Any]) -> str:
        """Which invariants also notice a difference, judged by the contract's own events and views."""
        found = []
        try:
            events = []
            for log in self.chain.evm.result.logs:
                event = self.chain._event(log)
                values = tuple(v.lower() if isinstance(v, str) else v for v in event.args.values())
                events.append((low(log.address), event.name, values))
            self.witness.see(events, self.now, self._inactive(), context)
        except (Broken, KeyError, ZeroDivisionError) as broken:
            found.append(str(broken).split(" ")[0] if isinstance(broken, Broken) else "events of no case")
        try:
            self.check_views()
        except Broken as broken:
            found.append(str(broken).split(" ")[0])
        return f" [invariant {', '.join(dict.fromkeys(found))} broken]" if found else ""

    def _log(self, contract: str, name: str, values: tuple[Any, ...]) -> tuple[str, list[bytes], bytes]:
        topic, indexed = self.topics[contract, name]
        topics, data = [topic], []
        for is_topic, value in zip(indexed, values, strict=True):
            (topics if is_topic else data).append(value if isinstance(value, tuple) else words(value))
        if name != "TransferBatch":
            return contract, topics, b"".join(data)
        ids, amounts = data
        second = 64 + 32 + 32 * len(ids)
        return contract, topics, words(64, second, len(ids), *ids, len(amounts), *amounts)

    # --- views

    def read(self, view: str, *args: Any) -> bytes:
        coded = self.functions[view]
        raw = self.chain.evm.message_call(self.stranger, coded.contract, calldata=coded.selector + words(*args))
        return bytes(raw)

    def number(self, view: str, *args: Any) -> int:
        return int.from_bytes(self.read(view, *args), "big")

    def _views(self, table: Table, key: Any) -> Iterator[tuple[str, tuple[Any, ...], bytes]]:
        """Every view that answers from a row, and what it should say."""
        model, row = self.model, table[key]
        name = table.name
        if name == "balances":
            yield f"{self._currency(key[0])}.balanceOf", (key[1],), words(row)
        elif name == "allowances":
            yield f"{self._currency(key[0])}.allowance", key[1:], words(row)
        elif name == "frozen":
            yield f"{self._currency(key[0])}.frozenOf", (key[1],), words(row)
        elif name == "parties":
            yield "members.isActive", (key,), words(model.is_active(key))
        elif name == "forwarded":
            yield "forwarder.nonces", (key,), words(row)
        elif name == "entries":
            shown = m.Entry() if model.state_of(key) == m.FREE else row
            yield "register.entryOf", (key,), words(*shown)
        elif name == "numbers":
            yield "register.takenBy", (key,), words(model.taken_by(key))
        elif name == "cleared":
            yield "register.clearedFor", (key,), words(row)
        elif name == "filings":
            yield "register.filingOf", key, words(row)
        elif name == "spent":
            yield "register.isSpent", (key,), words(row)
        elif name == "receivables":
            yield "ledger.receivable", (key,), words(*row)
            yield "ledger.isOpen", (key,), words(model.is_open(key))
            yield "ledger.isDefaulted", (key,), words(model.is_defaulted(key))
        elif name == "holdings":
            yield "ledger.holding", key, words(*row)
            yield "ledger.balanceOf", (key[1], key[0]), words(row.units)
            yield "ledger.claimable", key, words(model.claimable(*key))
        elif name == "written off":
            yield "ledger.isWrittenOff", key, words(row)
        elif name == "held":
            token = self.where.tokens[model.receivables[key].currency]
            yield "escrow.held", (self.where.ledger, key, token), words(row)
        elif name == "nonces":
            yield "desk.nonceState", key, words(row)
        elif name == "filled":
            yield "desk.filledOf", (key,), words(row)
        elif name == "recourses":
            yield "desk.recourseOf", key, words(*row)
        elif name == "receipts":
            yield "warehouse.receipt", (key,), words(*row)
            yield "warehouse.free", (key,), words(row.quantity - row.pledged if row.state == m.STORED else 0)
        elif name == "pledges":
            yield "warehouse.pledgeOf", (key,), words(*row)
            late = row.state in (m.PROPOSED, m.ACCEPTED) and self.now > row.answer_by
            yield "warehouse.hasLapsed", (key,), words(late)

    def _currency(self, token: str) -> str:
        return "CNY" if token == self.at["CNY"] else "EUR"

    def _compare_row(self, table: Table, key: Any, call: str) -> None:
        for view, args, expected in self._views(table, key):
            try:
                found = self.read(view, *args)
            except RuntimeError as error:
                raise Difference(f"{call}: {view} reverts", str(error)) from None
            if found != expected:
                raise Difference(
                    f"{call}: {view} after it",
                    f"of {args}\ncontract: {found.hex()}\nmodel:    {expected.hex()}\n{table[key]}",
                )

    def sweep(self) -> None:
        """Every row of every table, touched or not, and the invariants that need views."""
        self.unswept = 0
        model = self.model
        for table in (
            model.parties,
            model.balances,
            model.allowances,
            model.frozen,
            model.forwarded,
            model.entries,
            model.numbers,
            model.cleared,
            model.filings,
            model.spent,
            model.receivables,
            model.holdings,
            model.written_off,
            model.held,
            model.nonces,
            model.filled,
            model.recourses,
            model.receipts,
            model.pledges,
        ):
            for key in table:
                self._compare_row(table, key, "any call since the last sweep")
        # What nobody has drafted, issued or pledged is not there.
        for table in (model.receivables, model.receipts, model.pledges):
            self._compare_row(table, len(table) + 1, "any call since the last sweep")
        try:
            self.check_views()
        except Broken as broken:
            raise Difference(f"invariant {broken}") from None

    def check_views(self) -> None:
        """The invariants that are sums over cases and holders, on the contracts' views."""
        seen = self.witness
        held_by_token: Counter[str] = Counter()
        for id_ in self.model.receivables:
            raw = self.read("ledger.receivable", id_)
            state, currency, face, paid = (raw[i : i + 32] for i in (64, 96, 128, 160))
            state, face, paid = (int.from_bytes(v, "big") for v in (state, face, paid))
            token = self.where.tokens[currency[:3]]
            held = self.number("escrow.held", self.where.ledger, id_, token)
            held_by_token[token] += held
            units = claimed = claimable = 0
            holders = 0
            for account in self.parties:
                answer = self.read("ledger.holding", id_, account)
                own, got = (int.from_bytes(answer[i : i + 32], "big") for i in (0, 32))
                if own or got:
                    may = self.number("ledger.claimable", id_, account)
                    hold("R2", got + may <= own, "claims beyond units", id_, account, own, got, may)
                    hold("R3", state != m.SETTLED or may == own - got, "settled, not all claimable", id_, account)
                    units, claimed, claimable, holders = units + own, claimed + got, claimable + may, holders + 1
            confirmed = state in (m.CONFIRMED, m.PARTLY_PAID, m.SETTLED)
            hold("R1", units == (face if confirmed else 0), "units", id_, units, face)
            if confirmed:
                hold("R1", face == seen.minted.get(id_, -1) - seen.diluted[id_], "face", id_, face)
            hold("R2", claimed == seen.claimed[id_] and paid == seen.paid[id_] <= face, "paid, claimed", id_)
            hold("R2", held == paid - claimed, "held", id_, held, paid, claimed)
            if not seen.given_back[id_]:
                hold("R3", claimable <= held < claimable + max(1, holders), "rounding", id_, held, claimable)
            hold("R4", seen.ended.get(id_) != "settled" or state == m.SETTLED, "no longer settled", id_)
            hold("R4", seen.ended.get(id_) != "rejected" or state == m.REJECTED, "no longer rejected", id_)
        for token in self.where.tokens.values():
            into, out = seen.into_escrow[token], seen.out_of_escrow[token]
            balance = self.number(f"{self._currency(token)}.balanceOf", self.where.escrow)
            hold("E1", into == out + held_by_token[token] and balance == held_by_token[token], into, out, balance)
        for fingerprint in seen.financed:
            state = int.from_bytes(self.read("register.entryOf", fingerprint)[:32], "big")
            hold("F1", state == m.FINANCED, "no longer financed", fingerprint)
        for fingerprint, case in seen.entered.items():
            entry = self.read("register.entryOf", fingerprint)
            hold("F1", entry[:128] == words(m.ENTERED, case[0], 0, case[1]), "no longer that case's", fingerprint, case)
        for bank, nonce in seen.done:
            state = self.number("desk.nonceState", bank, nonce)
            hold("Q3", state in (m.USED, m.CANCELLED), "no longer ended", bank, nonce)
        bound: Counter[int] = Counter()
        for pledge in self.model.pledges:
            raw = self.read("warehouse.pledgeOf", pledge)
            state, receipt, quantity = (int.from_bytes(raw[i : i + 32], "big") for i in (64, 160, 192))
            if state in (m.PROPOSED, m.ACCEPTED, m.PLEDGED):
                bound[receipt] += quantity
        lots: set[bytes] = set()
        for receipt in self.model.receipts:
            raw = self.read("warehouse.receipt", receipt)
            state, quantity, pledged = (int.from_bytes(raw[i : i + 32], "big") for i in (32, 128, 160))
            hold("W1", pledged == bound[receipt] <= quantity, "pledged", receipt, pledged, bound[receipt], quantity)
            lot = raw[192:224]
            entry = self.read("register.entryOf", lot)
            if state == m.STORED and (self.where.warehouse, receipt) not in seen.annulled:
                hold("W2", lot not in lots, "two receipts for a lot", receipt)
                lots.add(lot)
                hold("W2", entry == words(m.ENTERED, self.where.warehouse, 0, receipt, entry[128:]), "lot", receipt)
            else:
                same = entry[:128] == words(m.ENTERED, self.where.warehouse, 0, receipt)
                hold("W2", not same, "an ended or annulled receipt keeps its lot", receipt)
