from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.spec.units import (
    NotAUnit,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)

MS = 1_000_000


@pytest.mark.parametrize(
    ("text", "ns"),
    [("200us", 200_000), ("50ms", 50 * MS), ("1.5s", 1500 * MS), ("2m", 120_000 * MS), ("0", 0)],
)
def test_a_duration_is_read_in_its_unit(text, ns):
    assert parse_duration(text) == ns


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("64MiB", 2**26), ("1.5GB", 1_500_000_000), ("10mb", 10**7)]
)
def test_a_size_is_read_in_its_unit_or_in_bytes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "ms", "-1s", "1e3s", "50 parsecs", "1.5ns", "٣s", "1s\n1", "5M"]
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(NotAUnit):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1e3", "1.5B", "1.5", "64M"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(NotAUnit):
        parse_size(text)


def test_a_bare_number_is_asked_for_its_unit():
    with pytest.raises(NotAUnit) as refused:
        parse_duration("50")
    assert "50ms or 50s" in refused.value.fix


@settings(derandomize=True, max_examples=60)
@given(st.integers(0, 10**17))
def test_a_duration_comes_back_through_text(ns):
    assert parse_duration(format_duration(ns)) == ns


@settings(derandomize=True, max_examples=60)
@given(st.integers(0, 2**59))
def test_a_size_comes_back_through_text(size):
    assert parse_size(format_size(size)) == size


@settings(derandomize=True, max_examples=100)
@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_refused(text):
    with suppress(NotAUnit):
        assert parse_duration(text) >= 0
