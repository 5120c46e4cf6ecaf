import copy

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.contracts.segments import OUTCOME, OVERHEAD_BYTES
from pilotage.control.rollouts.blocks import (
    Cut,
    cut_behind,
    decoded,
    encoded,
    in_order,
    offsets_decoded,
    offsets_encoded,
    reached,
)
from pilotage.errors import PilotageError
from pilotage.records.frames import Address, Found

RINGS = st.integers(0, (1 << 64) - 1)
CUTS = st.lists(
    st.builds(
        Cut,
        st.floats(0, 1e9),
        st.dictionaries(RINGS | st.sampled_from((1, 2, 1 << 63)), st.integers(0, 1 << 62)),
        st.integers(0, 1 << 40),
    ),
    max_size=30,
)


def _found(ring: int, offset: int, payload: bytes = b"") -> Found:
    return Found(OUTCOME, payload, Address(ring, offset), "a.seg")


@settings(derandomize=True, max_examples=60)
@given(CUTS)
def test_cuts_come_back_exactly_from_json(cuts):
    text = msgspec.json.encode(encoded(cuts))
    assert decoded(msgspec.json.decode(text)) == cuts


def test_a_day_of_blocks_is_a_quarter_of_a_megabyte():
    cuts = [
        Cut(10.0, {1 << 60: 100_000 * look, 1 << 61: 90_000 * look}, 1000) for look in range(8640)
    ]
    assert len(msgspec.json.encode(encoded(cuts))) < 300_000


@pytest.mark.parametrize(
    "break_it",
    [
        lambda of: of.pop("frames"),
        lambda of: of["seconds"].pop(),
        lambda of: of["ends"][0].pop(),
        lambda of: of["ends"][0].__setitem__(0, 7),
        lambda of: of["rings"].__setitem__(0, "no hex"),
        lambda of: of["frames"].__setitem__(0, "1"),
    ],
)
def test_json_that_holds_no_cuts_is_an_error(break_it):
    value = copy.deepcopy(encoded([Cut(1.0, {5: 100}, 3), Cut(1.0, {5: 130}, 1)]))
    break_it(value)
    with pytest.raises(PilotageError, match="not the blocks of a rollout"):
        decoded(value)
    with pytest.raises(PilotageError):
        decoded([])


def test_a_cut_lies_behind_the_last_frame_of_each_ring():
    cut = cut_behind([_found(1, 40, b"ab"), _found(2, 0), _found(1, 0)], 2.5)
    assert cut == Cut(2.5, {1: 42 + OVERHEAD_BYTES, 2: OVERHEAD_BYTES}, 3)
    assert cut_behind([], 2.5) == Cut(2.5, {}, 0)


def test_frames_are_observed_by_ring_and_offset():
    frames = [_found(2, 0), _found(1, 9), _found(2, 5), _found(1, 3)]
    order = [(found.address.ring, found.address.offset) for found in in_order(frames)]
    assert order == [(1, 3), (1, 9), (2, 0), (2, 5)]


def test_behind_the_last_cut_each_ring_is_where_it_moved_last():
    assert reached({1: 5, 2: 6}, [Cut(1.0, {1: 9, 3: 4}, 2), Cut(1.0, {3: 8}, 1)]) == {
        1: 9,
        2: 6,
        3: 8,
    }


def test_offsets_come_back_from_json():
    offsets = {1: 2, (1 << 64) - 1: 1 << 50}
    assert offsets_decoded(offsets_encoded(offsets)) == offsets
