"""Holm's procedure, asked by level, names the same failures as by p-value."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pilotage.checks.step_down import shown_to_fail
from pilotage.statistics.fixed.families import holm_rejections
from pilotage.statistics.verdict import Evidence, Failed, Passed

EVIDENCE = Evidence(0.0, None, 1, "row", "", "", 0.05)


def question(p):
    """Fails at every confidence that its p-value allows."""
    return lambda confidence: (Failed if p <= 1 - confidence else Passed)(EVIDENCE)


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=8))
def test_it_is_holm_by_p_values(p_values):
    away = np.array([p + 1e-6 * i for i, p in enumerate(p_values)])
    shown = shown_to_fail([question(p) for p in away], 0.05)
    assert shown == holm_rejections(away, error_rate=0.05)


def test_what_fails_alone_may_be_chance_among_many():
    assert shown_to_fail([question(0.04)], 0.05) == (True,)
    assert shown_to_fail([question(0.04), question(0.9)], 0.05) == (False, False)


def test_a_clear_failure_makes_room_for_the_next():
    assert shown_to_fail([question(0.001), question(0.04)], 0.05) == (True, True)


def test_nothing_asked_nothing_shown():
    assert shown_to_fail([], 0.05) == ()


def test_questions_chosen_from_many_by_looking_pay_for_all_of_them():
    assert shown_to_fail([question(0.004)], 0.05, possible=10) == (True,)
    assert shown_to_fail([question(0.006)], 0.05, possible=10) == (False,)
