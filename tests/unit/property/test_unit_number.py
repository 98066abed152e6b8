"""Unit numbers (GB/T 37346): the contract's one-pass comparison against the service's rule by rule."""

from __future__ import annotations

import random

import pytest

from frontend_api.kit.ids import parse_unit_number
from tests.evm import Reverted
from tests.samples import unit_number

GOOD = [
    b"431302001001GB00001F00010001",
    b"431302001001GB00001W00000000",
    b"110105001002JC99999L0000ZZZZ",
    b"000000000000AA00000Q00000000",
    b"999999999999ZZ99999FZZZZZZZZ",
]
BAD = [
    b"431302001001GB00001W00000001",  # after W only zeros
    b"431302001001GB00001A00010001",
    b"431302001001gB00001F00010001",
    b"43130200100AGB00001F00010001",
    b"431302001001G100001F00010001",
    b"431302001001GB0000AF00010001",
    b"431302001001GB00001F0001000a",
    b"431302001001GB00001F0001000 ",
    b"431302001001GB00001F0001000\0",
    bytes(28),
    b"\xff" * 28,
    b"431302001001GB00001F00010001"[::-1],
]
#: Where each class of characters ends, and its neighbours outside.
EDGES = b"/09:@AZ[`az{FLQW \0\x7f\x80\xff"


@pytest.fixture
def by_contract(city):
    titles = city.contract("TitleRegistry")

    def accepted(unit: bytes) -> bool:
        # With an empty certificate nothing is ever registered; the number is looked at before.
        with pytest.raises(Reverted) as caught:
            titles.registerTitle(unit, city.li, bytes(32), sender=city.registry)
        assert caught.value.error_args == {"unit": unit}
        assert caught.value.error in ("TitleRegistry_MalformedUnitNumber", "TitleRegistry_EmptyCertificateRoot")
        return caught.value.error == "TitleRegistry_EmptyCertificateRoot"

    return accepted


def by_python(unit: bytes) -> bool:
    try:
        parse_unit_number(unit.decode("latin-1"))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("unit", GOOD)
def test_unit_number__as_the_standard_says__accepted(by_contract, unit):
    assert by_contract(unit)
    assert by_python(unit)


@pytest.mark.parametrize("unit", BAD)
def test_unit_number__otherwise__refused(by_contract, unit):
    assert not by_contract(unit)
    assert not by_python(unit)


@pytest.mark.parametrize("base", GOOD[:2])
def test_unit_number__each_place_with_each_edge_character__both_agree(by_contract, base):
    for place in range(28):
        for character in EDGES:
            unit = base[:place] + bytes([character]) + base[place + 1 :]
            assert by_contract(unit) == by_python(unit), unit


def test_unit_number__5000_seeded_mutations__both_agree(by_contract):
    rng = random.Random(37346)
    verdicts = {True: 0, False: 0}
    for number in range(5000):
        unit = bytearray(rng.choice(GOOD) if number % 3 else unit_number(rng.randrange(10**8)))
        for _ in range(rng.randrange(0, 4)):
            alphabet = rng.choice([b"0123456789", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"FLQW", EDGES, bytes(range(256))])
            unit[rng.randrange(28)] = rng.choice(alphabet)
        verdict = by_python(bytes(unit))
        assert by_contract(bytes(unit)) == verdict, bytes(unit)
        verdicts[verdict] += 1
    assert min(verdicts.values()) > 1000, verdicts
