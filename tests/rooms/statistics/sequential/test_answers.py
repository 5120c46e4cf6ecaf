"""What was answered at one look stays answered, and is saved as each format has it."""

import math
from typing import Literal

import numpy as np
import pytest

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.answers import Answers
from pilotage.statistics.sequential.paired import PairedConfiguration

RATES = PairedConfiguration(margin=0.1, error_rate_fail=0.01, error_rate_pass=0.05)


def looked(*logs_of_wealth: tuple[float, float]) -> Answers:
    """Two runs, the second with nothing to say, after looks at the first."""
    answers = Answers(RATES, (2,))
    for fail, passing in logs_of_wealth:
        answers.look(np.array([fail, 0.0]), np.array([passing, 0.0]))
    return answers


def test_each_side_answers_from_its_own_error_rate_on() -> None:
    below = looked((math.log(99.9), math.log(19.9)))
    assert not below.failed().any()
    assert not below.passed().any()
    above = looked((math.log(100.1), math.log(20.1)))
    assert above.failed().tolist() == above.passed().tolist() == [True, False]
    assert above.error_rate == 0.05


def test_an_answer_stays_when_its_evidence_is_lost_again() -> None:
    answers = looked((math.log(200), -5.0), (-5.0, -5.0))
    assert answers.failed().tolist() == [True, False]
    assert not answers.passed().any()


def test_several_runs_have_no_single_answer() -> None:
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        looked().single()
    Answers(RATES, ()).single()


@pytest.mark.parametrize("first", ["failed", "passed"])
def test_a_saved_state_keeps_the_order_of_its_format(
    first: Literal["failed", "passed"],
) -> None:
    answers = looked((math.log(200), 0.0))
    arrays = answers.arrays(first)
    assert next(iter(arrays)) == first
    restored = looked()
    restored.restore(unpack("it/1", None, pack("it/1", None, arrays)))
    assert restored.failed().tolist() == [True, False]
    assert not restored.passed().any()
