"""FinancingDesk: a bank's signed quote is filled once, by its seller, as signed, or not at all."""

from __future__ import annotations

import pytest
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.deployment.plan import role_id
from tests.evm import CHAIN_ID, Event, dev_account, reverts

FACE = 48_600_000
UNITS = 30_000_000
PROCEEDS = 29_400_000
OPEN, USED, CANCELLED, IN_PARTS = range(4)
MAX = 2**128 - 1
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1


@pytest.fixture
def funded(city, desk):
    """The bank has the money and has approved the desk."""
    city.fund(city.bank, PROCEEDS)
    city.token.approve(desk, PROCEEDS, sender=city.bank)


@pytest.fixture
def fill(city, desk, sign, as_tuple):
    def done(quote, signature=None, sender=None, units=None):
        """All that the quote offers, unless `units` are given."""
        units = quote.units if units is None else units
        return desk.fill(as_tuple(quote), units, signature or sign(quote), sender=sender or city.supplier)

    return done


@pytest.fixture
def wrong_signer(desk, as_tuple):
    return lambda quote: reverts("FinancingDesk_WrongSigner", bank=quote.bank, digest=desk.digestOf(as_tuple(quote)))


# --- fill


def test_fill__as_signed__units_against_money(city, ledger, desk, quote, fill, funded, as_tuple):
    offer = quote()

    receipt = fill(offer)

    moved = {"operator": city.supplier, "from": city.supplier, "to": city.bank, "id": 1, "value": UNITS}
    paid = {"from": city.bank, "to": city.supplier, "value": PROCEEDS}
    filled = {
        "receivableId": 1,
        "actor": city.supplier,
        "bank": city.bank,
        "nonce": 7,
        "units": UNITS,
        "proceeds": PROCEEDS,
        "recourse": True,
        "complete": True,
        "digest": desk.digestOf(as_tuple(offer)),
    }
    assert receipt.events == [
        Event("FinancingDesk", "QuoteFilled", filled),
        Event("ReceivableLedger", "TransferSingle", moved),
        Event("SettlementToken", "Transfer", paid),
    ]
    assert (ledger.balanceOf(city.supplier, 1), ledger.balanceOf(city.bank, 1)) == (FACE - UNITS, UNITS)
    assert (city.token.balanceOf(city.supplier), city.token.balanceOf(city.bank)) == (PROCEEDS, 0)
    assert desk.nonceState(city.bank, 7) == USED


def test_fill__through_maturity__bank_collects_what_it_bought(city, ledger, quote, fill, pay, funded):
    fill(quote())
    city.chain.mine(90 * 86400)
    pay(1, FACE)
    assert ledger.claim(1, sender=city.bank).value == UNITS
    assert ledger.claim(1, sender=city.supplier).value == FACE - UNITS


def test_digest__by_the_contract__is_what_eth_account_signs(desk, quote, sign, as_tuple):
    offer = quote()
    recovered = Account._recover_hash(desk.digestOf(as_tuple(offer)), signature=sign(offer))
    assert recovered == offer.bank


def test_fill__last_second__still_valid_and_one_later_expired(city, quote, fill, funded):
    offer = quote()
    city.chain.mine(86400)
    with city.chain.isolated():
        fill(offer)
    city.chain.mine(1)
    with reverts("FinancingDesk_Expired", validUntil=offer.validUntil, chainTime=city.chain.time):
        fill(offer)


def test_fill__again__refused(city, quote, fill, funded):
    offer = quote()
    fill(offer)
    with reverts("FinancingDesk_NonceUsed", bank=city.bank, nonce=7):
        fill(offer)


def test_fill__other_quote_with_a_used_nonce__refused(city, quote, fill, funded):
    first = quote()
    fill(first)
    with reverts("FinancingDesk_NonceUsed", bank=city.bank, nonce=7):
        fill(quote(receivableId=first.receivableId, units=1, proceeds=1))


def test_fill__same_nonce_at_another_bank__independent(city, desk, quote, fill, sign, funded):
    first = quote()
    fill(first)
    city.fund(city.bank2, 5)
    city.token.approve(desk, 5, sender=city.bank2)
    other = quote(receivableId=first.receivableId, units=5, proceeds=5, bank=city.bank2)
    fill(other, sign(other, key=dev_account(3).key))
    assert desk.nonceState(city.bank2, 7) == USED


def test_fill__nonces_in_any_order_and_across_words__each_once(city, desk, quote, fill, funded):
    id_ = quote().receivableId
    nonces = [130, 0, 127, 128, 1, 2**256 - 1, 129]
    for nonce in nonces:
        fill(quote(receivableId=id_, units=1, proceeds=1, nonce=nonce))
    for nonce in nonces:
        with reverts("FinancingDesk_NonceUsed", bank=city.bank, nonce=nonce):
            fill(quote(receivableId=id_, units=1, proceeds=1, nonce=nonce))
    assert [desk.nonceState(city.bank, n) for n in (2, 126, 131, 255, 256)] == [OPEN] * 5


@pytest.mark.parametrize("who", ["bank", "bank2", "debtor", "founder"])
def test_fill__by_anyone_but_the_seller__refused(city, quote, fill, who):
    offer = quote()
    with reverts("FinancingDesk_WrongSeller", seller=city.supplier, actor=getattr(city, who)):
        fill(offer, sender=getattr(city, who))


def test_fill__zero_units_or_proceeds__refused(quote, fill):
    offer = quote(units=0)
    with reverts("FinancingDesk_ZeroUnits", receivableId=offer.receivableId):
        fill(offer)
    offer = quote(receivableId=offer.receivableId, proceeds=0)
    with reverts("FinancingDesk_ZeroProceeds", receivableId=offer.receivableId):
        fill(offer)


def test_fill__bank_selling_to_itself__refused(city, quote, fill):
    with reverts("FinancingDesk_OwnQuote", bank=city.bank):
        fill(quote(seller=city.bank), sender=city.bank)


def test_fill__greatest_amounts__refused_by_what_is_there(city, desk, quote, fill, confirmed, funded):
    with reverts("ReceivableLedger_InsufficientUnits", id=1, holder=city.supplier, held=FACE, requested=MAX):
        fill(quote(units=MAX))
    with reverts("ERC20InsufficientAllowance", spender=desk, allowance=PROCEEDS, needed=MAX):
        fill(quote(receivableId=1, proceeds=MAX))


def test_fill__seller_holds_less__refused(city, quote, fill, split, funded):
    offer = quote()
    split(1, city.hospital, FACE - UNITS + 1)
    with reverts("ReceivableLedger_InsufficientUnits", id=1, holder=city.supplier, held=UNITS - 1, requested=UNITS):
        fill(offer)


def test_fill__bank_without_money__nothing_moves(city, ledger, desk, quote, fill):
    offer = quote()
    city.fund(city.bank, PROCEEDS - 1)
    city.token.approve(desk, PROCEEDS, sender=city.bank)
    with reverts("ERC20InsufficientBalance", sender=city.bank, balance=PROCEEDS - 1, needed=PROCEEDS):
        fill(offer)
    assert ledger.balanceOf(city.supplier, 1) == FACE
    assert desk.nonceState(city.bank, 7) == OPEN


def test_fill__banks_money_frozen__nothing_moves(city, ledger, quote, fill, funded):
    city.token.setFreeze(city.bank, 1, b"\1" * 32, sender=city.court)
    with reverts("SettlementToken_Frozen", account=city.bank, balance=PROCEEDS, frozen=1, amount=PROCEEDS):
        fill(quote())
    assert ledger.balanceOf(city.supplier, 1) == FACE


# --- in parts


@pytest.fixture
def offer_of(quote, confirmed):
    """A divisible quote for 10 units at 7, with any field replaced."""
    made = confirmed()
    return lambda **changed: quote(**({"receivableId": made, "units": 10, "proceeds": 7, "divisible": True} | changed))


def test_fill__in_parts__each_its_share_and_all_together_exact(city, ledger, desk, offer_of, fill, funded, as_tuple):
    offer = offer_of()
    digest = desk.digestOf(as_tuple(offer))
    #      floor(7 × filled ÷ 10): 2 → 1, 5 → 3, 8 → 5, 10 → 7
    parts = [(2, 1, False), (3, 2, False), (3, 2, False), (2, 2, True)]
    filled = 0
    for units, proceeds, complete in parts:
        before = city.token.balanceOf(city.supplier)
        event = fill(offer, units=units).only("QuoteFilled")
        filled += units
        assert (event["units"], event["proceeds"], event["complete"]) == (units, proceeds, complete)
        assert event["digest"] == digest
        assert city.token.balanceOf(city.supplier) - before == proceeds
        assert desk.nonceState(city.bank, 7) == (USED if complete else IN_PARTS)
        if not complete:
            assert desk.filledOf(digest) == filled
    assert ledger.balanceOf(city.bank, offer.receivableId) == 10
    assert city.token.balanceOf(city.supplier) == 7
    with reverts("FinancingDesk_NonceUsed", bank=city.bank, nonce=7):
        fill(offer, units=1)


def test_fill__divisible_all_at_once__used_and_nothing_counted(city, desk, offer_of, fill, funded, as_tuple):
    offer = offer_of()
    assert fill(offer).only("QuoteFilled")["complete"] is True
    assert desk.nonceState(city.bank, 7) == USED
    assert desk.filledOf(desk.digestOf(as_tuple(offer))) == 0


def test_fill__part_that_pays_nothing__refused_at_any_place(city, ledger, desk, offer_of, fill, funded):
    offer = offer_of()
    with reverts("FinancingDesk_ZeroProceeds", receivableId=offer.receivableId):
        fill(offer, units=1)  # floor(0.7)
    assert desk.nonceState(city.bank, 7) == OPEN
    fill(offer, units=3)  # 2.1 → 2
    with reverts("FinancingDesk_ZeroProceeds", receivableId=offer.receivableId):
        fill(offer, units=1)  # 2.8 → 2 again
    fill(offer, units=2)
    assert ledger.balanceOf(city.bank, offer.receivableId) == 5
    assert city.token.balanceOf(city.supplier) == 3


def test_fill__more_than_is_left__refused(city, offer_of, fill, funded):
    offer = offer_of()
    for units in (11, MAX):
        with reverts("FinancingDesk_Overfilled", bank=city.bank, nonce=7, remaining=10, requested=units):
            fill(offer, units=units)
    fill(offer, units=6)
    for units in (5, MAX):
        with reverts("FinancingDesk_Overfilled", bank=city.bank, nonce=7, remaining=4, requested=units):
            fill(offer, units=units)
    with reverts("FinancingDesk_ZeroUnits", receivableId=offer.receivableId):
        fill(offer, units=0)
    fill(offer, units=4)


def test_fill__part_of_an_indivisible_quote__refused(city, desk, offer_of, fill, funded):
    offer = offer_of(divisible=False)
    for units in (1, 9):
        with reverts("FinancingDesk_Indivisible", units=10, requested=units):
            fill(offer, units=units)
    with reverts("FinancingDesk_Overfilled", bank=city.bank, nonce=7, remaining=10, requested=11):
        fill(offer, units=11)
    assert desk.nonceState(city.bank, 7) == OPEN
    fill(offer)


def test_fill__quote_for_nothing__nothing_can_be_filled(city, offer_of, fill, funded):
    for divisible in (False, True):
        with reverts("FinancingDesk_Overfilled", bank=city.bank, nonce=7, remaining=0, requested=1):
            fill(offer_of(units=0, divisible=divisible), units=1)


def test_fill__two_quotes_with_one_nonce__the_first_that_is_filled_counts(city, desk, offer_of, fill, funded):
    first, second = offer_of(), offer_of(proceeds=8)
    fill(first, units=5)
    with reverts("FinancingDesk_NonceOfAnotherQuote", bank=city.bank, nonce=7):
        fill(second, units=5)
    with reverts("FinancingDesk_NonceOfAnotherQuote", bank=city.bank, nonce=7):
        fill(offer_of(divisible=False))
    fill(first, units=5)
    with reverts("FinancingDesk_NonceUsed", bank=city.bank, nonce=7):
        fill(second, units=5)


def test_fill__other_nonces_beside_one_in_parts__independent(city, desk, offer_of, fill, funded):
    fill(offer_of(nonce=6), units=5)
    fill(offer_of(nonce=7))
    fill(offer_of(nonce=8), units=5)
    desk.cancel(9, sender=city.bank)
    assert [desk.nonceState(city.bank, n) for n in (5, 6, 7, 8, 9, 10)] == [
        OPEN,
        IN_PARTS,
        USED,
        IN_PARTS,
        CANCELLED,
        OPEN,
    ]


def test_cancel__in_parts__what_was_filled_stays_and_no_more(city, ledger, desk, offer_of, fill, funded):
    offer = offer_of()
    fill(offer, units=5)
    desk.cancel(7, sender=city.bank)
    assert desk.nonceState(city.bank, 7) == CANCELLED
    with reverts("FinancingDesk_NonceCancelled", bank=city.bank, nonce=7):
        fill(offer, units=5)
    assert ledger.balanceOf(city.bank, offer.receivableId) == 5


def test_fill__parts_until_the_last_second__then_no_more(city, offer_of, fill, funded):
    offer = offer_of()
    fill(offer, units=5)
    city.chain.mine(86400)
    with city.chain.isolated():
        fill(offer, units=5)
    city.chain.mine(1)
    with reverts("FinancingDesk_Expired", validUntil=offer.validUntil, chainTime=city.chain.time):
        fill(offer, units=5)


def test_fill__parts_after_the_bank_lost_its_role_or_was_suspended__no_more(city, offer_of, fill, funded, suspend):
    offer = offer_of()
    fill(offer, units=5)
    with city.chain.isolated():
        suspend(city.bank)
        with reverts("Members_Suspended", account=city.bank):
            fill(offer, units=5)
    city.contract("Members").retire(city.bank, b"\1" * 32, sender=city.founder)
    with reverts("FinancingDesk_NotAFinancier", bank=city.bank):
        fill(offer, units=5)


def test_fill__parts_of_the_greatest_amounts__no_overflow(city, ledger, desk, quote, confirmed, fill, funded):
    id_ = confirmed(face=MAX)
    offer = quote(receivableId=id_, units=MAX, proceeds=MAX, divisible=True)
    assert fill(offer, units=PROCEEDS - 1).only("QuoteFilled")["proceeds"] == PROCEEDS - 1
    assert fill(offer, units=1).only("QuoteFilled")["proceeds"] == 1
    remaining = MAX - PROCEEDS
    with reverts("FinancingDesk_Overfilled", bank=city.bank, nonce=7, remaining=remaining, requested=remaining + 1):
        fill(offer, units=remaining + 1)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    units=st.integers(1, 60),
    proceeds=st.integers(1, 90),
    parts=st.lists(st.integers(1, 60), max_size=12),
)
def test_fill__any_parts__never_more_than_signed_and_all_together_exactly_that(
    city, desk, quote, confirmed, fill, funded, units, proceeds, parts
):
    with city.chain.isolated():
        offer = quote(receivableId=confirmed(), units=units, proceeds=proceeds, divisible=True)
        filled = paid = 0
        for cut in [*parts, None]:
            part = units - filled if cut is None else cut
            if part == 0 or filled == units:
                break
            due = (filled + part) * proceeds // units - paid
            if part > units - filled:
                with reverts(
                    "FinancingDesk_Overfilled", bank=city.bank, nonce=7, remaining=units - filled, requested=part
                ):
                    fill(offer, units=part)
                continue
            if due == 0:
                with reverts("FinancingDesk_ZeroProceeds", receivableId=offer.receivableId):
                    fill(offer, units=part)
                continue
            assert fill(offer, units=part).only("QuoteFilled")["proceeds"] == due
            filled, paid = filled + part, paid + due
        assert filled < units or paid == proceeds
        assert city.token.balanceOf(city.supplier) == paid


# --- the receivable is not for sale


def test_fill__unknown_receivable__refused(quote, fill, funded):
    with reverts("ReceivableLedger_WrongState", id=999, state=0):
        fill(quote(receivableId=999))


@pytest.mark.parametrize(("answer", "state"), [(None, 1), ("reject", 2), ("withdraw", 3)])
def test_fill__not_confirmed__refused(city, ledger, draft, quote, fill, funded, answer, state):
    id_ = draft()
    if answer:
        getattr(ledger, answer)(id_, sender=city.debtor if answer == "reject" else city.supplier)
    with reverts("ReceivableLedger_WrongState", id=id_, state=state):
        fill(quote(receivableId=id_))


@pytest.mark.parametrize(("amount", "state"), [(1, 5), (FACE, 6)])
def test_fill__payment_has_begun__refused(quote, fill, pay, funded, amount, state):
    offer = quote()
    pay(1, amount)
    with reverts("ReceivableLedger_WrongState", id=1, state=state):
        fill(offer)


def test_fill__due__refused(city, quote, fill, funded):
    offer = quote(validUntil=2**64 - 1)
    city.chain.mine(90 * 86400)
    with reverts("ReceivableLedger_Due", id=1, dueAt=city.chain.time):
        fill(offer)


# --- who the parties are


@pytest.mark.parametrize("who", ["supplier", "bank"])
def test_fill__suspended_party__refused(city, quote, fill, suspend, funded, who):
    offer = quote()
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        fill(offer)


def test_fill__suspended_debtor__its_undertaking_can_still_be_sold(city, ledger, quote, fill, suspend, funded):
    offer = quote()
    suspend(city.debtor)
    fill(offer)
    assert ledger.balanceOf(city.bank, 1) == UNITS


def test_fill__bank_retired_and_without_its_role__refused(city, quote, fill, funded):
    offer = quote()
    city.contract("Members").retire(city.bank, b"\1" * 32, sender=city.founder)
    with reverts("FinancingDesk_NotAFinancier", bank=city.bank):
        fill(offer)


def test_fill__quote_of_a_company__refused(city, quote, fill, sign):
    offer = quote(bank=city.debtor)
    with reverts("FinancingDesk_NotAFinancier", bank=city.debtor):
        fill(offer, sign(offer, key=dev_account(6).key))


def test_financier_role__number_is_the_manifests(city, desk):
    assert desk.FINANCIER_ROLE() == role_id("RECEIVABLE_FINANCIER") == city.city.roles["RECEIVABLE_FINANCIER"]


def test_fill__through_the_manager__refused(city, desk, quote, sign, as_tuple):
    authority = city.contract("Authority")
    offer = quote()
    with reverts("Application_ManagerCannotAct", manager=authority):
        authority.execute(desk, desk.fill.encode(as_tuple(offer), UNITS, sign(offer)), sender=city.founder)


# --- signatures


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("receivableId", 2),
        ("units", UNITS + 1),
        ("units", UNITS - 1),
        ("proceeds", PROCEEDS + 1),
        ("seller", dev_account(7).address),
        ("recourse", False),
        ("divisible", True),
        ("validUntil", 2**64 - 1),
        ("nonce", 8),
    ],
)
def test_fill__any_field_changed__refused(city, confirmed, quote, sign, fill, wrong_signer, funded, field, value):
    signed = quote()
    confirmed(invoice=b"\2" * 32)
    changed = quote(**(vars(signed) | {field: value}))
    with wrong_signer(changed):
        fill(changed, sign(signed), sender=changed.seller)
    fill(signed, sign(signed))  # the signature itself was good


def test_fill__bank_field_changed__refused(city, quote, sign, fill, wrong_signer):
    signed = quote()
    changed = quote(**(vars(signed) | {"bank": city.bank2}))
    with wrong_signer(changed):
        fill(changed, sign(signed))


@pytest.mark.parametrize(
    "domain",
    [
        {"chain_id": 1},
        {"chain_id": CHAIN_ID + 1},
        {"contract": "0x" + "11" * 20},
        {"name": "FinancingDesk"},
        {"version": "2"},
        {"key": dev_account(3).key},
        {"key": dev_account(5).key},
    ],
)
def test_fill__signed_for_elsewhere_or_by_another__refused(quote, sign, fill, wrong_signer, funded, domain):
    offer = quote()
    with wrong_signer(offer):
        fill(offer, sign(offer, **domain))


def test_fill__signed_for_another_desk__refused(city, ledger, quote, sign, fill, wrong_signer, funded):
    core = ("Authority", "Forwarder", "Members", "Mandates", "Currencies", "Escrow")
    other = city.chain.deploy("FinancingDesk", tuple(city.city.contracts[name] for name in core), ledger)
    offer = quote()
    with wrong_signer(offer):
        fill(offer, sign(offer, contract=other.address))


def malleated(signature: bytes) -> bytes:
    """The other signature of the same message by the same key: s mirrored, v flipped."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def compact(signature: bytes) -> bytes:
    """EIP-2098: 64 bytes, the parity in the highest bit of s."""
    return signature[:32] + bytes([signature[32] | (signature[64] - 27) << 7]) + signature[33:64]


@pytest.mark.parametrize(
    "spoil",
    [
        malleated,
        compact,
        lambda s: s[:64],
        lambda s: s + b"\0",
        lambda s: bytes(65),
        lambda s: s[:64] + b"\x00",
        lambda s: s[:64] + bytes([55 - s[64]]),
        lambda s: b"\0" * 32 + s[32:],
        lambda s: b"\xff" * 65,
        lambda s: b"\x01",
    ],
    ids=["malleated", "compact", "short", "long", "zeros", "v0", "v-flipped", "r0", "ones", "one-byte"],
)
def test_fill__spoilt_signature__refused(quote, sign, fill, wrong_signer, funded, spoil):
    offer = quote()
    with wrong_signer(offer):
        fill(offer, spoil(sign(offer)))


def test_fill__malleated_after_the_fill__refused(quote, sign, fill, wrong_signer, funded):
    offer = quote()
    fill(offer)
    with wrong_signer(offer):
        fill(offer, malleated(sign(offer)))


def test_fill__empty_signature__refused(city, desk, quote, as_tuple, wrong_signer):
    offer = quote()
    with wrong_signer(offer):
        desk.fill(as_tuple(offer), UNITS, b"", sender=city.supplier)


@pytest.fixture
def bank_account(city, desk, admit):
    """A bank whose account is a contract; its operator is the key of account 16."""
    account = city.chain.deploy("SigningAccountMock", dev_account(26).address)
    admit(account.address, 3)
    city.fund(account.address, PROCEEDS)
    account.approve(city.token, desk, PROCEEDS, sender=city.founder)
    return account


def test_fill__erc1271_bank__filled_once(city, ledger, quote, sign, fill, bank_account):
    offer = quote(bank=bank_account.address)
    signature = sign(offer, key=dev_account(26).key)
    fill(offer, signature)
    assert ledger.balanceOf(bank_account, 1) == UNITS  # the account has no receiver's hook, and needs none
    with reverts("FinancingDesk_NonceUsed", bank=bank_account, nonce=7):
        fill(offer, signature)


def test_fill__erc1271_operator_replaced__old_signature_revoked(city, quote, sign, fill, wrong_signer, bank_account):
    offer = quote(bank=bank_account.address)
    bank_account.replaceOperator(dev_account(25).address, sender=city.founder)
    with wrong_signer(offer):
        fill(offer, sign(offer, key=dev_account(26).key))
    fill(offer, sign(offer, key=dev_account(25).key))


def test_fill__erc1271_account_reverts__refused(quote, fill, wrong_signer, bank_account):
    offer = quote(bank=bank_account.address)
    with wrong_signer(offer):
        fill(offer, b"\x01")


@pytest.mark.parametrize("mode", range(1, 7))
def test_fill__erc1271_account_that_does_not_say_yes__refused(city, desk, quote, fill, wrong_signer, admit, mode):
    account = city.chain.deploy("CarelessSignerMock")
    admit(account.address, 3)
    city.fund(account.address, PROCEEDS)
    account.approve(city.token, desk, PROCEEDS, sender=city.founder)
    offer = quote(bank=account.address)
    account.set(mode, sender=city.founder)
    with wrong_signer(offer):
        fill(offer, b"\1")
    account.set(0, sender=city.founder)
    fill(offer, b"\1")


def test_fill__erc1271_account_that_never_answers__no_quote_and_others_go_on(
    city, desk, quote, fill, as_tuple, admit, runs_out_of_gas, funded
):
    account = city.chain.deploy("CarelessSignerMock")
    admit(account.address, 3)
    account.set(7, sender=city.founder)
    offer = quote(bank=account.address)
    assert runs_out_of_gas(desk.fill, as_tuple(offer), UNITS, b"\1", sender=city.supplier)
    assert desk.nonceState(account, 7) == OPEN
    fill(quote(receivableId=offer.receivableId))


# --- cancel


def test_cancel__by_the_bank__quote_is_dead(city, desk, quote, fill, funded):
    receipt = desk.cancel(7, sender=city.bank)

    assert receipt.events == [Event("FinancingDesk", "QuoteCancelled", {"nonce": 7, "actor": city.bank})]
    assert desk.nonceState(city.bank, 7) == CANCELLED
    assert [desk.nonceState(city.bank, n) for n in (6, 8)] == [OPEN, OPEN]
    with reverts("FinancingDesk_NonceCancelled", bank=city.bank, nonce=7):
        fill(quote())


def test_cancel__of_a_used_or_cancelled_nonce__refused(city, desk, quote, fill, funded):
    fill(quote())
    with reverts("FinancingDesk_NonceUsed", bank=city.bank, nonce=7):
        desk.cancel(7, sender=city.bank)
    desk.cancel(8, sender=city.bank)
    with reverts("FinancingDesk_NonceCancelled", bank=city.bank, nonce=8):
        desk.cancel(8, sender=city.bank)


def test_cancel__by_another__touches_only_its_own(city, desk, quote, fill, funded):
    desk.cancel(7, sender=city.bank2)
    desk.cancel(7, sender=city.supplier)
    fill(quote())
    assert desk.nonceState(city.bank, 7) == USED


def test_cancel__suspended_bank__still_may(city, desk, suspend):
    suspend(city.bank)
    desk.cancel(7, sender=city.bank)
    assert desk.nonceState(city.bank, 7) == CANCELLED


# --- relayed


def test_fill__relayed_by_the_forwarder__the_seller_is_who_signed(city, ledger, desk, quote, sign, as_tuple, funded):
    forwarder = city.contract("Forwarder")
    offer = quote()
    data = desk.fill.encode(as_tuple(offer), UNITS, sign(offer))
    deadline = city.chain.time + 600
    fields = [("from", "address"), ("to", "address"), ("value", "uint256"), ("gas", "uint256")]
    fields += [("nonce", "uint256"), ("deadline", "uint48"), ("data", "bytes")]
    message = {"from": city.supplier, "to": desk.address, "value": 0, "gas": 2_000_000}
    message |= {"nonce": 0, "deadline": deadline, "data": data}
    domain = {
        "name": "chaincity Forwarder",
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": forwarder.address,
    }
    types = {"ForwardRequest": [{"name": n, "type": t} for n, t in fields]}
    signed = bytes(Account.sign_typed_data(dev_account(5).key, domain, types, message).signature)

    request = (city.supplier, desk.address, 0, 2_000_000, deadline, data, signed)
    receipt = forwarder.execute(request, sender=city.founder)

    assert receipt.only("QuoteFilled")["actor"] == city.supplier
    assert receipt.only("TransferSingle")["operator"] == city.supplier
    assert ledger.balanceOf(city.bank, 1) == UNITS
