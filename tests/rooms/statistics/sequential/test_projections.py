"""The pair on a hypothesis' edge that is hardest to tell from an alternative."""

import numpy as np
import pytest

from pilotage.statistics.sequential.projections import onto_difference, onto_ratio
from vectors import cases


def divergence(rate, projected):
    return rate * np.log(rate / projected) + (1 - rate) * np.log((1 - rate) / (1 - projected))


def by_bisection(score, low, high):
    low, high = np.array(low), np.array(high)
    for _ in range(200):
        middle = (low + high) / 2
        below = score(middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


@pytest.mark.parametrize("case", cases("boundary_projection"), ids=lambda case: case["id"])
def test_the_reference_projections_are_met(case) -> None:
    given = case["given"]
    numbers = (np.array(float(given[name])) for name in ("t_live", "t_cand", "n_live", "n_cand"))
    found = onto_difference(*numbers, given["d"])
    assert found == pytest.approx(case["expect"], abs=case["tolerance"])


def test_a_projection_onto_a_difference_agrees_with_bisecting_the_score() -> None:
    rng = np.random.default_rng(11)
    size = 20_000
    d = 10 ** rng.uniform(-3.3, -0.01, size) * rng.choice([-1.0, 1.0], size)
    a_b, a_c = 10 ** rng.uniform(-3.5, -0.001, (2, size))
    n_b, n_c = np.round(10 ** rng.uniform(0, 4, (2, size)))

    def score(p):
        return n_b * ((1 - a_b) / (1 - p) - a_b / p) + n_c * (
            (1 - a_c) / (1 - p - d) - a_c / (p + d)
        )

    wanted = by_bisection(score, np.maximum(0, -d), np.minimum(1, 1 - d))
    found, other = onto_difference(a_b, a_c, n_b, n_c, d)
    room = np.minimum(wanted - np.maximum(0, -d), np.minimum(1, 1 - d) - wanted)
    assert np.max(np.abs(found - wanted) / room) < 1e-6
    assert np.allclose(other - found, d, atol=1e-15)


def test_a_projection_onto_a_ratio_agrees_with_bisecting_the_score() -> None:
    rng = np.random.default_rng(12)
    size = 5_000
    a_b, a_c = 10 ** rng.uniform(-5, -0.001, (2, size))
    n_b, n_c = np.round(10 ** rng.uniform(0, 6, (2, size)))
    for ratio in (0.25, 0.9, 1.0, 1.1, 5.0):

        def score(p, ratio=ratio):
            return (
                n_b * ((1 - a_b) / (1 - p) - a_b / p)
                + n_c * ratio * (1 - a_c) / (1 - ratio * p)
                - n_c * a_c / p
            )

        zeros = np.zeros(size)
        wanted = by_bisection(score, zeros, zeros + min(1.0, 1.0 / ratio))
        found, other = onto_ratio(a_b, a_c, n_b, n_c, ratio)
        assert np.max(np.abs(found / wanted - 1)) < 1e-9
        assert np.allclose(other, ratio * found, rtol=1e-15)


def test_a_billion_trials_cost_no_accuracy() -> None:
    rates = np.array(0.003), np.array(0.008)
    few = onto_difference(*rates, np.array(950.0), np.array(50.0), 0.005)
    many = onto_difference(*rates, np.array(950e9), np.array(50e9), 0.005)
    assert many == pytest.approx(few, rel=1e-14)


@pytest.mark.parametrize("d", [0.999, 0.5, 1e-6, -1e-6, -0.5, -0.999])
def test_a_projection_stays_possible_in_the_corners(d) -> None:
    rates = np.array([1e-6, 0.5, 1 - 1e-6])
    trials = np.array([1.0, 1e9])
    found = onto_difference(
        rates[:, None, None, None], rates[:, None, None], trials[:, None], trials, d
    )
    for rate in found:
        assert np.all((rate > 0) & (rate < 1))
