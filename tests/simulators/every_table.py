"""Every table of two groups, or of paired rows, and its probability: error rates exactly."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

Vector = NDArray[np.float64]


def binomial(trials: int, proportion: float) -> Vector:
    """The probability of 0, 1, ... trials successes."""
    k = np.arange(trials + 1)
    choices = gammaln(trials + 1) - gammaln(k + 1) - gammaln(trials - k + 1)
    return np.exp(choices + xlogy(k, proportion) + xlog1py(trials - k, -proportion))


def two_groups(trials_a: int, trials_b: int) -> tuple[Vector, Vector]:
    """Successes of a as a column and of b as a row; they broadcast to every table."""
    return np.arange(trials_a + 1.0)[:, None], np.arange(trials_b + 1.0)[None, :]


def paired(trials: int) -> tuple[Vector, Vector]:
    """Every (gains, losses) of so many rows."""
    gains, losses = np.meshgrid(np.arange(trials + 1.0), np.arange(trials + 1.0), indexing="ij")
    possible = gains + losses <= trials
    return gains[possible], losses[possible]


def trinomial(gains: Vector, losses: Vector, trials: int, gain: float, loss: float) -> Vector:
    """The probability of each (gains, losses)."""
    same = trials - gains - losses
    choices = gammaln(trials + 1) - gammaln(gains + 1) - gammaln(losses + 1) - gammaln(same + 1)
    return np.exp(
        choices + xlogy(gains, gain) + xlogy(losses, loss) + xlogy(same, max(1 - gain - loss, 0.0))
    )
