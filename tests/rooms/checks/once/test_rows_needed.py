"""The number of rows that is promised decides, in about as many cases as is said."""

import pytest

from pilotage.checks.once.asking import Rows, answer_all, ask
from pilotage.spec.gate_words import METRICS
from pilotage.spec.gates import AtLeast, AtMost, Equals, Gate, NotWorseThanBaseline
from pilotage.statistics.verdict import Undecided
from scored import binary


def answer(gate, rows, baseline=None):
    return answer_all([ask(gate, METRICS[gate.metric], Rows(rows, baseline))], 0.95)[0]


@pytest.mark.parametrize(
    "gate",
    [
        Gate("accuracy", AtLeast(0.79)),
        Gate("error_rate", AtMost(0.21)),
        Gate("roc_auc", AtLeast(0.74)),
    ],
)
def test_an_open_gate_tells_how_many_rows_would_decide_it(gate):
    found = answer(gate, binary(600, seed=2, noise=0.2))
    assert isinstance(found.verdict, Undecided)
    assert found.rows_needed is not None
    assert found.rows_needed > 600


def test_as_many_rows_decide_in_about_four_of_five_cases():
    gate = Gate("accuracy", AtLeast(0.77))
    small = next(
        found
        for seed in range(500)
        for found in [answer(gate, binary(400, seed=seed))]
        if abs((found.verdict.evidence.estimate or 0) - 0.8) < 0.001
    )
    needed = small.rows_needed
    decided = sum(
        not isinstance(answer(gate, binary(needed, seed=seed)).verdict, Undecided)
        for seed in range(100)
    )
    # 80 expected; below 55 or above 97 come less than once in a million.
    assert 55 <= decided <= 97


def test_what_is_decided_needs_none():
    assert answer(Gate("accuracy", AtLeast(0.5)), binary(600)).rows_needed is None


def test_an_estimate_on_the_limit_says_nothing():
    rows = binary(600, seed=2)
    estimate = float((rows.answer == rows.truth).mean())
    assert answer(Gate("accuracy", AtLeast(estimate)), rows).rows_needed is None


def test_a_claim_and_a_margin_have_a_number_too():
    rows = binary(600, seed=2)
    assert answer(Gate("accuracy", Equals(0.8, 0.02)), rows).rows_needed > 600
    fewer = binary(600, seed=2)
    fewer.answer[:3] = 1 - fewer.answer[:3]
    found = answer(Gate("accuracy", NotWorseThanBaseline(0.004)), fewer, rows)
    assert isinstance(found.verdict, Undecided)
    assert found.rows_needed > 600
