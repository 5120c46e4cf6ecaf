"""Routing: exact shares, sticky units, no state."""

import math

import pytest

from pilotage.contracts.records import digest_unit
from pilotage.contracts.snapshot import PPM
from pilotage.serving.routing import choose, place_of

UNITS = [digest_unit(b"user-%d" % number) for number in range(100_000)]


def test_a_place_belongs_to_the_route_whose_share_covers_it() -> None:
    weights = (950_000, 50_000)
    assert [choose(weights, place) for place in (0, 949_999, 950_000, PPM - 1)] == [0, 0, 1, 1]


def test_a_route_of_weight_zero_is_never_chosen() -> None:
    assert {choose((0, PPM, 0), place) for place in range(0, PPM, 9_973)} == {1}


def test_weights_that_do_not_add_up_are_a_fault() -> None:
    with pytest.raises(ValueError, match="999999"):
        choose((999_999,), PPM - 1)


def test_the_share_of_units_is_the_weight() -> None:
    weights = (950_000, 50_000)
    share = sum(choose(weights, place_of(unit, b"salt")) for unit in UNITS) / len(UNITS)
    # Five standard errors of a share of 5 % over the units.
    assert abs(share - 0.05) < 5 * math.sqrt(0.05 * 0.95 / len(UNITS))


def test_raising_the_share_moves_units_only_towards_the_candidate() -> None:
    for unit in UNITS[:5_000]:
        place = place_of(unit, b"salt")
        assert choose((950_000, 50_000), place) <= choose((750_000, 250_000), place)


def test_two_salts_split_independently() -> None:
    weights = (500_000, 500_000)
    both = sum(
        choose(weights, place_of(unit, b"one")) == choose(weights, place_of(unit, b"two"))
        for unit in UNITS
    )
    assert abs(both / len(UNITS) - 0.5) < 5 * math.sqrt(0.25 / len(UNITS))


def test_a_unit_keeps_its_place_for_ever() -> None:
    assert place_of(digest_unit(b"user-1"), b"iris") == 259_325
