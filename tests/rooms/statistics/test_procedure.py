"""A saved state is given back bit for bit, or refused with the reason."""

import numpy as np
import pytest

from pilotage.statistics.procedure import StateError, pack, unpack

ARRAYS = {
    "wealth": np.array([[0.5, -1.25], [np.pi, -np.inf]]),
    "counts": np.array([3, 2**40]),
    "failed": np.array(True),
    "none": np.zeros((0, 3)),
}
SAVED = pack("two_arms/1", "asked", ARRAYS)


def test_what_was_saved_comes_back_bit_for_bit():
    found = unpack("two_arms/1", "asked", SAVED)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()
    found["counts"][0] = 4  # writable


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no saved state"),
        (b"\xff\xff\xff\x7f{}", "no saved state"),
        (b"\x02\x00\x00\x00[]", "no saved state"),
        (SAVED[:-1], "ends inside `failed`"),
        (SAVED + b"\x00", "1 bytes too many"),
    ],
)
def test_a_damaged_state_is_refused(data, why):
    with pytest.raises(StateError, match=why):
        unpack("two_arms/1", "asked", data)


def test_evidence_for_one_question_never_answers_another():
    with pytest.raises(StateError, match="another configuration"):
        unpack("two_arms/1", "asked otherwise", SAVED)
    with pytest.raises(StateError, match="is a two_arms/1, expected paired/1"):
        unpack("paired/1", "asked", SAVED)


def test_an_array_that_is_not_there_makes_the_state_unusable():
    with pytest.raises(StateError, match="has no `passed`"):
        unpack("two_arms/1", "asked", SAVED)["passed"]


def test_any_cut_is_refused_and_nothing_else_is_raised():
    for length in range(len(SAVED)):
        with pytest.raises(StateError):
            unpack("two_arms/1", "asked", SAVED[:length])
