"""Shares, margins, spreads and rates, as people write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.spec import shares
from pilotage.spec.kinds import Wrong

SHARE = shares.share(0.0, 1.0)


def _fix(kind, text: str) -> str:
    with pytest.raises(Wrong) as caught:
        kind.read(text)
    return caught.value.fix


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (SHARE, "85%", 0.85),
        (SHARE, "0.85", 0.85),
        (SHARE, ".5", 0.5),
        (SHARE, "1.1 %", 0.011),
        (SHARE, "100%", 1.0),
        (SHARE, "2pp", 0.02),
        (shares.points(), "1pp", 0.01),
        (shares.points(), "0.01", 0.01),
        (shares.points(), "0.1 pp", 0.001),
        (shares.points(zero=True), "0", 0.0),
        (shares.percent(), "20%", 0.2),
        (shares.percent(), "1000%", 10.0),
        (shares.percent(zero=True), "0", 0.0),
        (shares.confidence(), "99.99%", 0.9999),
        (shares.portions(), "5%,25%", (50_000, 250_000)),
        (shares.portions(), "0.1%, 0.5", (1_000, 500_000)),
        (shares.portions(), "None", ()),
        (shares.ratio(), "0.8", 0.8),
        (shares.ratio(), "80%", 0.8),
        (shares.spread(), "0.1sd", 0.1),
        (shares.rate(), "200/s", 200.0),
        (shares.rate(), "1000000/s", 1e6),
        (shares.seconds(), "20ms", 0.02),
        (shares.size(), "200MiB", 200 * 2**20),
        (shares.distance(of="mae"), "3.5", 3.5),
        (shares.number(-1, 5, of="r2"), "-1", -1.0),
    ],
)
def test_a_number_is_read_in_its_unit(kind, text, value):
    assert kind.read(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "advice"),
    [
        (SHARE, "85", "Write 85%"),
        (SHARE, "1", "Write 1%"),
        (SHARE, "0.5sd", "percent"),
        (SHARE, "0,85", "point"),
        (shares.points(), "1", "Write 1pp"),
        (shares.points(), "1%", "Write 1pp"),
        (shares.percent(), "20", "Write 20%"),
        (shares.percent(), "20pp", "Write 20%"),
        (shares.portions(), "5", "Write 5%"),
        (shares.portions(), "5pp", "percent"),
        (shares.portions(), "5% 25%", ""),
        (shares.portions(), "0.00005%", "parts per million"),
        (shares.ratio(), "8pp", "0.8 or 80%"),
        (shares.spread(), "0.1", "Write 0.1sd"),
        (shares.rate(), "200", "Write 200/s"),
        (shares.seconds(), "20", "20ms or 20s"),
        (shares.distance(of="mae"), "5%", "mae is no share"),
        (shares.number(0, 9, of="r2"), "1pp", "r2 is no share"),
    ],
)
def test_what_is_meant_otherwise_is_refused_with_what_to_write(kind, text, advice):
    assert advice in _fix(kind, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (SHARE, "101%"),
        (SHARE, "-1%"),
        (SHARE, "nan"),
        (SHARE, "1e999%"),
        (SHARE, ""),
        (SHARE, "%"),
        (SHARE, "0." + "0" * 30),
        (shares.points(), "0pp"),
        (shares.points(), "100pp"),
        (shares.points(zero=True), "-1pp"),
        (shares.percent(), "0%"),
        (shares.confidence(), "49.9%"),
        (shares.portions(), "0%"),
        (shares.portions(), "100%"),
        (shares.portions(), "5%,"),
        (shares.portions(), "none,5%"),
        (shares.ratio(), "1.0"),
        (shares.ratio(), "0"),
        (shares.spread(), "0sd"),
        (shares.spread(), "100sd"),
        (shares.rate(), "0/s"),
        (shares.rate(), "1000001/s"),
        (shares.seconds(), "24h"),
        (shares.seconds(), "0"),
        (shares.size(), "5 apples"),
        (shares.number(0, 9, of="r2"), "10"),
    ],
)
def test_what_is_out_of_range_or_no_number_is_refused(kind, text):
    _fix(kind, text)


@settings(derandomize=True, max_examples=100)
@given(st.integers(1, 9999))
def test_a_percentage_is_the_nearest_fraction(hundredths):
    text = f"{hundredths // 100}.{hundredths % 100:02}"
    assert SHARE.read(text + "%") == hundredths / 10_000
    assert shares.points().read(text + "pp") == hundredths / 10_000
