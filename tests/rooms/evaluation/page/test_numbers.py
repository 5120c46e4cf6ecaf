import math

import pytest

from pilotage.evaluation.page.numbers import between, count, exact, p_shown, scaled, shown, width

NARROW = "\u202f"


def test_an_estimate_has_as_many_digits_as_its_interval_knows():
    assert shown(0.82817, "%", width=0.013) == f"82.8{NARROW}%"
    assert shown(0.82817, "%", width=0.13) == f"83{NARROW}%"
    assert shown(0.82817, "%", width=0.0013) == f"82.82{NARROW}%"


def test_an_estimate_without_an_interval_has_three_significant_digits():
    assert shown(0.0123456, "ms") == f"12.3{NARROW}ms"
    assert shown(34_600_000, "MB") == f"34.6{NARROW}MB"
    assert shown(0.0) == "0"


def test_what_is_missing_or_not_a_number_is_a_dash():
    assert shown(None) == shown(math.nan) == exact(None) == exact(math.inf) == "–"
    assert between(None, None) == between(-math.inf, math.inf) == p_shown(None) == "–"


@pytest.mark.parametrize(
    ("low", "high", "side", "text"),
    [
        (0.821, 0.834, "two", f"82.1–83.4{NARROW}%"),
        (-0.012, 0.004, "two", f"−1.2 to 0.4{NARROW}%"),
        (None, 0.051, "two", f"at most 5.10{NARROW}%"),
        (0.051, None, "two", f"at least 5.10{NARROW}%"),
        (-math.inf, 0.051, "upper", f"at most 5.10{NARROW}%"),
        (0.051, 1.0, "lower", f"at least 5.10{NARROW}%"),
        (0.5, 0.5, "two", f"50{NARROW}%"),
    ],
)
def test_an_interval_is_told_by_the_ends_that_it_has(low, high, side, text):
    assert between(low, high, "%", side=side) == text


def test_a_margin_keeps_the_digits_that_were_written():
    assert exact(0.85) == "0.85"
    assert exact(-0.0125, "pp") == f"−1.25{NARROW}pp"


def test_the_width_of_an_open_interval_is_not_known():
    assert width(0.25, 0.5) == 0.25
    assert width(None, 0.5) is None
    assert width(-math.inf, 0.5) is None


def test_a_picture_gets_numbers_in_the_unit_shown_and_nothing_else():
    assert scaled(0.25, "%") == 25
    assert scaled(math.inf, "%") is scaled(math.nan, "") is scaled(None, "ms") is None


def test_counts_and_p_values_are_short():
    assert count(12_000_000) == "12,000,000"
    assert p_shown(0.00001) == "< 0.0001"
    assert p_shown(0.0123) == "0.012"
    assert p_shown(1.0) == "1"
