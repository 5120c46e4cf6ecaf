"""What is told of all gates together."""

from dataclasses import dataclass

import pytest

from pilotage.checks.once.asking import Rows, answer_all, ask
from pilotage.cli.evaluation import exit_code
from pilotage.evaluation.outcome import headline_of, outcome_of
from pilotage.spec.gate_words import METRICS
from pilotage.spec.gates import AtLeast, Gate
from scored import binary

PASSES, OPEN, FAILS = 0.5, 0.8, 0.99


@dataclass
class Told:
    outcome: str
    undecided: str


def answers(*values):
    rows = Rows(binary(500, seed=2))
    gates = [Gate("accuracy", AtLeast(value)) for value in values]
    return answer_all([ask(gate, METRICS["accuracy"], rows) for gate in gates], 0.95)


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ((), "none"),
        ((PASSES,), "passed"),
        ((PASSES, OPEN), "undecided"),
        ((PASSES, OPEN, FAILS), "failed"),
    ],
)
def test_one_open_gate_is_no_pass(values, outcome):
    assert outcome_of(answers(*values)) == outcome


@pytest.mark.parametrize(
    ("outcome", "policy", "code"),
    [
        ("passed", "fail", 0),
        ("none", "fail", 0),
        ("undecided", "fail", 1),
        ("undecided", "warn", 0),
        ("failed", "warn", 1),
    ],
)
def test_the_policy_is_about_the_exit_code_alone(outcome, policy, code):
    assert exit_code(Told(outcome, policy)) == code


def test_a_headline_of_open_gates_does_not_say_that_it_passes():
    found = answers(OPEN)
    assert headline_of("m", found, outcome_of(found)) == (
        "m is not shown to be good enough: 1 of 1 gate is undecided."
    )
