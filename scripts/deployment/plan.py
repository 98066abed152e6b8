"""How a city is set up, step by step, on any backend: Ape on a real network, an in-process EVM in the tests.

The manifests (contracts/<module>/manifest.yaml) say what each application needs, the charter (scripts/charter.yaml) says who takes part.
Both are data; this module only applies them, in one order, so that what the tests check is what a city gets.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml
from eth_utils import keccak, to_checksum_address

from .artifacts import ROOT, load, overloads, signature

ZERO = "0x" + "00" * 20
ADMIN_ROLE = 0
#: The order in which applications are deployed: each may name contracts of those before it.
MODULES = ("core", "property", "receivables", "data")
#: What the deployer needs while it founds the city.
FOUNDING_ROLES = ("FOUNDER", "MEMBER_REGISTRAR", "MONETARY_AUTHORITY")
#: Multicalls carry at most this many permission settings, so that no transaction outgrows a block.
CALLS_PER_TRANSACTION = 40


class CharterError(ValueError):
    """The charter or a manifest is wrong; the message names the file, the field and the rule."""


class Backend(Protocol):
    """What the plan needs of a chain. Every method raises when the transaction fails."""

    deployer: str

    def deploy(self, contract: str, args: Sequence[Any]) -> str: ...

    def send(self, contract: str, address: str, function: str, args: Sequence[Any]) -> None: ...

    def encode(self, contract: str, function: str, args: Sequence[Any]) -> bytes: ...

    def account(self, reference: dict[str, Any]) -> str: ...


@dataclass(frozen=True)
class Manifest:
    application: str
    roles: dict[str, str]
    contracts: dict[str, list[Any]]
    functions: dict[str, dict[str, str]]
    grants: dict[str, list[str]]


@dataclass(frozen=True)
class Charter:
    city: str
    kinds: dict[str, dict[str, Any]]
    currencies: dict[str, dict[str, Any]]
    members: dict[str, dict[str, Any]]


@dataclass
class City:
    """Where everything is: the content of the address book."""

    name: str
    contracts: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    currencies: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: What opens the members' profile commitments; kept off chain and out of the address book.
    profiles: dict[str, dict[str, str]] = field(default_factory=dict)


def role_id(label: str) -> int:
    """A role's number is the first 8 bytes of its label's hash, so that applications need no common counter."""
    return int.from_bytes(keccak(text=label)[:8], "big")


def read_manifest(module: str) -> Manifest:
    path = ROOT / "contracts" / module / "manifest.yaml"
    raw = yaml.safe_load(path.read_text())
    return Manifest(
        raw["application"],
        raw.get("roles") or {},
        raw.get("contracts") or {},
        raw.get("functions") or {},
        raw.get("grants") or {},
    )


def read_manifests() -> list[Manifest]:
    return [read_manifest(m) for m in MODULES if (ROOT / "contracts" / m / "manifest.yaml").exists()]


def read_charter(path: Path | None = None) -> Charter:
    path = path or ROOT / "scripts" / "charter.yaml"
    raw = yaml.safe_load(path.read_text())
    for section in ("city", "kinds", "currencies", "members"):
        if section not in raw:
            raise CharterError(f"{path.name}: section `{section}` is missing")
    charter = Charter(raw["city"], raw["kinds"], raw["currencies"], raw["members"])
    _check(charter, path.name)
    return charter


def _check(charter: Charter, file: str) -> None:
    known = {role for manifest in read_manifests() for role in manifest.roles}
    for kind, entry in charter.kinds.items():
        for role in entry["roles"]:
            if role not in known:
                raise CharterError(f"{file}: kinds.{kind}: no application declares the role {role}")
    for name, member in charter.members.items():
        if member["kind"] not in charter.kinds:
            raise CharterError(f"{file}: members.{name}: the charter has no kind `{member['kind']}`")
        if len(str(member["code"])) != 18:
            raise CharterError(f"{file}: members.{name}: a credit code has 18 characters (GB 32100-2015)")


def currency_bytes(code: str) -> bytes:
    return code.encode("ascii")


def found_city(
    backend: Backend,
    charter: Charter,
    manifests: Iterable[Manifest] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> City:
    """Deploy every contract, apply every permission, admit the founding members."""
    manifests = list(manifests or read_manifests())
    city = City(charter.city)
    _deploy(backend, city, "Authority", "Authority", [backend.deployer], progress)
    for manifest in manifests:
        for name, args in manifest.contracts.items():
            _deploy(backend, city, name, name, [_resolve(city, a) for a in args], progress)
        if manifest.application == "core":
            for code, currency in charter.currencies.items():
                args = ["$Authority", "$Members", "$Escrow"]
                values = [_resolve(city, a) for a in args]
                values += [currency_bytes(code), currency["decimals"], currency["name"]]
                _deploy(backend, city, f"SettlementToken:{code}", "SettlementToken", values, progress)
    _apply_permissions(backend, city, charter, manifests, progress)
    _admit(backend, city, charter, progress)
    return city


def _deploy(
    backend: Backend, city: City, name: str, contract: str, args: list[Any], progress: Callable[[str], None]
) -> None:
    city.contracts[name] = to_checksum_address(backend.deploy(contract, args))
    city.types[name] = contract
    progress(f"{name} at {city.contracts[name]}")


def _resolve(city: City, argument: Any) -> Any:
    """`$Name` is a deployed contract's address, `$core` the struct that applications take; anything else is a literal."""
    if not isinstance(argument, str) or not argument.startswith("$"):
        return argument
    if argument == "$core":
        names = ("Authority", "Forwarder", "Members", "Mandates", "Currencies", "Escrow")
        return tuple(city.contracts.get(name, ZERO) for name in names)
    return city.contracts[argument[1:]]


def permission_calls(city: City, charter: Charter, manifests: list[Manifest]) -> list[tuple[str, list[Any]]]:
    """Every setting on the authority, in order: (function, arguments)."""
    calls: list[tuple[str, list[Any]]] = []
    for manifest in manifests:
        for label in manifest.roles:
            calls.append(("labelRole", [city.roles[label], label]))
    for manifest in manifests:
        for contract, functions in manifest.functions.items():
            for label in sorted(set(functions.values())):
                selectors = function_selectors(contract, [f for f, r in functions.items() if r == label])
                for name, kind in city.types.items():
                    if kind == contract:
                        calls.append(("setTargetFunctionRole", [city.contracts[name], selectors, city.roles[label]]))
        for contract, labels in manifest.grants.items():
            calls += [("grantRole", [city.roles[label], city.contracts[contract], 0]) for label in labels]
    conferred = {role for kind in charter.kinds.values() for role in kind["roles"]}
    granter = city.roles["ROLE_GRANTER"]
    calls += [("setRoleAdmin", [city.roles[label], granter]) for label in sorted(conferred)]
    return calls


def function_selectors(contract: str, functions: Iterable[str]) -> list[bytes]:
    abi = load()[contract].abi
    found = []
    for function in functions:
        entries = overloads(abi, function)
        if not entries:
            raise CharterError(f"manifest: {contract} has no function `{function}`")
        found += [keccak(text=signature(entry))[:4] for entry in entries]  # type: ignore[arg-type]
    return found


def _apply_permissions(
    backend: Backend, city: City, charter: Charter, manifests: list[Manifest], progress: Callable[[str], None]
) -> None:
    city.roles = {label: role_id(label) for manifest in manifests for label in manifest.roles}
    founding: list[tuple[str, list[Any]]] = [
        ("grantRole", [city.roles[label], backend.deployer, 0]) for label in FOUNDING_ROLES
    ]
    calls = founding + permission_calls(city, charter, manifests)
    encoded = [backend.encode("Authority", function, args) for function, args in calls]
    for start in range(0, len(encoded), CALLS_PER_TRANSACTION):
        chunk = encoded[start : start + CALLS_PER_TRANSACTION]
        backend.send("Authority", city.contracts["Authority"], "multicall", [chunk])
    progress(f"{len(encoded)} permissions set")


def _admit(backend: Backend, city: City, charter: Charter, progress: Callable[[str], None]) -> None:
    members = city.contracts["Members"]
    for kind, entry in charter.kinds.items():
        roles = [city.roles[label] for label in entry["roles"]]
        backend.send("Members", members, "defineKind", [entry["number"], kind, roles])
        city.kinds[kind] = entry["number"]
    for code, currency in charter.currencies.items():
        token = city.contracts[f"SettlementToken:{code}"]
        backend.send("Currencies", city.contracts["Currencies"], "list", [currency_bytes(code), token])
        city.currencies[code] = {"token": token, "decimals": currency["decimals"]}
    for name, member in charter.members.items():
        account = backend.account(member)
        salt = secrets.token_bytes(32)
        profile = keccak(salt + member["name"].encode())
        credit_code = str(member["code"]).encode("ascii")
        backend.send(
            "Members", members, "admit", [account, charter.kinds[member["kind"]]["number"], credit_code, profile]
        )
        city.members[name] = {
            "address": account,
            "kind": member["kind"],
            "name": member["name"],
            "creditCode": member["code"],
        }
        city.profiles[name] = {"name": member["name"], "salt": "0x" + salt.hex()}
        for currency_code in charter.currencies if "cap" in member else ():
            token = city.contracts[f"SettlementToken:{currency_code}"]
            backend.send("SettlementToken", token, "setCap", [account, member["cap"]])
    if backend.deployer not in {m["address"] for m in city.members.values()}:
        for label in ("MEMBER_REGISTRAR", "MONETARY_AUTHORITY"):
            backend.send(
                "Authority", city.contracts["Authority"], "renounceRole", [city.roles[label], backend.deployer]
            )
    progress(f"{len(city.members)} founding members admitted")
