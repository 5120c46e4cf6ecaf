"""Holm, Bonferroni and testing in a fixed order."""

import numpy as np
import pytest

from pilotage.statistics.fixed.families import bonferroni, fixed_sequence, holm, holm_rejections
from vectors import cases


def test_holm_meets_the_reference_case() -> None:
    for case in cases("holm"):
        found = holm(case["given"]["p"])
        assert found.tolist() == pytest.approx(case["expect"]["adjusted"], abs=case["tolerance"])


def test_holm_rejects_what_its_adjusted_p_values_say_and_more_than_bonferroni() -> None:
    p = [0.012, 0.3, 0.02, 0.04]
    assert holm_rejections(p, error_rate=0.05) == (True, False, False, False)
    assert holm_rejections(p, error_rate=0.06) == (True, False, True, False)
    assert (bonferroni(p) <= 0.06).tolist() == [True, False, False, False]


def test_holm_rejects_any_true_hypothesis_as_rarely_as_stated() -> None:
    generator = np.random.default_rng(7)
    false = 0
    for _ in range(2_000):
        p = generator.random(5)
        p[3:] *= 1e-3
        false += any(holm_rejections(p, error_rate=0.05)[:3])
    assert false < 150
    # It reaches its rate, so that a stricter rule would be told apart.
    assert false > 60


def test_a_fixed_sequence_stops_at_the_first_that_is_not_shown() -> None:
    assert fixed_sequence([0.01, 0.05, 0.06, 0.001], error_rate=0.05) == 2
    assert fixed_sequence([0.2, 0.001], error_rate=0.05) == 0
    assert fixed_sequence([0.01, 0.01], error_rate=0.05) == 2
    assert fixed_sequence([], error_rate=0.05) == 0


def test_no_hypotheses_are_a_family_too() -> None:
    assert holm([]).tolist() == []
    assert bonferroni([]).tolist() == []


@pytest.mark.parametrize("p", [[-0.1], [1.1], [float("nan")], [[0.1]]])
def test_what_is_no_p_value_is_refused(p: list[float]) -> None:
    with pytest.raises(ValueError, match="p-values"):
        holm(p)
