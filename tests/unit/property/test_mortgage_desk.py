"""MortgageDesk: from application to release, every function in every state, and who may do what for whom."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import dev_account, reverts
from tests.samples import BASIS, unit_number
from tests.signing import forward_request

UNIT = unit_number(1)
ROOT, NEXT, TERMS = b"\xce" * 32, b"\xcf" * 32, b"\x7e" * 32
PRINCIPAL = 85_000_000
STEP = 30 * 86400
SCOPE = b"PROPERTY".ljust(32, b"\0")
DESK = dev_account(17).address
NOBODY = dev_account(19).address
ZERO = "0x" + "00" * 20
STATES = NONE, APPLIED, OFFERED, ACCEPTED, REGISTERED, RELEASED, CLOSED = range(7)
OPEN = (APPLIED, OFFERED, ACCEPTED)


@pytest.fixture
def mandate(city):
    """Li lets Chen act for it."""
    return lambda agent=None, until=10**6: city.contract("Mandates").grant(
        agent or city.chen, SCOPE, city.chain.time + until, sender=city.li
    )


@pytest.fixture
def offer(city, desk):
    def made(case, principal=PRINCIPAL, terms=TERMS, forbids=True, valid_for=86400, sender=None):
        args = (case, principal, terms, forbids, city.chain.time + valid_for)
        return desk.offer(*args, sender=sender or city.bank)

    return made


# --- the happy path


def test_mortgage__from_application_to_release__every_event(city, desk, titles, title, offer):
    li, start = city.li.address, city.chain.time
    assert desk.cases() == 0
    receipt = desk.applyFor(UNIT, city.bank, PRINCIPAL - 5, CNY, sender=city.li)
    assert receipt.value == desk.cases() == 1
    assert receipt.only("MortgageApplied") == {
        "caseId": 1,
        "actor": li,
        "unit": UNIT,
        "applicant": li,
        "bank": city.bank,
        "principal": PRINCIPAL - 5,
        "currency": CNY,
        "validUntil": start + STEP,
    }
    assert tuple(desk.caseOf(1)) == (
        (li, APPLIED, 0, CNY, False, city.bank, start + STEP, UNIT, PRINCIPAL - 5, bytes(32))
    )

    city.chain.mine(100)
    assert offer(1).only("MortgageOffered") == {
        "caseId": 1,
        "actor": city.bank,
        "principal": PRINCIPAL,
        "terms": TERMS,
        "forbidsTransfer": True,
        "validUntil": start + 100 + 86400,
    }

    city.chain.mine(100)
    assert desk.accept(1, TERMS, sender=city.li).only("MortgageAccepted") == {
        "caseId": 1,
        "actor": li,
        "terms": TERMS,
        "validUntil": start + 200 + STEP,
    }
    assert titles.titleOf(UNIT).liens == 0

    receipt = desk.register(1, sender=city.registry)
    assert receipt.only("MortgageRegistered") == {"caseId": 1, "actor": city.registry, "lien": 1}
    assert receipt.only("LienPlaced") == {
        "unit": UNIT,
        "actor": city.registry,
        "holder": city.bank,
        "number": 1,
        "amount": PRINCIPAL,
        "currency": CNY,
        "forbidsTransfer": True,
    }
    assert desk.caseOf(1).lien == 1

    receipt = desk.release(1, sender=city.bank)
    assert receipt.only("MortgageReleased") == {"caseId": 1, "actor": city.bank}
    assert receipt.only("LienReleased") == {"unit": UNIT, "actor": city.bank, "number": 1}
    assert titles.titleOf(UNIT).liens == 0
    assert desk.caseOf(1).state == RELEASED


def test_apply_for__several__ids_run_from_one(city, desk, title):
    made = [desk.applyFor(UNIT, city.bank, 1, CNY, sender=city.li).value for _ in range(3)]
    assert made == [1, 2, 3]


# --- every function in every state


def call(city, desk, name, case):
    table = {
        "offer": ((PRINCIPAL, TERMS, True, city.chain.time + 9), city.bank),
        "accept": ((TERMS,), city.li),
        "register": ((), city.registry),
        "withdraw": ((), city.li),
        "decline": ((BASIS,), city.bank),
        "refuse": ((BASIS,), city.registry),
        "release": ((), city.bank),
    }
    args, sender = table[name]
    return getattr(desk, name)(case, *args, sender=sender)


STARTS = {
    "offer": ((APPLIED,), OFFERED),
    "accept": ((OFFERED,), ACCEPTED),
    "register": ((ACCEPTED,), REGISTERED),
    "release": ((REGISTERED,), RELEASED),
    "withdraw": (OPEN, CLOSED),
    "decline": (OPEN, CLOSED),
    "refuse": (OPEN, CLOSED),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", STARTS)
def test_state__every_function_in_every_state__allowed_or_refused(city, desk, case_in, name, state):
    starts, leads_to = STARTS[name]
    case = case_in(state)
    if state in starts:
        receipt = call(city, desk, name, case)
        assert desk.caseOf(case).state == leads_to
        if leads_to == CLOSED:
            actor = {"withdraw": city.li.address, "decline": city.bank, "refuse": city.registry}[name]
            assert receipt.only("MortgageClosed") == {
                "caseId": case,
                "actor": actor,
                "from": state,
                "basis": bytes(32) if name == "withdraw" else BASIS,
            }
        return
    before = desk.caseOf(case)
    if state == NONE and name == "withdraw":
        expected = ("Desk_NotAuthorized", {"actor": city.li, "principal": ZERO, "scope": SCOPE})
    elif state == NONE and name == "decline":
        expected = ("MortgageDesk_NotTheBank", {"caseId": case, "actor": city.bank, "bank": ZERO})
    else:
        expected = ("MortgageDesk_WrongState", {"caseId": case, "state": state, "required": starts[0]})
    with reverts(expected[0], **expected[1]):
        call(city, desk, name, case)
    assert desk.caseOf(case) == before


@pytest.mark.parametrize(("state", "name"), [(APPLIED, "offer"), (OFFERED, "accept"), (ACCEPTED, "register")])
def test_step__last_second_or_after__done_or_expired(city, desk, case_in, state, name):
    case = case_in(state)
    until = desk.caseOf(case).validUntil
    city.chain.mine(until - city.chain.time)
    with city.chain.isolated():
        call(city, desk, name, case)
    city.chain.mine(1)
    with reverts("MortgageDesk_Expired", caseId=case, validUntil=until, chainTime=until + 1):
        call(city, desk, name, case)


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("name", ["withdraw", "decline", "refuse"])
def test_close__expired_case__still_closes(city, desk, case_in, state, name):
    case = case_in(state)
    city.chain.mine(365 * 86400)
    call(city, desk, name, case)
    assert desk.caseOf(case).state == CLOSED


# --- applying


def test_apply_for__no_principal_or_currency__refused(city, desk, title):
    with reverts("MortgageDesk_ZeroPrincipal"):
        desk.applyFor(UNIT, city.bank, 0, CNY, sender=city.li)
    with reverts("Currencies_NotListed", currency=b"USD"):
        desk.applyFor(UNIT, city.bank, 1, b"USD", sender=city.li)


def test_apply_for__no_active_title__refused(city, desk, titles, title):
    other = unit_number(2)
    with reverts("MortgageDesk_TitleNotActive", unit=other):
        desk.applyFor(other, city.bank, 1, CNY, sender=city.li)
    titles.cancel(UNIT, BASIS, sender=city.registry)
    with reverts("MortgageDesk_TitleNotActive", unit=UNIT):
        desk.applyFor(UNIT, city.bank, 1, CNY, sender=city.li)


def test_apply_for__by_another_than_the_owner__refused(city, desk, title):
    with reverts("Desk_NotAuthorized", actor=city.wang, principal=city.li, scope=SCOPE):
        desk.applyFor(UNIT, city.bank, 1, CNY, sender=city.wang)


@pytest.mark.parametrize("who", ["li", "bank"])
def test_apply_for__owner_or_bank_suspended__refused(city, desk, title, suspend, who):
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        desk.applyFor(UNIT, city.bank, 1, CNY, sender=city.li)


def test_apply_for__bank_nobody_knows__refused(city, desk, title):
    with reverts("Members_NotEnrolled", account=NOBODY):
        desk.applyFor(UNIT, NOBODY, 1, CNY, sender=city.li)


# --- agents


def test_agent__with_a_mandate__acts_for_the_owner(city, desk, title, mandate, offer):
    mandate()
    chen = city.chen.address
    applied = desk.applyFor(UNIT, city.bank, 1, CNY, sender=chen).only("MortgageApplied")
    assert (applied["actor"], applied["applicant"]) == (chen, city.li.address)
    offer(1)
    assert desk.accept(1, TERMS, sender=chen).only("MortgageAccepted")["actor"] == chen
    desk.withdraw(1, sender=chen)


@pytest.mark.parametrize("barred", ["suspended", "retired", "expired"])
def test_agent__of_a_barred_owner__can_neither_apply_nor_accept(
    city, desk, title, mandate, offer, suspend, case_in, barred
):
    mandate()
    case = case_in(OFFERED)
    members = city.contract("Members")
    error, values = {
        "suspended": ("Members_Suspended", {"account": city.li}),
        "retired": ("Members_Retired", {"account": city.li}),
        "expired": ("Members_Expired", {"account": city.li, "validUntil": city.chain.time + 5}),
    }[barred]
    if barred == "suspended":
        suspend(city.li)
    elif barred == "retired":
        members.retire(city.li, BASIS, sender=city.founder)
    else:
        members.renew(city.li, city.chain.time + 5, sender=city.registry)
        city.chain.mine(6)
    with reverts(error, **values):
        desk.applyFor(UNIT, city.bank, 1, CNY, sender=city.chen)
    with reverts(error, **values):
        desk.accept(case, TERMS, sender=city.chen)


def test_agent__suspended_itself__may_do_nothing(city, desk, mandate, suspend, case_in):
    mandate()
    case = case_in(OFFERED)
    suspend(city.chen)
    for act in (
        lambda: desk.applyFor(UNIT, city.bank, 1, CNY, sender=city.chen),
        lambda: desk.accept(case, TERMS, sender=city.chen),
    ):
        with reverts("Members_Suspended", account=city.chen):
            act()
    with reverts("Desk_NotAuthorized", actor=city.chen, principal=city.li, scope=SCOPE):
        desk.withdraw(case, sender=city.chen)


def test_agent__mandate_expired_or_withdrawn__refused(city, desk, mandate, case_in):
    mandate(until=60)
    case = case_in(OFFERED)
    city.chain.mine(61)
    with reverts("Desk_NotAuthorized", actor=city.chen, principal=city.li, scope=SCOPE):
        desk.accept(case, TERMS, sender=city.chen)


def test_bank__with_the_owners_mandate_or_as_owner__cannot_deal_with_itself(city, desk, titles, title, mandate, offer):
    mandate(agent=city.bank)
    with reverts("MortgageDesk_SelfDealing", actor=city.bank, bank=city.bank):
        desk.applyFor(UNIT, city.bank, 1, CNY, sender=city.bank)
    case = desk.applyFor(UNIT, city.bank, 1, CNY, sender=city.li).value
    offer(case)
    with reverts("MortgageDesk_SelfDealing", actor=city.bank, bank=city.bank):
        desk.accept(case, TERMS, sender=city.bank)

    own = unit_number(3)
    titles.registerTitle(own, city.bank, ROOT, sender=city.registry)
    with reverts("MortgageDesk_SelfDealing", actor=city.bank, bank=city.bank):
        desk.applyFor(own, city.bank, 1, CNY, sender=city.bank)
    desk.applyFor(own, city.bank2, 1, CNY, sender=city.bank)


# --- offering and accepting


def test_offer__by_another_bank__refused(city, case_in, offer):
    case = case_in(APPLIED)
    with reverts("MortgageDesk_NotTheBank", caseId=case, actor=city.bank2, bank=city.bank):
        offer(case, sender=city.bank2)


def test_offer__incomplete__refused(city, case_in, offer):
    case = case_in(APPLIED)
    with reverts("MortgageDesk_ZeroPrincipal"):
        offer(case, principal=0)
    with reverts("MortgageDesk_EmptyTerms", caseId=case):
        offer(case, terms=bytes(32))


def test_offer__validity__from_now_to_thirty_days(city, case_in, offer):
    case, now = case_in(APPLIED), city.chain.time
    with reverts("MortgageDesk_Expired", caseId=case, validUntil=now - 1, chainTime=now):
        offer(case, valid_for=-1)
    for too_long in (STEP + 1, 2**64 - 1 - now):
        with reverts("MortgageDesk_ValidityTooLong", caseId=case, validUntil=now + too_long, latest=now + STEP):
            offer(case, valid_for=too_long)
    for allowed in (0, STEP):
        with city.chain.isolated():
            offer(case, valid_for=allowed)


def test_offer__applicant_or_bank_suspended__refused(city, case_in, offer, suspend):
    case = case_in(APPLIED)
    with city.chain.isolated():
        suspend(city.li)
        with reverts("Members_Suspended", account=city.li):
            offer(case)
    suspend(city.bank)
    with reverts("Members_Suspended", account=city.bank):
        offer(case)


def test_accept__other_terms__refused(city, desk, case_in):
    case, other = case_in(OFFERED), b"\x01" * 32
    with reverts("MortgageDesk_OtherTerms", caseId=case, terms=other, offered=TERMS):
        desk.accept(case, other, sender=city.li)


def test_accept__by_another__refused(city, desk, case_in):
    case = case_in(OFFERED)
    with reverts("Desk_NotAuthorized", actor=city.wang, principal=city.li, scope=SCOPE):
        desk.accept(case, TERMS, sender=city.wang)


@pytest.mark.parametrize("who", ["li", "bank"])
def test_accept__either_suspended__refused(city, desk, case_in, suspend, who):
    case = case_in(OFFERED)
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        desk.accept(case, TERMS, sender=city.li)


def test_accept__forwarded__the_owner_pays_no_gas(city, desk, case_in):
    case = case_in(OFFERED)
    forwarder = city.contract("Forwarder")
    request = forward_request(forwarder, (desk.accept, case, TERMS), city.li.key, city.li.address)
    assert forwarder.execute(request, sender=NOBODY).only("MortgageAccepted")["actor"] == city.li.address
    with reverts("Desk_NotAuthorized", actor=NOBODY, principal=city.li, scope=SCOPE):
        data = desk.withdraw.encode(case) + bytes.fromhex(city.li.address[2:])
        city.chain.send(NOBODY, desk.address, data)


# --- registering


def test_register__title_moved_since__refused_and_case_stays(city, desk, titles, case_in):
    case = case_in(ACCEPTED)
    titles.transferTitle(UNIT, city.li, city.wang, NEXT, city.court, sender=DESK)
    with reverts("TitleRegistry_NotTheOwner", unit=UNIT, owner=city.wang, claimed=city.li):
        desk.register(case, sender=city.registry)
    assert desk.caseOf(case).state == ACCEPTED


def test_register__title_cancelled_since__refused(city, desk, titles, case_in):
    case = case_in(ACCEPTED)
    titles.cancel(UNIT, BASIS, sender=city.registry)
    with reverts("TitleRegistry_NotActive", unit=UNIT, status=3):
        desk.register(case, sender=city.registry)


def test_register__ninth_lien__refused_and_case_stays(city, desk, lien, case_in):
    case = case_in(ACCEPTED)
    for _ in range(8):
        lien()
    with reverts("TitleRegistry_TooManyLiens", unit=UNIT, limit=8):
        desk.register(case, sender=city.registry)
    assert desk.caseOf(case).state == ACCEPTED


@pytest.mark.parametrize("name", ["register", "refuse", "offer"])
def test_restricted__by_others_or_through_the_manager__refused(city, desk, case_in, name):
    case = case_in({"register": ACCEPTED}.get(name, APPLIED))
    args = {"register": (case,), "refuse": (case, BASIS), "offer": (case, 1, TERMS, True, city.chain.time + 9)}[name]
    office = city.bank if name == "offer" else city.registry
    for caller in (city.li.address, city.court, NOBODY):
        with reverts("AccessManagedUnauthorized", caller=caller):
            getattr(desk, name)(*args, sender=caller)
    authority = city.contract("Authority")
    with reverts("Application_ManagerCannotAct", manager=authority):
        authority.execute(desk, getattr(desk, name).encode(*args), sender=office)


@pytest.mark.parametrize("name", ["register", "refuse"])
def test_restricted__suspended_registrar__refused(city, desk, case_in, suspend, name):
    case = case_in(ACCEPTED)
    suspend(city.registry)
    with reverts("Members_Suspended", account=city.registry):
        call(city, desk, name, case)


def test_register__parties_suspended_after_the_contract__it_is_carried_out(city, desk, case_in, suspend):
    case = case_in(ACCEPTED)
    suspend(city.li)
    suspend(city.bank)
    desk.register(case, sender=city.registry)


# --- obligations


@pytest.mark.parametrize("name", ["release", "decline"])
def test_bank__suspended__still_meets_its_obligations(city, desk, case_in, suspend, name):
    case = case_in(REGISTERED if name == "release" else OFFERED)
    suspend(city.bank)
    call(city, desk, name, case)


@pytest.mark.parametrize("name", ["release", "decline"])
def test_bank__by_another__refused(city, desk, case_in, name):
    case = case_in(REGISTERED if name == "release" else OFFERED)
    args = () if name == "release" else (BASIS,)
    for caller in (city.bank2, city.li.address, city.registry, NOBODY):
        with reverts("MortgageDesk_NotTheBank", caseId=case, actor=caller, bank=city.bank):
            getattr(desk, name)(case, *args, sender=caller)


def test_release__by_the_receiver_of_a_suspended_bank__while_it_is_active(city, desk, case_in, suspend):
    case = case_in(REGISTERED)
    suspend(city.bank)
    city.contract("Members").appointReceiver(city.bank, city.bank2, BASIS, sender=city.court)
    with city.chain.isolated():
        assert desk.release(case, sender=city.bank2).only("MortgageReleased")["actor"] == city.bank2
    suspend(city.bank2)
    with reverts("Members_Suspended", account=city.bank2):
        desk.release(case, sender=city.bank2)


def test_release__title_with_a_new_owner__lien_followed_and_is_released(city, desk, titles, case_in):
    case = case_in(REGISTERED, forbids=False)
    titles.transferTitle(UNIT, city.li, city.wang, NEXT, city.court, sender=DESK)
    desk.release(case, sender=city.bank)
    assert titles.titleOf(UNIT).liens == 0


def test_withdraw__suspended_owner__still_may(city, desk, case_in, suspend):
    case = case_in(ACCEPTED)
    suspend(city.li)
    desk.withdraw(case, sender=city.li)


@pytest.mark.parametrize("name", ["applyFor", "accept", "withdraw", "decline", "release"])
def test_open__through_the_manager__refused(city, desk, case_in, name):
    case = case_in(OFFERED if name != "release" else REGISTERED)
    args = {
        "applyFor": (UNIT, city.bank, 1, CNY),
        "accept": (case, TERMS),
        "decline": (case, BASIS),
    }.get(name, (case,))
    authority = city.contract("Authority")
    with reverts("Application_ManagerCannotAct", manager=authority):
        authority.execute(desk, getattr(desk, name).encode(*args), sender=dev_account(0))
