"""Members: kinds, admission, statuses, receivers; what suspension stops and what it leaves alone."""

from __future__ import annotations

import random

import pytest

from frontend_api.kit.ids import parse_credit_code
from tests.evm import Reverted, dev_account, reverts
from tests.samples import ALPHABET, BASIS, STANDARD_CODE, credit_code

NEWCOMER = dev_account(19).address
OTHER = dev_account(18).address
ZERO = "0x" + "00" * 20
PROFILE = b"\x77" * 32
NONE, ACTIVE, SUSPENDED, RETIRED = range(4)
STATUSES = (NONE, ACTIVE, SUSPENDED, RETIRED)
RESIDENT = 255


@pytest.fixture
def put(city, members):
    """An account in a given status, as a member or a resident."""

    def placed(status, resident=False):
        if status == NONE:
            return NEWCOMER
        if resident:
            members.enrol(NEWCOMER, PROFILE, city.chain.time + 1000, sender=city.registry)
        else:
            members.admit(NEWCOMER, 3, STANDARD_CODE, PROFILE, sender=city.founder)
        if status == SUSPENDED:
            members.suspend(NEWCOMER, BASIS, sender=city.founder)
        if status == RETIRED:
            members.retire(NEWCOMER, BASIS, sender=city.founder)
        assert members.party(NEWCOMER).status == status
        return NEWCOMER

    return placed


# --- kinds


def test_define_kind__new__recorded(city, members):
    receipt = members.defineKind(77, "insurer", [5, 6], sender=city.founder)
    assert receipt.only("KindDefined") == {"kind": 77, "actor": city.founder, "label": "insurer", "roles": [5, 6]}
    assert members.rolesOf(77) == [5, 6]


@pytest.mark.parametrize("kind", [0, RESIDENT])
def test_define_kind__reserved_number__refused(city, members, kind):
    with reverts("Members_KindReserved", kind=kind):
        members.defineKind(kind, "x", [1], sender=city.founder)


def test_define_kind__twice__refused(city, members):
    with reverts("Members_KindAlreadyDefined", kind=3):
        members.defineKind(3, "bank", [1], sender=city.founder)


@pytest.mark.parametrize("count", [0, 17])
def test_define_kind__no_role_or_too_many__refused(city, members, count):
    with reverts("Members_TooManyRoles", roles=count, limit=16):
        members.defineKind(77, "x", list(range(1, count + 1)), sender=city.founder)


def test_define_kind__sixteen_roles__accepted(city, members):
    members.defineKind(77, "x", list(range(1, 17)), sender=city.founder)
    assert len(members.rolesOf(77)) == 16


def test_admit__kind_that_confers_the_admin_role__nobody_becomes_admin(city, members):
    members.defineKind(77, "coup", [0], sender=city.founder)
    with reverts("AccessManagerUnauthorizedAccount", msgsender=members, roleId=0):
        members.admit(NEWCOMER, 77, STANDARD_CODE, PROFILE, sender=city.founder)


# --- admission


def test_admit__valid_code__grants_the_roles_of_the_kind(city, members, authority):
    receipt = members.admit(NEWCOMER, 3, STANDARD_CODE, PROFILE, sender=city.founder)

    assert receipt.only("MemberAdmitted") == {
        "account": NEWCOMER,
        "actor": city.founder,
        "kind": 3,
        "creditCode": STANDARD_CODE,
        "profile": PROFILE,
    }
    for label in ("MORTGAGE_LENDER", "SETTLEMENT_BANK"):
        assert authority.hasRole(city.city.roles[label], NEWCOMER) == (True, 0)
    assert authority.hasRole(city.city.roles["COURT"], NEWCOMER) == (False, 0)
    assert members.holderOf(STANDARD_CODE) == NEWCOMER
    assert tuple(members.party(NEWCOMER)) == (STANDARD_CODE, 3, ACTIVE, 0, PROFILE)


def test_admit__zero_account__refused(city, members):
    with reverts("Members_ZeroAccount"):
        members.admit(ZERO, 3, STANDARD_CODE, PROFILE, sender=city.founder)


def test_admit__no_profile__refused(city, members):
    with reverts("Members_EmptyCommitment"):
        members.admit(NEWCOMER, 3, STANDARD_CODE, bytes(32), sender=city.founder)


@pytest.mark.parametrize("kind", [0, 76, RESIDENT])
def test_admit__unknown_kind__refused(city, members, kind):
    with reverts("Members_UnknownKind", kind=kind):
        members.admit(NEWCOMER, kind, STANDARD_CODE, PROFILE, sender=city.founder)


def test_admit__code_of_another__refused(city, members, put):
    put(ACTIVE)
    with reverts("Members_CreditCodeTaken", creditCode=STANDARD_CODE, holder=NEWCOMER):
        members.admit(OTHER, 5, STANDARD_CODE, PROFILE, sender=city.founder)


def test_admit__code_of_a_retired_member__stays_taken(city, members, put):
    put(RETIRED)
    with reverts("Members_CreditCodeTaken", creditCode=STANDARD_CODE, holder=NEWCOMER):
        members.admit(OTHER, 5, STANDARD_CODE, PROFILE, sender=city.founder)


@pytest.mark.parametrize("status", [ACTIVE, SUSPENDED, RETIRED])
@pytest.mark.parametrize("resident", [False, True])
def test_admit_and_enrol__account_seen_before__refused(city, members, put, status, resident):
    put(status, resident)
    with reverts("Members_AlreadyEnrolled", account=NEWCOMER, status=status):
        members.admit(NEWCOMER, 5, credit_code(1), PROFILE, sender=city.founder)
    with reverts("Members_AlreadyEnrolled", account=NEWCOMER, status=status):
        members.enrol(NEWCOMER, PROFILE, city.chain.time + 1, sender=city.registry)


# --- credit codes (GB 32100-2015)


def accepted(city, members, code: bytes) -> bool:
    """Whether the contract takes the code; it may refuse it for no other reason than its characters."""
    refusal = None
    with city.chain.isolated():
        try:
            members.admit(NEWCOMER, 5, code, PROFILE, sender=city.founder)
        except Reverted as error:
            refusal = error.error, error.error_args
    assert refusal in (None, ("Members_InvalidCreditCode", {"creditCode": code}))
    return refusal is None


def by_python(code: bytes) -> bool:
    try:
        parse_credit_code(code.decode("latin-1"))
    except ValueError:
        return False
    return True


def test_admit__every_check_character__only_the_right_one_passes(city, members):
    body = STANDARD_CODE[:17]
    passing = [c for c in ALPHABET if accepted(city, members, body + c.encode())]
    assert passing == ["3"]


@pytest.mark.parametrize(
    "code",
    [
        b"91350100M000100I43",  # I, O, S, V, Z are no characters of the alphabet
        b"91350100M000100O43",
        b"91350100m000100y43",
        b"0" * 17 + b"1",
        bytes(18),
        b"91350100M000100Y4\0",  # 17 characters, padded
        b"91350100M000100Y" + b"\0\0",
        b"\xff" * 18,
        b"                  ",
    ],
)
def test_admit__not_of_the_alphabet_or_shorter__refused(city, members, code):
    with reverts("Members_InvalidCreditCode", creditCode=code):
        members.admit(NEWCOMER, 3, code, PROFILE, sender=city.founder)


def test_admit__any_single_character_changed__noticed(city, members):
    rng = random.Random(31)
    for position in range(17):
        wrong = bytearray(STANDARD_CODE)
        wrong[position] = ord(rng.choice([c for c in ALPHABET if ord(c) != STANDARD_CODE[position]]))
        assert not accepted(city, members, bytes(wrong)), bytes(wrong)


def test_admit__2000_seeded_codes__solidity_and_python_agree(city, members):
    rng = random.Random(32100)
    agreed = {True: 0, False: 0}
    for number in range(2000):
        code = bytearray(credit_code(rng.randrange(10**7)))
        if number % 2:
            for _ in range(rng.randrange(1, 3)):
                pool = rng.choice([ALPHABET.encode(), b"IOSVZ", bytes(range(256))])
                code[rng.randrange(18)] = rng.choice(pool)
        verdict = by_python(bytes(code))
        assert accepted(city, members, bytes(code)) == verdict, bytes(code)
        agreed[verdict] += 1
    assert min(agreed.values()) > 500, agreed


# --- residents


def test_enrol__resident__recorded_until_the_last_second(city, members):
    until = city.chain.time + 100
    receipt = members.enrol(NEWCOMER, PROFILE, until, sender=city.registry)

    assert receipt.only("ResidentEnrolled") == {
        "account": NEWCOMER,
        "actor": city.registry,
        "identity": PROFILE,
        "validUntil": until,
    }
    assert tuple(members.party(NEWCOMER)) == (bytes(18), RESIDENT, ACTIVE, until, PROFILE)
    city.chain.mine(100)
    members.requireActive(NEWCOMER)
    assert members.isActive(NEWCOMER) is True
    city.chain.mine(1)
    assert members.isActive(NEWCOMER) is False
    assert members.mayHold(NEWCOMER) is True  # expiry takes no money away
    for check in (members.requireActive, members.requireNotBarred):
        with reverts("Members_Expired", account=NEWCOMER, validUntil=until):
            check(NEWCOMER)


def test_enrol__zero_account_or_commitment__refused(city, members):
    with reverts("Members_ZeroAccount"):
        members.enrol(ZERO, PROFILE, city.chain.time + 1, sender=city.registry)
    with reverts("Members_EmptyCommitment"):
        members.enrol(NEWCOMER, bytes(32), city.chain.time + 1, sender=city.registry)


@pytest.mark.parametrize("late", [0, -1])
def test_enrol_and_renew__validity_in_the_past__refused(city, members, late):
    when = city.chain.time + late
    with reverts("Members_ValidityInPast", validUntil=when, chainTime=city.chain.time):
        members.enrol(NEWCOMER, PROFILE, when, sender=city.registry)
    with reverts("Members_ValidityInPast", validUntil=when, chainTime=city.chain.time):
        members.renew(city.li, when, sender=city.registry)


def test_enrol__largest_validity__never_expires(city, members):
    members.enrol(NEWCOMER, PROFILE, 2**64 - 1, sender=city.registry)
    assert members.isActive(NEWCOMER) is True


def test_renew__expired_resident__active_again(city, members, put):
    put(ACTIVE, resident=True)
    city.chain.mine(5000)
    until = city.chain.time + 50

    receipt = members.renew(NEWCOMER, until, sender=city.registry)

    assert receipt.only("ResidentRenewed") == {"account": NEWCOMER, "actor": city.registry, "validUntil": until}
    assert members.isActive(NEWCOMER) is True


def test_renew__member_or_nobody__not_a_resident(city, members):
    for account in (city.bank, NEWCOMER):
        with reverts("Members_NotAResident", account=account):
            members.renew(account, city.chain.time + 1, sender=city.registry)


# --- statuses: every function that needs one, in every status


def _suspend(city, members):
    return members.suspend(NEWCOMER, BASIS, sender=city.founder)


def _reinstate(city, members):
    return members.reinstate(NEWCOMER, BASIS, sender=city.founder)


def _retire(city, members):
    return members.retire(NEWCOMER, BASIS, sender=city.founder)


TRANSITIONS = {
    # function: (statuses it starts from, where it leads, its event)
    _suspend: ({ACTIVE}, SUSPENDED, "PartySuspended"),
    _reinstate: ({SUSPENDED}, ACTIVE, "PartyReinstated"),
    _retire: ({ACTIVE, SUSPENDED}, RETIRED, "PartyRetired"),
}


@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("move", TRANSITIONS, ids=lambda m: m.__name__.strip("_"))
def test_status__every_move_from_every_status__allowed_or_refused(city, members, put, move, status, resident):
    allowed, leads_to, event = TRANSITIONS[move]
    put(status, resident)
    if status in allowed:
        receipt = move(city, members)
        assert receipt.only(event) == {"account": NEWCOMER, "actor": city.founder, "basis": BASIS}
        assert members.party(NEWCOMER).status == leads_to
        return
    if move is _retire:
        expected = ("Members_NotEnrolled" if status == NONE else "Members_Retired", {"account": NEWCOMER})
    else:
        required = next(iter(allowed))
        expected = ("Members_WrongStatus", {"account": NEWCOMER, "status": status, "required": required})
    with reverts(expected[0], **expected[1]):
        move(city, members)


@pytest.mark.parametrize("status", [NONE, SUSPENDED, RETIRED])
def test_renew__resident_in_another_status__refused(city, members, put, status):
    put(status, resident=True)
    error = (
        ("Members_NotAResident", {"account": NEWCOMER})
        if status == NONE
        else ("Members_WrongStatus", {"account": NEWCOMER, "status": status, "required": ACTIVE})
    )
    with reverts(error[0], **error[1]):
        members.renew(NEWCOMER, city.chain.time + 9, sender=city.registry)


@pytest.mark.parametrize("status", STATUSES)
def test_views__in_every_status__agree(members, put, status):
    put(status)
    assert members.isActive(NEWCOMER) is (status == ACTIVE)
    assert members.mayHold(NEWCOMER) is (status in (ACTIVE, SUSPENDED))
    error = {NONE: "Members_NotEnrolled", SUSPENDED: "Members_Suspended", RETIRED: "Members_Retired"}.get(status)
    if error is None:
        members.requireActive(NEWCOMER)
    else:
        with reverts(error, account=NEWCOMER):
            members.requireActive(NEWCOMER)
    if status in (NONE, ACTIVE):
        members.requireNotBarred(NEWCOMER)
    else:
        with reverts(error, account=NEWCOMER):
            members.requireNotBarred(NEWCOMER)


@pytest.mark.parametrize("order", [0, 1])
def test_require_both_active__either_suspended__refused(city, members, put, order):
    put(SUSPENDED)
    pair = [NEWCOMER, city.bank]
    with reverts("Members_Suspended", account=NEWCOMER):
        members.requireBothActive(*(pair if order else pair[::-1]))
    members.requireBothActive(city.bank, city.li)


def test_retire__member__loses_the_roles_of_its_kind(city, members, authority, put):
    put(RETIRED)
    for role in members.rolesOf(3):
        assert authority.hasRole(role, NEWCOMER) == (False, 0)


def test_suspend__member__keeps_its_roles(city, members, authority, put):
    put(SUSPENDED)
    for role in members.rolesOf(3):
        assert authority.hasRole(role, NEWCOMER) == (True, 0)


# --- profiles


def test_change_profile__active_member__recorded(city, members):
    receipt = members.changeProfile(PROFILE, sender=city.bank)
    assert receipt.only("ProfileChanged") == {"account": city.bank, "actor": city.bank, "profile": PROFILE}
    assert members.party(city.bank).commitment == PROFILE


def test_change_profile__empty__refused(city, members):
    with reverts("Members_EmptyCommitment"):
        members.changeProfile(bytes(32), sender=city.bank)


@pytest.mark.parametrize("status", [SUSPENDED, RETIRED])
def test_change_profile__not_active__refused(members, put, status):
    put(status)
    with reverts("Members_WrongStatus", account=NEWCOMER, status=status, required=ACTIVE):
        members.changeProfile(PROFILE, sender=NEWCOMER)


def test_change_profile__nobody_or_resident__not_a_member(city, members):
    for account in (NEWCOMER, city.li.address):
        with reverts("Members_NotAMember", account=account):
            members.changeProfile(PROFILE, sender=account)


# --- receivers


def test_appoint_receiver__suspended_member__recorded_until_reinstated(city, members, put):
    put(SUSPENDED)
    receipt = members.appointReceiver(NEWCOMER, city.bank2, BASIS, sender=city.court)
    assert receipt.only("ReceiverAppointed") == {
        "account": NEWCOMER,
        "actor": city.court,
        "receiver": city.bank2,
        "basis": BASIS,
    }
    assert members.receiverOf(NEWCOMER) == city.bank2
    members.reinstate(NEWCOMER, BASIS, sender=city.founder)
    assert members.receiverOf(NEWCOMER) == ZERO


def test_appoint_receiver__retired_afterwards__still_in_charge(city, members, put):
    put(SUSPENDED)
    members.appointReceiver(NEWCOMER, city.bank2, BASIS, sender=city.court)
    members.retire(NEWCOMER, BASIS, sender=city.founder)
    assert members.receiverOf(NEWCOMER) == city.bank2


@pytest.mark.parametrize("status", [ACTIVE, RETIRED])
def test_appoint_receiver__member_not_suspended__refused(city, members, put, status):
    put(status)
    with reverts("Members_WrongStatus", account=NEWCOMER, status=status, required=SUSPENDED):
        members.appointReceiver(NEWCOMER, city.bank2, BASIS, sender=city.court)


def test_appoint_receiver__for_nobody_or_a_resident__refused(city, members, put):
    with reverts("Members_NotAMember", account=NEWCOMER):
        members.appointReceiver(NEWCOMER, city.bank2, BASIS, sender=city.court)
    put(SUSPENDED, resident=True)
    with reverts("Members_NotAMember", account=NEWCOMER):
        members.appointReceiver(NEWCOMER, city.bank2, BASIS, sender=city.court)


@pytest.mark.parametrize("who", ["nobody", "a resident", "itself", "a suspended member"])
def test_appoint_receiver__receiver_is_no_active_member__refused(city, members, put, suspend, who):
    put(SUSPENDED)
    suspend(city.bank2)
    receiver = {
        "nobody": OTHER,
        "a resident": city.li.address,
        "itself": NEWCOMER,
        "a suspended member": city.bank2,
    }[who]
    with reverts("Members_ReceiverNotActive", receiver=receiver):
        members.appointReceiver(NEWCOMER, receiver, BASIS, sender=city.court)


# --- who uses a role


def _offices(city, members):
    """Every function that takes a role, with arguments that would do."""
    later = city.chain.time + 9
    return {
        "defineKind": (members.defineKind, (77, "x", [1]), city.founder),
        "admit": (members.admit, (NEWCOMER, 3, STANDARD_CODE, PROFILE), city.founder),
        "suspend": (members.suspend, (city.bank, BASIS), city.founder),
        "reinstate": (members.reinstate, (city.supplier, BASIS), city.founder),
        "retire": (members.retire, (city.bank, BASIS), city.founder),
        "appointReceiver": (members.appointReceiver, (city.supplier, city.bank, BASIS), city.court),
        "enrol": (members.enrol, (NEWCOMER, PROFILE, later), city.registry),
        "renew": (members.renew, (city.li, later), city.registry),
    }


OFFICES = ["defineKind", "admit", "suspend", "reinstate", "retire", "appointReceiver", "enrol", "renew"]


@pytest.mark.parametrize("name", OFFICES)
def test_restricted__suspended_office__keeps_the_role_but_may_not_use_it(city, members, suspend, name):
    function, args, office = _offices(city, members)[name]
    suspend(city.supplier)
    with city.chain.isolated():
        function(*args, sender=office)
    suspend(office)
    with reverts("Members_Suspended", account=office):
        function(*args, sender=office)


def test_reinstate__suspended_registrar_itself__refused(city, members, suspend):
    suspend(city.founder)
    with reverts("Members_Suspended", account=city.founder):
        members.reinstate(city.founder, BASIS, sender=city.founder)


def test_restricted__retired_office_with_a_role_of_its_own__refused(city, members, give, retire):
    give("MEMBER_REGISTRAR", city.court)
    retire(city.court)
    with reverts("Members_Retired", account=city.court):
        members.suspend(city.bank, BASIS, sender=city.court)


def test_restricted__holder_of_a_role_that_is_no_member__may(city, members, give):
    """The founding office before its own admission; later, the council's timelock."""
    give("MEMBER_REGISTRAR", NEWCOMER)
    members.suspend(city.bank, BASIS, sender=NEWCOMER)
    assert members.party(city.bank).status == SUSPENDED


@pytest.mark.parametrize("name", OFFICES)
def test_restricted__through_the_manager__refused(city, members, authority, suspend, through_manager, name):
    function, args, office = _offices(city, members)[name]
    suspend(city.supplier)
    with reverts("Members_ManagerCannotAct", manager=authority):
        through_manager(function, *args, sender=office)


@pytest.mark.parametrize("name", OFFICES)
def test_restricted__by_a_stranger__refused(city, members, name):
    function, args, _ = _offices(city, members)[name]
    with reverts("AccessManagedUnauthorized", caller=NEWCOMER):
        function(*args, sender=NEWCOMER)


def test_admit__data_with_a_forged_sender_behind_it__still_a_stranger(city, members):
    """Registries do not read a sender from the end of the data (ERC-2771)."""
    data = members.admit.encode(NEWCOMER, 3, STANDARD_CODE, PROFILE) + bytes.fromhex(city.founder[2:])
    with reverts("AccessManagedUnauthorized", caller=OTHER):
        city.chain.send(OTHER, members.address, data)
