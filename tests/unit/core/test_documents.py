"""DocumentRegistry: batches anchored per issuer, documents revoked or superseded once, statuses under a proof."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_utils import keccak

from tests.evm import dev_account, reverts

UNKNOWN, VALID, REVOKED, SUPERSEDED = range(4)
FRAUD = 3
NOBODY = dev_account(19).address
DOC, NEXT, LAST = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32


def leaf(document: bytes) -> bytes:
    return keccak(keccak(encode(["bytes32"], [document])))


def pair(a: bytes, b: bytes) -> bytes:
    return keccak(min(a, b) + max(a, b))


ROOT = pair(pair(leaf(DOC), leaf(NEXT)), leaf(LAST))
PROOF = [leaf(NEXT), leaf(LAST)]


@pytest.fixture
def registry(city):
    return city.contract("DocumentRegistry")


@pytest.fixture
def anchored(city, registry):
    registry.anchor(ROOT, 3, sender=city.registry)
    return registry


def status(city, registry, issuer=None, root=ROOT, document=DOC, proof=PROOF):
    return tuple(registry.statusOf(issuer or city.registry, root, document, proof))


def test_anchor__batch__valid_under_its_proof(city, registry):
    receipt = registry.anchor(ROOT, 3, sender=city.registry)
    assert receipt.only("BatchAnchored") == {"root": ROOT, "issuer": city.registry, "documents": 3}
    assert tuple(registry.batchOf(city.registry, ROOT)) == (city.chain.time, 3)
    assert status(city, registry) == (VALID, city.chain.time, 0, 0, bytes(32))


def test_anchor__one_document__its_leaf_is_the_root(city, registry):
    registry.anchor(leaf(DOC), 1, sender=city.registry)
    assert status(city, registry, root=leaf(DOC), proof=[])[0] == VALID


def test_anchor__twice__refused_with_the_first_time(city, anchored):
    first = city.chain.time
    city.chain.mine(5)
    with reverts("DocumentRegistry_AlreadyAnchored", root=ROOT, issuer=city.registry, anchoredAt=first):
        anchored.anchor(ROOT, 4, sender=city.registry)


def test_anchor__same_root_by_another__front_running_takes_nothing(city, registry):
    registry.anchor(ROOT, 3, sender=city.court)
    registry.anchor(ROOT, 3, sender=city.registry)
    registry.revoke(DOC, FRAUD, sender=city.court)
    assert status(city, registry)[0] == VALID
    assert status(city, registry, issuer=city.court)[0] == REVOKED


def test_anchor__empty_root_or_batch__refused(city, registry):
    with reverts("DocumentRegistry_EmptyRoot"):
        registry.anchor(bytes(32), 1, sender=city.registry)
    with reverts("DocumentRegistry_EmptyBatch"):
        registry.anchor(ROOT, 0, sender=city.registry)


def test_anchor__suspended_or_without_the_role__refused(city, registry, suspend):
    with reverts("AccessManagedUnauthorized", caller=city.supplier):
        registry.anchor(ROOT, 1, sender=city.supplier)
    suspend(city.registry)
    with reverts("Members_Suspended", account=city.registry):
        registry.anchor(ROOT, 1, sender=city.registry)


@pytest.mark.parametrize("reason", range(1, 7))
def test_revoke__own__with_reason_and_time(city, anchored, reason):
    anchored_at = city.chain.time
    city.chain.mine(9)
    receipt = anchored.revoke(DOC, reason, sender=city.registry)
    assert receipt.only("DocumentRevoked") == {"document": DOC, "issuer": city.registry, "reason": reason}
    assert status(city, anchored) == (REVOKED, anchored_at, city.chain.time, reason, bytes(32))


def test_revoke__without_reason__refused(city, anchored):
    with reverts("DocumentRegistry_NoReason", document=DOC):
        anchored.revoke(DOC, 0, sender=city.registry)


def test_revoke__suspended_or_retired_issuer__still_may(city, anchored, suspend, retire):
    suspend(city.registry)
    anchored.revoke(DOC, FRAUD, sender=city.registry)
    retire(city.registry)
    anchored.revoke(NEXT, FRAUD, sender=city.registry)


def test_revoke__before_it_was_anchored__revoked_from_the_start(city, registry):
    registry.revoke(DOC, FRAUD, sender=city.registry)
    assert status(city, registry)[0] == UNKNOWN
    registry.anchor(ROOT, 3, sender=city.registry)
    assert status(city, registry)[0] == REVOKED


def test_supersede__own__names_its_successor(city, anchored):
    receipt = anchored.supersede(DOC, NEXT, sender=city.registry)
    assert receipt.only("DocumentSuperseded") == {"document": DOC, "issuer": city.registry, "successor": NEXT}
    assert status(city, anchored) == (SUPERSEDED, city.chain.time, city.chain.time, 0, NEXT)


def test_supersede__nothing_or_itself__refused(city, anchored):
    with reverts("DocumentRegistry_EmptyRoot"):
        anchored.supersede(DOC, bytes(32), sender=city.registry)
    with reverts("DocumentRegistry_SupersededByItself", document=DOC):
        anchored.supersede(DOC, DOC, sender=city.registry)


def test_supersede__in_a_circle__refused(city, anchored):
    anchored.supersede(DOC, NEXT, sender=city.registry)
    anchored.supersede(NEXT, LAST, sender=city.registry)
    with reverts("DocumentRegistry_AlreadyEnded", document=DOC, issuer=city.registry, status=SUPERSEDED):
        anchored.supersede(LAST, DOC, sender=city.registry)


def test_supersede__by_a_revoked_document__refused(city, anchored):
    anchored.revoke(NEXT, FRAUD, sender=city.registry)
    with reverts("DocumentRegistry_AlreadyEnded", document=NEXT, issuer=city.registry, status=REVOKED):
        anchored.supersede(DOC, NEXT, sender=city.registry)


def test_supersede__suspended_issuer__refused(city, anchored, suspend):
    suspend(city.registry)
    with reverts("Members_Suspended", account=city.registry):
        anchored.supersede(DOC, NEXT, sender=city.registry)


@pytest.mark.parametrize("ended", [REVOKED, SUPERSEDED])
@pytest.mark.parametrize("again", ["revoke", "supersede"])
def test_end__a_second_time__refused(city, anchored, ended, again):
    if ended == REVOKED:
        anchored.revoke(DOC, FRAUD, sender=city.registry)
    else:
        anchored.supersede(DOC, NEXT, sender=city.registry)
    with reverts("DocumentRegistry_AlreadyEnded", document=DOC, issuer=city.registry, status=ended):
        getattr(anchored, again)(DOC, FRAUD if again == "revoke" else LAST, sender=city.registry)


def test_status__wrong_root_proof_document_or_issuer__unknown(city, anchored):
    unknown = (UNKNOWN, 0, 0, 0, bytes(32))
    assert status(city, anchored, root=NEXT) == unknown
    assert status(city, anchored, proof=PROOF[::-1]) == unknown
    assert status(city, anchored, proof=[]) == unknown
    assert status(city, anchored, document=LAST) == unknown
    assert status(city, anchored, issuer=city.court) == unknown


def test_status__inner_node_offered_as_a_document__unknown(city, anchored):
    inner = pair(leaf(DOC), leaf(NEXT))
    assert status(city, anchored, document=inner, proof=[leaf(LAST)])[0] == UNKNOWN


@pytest.mark.parametrize("name", ["anchor", "revoke", "supersede"])
def test_write__through_the_manager__refused(city, registry, authority, through_manager, name):
    args = {"anchor": (ROOT, 1), "revoke": (DOC, FRAUD), "supersede": (DOC, NEXT)}[name]
    sender = city.registry if name == "anchor" else dev_account(0)
    with reverts("Application_ManagerCannotAct", manager=authority):
        through_manager(getattr(registry, name), *args, sender=sender)
