"""Forwarder: relayed calls act as their signer, fail like direct ones, and are good once."""

from __future__ import annotations

import pytest

from tests.evm import Reverted, dev_account, reverts
from tests.signing import forward_request, malleated

RELAYER = dev_account(19).address
ZERO = "0x" + "00" * 20


@pytest.fixture
def forwarder(city):
    return city.contract("Forwarder")


@pytest.fixture
def desk(city):
    names = ("Authority", "Forwarder", "Members", "Mandates", "Currencies", "Escrow")
    return city.chain.deploy("DeskMock", tuple(city.contract(n).address for n in names))


@pytest.fixture
def request_of(city, forwarder, desk):
    def made(*call, who=None, sender=None, **options):
        who = who or city.li
        return forward_request(forwarder, call or (desk.act,), who.key, sender or who.address, **options)

    return made


def test_execute__signed__acts_as_the_signer_without_the_suffix(city, forwarder, desk, request_of):
    receipt = forwarder.execute(request_of(), sender=RELAYER)
    assert receipt.only("Acted") == {"actor": city.li.address, "data": desk.act.encode()}
    assert receipt.only("ExecutedForwardRequest") == {"signer": city.li.address, "nonce": 0, "success": True}
    assert forwarder.nonces(city.li) == 1


def test_verify__agrees_with_execute(forwarder, city, request_of):
    assert forwarder.verify(request_of()) is True
    assert forwarder.verify(request_of(who=city.wang, sender=city.li.address)) is False


def test_execute__replayed__refused(city, forwarder, desk, request_of):
    request = request_of()
    forwarder.execute(request, sender=RELAYER)
    assert forwarder.verify(request) is False
    with pytest.raises(Reverted, match="ERC2771ForwarderInvalidSigner") as caught:
        forwarder.execute(request, sender=RELAYER)
    assert caught.value.error_args["from"] == city.li.address
    assert desk.acts() == 1


@pytest.mark.parametrize(
    "what", ["later nonce", "other chain", "other contract", "other signer", "malleated", "truncated", "empty"]
)
def test_execute__not_its_signature__refused(city, forwarder, desk, request_of, what):
    options = {
        "later nonce": {"nonce": 1},
        "other chain": {"chain_id": 1},
        "other contract": {"signed_for": desk},
        "other signer": {"who": city.wang, "sender": city.li.address},
    }.get(what, {})
    *fields, signature = request_of(**options)
    signature = {"malleated": malleated(signature), "truncated": signature[:64], "empty": b""}.get(what, signature)
    with pytest.raises(Reverted, match="ERC2771ForwarderInvalidSigner") as caught:
        forwarder.execute((*fields, signature), sender=RELAYER)
    assert caught.value.error_args["from"] == city.li.address
    if what == "other signer":
        assert caught.value.error_args["signer"] == city.wang.address
    assert (desk.acts(), forwarder.nonces(city.li)) == (0, 0)


@pytest.mark.parametrize("field", ["to", "gas", "deadline", "data"])
def test_execute__a_field_changed_after_signing__refused(city, forwarder, desk, request_of, field):
    request = list(request_of())
    index = ["from", "to", "value", "gas", "deadline", "data"].index(field)
    request[index] = {
        "to": city.contract("Mandates").address,
        "gas": request[3] + 1,
        "deadline": request[4] - 1,
        "data": desk.actActive.encode(),
    }[field]
    with pytest.raises(Reverted, match="ERC2771ForwarderInvalidSigner"):
        forwarder.execute(tuple(request), sender=RELAYER)


def test_execute__expired__refused_at_the_first_second_after(city, forwarder, request_of):
    deadline = city.chain.time
    forwarder.execute(request_of(deadline=deadline), sender=RELAYER)
    late = request_of(deadline=deadline)
    city.chain.mine(1)
    with reverts("ERC2771ForwarderExpiredRequest", deadline=deadline):
        forwarder.execute(late, sender=RELAYER)


def test_execute__target_that_does_not_trust_it__refused(city, forwarder, request_of):
    members = city.contract("Members")
    with reverts("ERC2771UntrustfulTarget", target=members, forwarder=forwarder):
        forwarder.execute(request_of(members.changeProfile, b"\1" * 32), sender=RELAYER)


def test_execute__target_is_the_forwarder_the_authority_or_a_token__refused(city, forwarder, desk, request_of):
    for target, *call in (
        (forwarder, forwarder.nonces, city.li),
        (city.contract("Authority"), city.contract("Authority").execute, desk, desk.act.encode()),
        (city.token, city.token.transfer, city.wang, 1),
    ):
        with reverts("ERC2771UntrustfulTarget", target=target, forwarder=forwarder):
            forwarder.execute(request_of(*call), sender=RELAYER)


# --- what the inner call says


@pytest.mark.parametrize(
    ("function", "args", "error", "values"),
    [
        ("refuse", (7, "why " * 30), "DeskMock_Refused", {"number": 7, "text": "why " * 30}),
        ("panic", (0,), "Panic", {"value": 0x12}),
        ("say", ("words",), "Error", {"value": "words"}),
        ("say", ("",), "Error", {"value": ""}),
    ],
)
def test_execute__inner_revert__same_error_and_nonce_not_spent(
    city, forwarder, desk, request_of, function, args, error, values
):
    if function == "refuse":
        values = {"actor": city.li, **values}
    request = request_of(getattr(desk, function), *args)
    with reverts(error, **values):
        forwarder.execute(request, sender=RELAYER)
    assert forwarder.nonces(city.li) == 0


def test_execute__inner_refusal_ends__the_same_request_is_still_good(city, forwarder, desk, request_of):
    request = request_of(desk.actWith, city.bank)
    members = city.contract("Members")
    members.suspend(city.bank, b"\1" * 32, sender=city.founder)
    with reverts("Members_Suspended", account=city.bank):
        forwarder.execute(request, sender=RELAYER)
    members.reinstate(city.bank, b"\1" * 32, sender=city.founder)
    assert forwarder.execute(request, sender=RELAYER).only("Acted")["actor"] == city.li.address


def test_execute__inner_call_out_of_gas__failed_call(city, forwarder, desk, request_of):
    with reverts("FailedCall"):
        forwarder.execute(request_of(desk.spin, gas=50_000), sender=RELAYER)
    assert forwarder.nonces(city.li) == 0


def test_execute__from_within_itself__nonce_is_spent_already(city, forwarder, desk, request_of):
    inner = request_of()
    outer = request_of(desk.relay, forwarder, forwarder.execute.encode(inner))
    with pytest.raises(Reverted, match="ERC2771ForwarderInvalidSigner"):
        forwarder.execute(outer, sender=RELAYER)


def test_execute__restricted_function__the_signer_needs_the_role(city, forwarder, request_of):
    succession = city.contract("Succession")
    call = (succession.propose, city.li, city.wang, b"\1" * 32)
    with reverts("AccessManagedUnauthorized", caller=city.li):
        forwarder.execute(request_of(*call), sender=RELAYER)
    receipt = forwarder.execute(request_of(*call, who=dev_account(4)), sender=RELAYER)
    assert receipt.only("SuccessionProposed")["actor"] == city.court


# --- senders at the end of the data


def test_direct_call__forged_suffix__acts_as_the_caller(city, desk):
    _, receipt = city.chain.send(RELAYER, desk.address, desk.act.encode() + bytes.fromhex(city.bank[2:]))
    assert receipt.only("Acted")["actor"] == RELAYER


def test_execute__suffix_in_the_signed_data__only_the_forwarders_counts(city, forwarder, desk):
    class Forged:
        contract = desk

        @staticmethod
        def encode():
            return desk.act.encode() + bytes.fromhex(city.bank[2:])

    request = forward_request(forwarder, (Forged,), city.li.key, city.li.address)
    receipt = forwarder.execute(request, sender=RELAYER)
    assert receipt.only("Acted")["actor"] == city.li.address


# --- ERC-1271


def test_execute__erc1271_signer__acts_as_the_account(city, forwarder, desk, request_of):
    account = city.chain.deploy("SigningAccountMock", city.chen.address)
    request = request_of(who=city.chen, sender=account.address)
    assert forwarder.verify(request) is True
    receipt = forwarder.execute(request, sender=RELAYER)
    assert receipt.only("Acted")["actor"] == account.address
    assert (forwarder.nonces(account), forwarder.nonces(city.chen)) == (1, 0)
    with pytest.raises(Reverted, match="ERC2771ForwarderInvalidSigner"):
        forwarder.execute(request, sender=RELAYER)


def test_execute__erc1271_operator_replaced__its_signature_is_worth_nothing(city, forwarder, request_of):
    account = city.chain.deploy("SigningAccountMock", city.chen.address)
    request = request_of(who=city.chen, sender=account.address)
    account.replaceOperator(city.guo, sender=RELAYER)
    with reverts("ERC2771ForwarderInvalidSigner", **{"signer": city.chen, "from": account}):
        forwarder.execute(request, sender=RELAYER)


def test_execute__sender_is_a_contract_without_erc1271__refused(city, forwarder, request_of, desk):
    with reverts("ERC2771ForwarderInvalidSigner", **{"signer": city.li, "from": desk}):
        forwarder.execute(request_of(who=city.li, sender=desk.address), sender=RELAYER)


# --- batches and value


def test_execute_batch__all_good__all_done(city, forwarder, desk, request_of):
    requests = [request_of(), request_of(nonce=1), request_of(who=city.wang)]
    receipt = forwarder.executeBatch(requests, ZERO, sender=RELAYER)
    assert [e.args["actor"] for e in receipt.events if e.name == "Acted"] == [
        city.li.address,
        city.li.address,
        city.wang.address,
    ]
    assert desk.acts() == 3


@pytest.mark.parametrize("refund_to", [ZERO, RELAYER])
@pytest.mark.parametrize("bad", ["inner revert", "invalid signature"])
def test_execute_batch__one_bad__none_done(city, forwarder, desk, request_of, refund_to, bad):
    broken = (
        request_of(desk.refuse, 1, "no", who=city.wang)
        if bad == "inner revert"
        else request_of(who=city.chen, sender=city.wang.address)
    )
    expected = (
        ("DeskMock_Refused", {"actor": city.wang, "number": 1, "text": "no"})
        if bad == "inner revert"
        else ("ERC2771ForwarderInvalidSigner", {"signer": city.chen, "from": city.wang})
    )
    with reverts(expected[0], **expected[1]):
        forwarder.executeBatch([request_of(), broken], refund_to, sender=RELAYER)
    assert (desk.acts(), forwarder.nonces(city.li)) == (0, 0)


def test_execute_batch__one_ran_before__none_done(city, forwarder, desk, request_of):
    taken = request_of(who=city.wang)
    forwarder.execute(taken, sender=RELAYER)
    with pytest.raises(Reverted, match="ERC2771ForwarderInvalidSigner"):
        forwarder.executeBatch([request_of(), taken], RELAYER, sender=RELAYER)
    assert desk.acts() == 1


def test_execute_batch__empty__nothing_happens(forwarder):
    assert forwarder.executeBatch([], ZERO, sender=RELAYER).events == []


def test_value__sent__refused_even_with_an_empty_batch(city, forwarder, request_of):
    city.chain.evm.set_balance(RELAYER, 10)
    for call in (
        lambda: forwarder.execute(request_of(), sender=RELAYER, value=3),
        lambda: forwarder.executeBatch([request_of()], RELAYER, sender=RELAYER, value=3),
        lambda: forwarder.executeBatch([], RELAYER, sender=RELAYER, value=3),
        lambda: forwarder.execute(request_of(value=3), sender=RELAYER, value=3),
    ):
        with reverts("Forwarder_NoValue", value=3):
            call()
    assert city.chain.evm.get_balance(forwarder.address) == 0


@pytest.mark.parametrize("value", [1, 2**256 - 1])
def test_value__only_in_the_request__refused(forwarder, request_of, value):
    with reverts("Forwarder_NoValue", value=value):
        forwarder.execute(request_of(value=value), sender=RELAYER)
    with reverts("Forwarder_NoValue", value=value):
        forwarder.executeBatch([request_of(value=value)], RELAYER, sender=RELAYER)
