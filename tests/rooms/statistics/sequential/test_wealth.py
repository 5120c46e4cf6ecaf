"""Evidence in logarithms."""

import math

import numpy as np
import pytest

from pilotage.statistics.sequential.wealth import log_mixture, log_threshold, tempered


def test_a_mixture_is_the_mean_of_the_wealths() -> None:
    wealths = np.array([[1.0, 2.0, 6.0], [0.5, 0.5, 0.5]])
    assert np.exp(log_mixture(np.log(wealths))) == pytest.approx([3.0, 0.5])
    weights = [0.5, 0.25, 0.25]
    assert np.exp(log_mixture(np.log(wealths), weights)) == pytest.approx([2.5, 0.5])


def test_wealth_that_no_float_can_hold_is_mixed_all_the_same() -> None:
    assert log_mixture(np.array([1e5, 0.0])) == pytest.approx(1e5 - math.log(2))
    assert log_mixture(np.array([-1e5, -1e5])) == pytest.approx(-1e5)


def test_wealth_that_is_all_lost_stays_lost() -> None:
    assert log_mixture(np.array([-np.inf, -np.inf])) == -np.inf
    assert log_mixture(np.array([-np.inf, 0.0])) == pytest.approx(-math.log(2))


def test_tempering_takes_the_root() -> None:
    assert tempered(np.array(np.log(32.0)), 5) == pytest.approx(np.log(2.0))


def test_the_threshold_is_the_logarithm_of_the_error_rates_inverse() -> None:
    assert log_threshold(0.05) == pytest.approx(math.log(20))
    for wrong in (0.0, 1.0, -0.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            log_threshold(wrong)
