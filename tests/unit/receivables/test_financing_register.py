"""FinancingRegister: who has taken which invoice or lot, by whose consent, and until when."""

from __future__ import annotations

import pytest
from eth_account import Account

from tests.evm import CHAIN_ID, Event, dev_account, reverts
from tests.signing import forward_request, malleated
from tests.unit.receivables.conftest import INVOICE, number_of

FREE, RESERVED, FINANCED, ENTERED = range(4)
ZERO = "0x" + "00" * 20
NUMBER = number_of(INVOICE)
COPY = b"\x5b" * 32  # an altered copy: another fingerprint with the same number
THIRD = b"\x5c" * 32
BASIS = b"\xba" * 32
FILING = b"ZDW-2026-000123".ljust(32, b"\0")
WEEK = 7 * 86400
APPLICATION, OTHER_APPLICATION = dev_account(17).address, dev_account(18).address
STATES = ["free", "reserved", "lapsed", "financed", "entered", "released", "annulled", "left"]


@pytest.fixture
def applications(city):
    for application in (APPLICATION, OTHER_APPLICATION):
        role = city.city.roles["FINANCING_APPLICATION"]
        city.contract("Authority").grantRole(role, application, 0, sender=city.founder)


@pytest.fixture
def enter(city, register, applications):
    def done(fingerprint=INVOICE, number=NUMBER, case=9, sender=APPLICATION):
        return register.enter(fingerprint, number, case, city.supplier, sender=sender)

    return done


@pytest.fixture
def put_into(city, register, consent, reserve, enter):
    """`INVOICE` in a state of its lifecycle, however it came to it; answers (state, holder, caseId) as errors say it."""

    def done(state):
        if state in ("entered", "left"):
            enter()
            if state == "left":
                register.leave(INVOICE, 9, city.supplier, sender=APPLICATION)
        elif state != "free":
            reserve(consent(nonce=77))
            if state == "lapsed":
                city.chain.mine(WEEK + 1)
            elif state == "financed":
                register.finance(INVOICE, bytes(32), sender=city.bank)
            elif state == "released":
                register.release(INVOICE, sender=city.bank)
            elif state == "annulled":
                register.annul(INVOICE, BASIS, sender=city.founder)
        found = {
            "reserved": (RESERVED, city.bank, 0),
            "financed": (FINANCED, city.bank, 0),
            "entered": (ENTERED, APPLICATION, 9),
        }
        answer = found.get(state, (FREE, ZERO, 0))
        entry = register.entryOf(INVOICE)
        assert (entry.state, entry.holder, entry.caseId) == answer
        return answer

    return done


@pytest.fixture
def spent(register):
    return lambda agreed: register.isSpent(register.digestOf(tuple(vars(agreed).values())))


# --- reserve


def test_reserve__by_the_bank_with_consent__taken_until_then(city, register, consent, reserve, spent):
    agreed = consent()

    receipt = reserve(agreed)

    reserved = {
        "fingerprint": INVOICE,
        "actor": city.bank,
        "seller": city.supplier,
        "numberFingerprint": NUMBER,
        "reservedUntil": agreed.reservedUntil,
    }
    assert receipt.events == [Event("FinancingRegister", "FingerprintReserved", reserved)]
    assert tuple(register.entryOf(INVOICE)) == (RESERVED, city.bank, agreed.reservedUntil, 0, NUMBER)
    assert register.takenBy(NUMBER) == INVOICE
    assert spent(agreed)
    assert register.clearedFor(INVOICE) == register.filingOf(INVOICE, city.bank) == bytes(32)


@pytest.mark.parametrize("state", STATES)
def test_reserve__from_every_state__only_when_free(city, consent, reserve, put_into, state):
    found, holder, case = put_into(state)
    for bank, key in ((city.bank, 2), (city.bank2, 3)):
        with city.chain.isolated():
            if found == FREE:
                reserve(consent(bank=bank, nonce=key))
                continue
            with reverts("FinancingRegister_Taken", fingerprint=INVOICE, state=found, holder=holder, caseId=case):
                reserve(consent(bank=bank, nonce=key))


def test_reserve__to_the_last_second__then_free_by_itself(city, register, consent, reserve):
    agreed = consent()
    reserve(agreed)
    city.chain.mine(WEEK)
    taken = {"fingerprint": INVOICE, "state": RESERVED, "holder": city.bank, "caseId": 0}
    with reverts("FinancingRegister_Taken", **taken):
        reserve(consent(bank=city.bank2))
    city.chain.mine(1)
    assert tuple(register.entryOf(INVOICE)) == (FREE, ZERO, 0, 0, bytes(32))
    assert register.takenBy(NUMBER) == bytes(32)
    reserve(consent(bank=city.bank2))
    assert register.entryOf(INVOICE).holder == city.bank2


def test_reserve__consent_at_its_last_second__good_and_one_later_expired(city, consent, reserve):
    agreed = consent()
    city.chain.mine(WEEK)
    with city.chain.isolated():
        reserve(agreed)
    city.chain.mine(1)
    expired = {"reservedUntil": agreed.reservedUntil, "chainTime": city.chain.time}
    with reverts("FinancingRegister_ConsentExpired", **expired):
        reserve(agreed)


def test_reserve__longest__one_second_more_is_refused(city, register, consent, reserve):
    latest = city.chain.time + register.MAX_RESERVATION()
    assert register.MAX_RESERVATION() == 30 * 86400
    for until in (latest + 1, 2**40 + city.chain.time, 2**64 - 1):
        with reverts("FinancingRegister_ReservationTooLong", reservedUntil=until, latest=latest):
            reserve(consent(reservedUntil=until))
    reserve(consent(reservedUntil=latest))
    assert register.entryOf(INVOICE).reservedUntil == latest


def test_reserve__same_consent_again__refused_whatever_became_of_it(city, register, consent, reserve):
    agreed = consent()
    digest = register.digestOf(tuple(vars(agreed).values()))
    reserve(agreed)
    with reverts("FinancingRegister_ConsentUsed", digest=digest):
        reserve(agreed)
    register.release(INVOICE, sender=city.bank)
    with reverts("FinancingRegister_ConsentUsed", digest=digest):
        reserve(agreed)
    reserve(consent(nonce=2))


def test_reserve__by_another_bank_than_named__refused(city, consent, reserve):
    with reverts("FinancingRegister_WrongBank", bank=city.bank, actor=city.bank2):
        reserve(consent(), sender=city.bank2)


def test_reserve__bank_that_consents_to_itself__refused(city, consent, reserve, sign_consent):
    own = consent(seller=city.bank)
    with reverts("FinancingRegister_OwnConsent", bank=city.bank):
        reserve(own, sign_consent(own, key=dev_account(2).key))


@pytest.mark.parametrize("who", ["supplier", "debtor", "founder", "court"])
def test_reserve__without_the_role__refused(city, consent, reserve, who):
    actor = getattr(city, who)
    with reverts("AccessManagedUnauthorized", caller=actor):
        reserve(consent(bank=actor))


def test_reserve__role_revoked__refused(city, consent, reserve):
    city.contract("Members").retire(city.bank, BASIS, sender=city.founder)
    with reverts("AccessManagedUnauthorized", caller=city.bank):
        reserve(consent())


@pytest.mark.parametrize("who", ["supplier", "bank"])
def test_reserve__suspended_party__refused(city, consent, reserve, suspend, who):
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        reserve(consent())


def test_reserve__seller_who_is_no_member__refused(consent, reserve, sign_consent):
    stranger = dev_account(19)
    agreed = consent(seller=stranger.address)
    with reverts("Members_NotEnrolled", account=stranger.address):
        reserve(agreed, sign_consent(agreed, key=stranger.key))


def test_reserve__resident_who_sells__may_consent(city, register, consent, reserve, sign_consent):
    agreed = consent(seller=city.li.address)
    reserve(agreed, sign_consent(agreed, key=city.li.key))
    assert register.entryOf(INVOICE).state == RESERVED


def test_reserve__empty_fingerprint_or_number__refused(register, consent, reserve):
    for empty in (
        {"fingerprint": bytes(32)},
        {"numberFingerprint": bytes(32)},
        {"fingerprint": register.AMBIGUOUS()},
    ):
        with reverts("FinancingRegister_EmptyFingerprint"):
            reserve(consent(**empty))


# --- consents of every wrong kind


def test_digest__by_the_contract__is_what_eth_account_signs(city, register, consent, sign_consent):
    agreed = consent()
    digest = register.digestOf(tuple(vars(agreed).values()))
    assert Account._recover_hash(digest, signature=sign_consent(agreed)) == city.supplier


@pytest.fixture
def wrong_signer(register):
    def refused(agreed):
        digest = register.digestOf(tuple(vars(agreed).values()))
        return reverts("FinancingRegister_WrongSigner", seller=agreed.seller, digest=digest)

    return refused


def compact(signature: bytes) -> bytes:
    """EIP-2098: 64 bytes, the parity in the highest bit of s."""
    parity = signature[64] - 27
    return signature[:32] + bytes([signature[32] | parity << 7]) + signature[33:64]


@pytest.mark.parametrize(
    "spoil",
    [
        malleated,
        compact,
        lambda s: b"",
        lambda s: b"\1",
        lambda s: s[:32],
        lambda s: s[:64],
        lambda s: s + b"\0",
        lambda s: bytes(65),
        lambda s: s[:64] + b"\0",
        lambda s: s[:64] + bytes([s[64] - 27]),
        lambda s: s[:64] + bytes([55 - s[64]]),
        lambda s: bytes(32) + s[32:],
        lambda s: s[:32] + bytes(32) + s[64:],
        lambda s: b"\xff" * 65,
    ],
    ids=[
        "malleated",
        "compact",
        "none",
        "one-byte",
        "half",
        "truncated",
        "long",
        "zeros",
        "v0",
        "v01",
        "v-flipped",
        "r0",
        "s0",
        "ones",
    ],
)
def test_reserve__spoilt_signature__refused(consent, reserve, sign_consent, wrong_signer, spoil):
    agreed = consent()
    with wrong_signer(agreed):
        reserve(agreed, spoil(sign_consent(agreed)))
    reserve(agreed)  # the consent itself was good, and was not used up


@pytest.mark.parametrize(
    "domain",
    [
        {"chain_id": 1},
        {"chain_id": CHAIN_ID + 1},
        {"contract": "0x" + "11" * 20},
        {"name": "FinancingRegister"},
        {"name": "chaincity FinancingDesk"},
        {"version": "2"},
        {"key": dev_account(2).key},
        {"key": dev_account(6).key},
    ],
)
def test_reserve__signed_for_elsewhere_or_by_another__refused(consent, reserve, sign_consent, wrong_signer, domain):
    agreed = consent()
    with wrong_signer(agreed):
        reserve(agreed, sign_consent(agreed, **domain))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fingerprint", COPY),
        ("numberFingerprint", THIRD),
        ("seller", dev_account(6).address),
        ("bank", dev_account(3).address),
        ("reservedUntil", 1_790_000_000 + WEEK + 1),
        ("nonce", 2),
    ],
)
def test_reserve__any_field_changed__refused(consent, reserve, sign_consent, wrong_signer, field, value):
    signed = consent()
    changed = consent(**(vars(signed) | {field: value}))
    with wrong_signer(changed):
        reserve(changed, sign_consent(signed))
    reserve(signed)


@pytest.fixture
def careless(city, admit):
    account = city.chain.deploy("CarelessSignerMock")
    return city.chain.at("CarelessSignerMock", admit(account.address, 5))


def test_reserve__erc1271_seller__its_operators_signature(city, register, consent, reserve, sign_consent, admit):
    account = city.chain.deploy("SigningAccountMock", dev_account(26).address)
    admit(account.address, 5)
    agreed = consent(seller=account.address)
    digest = register.digestOf(tuple(vars(agreed).values()))
    for signature in (sign_consent(agreed), b"\1", malleated(sign_consent(agreed, key=dev_account(26).key))):
        with reverts("FinancingRegister_WrongSigner", seller=account, digest=digest):
            reserve(agreed, signature)
    reserve(agreed, sign_consent(agreed, key=dev_account(26).key))
    assert register.entryOf(INVOICE).state == RESERVED
    with reverts("FinancingRegister_ConsentUsed", digest=digest):
        reserve(agreed, sign_consent(agreed, key=dev_account(26).key))


@pytest.mark.parametrize(
    "mode", range(1, 7), ids=["refuses", "garbage", "magic-and-more", "short", "nothing", "reverts"]
)
def test_reserve__erc1271_seller_that_does_not_say_yes__refused(city, consent, reserve, wrong_signer, careless, mode):
    agreed = consent(seller=careless.address)
    careless.set(mode, sender=city.founder)
    with wrong_signer(agreed):
        reserve(agreed, b"\1")
    careless.set(0, sender=city.founder)
    reserve(agreed, b"\1")


def test_reserve__erc1271_seller_that_never_answers__only_its_own_reservation_fails(
    city, register, consent, reserve, careless, runs_out_of_gas
):
    careless.set(7, sender=city.founder)
    agreed = consent(seller=careless.address, fingerprint=COPY, numberFingerprint=THIRD)
    assert runs_out_of_gas(register.reserve, tuple(vars(agreed).values()), b"\1", sender=city.bank)
    assert register.entryOf(COPY).state == FREE
    reserve(consent())


# --- withdraw a consent


def test_withdraw_consent__by_the_seller__never_usable(city, register, consent, reserve, spent):
    agreed = consent()
    fields = tuple(vars(agreed).values())

    receipt = register.withdrawConsent(fields, sender=city.supplier)

    digest = register.digestOf(fields)
    withdrawn = {"digest": digest, "actor": city.supplier}
    assert receipt.events == [Event("FinancingRegister", "ConsentWithdrawn", withdrawn)]
    assert spent(agreed)
    with reverts("FinancingRegister_ConsentUsed", digest=digest):
        reserve(agreed)
    with reverts("FinancingRegister_ConsentUsed", digest=digest):
        register.withdrawConsent(fields, sender=city.supplier)
    reserve(consent(nonce=2))


def test_withdraw_consent__after_it_was_used__refused_and_the_reservation_stays(city, register, consent, reserve):
    agreed = consent()
    fields = tuple(vars(agreed).values())
    reserve(agreed)
    with reverts("FinancingRegister_ConsentUsed", digest=register.digestOf(fields)):
        register.withdrawConsent(fields, sender=city.supplier)
    assert register.entryOf(INVOICE).state == RESERVED


@pytest.mark.parametrize("who", ["bank", "debtor", "founder"])
def test_withdraw_consent__by_anyone_else__refused(city, register, consent, reserve, who):
    agreed = consent()
    with reverts("FinancingRegister_NotSeller", seller=city.supplier, actor=getattr(city, who)):
        register.withdrawConsent(tuple(vars(agreed).values()), sender=getattr(city, who))
    reserve(agreed)


def test_withdraw_consent__suspended_seller__still_may(city, register, consent, suspend, spent):
    agreed = consent()
    suspend(city.supplier)
    register.withdrawConsent(tuple(vars(agreed).values()), sender=city.supplier)
    assert spent(agreed)


# --- release, finance, file


def test_release__by_the_bank__free_at_once(city, register, consent, reserve, suspend):
    reserve(consent())
    suspend(city.bank)  # giving up is not new business

    receipt = register.release(INVOICE, sender=city.bank)

    released = {"fingerprint": INVOICE, "actor": city.bank}
    assert receipt.events == [Event("FinancingRegister", "FingerprintReleased", released)]
    assert tuple(register.entryOf(INVOICE)) == (FREE, ZERO, 0, 0, bytes(32))
    reserve(consent(bank=city.bank2, nonce=2))


@pytest.mark.parametrize("function", ["release", "finance"])
@pytest.mark.parametrize("state", STATES)
def test_release_finance__from_every_state__only_when_reserved(city, register, put_into, function, state):
    found, *_ = put_into(state)
    args = (INVOICE, FILING) if function == "finance" else (INVOICE,)
    if found == RESERVED:
        with reverts("FinancingRegister_NotHolder", fingerprint=INVOICE, holder=city.bank, actor=city.bank2):
            getattr(register, function)(*args, sender=city.bank2)
        getattr(register, function)(*args, sender=city.bank)
        assert register.entryOf(INVOICE).state == (FINANCED if function == "finance" else FREE)
        return
    with reverts("FinancingRegister_WrongState", fingerprint=INVOICE, state=found):
        getattr(register, function)(*args, sender=city.bank)


def test_finance__to_the_last_second__for_good(city, register, consent, reserve):
    reserve(consent())
    city.chain.mine(WEEK)
    with city.chain.isolated():
        city.chain.mine(1)
        with reverts("FinancingRegister_WrongState", fingerprint=INVOICE, state=FREE):
            register.finance(INVOICE, FILING, sender=city.bank)

    receipt = register.finance(INVOICE, FILING, sender=city.bank)

    financed = {"fingerprint": INVOICE, "actor": city.bank, "filing": FILING}
    assert receipt.events == [Event("FinancingRegister", "FingerprintFinanced", financed)]
    assert tuple(register.entryOf(INVOICE)) == (FINANCED, city.bank, 0, 0, NUMBER)
    assert register.filingOf(INVOICE, city.bank) == FILING
    city.chain.mine(40 * 365 * 86400)
    assert register.entryOf(INVOICE).state == FINANCED
    assert register.takenBy(NUMBER) == INVOICE


def test_finance__without_a_filing__none_kept(city, register, consent, reserve):
    reserve(consent())
    register.finance(INVOICE, bytes(32), sender=city.bank)
    assert register.filingOf(INVOICE, city.bank) == bytes(32)


@pytest.mark.parametrize("function", ["finance", "recordFiling"])
def test_finance_file__suspended_bank__refused(city, register, consent, reserve, suspend, function):
    reserve(consent())
    suspend(city.bank)
    with reverts("Members_Suspended", account=city.bank):
        getattr(register, function)(INVOICE, FILING, sender=city.bank)


@pytest.mark.parametrize("function", ["finance", "recordFiling"])
def test_finance_file__without_the_role__refused(city, register, consent, reserve, function):
    reserve(consent())
    with reverts("AccessManagedUnauthorized", caller=city.supplier):
        getattr(register, function)(INVOICE, FILING, sender=city.supplier)


@pytest.mark.parametrize("state", STATES)
def test_record_filing__from_every_state__of_ones_own_or_of_an_applications(city, register, put_into, state):
    found, *_ = put_into(state)
    if found == FREE:
        with reverts("FinancingRegister_WrongState", fingerprint=INVOICE, state=FREE):
            register.recordFiling(INVOICE, FILING, sender=city.bank)
        return
    receipt = register.recordFiling(INVOICE, FILING, sender=city.bank)
    recorded = {"fingerprint": INVOICE, "actor": city.bank, "filing": FILING}
    assert receipt.events == [Event("FinancingRegister", "FilingRecorded", recorded)]
    assert register.filingOf(INVOICE, city.bank) == FILING
    if found == ENTERED:  # parts of a receivable may be several banks'
        register.recordFiling(INVOICE, b"\1" * 32, sender=city.bank2)
        assert (register.filingOf(INVOICE, city.bank), register.filingOf(INVOICE, city.bank2)) == (FILING, b"\1" * 32)
    else:
        with reverts("FinancingRegister_NotHolder", fingerprint=INVOICE, holder=city.bank, actor=city.bank2):
            register.recordFiling(INVOICE, FILING, sender=city.bank2)


def test_record_filing__again__the_last_counts_and_an_empty_one_does_not(city, register, consent, reserve):
    reserve(consent())
    register.recordFiling(INVOICE, FILING, sender=city.bank)
    register.recordFiling(INVOICE, b"\2" * 32, sender=city.bank)
    with reverts("FinancingRegister_EmptyFiling", fingerprint=INVOICE):
        register.recordFiling(INVOICE, bytes(32), sender=city.bank)
    register.finance(INVOICE, bytes(32), sender=city.bank)
    assert register.filingOf(INVOICE, city.bank) == b"\2" * 32


# --- applications


def test_enter__by_an_application__its_case_kept(city, register, enter):
    receipt = enter(case=2**48 - 1)

    entered = {
        "fingerprint": INVOICE,
        "actor": city.supplier,
        "application": APPLICATION,
        "caseId": 2**48 - 1,
        "numberFingerprint": NUMBER,
    }
    assert receipt.events == [Event("FinancingRegister", "FingerprintEntered", entered)]
    assert tuple(register.entryOf(INVOICE)) == (ENTERED, APPLICATION, 0, 2**48 - 1, NUMBER)


@pytest.mark.parametrize("case", [2**48, 2**48 + 1, 2**64, 2**256 - 1])
def test_enter__case_too_large__refused(enter, case):
    with reverts("FinancingRegister_CaseIdTooLarge", caseId=case):
        enter(case=case)


@pytest.mark.parametrize("state", STATES)
def test_enter__from_every_state__only_when_free(register, enter, put_into, state):
    found, holder, case = put_into(state)
    if found == FREE:
        enter(case=10)
        assert register.entryOf(INVOICE).caseId == 10
        return
    for application in (APPLICATION, OTHER_APPLICATION):
        with reverts("FinancingRegister_Taken", fingerprint=INVOICE, state=found, holder=holder, caseId=case):
            enter(case=10, sender=application)


def test_enter__empty_fingerprint_or_number__refused(register, enter):
    for empty in ({"fingerprint": bytes(32)}, {"number": bytes(32)}, {"fingerprint": register.AMBIGUOUS()}):
        with reverts("FinancingRegister_EmptyFingerprint"):
            enter(**empty)


def test_leave__by_the_application__free_again(city, register, enter):
    enter()

    receipt = register.leave(INVOICE, 9, city.debtor, sender=APPLICATION)

    left = {"fingerprint": INVOICE, "actor": city.debtor, "application": APPLICATION, "caseId": 9}
    assert receipt.events == [Event("FinancingRegister", "FingerprintLeft", left)]
    assert tuple(register.entryOf(INVOICE)) == (FREE, ZERO, 0, 0, bytes(32))


@pytest.mark.parametrize("state", STATES)
def test_leave__from_every_state__nothing_happens_unless_the_case_has_it(city, register, put_into, state):
    found, *_ = put_into(state)
    before = tuple(register.entryOf(INVOICE)), register.takenBy(NUMBER)
    others = [(APPLICATION, 8), (APPLICATION, 0), (APPLICATION, 9 + 2**48), (APPLICATION, 9 + 2**64)]
    others += [(OTHER_APPLICATION, 9), (OTHER_APPLICATION, 0)]
    for application, case in others if found == ENTERED else [*others, (APPLICATION, 9)]:
        assert register.leave(INVOICE, case, city.supplier, sender=application).events == []
        assert (tuple(register.entryOf(INVOICE)), register.takenBy(NUMBER)) == before


def test_leave__twice__once(city, register, enter):
    enter()
    assert len(register.leave(INVOICE, 9, city.supplier, sender=APPLICATION).events) == 1
    assert register.leave(INVOICE, 9, city.supplier, sender=APPLICATION).events == []


def test_leave__a_bank_that_is_an_application_too__not_what_it_reserved_or_financed(
    city, register, consent, reserve, applications
):
    """An entry of a bank has case 0; leaving as case 0 is not a way around release and annul."""
    city.contract("Authority").grantRole(city.city.roles["FINANCING_APPLICATION"], city.bank, 0, sender=city.founder)
    reserve(consent())
    for state in (RESERVED, FINANCED):
        if state == FINANCED:
            register.finance(INVOICE, FILING, sender=city.bank)
        assert register.leave(INVOICE, 0, city.bank, sender=city.bank).events == []
        assert (register.entryOf(INVOICE).state, register.entryOf(INVOICE).holder) == (state, city.bank)


def test_leave__case_whose_entry_was_annulled_and_taken_by_another__stays_the_others(city, register, enter):
    enter(case=9)
    register.annul(INVOICE, BASIS, sender=city.founder)
    enter(case=10)
    assert register.leave(INVOICE, 9, city.supplier, sender=APPLICATION).events == []
    assert tuple(register.entryOf(INVOICE)) == (ENTERED, APPLICATION, 0, 10, NUMBER)
    left = {"fingerprint": INVOICE, "actor": city.supplier, "application": APPLICATION, "caseId": 10}
    receipt = register.leave(INVOICE, 10, city.supplier, sender=APPLICATION)
    assert receipt.events == [Event("FinancingRegister", "FingerprintLeft", left)]


@pytest.mark.parametrize("who", ["bank", "supplier", "founder"])
def test_enter_leave__without_the_role__refused(city, register, enter, who):
    enter()
    actor = getattr(city, who)
    with reverts("AccessManagedUnauthorized", caller=actor):
        register.enter(COPY, THIRD, 1, actor, sender=actor)
    with reverts("AccessManagedUnauthorized", caller=actor):
        register.leave(INVOICE, 9, actor, sender=actor)


# --- numbers and clearances


def test_number__another_fingerprint_while_it_is_taken__an_altered_copy(register, enter, consent, reserve):
    enter()
    refused = {"fingerprint": COPY, "numberFingerprint": NUMBER, "by": INVOICE}
    with reverts("FinancingRegister_NumberTaken", **refused):
        enter(COPY)
    with reverts("FinancingRegister_NumberTaken", **refused):
        reserve(consent(fingerprint=COPY, numberFingerprint=NUMBER))
    assert register.takenBy(NUMBER) == INVOICE


def test_clear__by_the_arbiter__the_copy_may_be_taken_and_the_number_stays_ambiguous(city, register, enter):
    enter()

    receipt = register.clear(COPY, NUMBER, BASIS, sender=city.founder)

    cleared = {"fingerprint": COPY, "actor": city.founder, "numberFingerprint": NUMBER, "basis": BASIS}
    assert receipt.events == [Event("FinancingRegister", "NumberCleared", cleared)]
    assert register.clearedFor(COPY) == NUMBER
    assert register.takenBy(NUMBER) == register.AMBIGUOUS()
    enter(COPY)
    with reverts("FinancingRegister_NumberTaken", fingerprint=THIRD, numberFingerprint=NUMBER, by=register.AMBIGUOUS()):
        enter(THIRD)
    register.clear(THIRD, NUMBER, BASIS, sender=city.founder)
    enter(THIRD)
    assert [register.entryOf(f).state for f in (INVOICE, COPY, THIRD)] == [ENTERED] * 3


def test_clear__everybody_left__still_ambiguous_for_good(city, register, enter):
    enter()
    register.clear(COPY, NUMBER, BASIS, sender=city.founder)
    enter(COPY)
    for fingerprint in (INVOICE, COPY):
        register.leave(fingerprint, 9, city.supplier, sender=APPLICATION)
    assert register.takenBy(NUMBER) == register.AMBIGUOUS()
    # Not even the first comes back without a clearance of its own; the cleared one does.
    for fingerprint in (INVOICE, THIRD):
        with reverts(
            "FinancingRegister_NumberTaken",
            fingerprint=fingerprint,
            numberFingerprint=NUMBER,
            by=register.AMBIGUOUS(),
        ):
            enter(fingerprint)
    enter(COPY)
    register.clear(INVOICE, NUMBER, BASIS, sender=city.founder)
    enter()


def test_clear__copy_used_before_it_was_cleared__as_cleared(city, register, enter):
    """A clearance given while the first is there holds after the first has left."""
    enter()
    register.clear(COPY, NUMBER, BASIS, sender=city.founder)
    register.leave(INVOICE, 9, city.supplier, sender=APPLICATION)
    enter(COPY)
    assert register.entryOf(COPY).state == ENTERED


def test_clear__for_another_number__does_not_help(city, register, enter):
    enter()
    enter(THIRD, number_of(THIRD))
    register.clear(COPY, number_of(THIRD), BASIS, sender=city.founder)
    with reverts("FinancingRegister_NumberTaken", fingerprint=COPY, numberFingerprint=NUMBER, by=INVOICE):
        enter(COPY)
    enter(COPY, number_of(THIRD))


@pytest.mark.parametrize("state", ["free", "lapsed", "released", "annulled", "left"])
def test_clear__number_that_nobody_holds__refused(city, register, put_into, state):
    put_into(state)
    with reverts("FinancingRegister_NumberFree", numberFingerprint=NUMBER):
        register.clear(COPY, NUMBER, BASIS, sender=city.founder)


def test_clear__who_holds_the_number__needs_none(city, register, enter):
    enter()
    with reverts("FinancingRegister_NumberFree", numberFingerprint=NUMBER):
        register.clear(INVOICE, NUMBER, BASIS, sender=city.founder)
    assert register.takenBy(NUMBER) == INVOICE


def test_clear__empty_fingerprint__refused(city, register, enter):
    enter()
    for empty in (bytes(32), register.AMBIGUOUS()):
        with reverts("FinancingRegister_EmptyFingerprint"):
            register.clear(empty, NUMBER, BASIS, sender=city.founder)


@pytest.mark.parametrize("who", ["bank", "supplier", "court"])
def test_clear_annul__without_the_role__refused(city, register, enter, who):
    enter()
    for function, args in (("clear", (COPY, NUMBER, BASIS)), ("annul", (INVOICE, BASIS))):
        with reverts("AccessManagedUnauthorized", caller=getattr(city, who)):
            getattr(register, function)(*args, sender=getattr(city, who))


def test_clear_annul__suspended_arbiter__refused(city, register, enter, admit, suspend):
    enter()
    arbiter = admit(dev_account(25).address, 1)
    suspend(arbiter)
    for function, args in (("clear", (COPY, NUMBER, BASIS)), ("annul", (INVOICE, BASIS))):
        with reverts("Members_Suspended", account=arbiter):
            getattr(register, function)(*args, sender=arbiter)


def test_number__left_and_entered_with_another_number__the_old_number_is_free(city, register, enter):
    enter()
    register.leave(INVOICE, 9, city.supplier, sender=APPLICATION)
    enter(INVOICE, THIRD)
    assert register.takenBy(NUMBER) == bytes(32)
    assert register.takenBy(THIRD) == INVOICE
    enter(COPY)  # nobody holds NUMBER
    assert register.takenBy(NUMBER) == COPY
    register.leave(INVOICE, 9, city.supplier, sender=APPLICATION)
    with reverts("FinancingRegister_NumberTaken", fingerprint=INVOICE, numberFingerprint=NUMBER, by=COPY):
        enter()


def test_number__lapsed_reservation__its_number_is_free_for_another(city, register, consent, reserve, enter):
    reserve(consent())
    city.chain.mine(WEEK)
    with reverts("FinancingRegister_NumberTaken", fingerprint=COPY, numberFingerprint=NUMBER, by=INVOICE):
        enter(COPY)
    city.chain.mine(1)
    enter(COPY)
    assert register.takenBy(NUMBER) == COPY
    with reverts("FinancingRegister_NumberTaken", fingerprint=INVOICE, numberFingerprint=NUMBER, by=COPY):
        reserve(consent(nonce=2))


# --- annul


@pytest.mark.parametrize("state", STATES)
def test_annul__from_every_state__whatever_is_taken(city, register, put_into, state):
    found, holder, _ = put_into(state)
    if found == FREE:
        with reverts("FinancingRegister_WrongState", fingerprint=INVOICE, state=FREE):
            register.annul(INVOICE, BASIS, sender=city.founder)
        return
    receipt = register.annul(INVOICE, BASIS, sender=city.founder)
    annulled = {"fingerprint": INVOICE, "actor": city.founder, "holder": holder, "basis": BASIS}
    assert receipt.events == [Event("FinancingRegister", "FinancingAnnulled", annulled)]
    assert tuple(register.entryOf(INVOICE)) == (FREE, ZERO, 0, 0, bytes(32))
    assert register.takenBy(NUMBER) == bytes(32)


# --- the manager


@pytest.mark.parametrize(
    ("function", "roles"),
    [
        ("reserve", ["RECEIVABLE_FINANCIER"]),
        ("release", []),
        ("finance", ["RECEIVABLE_FINANCIER"]),
        ("recordFiling", ["RECEIVABLE_FINANCIER"]),
        ("enter", ["FINANCING_APPLICATION"]),
        ("leave", ["FINANCING_APPLICATION"]),
        ("clear", ["FINANCING_ARBITER"]),
        ("annul", ["FINANCING_ARBITER"]),
        ("withdrawConsent", []),
    ],
)
def test_any_function__called_through_the_manager__refused(city, register, consent, sign_consent, function, roles):
    authority = city.contract("Authority")
    for role in ("ROLE_GRANTER", *roles):
        authority.grantRole(city.city.roles[role], city.founder, 0, sender=city.founder)
    agreed = consent(bank=authority.address)
    args = {
        "reserve": (tuple(vars(agreed).values()), sign_consent(agreed)),
        "finance": (INVOICE, FILING),
        "recordFiling": (INVOICE, FILING),
        "enter": (INVOICE, NUMBER, 1, city.supplier),
        "leave": (INVOICE, 9, city.supplier),
        "clear": (INVOICE, NUMBER, BASIS),
        "annul": (INVOICE, BASIS),
        "withdrawConsent": (tuple(vars(agreed).values()),),
    }.get(function, (INVOICE,))
    with reverts("Application_ManagerCannotAct", manager=authority):
        authority.execute(register, getattr(register, function).encode(*args), sender=city.founder)


def test_forwarder__registers_do_not_trust_it(city, register, consent):
    forwarder = city.contract("Forwarder")
    call = (register.withdrawConsent, tuple(vars(consent()).values()))
    request = forward_request(forwarder, call, dev_account(5).key, city.supplier)
    with reverts("ERC2771UntrustfulTarget", target=register, forwarder=forwarder):
        forwarder.execute(request, sender=city.founder)
