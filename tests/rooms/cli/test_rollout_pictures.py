import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotage.cli.rollout_pictures import bar, interval, sparkline
from pilotage.cli.spans import text_of, width_of

ENDS = st.none() | st.floats(-1e6, 1e6)


def plain(line):
    return text_of(line, colour=False)


def drawn(low, estimate, high, *, tolerated=0.0, margin=1.0, width=26, signed=True):
    ends = (low, estimate, high)
    line = interval(ends, tolerated=tolerated, margin=margin, width=width, signed=signed)
    return plain(line)


def styles(line):
    return {span.style for span in line if span.style != "dim"} - {""}


def test_a_sparkline_shows_the_last_values_to_one_scale():
    assert sparkline([9.0, 0.0, 1.0, 4.0, 8.0], 4, top=8.0) == " ▂▅█"
    assert sparkline([1.0], 3, top=100.0) == "  ▁"


def test_nothing_is_a_space_and_a_little_is_a_bar():
    assert sparkline([0.0, 1e-9], 2, top=1.0) == " ▁"
    assert sparkline([0.0], 1, top=0.0) == " "


@pytest.mark.parametrize(
    ("share", "filled"), [(-1.0, 0), (0.0, 0), (0.5, 4), (0.999, 7), (1.0, 8), (3.0, 8)]
)
def test_a_bar_is_full_only_when_nothing_is_missing(share, filled):
    assert plain(bar(share, 8, "good")) == "━" * filled + "─" * (8 - filled)


def test_tolerated_and_margin_stand_where_they_are():
    assert drawn(None, None, None) == "──────────┊────┃──────────"


def test_without_ends_there_is_only_the_estimate():
    assert drawn(None, 0.5, None) == "──────────┊─●──┃──────────"


def test_an_interval_closes_in_on_its_margin():
    assert drawn(-100.0, 0.5, 100.0) == "<━━━━━━━━━┿━●━━╋━━━━━━━━━>"
    assert drawn(-1.0, 0.5, 1.6) == "─────━━━━━┿━●━━╋━━━───────"
    assert drawn(0.3, 0.5, 0.7) == "──────────┊─●━━┃──────────"


def test_an_end_that_is_not_known_is_open():
    assert drawn(0.3, 0.5, None).endswith(">")
    assert drawn(None, 0.5, 0.7).startswith("<")


def test_an_interval_outside_of_the_picture_is_an_arrow():
    assert drawn(50.0, 60.0, 70.0) == "──────────┊────┃─────────>"
    assert drawn(-70.0, -60.0, -50.0) == "<─────────┊────┃──────────"


def test_a_harm_that_cannot_be_negative_begins_at_none():
    assert drawn(0.1, 0.5, 2.0, tolerated=1.0, signed=False).startswith("─━━━●━━━╋")


@pytest.mark.parametrize(
    ("low", "high", "style"), [(-1.0, 0.9, "good"), (0.1, 2.0, "bad"), (-1.0, 2.0, "open")]
)
def test_colour_says_what_is_shown(low, high, style):
    line = interval((low, None, high), tolerated=0.0, margin=1.0, width=25, signed=True)
    assert styles(line) == {style}


@given(ENDS, ENDS, ENDS, st.floats(0, 10), st.floats(0, 10), st.integers(1, 60), st.booleans())
def test_a_picture_always_has_its_width(low, estimate, high, tolerated, margin, width, signed):
    line = interval(
        (low, estimate, high), tolerated=tolerated, margin=margin, width=width, signed=signed
    )
    assert width_of(line) == width
