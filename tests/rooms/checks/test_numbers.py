"""Numbers as people read them."""

import math

import pytest

from pilotage.checks.numbers import counted, places_for, shown, shown_range


def plain(text):
    return text.replace("\u202f", " ")


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (0.8213, 0.8338, "%", "82.1–83.4 %"),
        (-0.002, 0.009, "pp", "−0.2 to 0.9 pp"),
        (0.85123, 0.86188, "", "0.851–0.862"),
        (0.0041, 0.0049, "ms", "4.10–4.90 ms"),
        (0.3, math.inf, "", "at least 0.3"),
        (-math.inf, 2.0, "", "at most 2"),
        (-math.inf, math.inf, "", "anything"),
        (0.5, 0.5, "%", "50.0–50.0 %"),
    ],
)
def test_an_interval_shows_two_figures_of_its_width(low, high, unit, text):
    assert plain(shown_range(low, high, unit)) == text


def test_one_number_shows_what_was_asked():
    assert plain(shown(0.8, "%")) == "80 %"
    assert plain(shown(0.005, "pp", sign=True)) == "+0.5 pp"
    assert shown(0.8, "ratio") == "0.8"
    assert plain(shown(-0.0, "%")) == "0 %"
    assert shown(math.inf, "%") == "∞"


def test_places_follow_the_width():
    assert [places_for(width) for width in (12.5, 1.25, 0.0125, 0)] == [0, 1, 3, 1]


def test_one_row_is_not_rows():
    assert counted(1, "row") == "1 row"
    assert counted(20_000, "row") == "20,000 rows"
