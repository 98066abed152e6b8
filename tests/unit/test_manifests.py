"""The permissions on chain are those of the manifests and the charter: no more, no fewer, for nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils import keccak

from scripts.deployment.artifacts import canonical_type, load, signature
from scripts.deployment.plan import ADMIN_ROLE, FOUNDING_ROLES, found_city, read_charter, read_manifests, role_id
from tests.evm import Chain, EvmBackend, Reverted, dev_account

MANIFESTS = read_manifests()
CHARTER = read_charter()
#: What the manifests give: (contract, function) -> role.
GIVEN = {(c, f): role for m in MANIFESTS for c, functions in m.functions.items() for f, role in functions.items()}
ROLES = {label for manifest in MANIFESTS for label in manifest.roles}
CONFERRED = {role for kind in CHARTER.kinds.values() for role in kind["roles"]}
#: Answers to the authority itself and to no role.
ASIDE = {"setAuthority"}


class RecordingBackend(EvmBackend):
    """Keeps the authority's events, so that what is compared is everything it was told, not only what one thinks to ask."""

    def __init__(self, chain: Chain, deployer: str):
        super().__init__(chain)
        self.deployer, self.events = deployer, []

    def send(self, contract: str, address: str, function: str, args: Any) -> None:
        receipt = getattr(self.chain.at(contract, address), function)(*args, sender=self.deployer)
        self.events += [event for event in receipt.events if event.name.startswith(("Role", "Target"))]

    def held(self) -> set[tuple[int, str]]:
        found = set()
        for event in self.events:
            if event.name == "RoleGranted":
                found.add((event.args["roleId"], event.args["account"]))
            elif event.name == "RoleRevoked":
                found.discard((event.args["roleId"], event.args["account"]))
        return found


def deployed(city) -> list[tuple[str, str]]:
    return list(city.city.types.items())


def writing(contract: str) -> list[dict[str, Any]]:
    if contract == "Authority":  # answers to its own rules, OpenZeppelin's
        return []
    entries = [e for e in load()[contract].abi if e["type"] == "function"]
    return [e for e in entries if e["stateMutability"] not in ("view", "pure") and e["name"] not in ASIDE]


def zero(parameter: dict[str, Any]) -> Any:
    kind = canonical_type(parameter)
    if kind.endswith("]"):
        return []
    if kind.startswith("("):
        return tuple(zero(component) for component in parameter["components"])
    if kind == "bytes":
        return b""
    if kind.startswith("bytes"):
        return bytes(int(kind[5:]))
    return {"address": "0x" + "00" * 20, "bool": False, "string": ""}.get(kind, 0)


def refused_by_permission(city, target, entry, caller) -> bool:
    """Whether the permission check stops the call; any other refusal means that it was passed."""
    function = getattr(target, entry["name"])
    data = keccak(text=signature(entry))[:4] + function.encode(*map(zero, entry["inputs"]))[4:]
    with city.chain.isolated():
        try:
            city.chain.send(caller, target.address, data)
        except Reverted as error:
            if error.error == "AccessManagedUnauthorized":
                assert error.error_args == {"caller": caller}
                return True
    return False


@pytest.fixture(scope="module")
def restricted(founded_city) -> set[tuple[str, str]]:
    """(contract, function) that stops a stranger: found by calling, not by reading."""
    found = set()
    for name, contract in deployed(founded_city):
        target = founded_city.contract(name)
        for entry in writing(contract):
            if refused_by_permission(founded_city, target, entry, founded_city.chain.stranger):
                found.add((contract, entry["name"]))
    return found


def test_restricted__every_function__is_in_a_manifest_and_the_other_way_round(restricted):
    assert restricted == set(GIVEN)


def test_function_role__every_function_of_every_contract__the_manifests_or_the_admins(city):
    authority = city.contract("Authority")
    compared = 0
    for name, contract in deployed(city):
        for entry in (e for e in load()[contract].abi if e["type"] == "function"):
            label = GIVEN.get((contract, entry["name"]))
            role = authority.getTargetFunctionRole(city.contract(name), keccak(text=signature(entry))[:4])
            assert role == (role_id(label) if label else ADMIN_ROLE), f"{contract}.{signature(entry)}"
            compared += 1
    assert compared > 150


def test_targets__none_closed_none_delayed(city):
    authority = city.contract("Authority")
    for name, _ in deployed(city):
        assert authority.isTargetClosed(city.contract(name)) is False
        assert authority.getTargetAdminDelay(city.contract(name)) == 0


def test_manifest__every_role__declared_once_and_used():
    declared = [label for manifest in MANIFESTS for label in manifest.roles]
    assert len(declared) == len(set(declared))
    granted = {role for manifest in MANIFESTS for roles in manifest.grants.values() for role in roles}
    assert set(GIVEN.values()) | granted | CONFERRED <= ROLES
    assert len({role_id(label) for label in ROLES}) == len(ROLES)
    assert ADMIN_ROLE not in {role_id(label) for label in ROLES}


def test_role_admin__conferred_roles_by_the_members_contract__others_by_the_admin(city):
    authority = city.contract("Authority")
    for label in ROLES:
        expected = role_id("ROLE_GRANTER") if label in CONFERRED else ADMIN_ROLE
        assert authority.getRoleAdmin(role_id(label)) == expected, label
        assert authority.getRoleGuardian(role_id(label)) == ADMIN_ROLE
        assert authority.getRoleGrantDelay(role_id(label)) == 0


def test_kind__each__confers_exactly_the_charters_roles(city):
    members = city.contract("Members")
    for kind in CHARTER.kinds.values():
        assert members.rolesOf(kind["number"]) == [role_id(label) for label in kind["roles"]]
    numbers = {kind["number"] for kind in CHARTER.kinds.values()}
    assert all(members.rolesOf(other) == [] for other in set(range(256)) - numbers)


def expected_grants(city, deployer: str, founding: tuple[str, ...]) -> set[tuple[int, str]]:
    contracts = {
        (role_id(role), city.contracts[contract])
        for manifest in MANIFESTS
        for contract, roles in manifest.grants.items()
        for role in roles
    }
    members = {
        (role_id(role), entry["address"])
        for entry in city.members.values()
        for role in CHARTER.kinds[entry["kind"]]["roles"]
    }
    return contracts | members | {(role_id(role), deployer) for role in founding}


@pytest.mark.parametrize("deployer_is_member", [True, False])
def test_grants__everything_the_authority_was_told__manifest_and_charter_and_no_more(deployer_is_member):
    deployer = dev_account(0 if deployer_is_member else 9).address
    backend = RecordingBackend(Chain(), deployer)
    city = found_city(backend, CHARTER)
    # A deployer that is no member gives back what it needed to admit the others; FOUNDER and the admin wait for the council.
    founding = FOUNDING_ROLES if deployer_is_member else ("FOUNDER",)
    assert backend.held() == expected_grants(city, deployer, founding)

    labels = {e.args["roleId"]: e.args["label"] for e in backend.events if e.name == "RoleLabel"}
    assert labels == {role_id(label): label for label in ROLES}
    admins = {e.args["roleId"]: e.args["admin"] for e in backend.events if e.name == "RoleAdminChanged"}
    assert admins == {role_id(label): role_id("ROLE_GRANTER") for label in CONFERRED}
    authority = backend.chain.at("Authority", city.contracts["Authority"])
    for account in [*city.contracts.values(), *(m["address"] for m in city.members.values()), deployer]:
        assert authority.hasRole(ADMIN_ROLE, account) == (account == deployer, 0)


def test_matrix__every_restricted_function_for_every_party__as_the_charter_says(city, restricted):
    holders = {name: set(CHARTER.kinds[m["kind"]]["roles"]) for name, m in CHARTER.members.items()}
    holders["founder"] |= set(FOUNDING_ROLES)
    parties = {getattr(city, name): roles for name, roles in holders.items()}
    parties |= {getattr(city, name).address: set() for name in ("li", "wang", "zhao", "chen", "guo")}
    allowed = cells = 0
    for name, contract in deployed(city):
        target = city.contract(name)
        for entry in writing(contract):
            if (contract, entry["name"]) not in restricted:
                continue
            role = GIVEN[contract, entry["name"]]
            for account, roles in parties.items():
                refused = refused_by_permission(city, target, entry, account)
                assert refused != (role in roles), f"{contract}.{entry['name']} by {account}, role {role}"
                allowed += not refused
                cells += 1
    assert cells >= 14 * len(GIVEN)
    assert 0 < allowed < cells


def test_open_functions__nobody_is_refused_by_permission(city, restricted):
    for name, contract in deployed(city):
        for entry in writing(contract):
            if (contract, entry["name"]) not in restricted:
                for account in (city.bank, city.li.address, city.chain.stranger):
                    assert not refused_by_permission(city, city.contract(name), entry, account)
