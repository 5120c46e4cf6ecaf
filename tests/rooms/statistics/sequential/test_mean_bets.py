"""Bets on a bounded mean: the proof, in small."""

import itertools

import numpy as np
import pytest

from pilotage.statistics.sequential.mean_bets import WEIGHTS, log_bets
from pilotage.statistics.sequential.split_values import POINTS, masses, split_sums


@pytest.mark.parametrize("mean", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("values", [(0.0, 1.0), (0.0, 0.137, 1.0)])
def test_wealth_does_not_grow_on_average_under_any_mean_of_the_hypothesis(
    mean: float, values: tuple[float, ...]
) -> None:
    # All outcomes of 3 observations whose own means average to `mean` or less.
    bets = log_bets(np.asarray(mean), POINTS)
    ladder = masses(split_sums(np.array(values)[:, None])) @ bets.T
    for shift in (0.0, 0.009, -0.005):
        own = [mean + shift, mean - shift, 0.9 * mean]
        expected = 0.0
        for outcome in itertools.product(range(len(values)), repeat=3):
            chance = 1.0
            for each, at in zip(outcome, own, strict=True):
                middle = 0.3 * min(at, 1 - at) if len(values) == 3 else 0.0
                top = at - middle * 0.137
                chance *= (1 - middle - top, middle, top)[each] if middle else (1 - top, top)[each]
            expected += chance * float(WEIGHTS @ np.exp(ladder[list(outcome)].sum(axis=0)))
        assert expected <= 1 + 1e-12


def test_every_factor_falls_as_the_mean_rises() -> None:
    means = np.linspace(1e-6, 1 - 1e-6, 5001)
    assert np.diff(log_bets(means, POINTS), axis=0).max() <= 1e-12
