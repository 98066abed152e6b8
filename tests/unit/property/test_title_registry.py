"""TitleRegistry: titles and their liens, every move in every status, and what wallets see (ERC-721, ERC-5192)."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import Event, dev_account, reverts
from tests.samples import BASIS, unit_number

UNIT = unit_number(1)
OTHER = unit_number(2)
TOKEN_ID = int.from_bytes(UNIT, "big")
ROOT, NEXT = b"\xce" * 32, b"\xcf" * 32
DESK = dev_account(17).address
NOBODY = dev_account(19).address
ZERO = "0x" + "00" * 20
NONE, ACTIVE, SUPERSEDED, CANCELLED = range(4)
LIEN_NONE, LIEN_ACTIVE, LIEN_RELEASED = range(3)


# --- registration


def test_register_title__new_unit__owned_and_locked(city, titles):
    receipt = titles.registerTitle(UNIT, city.li, ROOT, sender=city.registry)
    li = city.li.address
    assert receipt.events == [
        Event(
            "TitleRegistry",
            "TitleRegistered",
            {"unit": UNIT, "actor": city.registry, "owner": li, "certificateRoot": ROOT},
        ),
        Event("TitleRegistry", "Transfer", {"from": ZERO, "to": li, "tokenId": TOKEN_ID}),
        Event("TitleRegistry", "Locked", {"tokenId": TOKEN_ID}),
    ]
    assert tuple(titles.titleOf(UNIT)) == (li, city.chain.time, 1, ACTIVE, 0, ROOT)
    assert (titles.ownerOf(TOKEN_ID), titles.balanceOf(city.li), titles.locked(TOKEN_ID)) == (li, 1, True)


def test_register_title__malformed_number_or_no_certificate__refused(city, titles):
    bad = UNIT[:27] + b"a"
    with reverts("TitleRegistry_MalformedUnitNumber", unit=bad):
        titles.registerTitle(bad, city.li, ROOT, sender=city.registry)
    with reverts("TitleRegistry_EmptyCertificateRoot", unit=UNIT):
        titles.registerTitle(UNIT, city.li, bytes(32), sender=city.registry)


@pytest.mark.parametrize("status", [ACTIVE, CANCELLED])
def test_register_title__unit_seen_before__refused(city, titles, title, status):
    if status == CANCELLED:
        titles.cancel(UNIT, BASIS, sender=city.registry)
    with reverts("TitleRegistry_AlreadyRegistered", unit=UNIT, status=status):
        titles.registerTitle(UNIT, city.wang, NEXT, sender=city.registry)


def test_register_title__owner_not_active__refused(city, titles, suspend):
    for owner in (NOBODY, ZERO):
        with reverts("Members_NotEnrolled", account=owner):
            titles.registerTitle(UNIT, owner, ROOT, sender=city.registry)
    suspend(city.li)
    with reverts("Members_Suspended", account=city.li):
        titles.registerTitle(UNIT, city.li, ROOT, sender=city.registry)


# --- moves in every status


def moves(city, titles):
    li, wang = city.li, city.wang
    return {
        "transferTitle": (titles.transferTitle, (UNIT, li, wang, NEXT, city.registry), DESK),
        "reissue": (titles.reissue, (UNIT, NEXT, BASIS), city.registry),
        "cancel": (titles.cancel, (UNIT, BASIS), city.registry),
        "placeLien": (titles.placeLien, (UNIT, li, city.bank, 5, CNY, True, city.registry), DESK),
    }


MOVES = ("transferTitle", "reissue", "cancel", "placeLien")


@pytest.mark.parametrize("status", [NONE, ACTIVE, CANCELLED])
@pytest.mark.parametrize("name", MOVES)
def test_status__every_move_in_every_status__active_only(city, titles, name, status):
    if status != NONE:
        titles.registerTitle(UNIT, city.li, ROOT, sender=city.registry)
    if status == CANCELLED:
        titles.cancel(UNIT, BASIS, sender=city.registry)
    function, args, sender = moves(city, titles)[name]
    if status != ACTIVE:
        with reverts("TitleRegistry_NotActive", unit=UNIT, status=status):
            function(*args, sender=sender)
        return
    function(*args, sender=sender)
    assert titles.titleOf(UNIT).status == (CANCELLED if name == "cancel" else ACTIVE)


@pytest.mark.parametrize("name", [*MOVES, "releaseLien", "registerTitle"])
def test_restricted__by_the_owner_a_bank_or_a_stranger__refused(city, titles, lien, name):
    number = lien()
    table = {
        **moves(city, titles),
        "releaseLien": (titles.releaseLien, (UNIT, number, city.bank), DESK),
        "registerTitle": (titles.registerTitle, (OTHER, city.li, ROOT), city.registry),
    }
    function, args, _ = table[name]
    for caller in (city.li.address, city.bank, NOBODY):
        with reverts("AccessManagedUnauthorized", caller=caller):
            function(*args, sender=caller)


@pytest.mark.parametrize("name", ["registerTitle", "reissue", "cancel"])
def test_restricted__suspended_registrar_or_through_the_manager__refused(city, titles, title, suspend, name):
    args = {"registerTitle": (OTHER, city.li, ROOT), "reissue": (UNIT, NEXT, BASIS), "cancel": (UNIT, BASIS)}[name]
    function, authority = getattr(titles, name), city.contract("Authority")
    with reverts("Application_ManagerCannotAct", manager=authority):
        authority.execute(titles, function.encode(*args), sender=city.registry)
    suspend(city.registry)
    with reverts("Members_Suspended", account=city.registry):
        function(*args, sender=city.registry)


@pytest.mark.parametrize("name", MOVES)
def test_restricted__desk_functions_and_registrar_functions__not_each_others(city, titles, title, name):
    function, args, sender = moves(city, titles)[name]
    other = city.registry if sender == DESK else DESK
    with reverts("AccessManagedUnauthorized", caller=other):
        function(*args, sender=other)


# --- transfer


def test_transfer_title__new_owner_and_certificate(city, titles, title):
    registered = city.chain.time
    city.chain.mine(77)
    receipt = titles.transferTitle(UNIT, city.li, city.wang, NEXT, city.court, sender=DESK)
    li, wang = city.li.address, city.wang.address
    assert receipt.events == [
        Event(
            "TitleRegistry",
            "TitleTransferred",
            {"unit": UNIT, "actor": city.court, "to": wang, "from": li, "version": 2, "certificateRoot": NEXT},
        ),
        Event("TitleRegistry", "Transfer", {"from": li, "to": wang, "tokenId": TOKEN_ID}),
    ]
    assert tuple(titles.titleOf(UNIT)) == (wang, registered, 2, ACTIVE, 0, NEXT)
    assert (titles.balanceOf(city.li), titles.balanceOf(city.wang)) == (0, 1)


def test_transfer_title__moved_meanwhile__refused(city, titles, title):
    titles.transferTitle(UNIT, city.li, city.wang, NEXT, city.court, sender=DESK)
    with reverts("TitleRegistry_NotTheOwner", unit=UNIT, owner=city.wang, claimed=city.li):
        titles.transferTitle(UNIT, city.li, city.chen, ROOT, city.court, sender=DESK)


def test_transfer_title__to_the_owner__refused(city, titles, title):
    with reverts("TitleRegistry_SameOwner", unit=UNIT, owner=city.li):
        titles.transferTitle(UNIT, city.li, city.li, NEXT, city.court, sender=DESK)


def test_transfer_title__to_nobody_or_a_suspended_party__refused(city, titles, title, suspend):
    for to in (NOBODY, ZERO):
        with reverts("Members_NotEnrolled", account=to):
            titles.transferTitle(UNIT, city.li, to, NEXT, city.court, sender=DESK)
    suspend(city.wang)
    with reverts("Members_Suspended", account=city.wang):
        titles.transferTitle(UNIT, city.li, city.wang, NEXT, city.court, sender=DESK)


def test_transfer_title__from_a_suspended_owner__the_law_may(city, titles, title, suspend):
    suspend(city.li)
    titles.transferTitle(UNIT, city.li, city.wang, NEXT, city.court, sender=DESK)


def test_transfer_title__liens__one_that_forbids_stops_it_others_follow(city, titles, title, lien):
    following, forbidding = lien(), lien(forbids=True)
    with reverts("TitleRegistry_TransferForbiddenByLien", unit=UNIT, forbidding=1):
        titles.transferTitle(UNIT, city.li, city.wang, NEXT, city.court, sender=DESK)
    titles.releaseLien(UNIT, forbidding, city.bank, sender=DESK)
    titles.transferTitle(UNIT, city.li, city.wang, NEXT, city.court, sender=DESK)
    assert titles.titleOf(UNIT).liens == 1
    assert titles.lienOf(UNIT, following).status == LIEN_ACTIVE
    titles.releaseLien(UNIT, following, city.bank, sender=DESK)


# --- certificates


def test_reissue__new_certificate__version_and_basis(city, titles, title):
    receipt = titles.reissue(UNIT, NEXT, BASIS, sender=city.registry)
    assert receipt.only("TitleReissued") == {
        "unit": UNIT,
        "actor": city.registry,
        "version": 2,
        "certificateRoot": NEXT,
        "basis": BASIS,
    }
    assert (titles.titleOf(UNIT).certificateRoot, titles.ownerOf(TOKEN_ID)) == (NEXT, city.li.address)


@pytest.mark.parametrize("name", ["reissue", "transferTitle"])
def test_certificate__empty_or_the_current_one__refused(city, titles, title, name):
    def call(root):
        if name == "reissue":
            return titles.reissue(UNIT, root, BASIS, sender=city.registry)
        return titles.transferTitle(UNIT, city.li, city.wang, root, city.court, sender=DESK)

    with reverts("TitleRegistry_EmptyCertificateRoot", unit=UNIT):
        call(bytes(32))
    with reverts("TitleRegistry_SameCertificateRoot", unit=UNIT, certificateRoot=ROOT):
        call(ROOT)


# --- cancellation


def test_cancel__free_of_liens__cold(city, titles, title):
    receipt = titles.cancel(UNIT, BASIS, sender=city.registry)
    assert receipt.events == [
        Event("TitleRegistry", "TitleCancelled", {"unit": UNIT, "actor": city.registry, "basis": BASIS}),
        Event("TitleRegistry", "Transfer", {"from": city.li.address, "to": ZERO, "tokenId": TOKEN_ID}),
    ]
    assert titles.titleOf(UNIT).status == CANCELLED
    assert titles.balanceOf(city.li) == 0
    for view in (titles.ownerOf, titles.locked, titles.getApproved):
        with reverts("ERC721NonexistentToken", tokenId=TOKEN_ID):
            view(TOKEN_ID)


@pytest.mark.parametrize("forbids", [False, True])
def test_cancel__encumbered__refused(city, titles, lien, forbids):
    lien(forbids)
    lien(forbids)
    with reverts("TitleRegistry_Encumbered", unit=UNIT, liens=2):
        titles.cancel(UNIT, BASIS, sender=city.registry)


# --- liens


def test_place_lien__numbered_in_order__recorded(city, titles, title):
    args = (UNIT, city.li, city.bank, 2**128 - 1, CNY, True, city.registry)
    receipt = titles.placeLien(*args, sender=DESK)
    assert receipt.value == 1
    assert receipt.only("LienPlaced") == {
        "unit": UNIT,
        "actor": city.registry,
        "holder": city.bank,
        "number": 1,
        "amount": 2**128 - 1,
        "currency": CNY,
        "forbidsTransfer": True,
    }
    assert tuple(titles.lienOf(UNIT, 1)) == (city.bank, LIEN_ACTIVE, True, CNY, 2**128 - 1)
    assert titles.placeLien(*args, sender=DESK).value == 2


def test_place_lien__ninth__refused_until_one_is_released(titles, title, lien, city):
    numbers = [lien() for _ in range(8)]
    assert numbers == list(range(1, 9))
    with reverts("TitleRegistry_TooManyLiens", unit=UNIT, limit=8):
        lien()
    titles.releaseLien(UNIT, 3, city.bank, sender=DESK)
    assert lien() == 9  # ranks are not given twice
    assert titles.titleOf(UNIT).liens == 8


def test_place_lien__zero_or_moved_title__refused(city, titles, title):
    with reverts("TitleRegistry_ZeroAmount", unit=UNIT):
        titles.placeLien(UNIT, city.li, city.bank, 0, CNY, True, city.registry, sender=DESK)
    with reverts("TitleRegistry_NotTheOwner", unit=UNIT, owner=city.li, claimed=city.wang):
        titles.placeLien(UNIT, city.wang, city.bank, 1, CNY, True, city.registry, sender=DESK)


@pytest.mark.parametrize("status", [LIEN_NONE, LIEN_ACTIVE, LIEN_RELEASED])
def test_release_lien__in_every_status__active_only(city, titles, lien, status):
    number = 9 if status == LIEN_NONE else lien(forbids=True)
    if status == LIEN_RELEASED:
        titles.releaseLien(UNIT, number, city.bank, sender=DESK)
    if status == LIEN_ACTIVE:
        receipt = titles.releaseLien(UNIT, number, city.bank, sender=DESK)
        assert receipt.only("LienReleased") == {"unit": UNIT, "actor": city.bank, "number": number}
        assert titles.lienOf(UNIT, number).status == LIEN_RELEASED
        assert titles.titleOf(UNIT).liens == 0
        titles.transferTitle(UNIT, city.li, city.wang, NEXT, city.court, sender=DESK)
        return
    with reverts("TitleRegistry_LienNotActive", unit=UNIT, number=number, status=status):
        titles.releaseLien(UNIT, number, city.bank, sender=DESK)


def test_release_lien__number_zero_or_of_another_unit__refused(city, titles, lien):
    lien()
    for unit, number in ((UNIT, 0), (UNIT, 65535), (OTHER, 1)):
        with reverts("TitleRegistry_LienNotActive", unit=unit, number=number, status=LIEN_NONE):
            titles.releaseLien(unit, number, city.bank, sender=DESK)


def test_release_lien__role_to_finish_only__cannot_open(city, titles, lien):
    """A desk that is being replaced keeps TITLE_FINISH alone."""
    number = lien()
    city.contract("Authority").revokeRole(city.city.roles["TITLE_OPEN"], DESK, sender=dev_account(0))
    with reverts("AccessManagedUnauthorized", caller=DESK):
        lien()
    titles.releaseLien(UNIT, number, city.bank, sender=DESK)


# --- what wallets and explorers see


@pytest.mark.parametrize(
    ("interface", "supported"),
    [("80ac58cd", True), ("b45a3c0e", True), ("01ffc9a7", True), ("ffffffff", False), ("5b5e139f", False)],
)
def test_supports_interface__erc721_erc5192_erc165(titles, interface, supported):
    assert titles.supportsInterface(bytes.fromhex(interface)) is supported


def test_metadata__name_and_symbol(titles):
    assert (titles.name(), titles.symbol()) == ("Property titles", "TITLE")


@pytest.mark.parametrize("caller", ["li", "stranger"])
def test_erc721_moves_and_approvals__refused_to_the_owner_too(city, titles, title, caller):
    sender = city.li.address if caller == "li" else NOBODY
    li, wang = city.li, city.wang
    for call in (
        lambda: titles.transferFrom(li, wang, TOKEN_ID, sender=sender),
        lambda: titles.safeTransferFrom(li, wang, TOKEN_ID, sender=sender),
        lambda: titles.safeTransferFrom(li, wang, TOKEN_ID, b"x", sender=sender),
        lambda: titles.approve(wang, TOKEN_ID, sender=sender),
    ):
        with reverts("TitleRegistry_Locked", tokenId=TOKEN_ID):
            call()
    with reverts("TitleRegistry_Locked", tokenId=0):
        titles.setApprovalForAll(wang, True, sender=sender)
    assert titles.getApproved(TOKEN_ID) == ZERO
    assert titles.isApprovedForAll(li, wang) is False


def test_views__token_that_does_not_exist__refused(titles, title):
    """A number with bits above the 28 bytes is not the title that its lower bytes name."""
    for token_id in (0, TOKEN_ID + 1, TOKEN_ID + (1 << 224), 2**256 - 1):
        for view in (titles.ownerOf, titles.locked, titles.getApproved):
            with reverts("ERC721NonexistentToken", tokenId=token_id):
                view(token_id)


def test_balance_of__zero_address__refused(titles):
    with reverts("ERC721InvalidOwner", owner=ZERO):
        titles.balanceOf(ZERO)


def test_title_of__never_registered__zeros(titles):
    assert tuple(titles.titleOf(OTHER)) == (ZERO, 0, 0, NONE, 0, bytes(32))
    assert tuple(titles.lienOf(OTHER, 1)) == (ZERO, LIEN_NONE, False, b"\0\0\0", 0)
