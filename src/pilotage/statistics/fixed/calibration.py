"""Whether predicted probabilities mean what they say, without a threshold on an estimated error.

A perfectly calibrated model has an estimated calibration error (ECE, 15 bins) of 0.086 on 200 rows
and of 0.039 on 1,000: noise alone. Here the error is bounded instead: "at most 0.04" is said only
where it holds.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pilotage.statistics.fixed.bounded_means import hedged_interval
from pilotage.statistics.fixed.proportions import clopper_pearson_ends, one_end
from pilotage.statistics.interval import Guarantee, Interval, Side

BINS_MOST = 10
"""More bins see finer errors and bound each of them worse."""

Vector = NDArray[np.float64]


def equal_mass_edges(probabilities: ArrayLike, *, bins: int = BINS_MOST) -> Vector:
    """The inner edges of bins that hold about equally many of these predictions.

    Make them from other rows than those that are judged (training or validation rows): the bound
    holds for bins that were fixed beforehand. Equal edges fall together, so that a model of few
    distinct scores has fewer bins. Shape (at most bins - 1,).

    Raises:
        ValueError: no predictions, some that are no probabilities, or not 1 to 10 bins.
    """
    if not 1 <= bins <= BINS_MOST:
        raise ValueError(f"bins is {bins}, expected 1 to {BINS_MOST}")
    given = _probabilities(probabilities)
    if not len(given):
        raise ValueError("there are no predictions to make bins of")
    return np.unique(np.quantile(given, np.arange(1, bins) / bins))


def binned_calibration_error(
    probabilities: ArrayLike,
    outcomes: ArrayLike,
    *,
    edges: ArrayLike,
    confidence: float,
    side: Side = "upper",
) -> Interval:
    """The calibration error over bins: how far off the predictions are, on average, per bin.

    The error is the sum over bins of (share of rows) x |true rate of positives - mean prediction|,
    shares and mean predictions as in these rows. It is at most the error without bins, which no
    finite number of rows can bound from above. Each bin's rate is bounded by Clopper-Pearson at
    error / bins, so that all hold together; conservative: a perfect model is bounded at 0.16 or so
    on 1,000 rows and 0.05 on 10,000, with 10 bins.

    Assumptions: rows are independent; the bins were fixed without them. Error: at most
    1 - confidence, with `side="two"` half of it at each end. No rows: [0, 1].

    Args:
        probabilities: of the positive class, shape (rows,).
        outcomes: 0 or 1 (or bool), shape (rows,).
        edges: rising inner edges of at most 10 bins; a prediction on an edge is in the upper bin.

    Raises:
        ValueError: another shape, no probabilities, other outcomes, or edges that do not rise.

    Source: a union bound over Clopper & Pearson (1934); bins: Gupta & Ramdas (2021), ICML,
    "Distribution-free calibration guarantees for histogram binning".
    """
    predicted, happened = _rows(probabilities, outcomes)
    inner = np.asarray(edges, np.float64)
    if inner.ndim != 1 or len(inner) >= BINS_MOST or not bool((np.diff(inner) > 0).all()):
        raise ValueError(f"edges do not rise, or make more than {BINS_MOST} bins")
    error_rate = one_end(confidence, side)
    bins = len(inner) + 1
    bin_of = np.searchsorted(inner, predicted, side="right")
    rows = np.bincount(bin_of, minlength=bins)
    low, high = 0.0, 1.0
    if len(predicted):
        filled = rows > 0
        positives = np.bincount(bin_of, happened, minlength=bins)[filled]
        totals = np.bincount(bin_of, predicted, minlength=bins)[filled]
        trials = rows[filled]
        mean, share = totals / trials, trials / len(predicted)
        # Two ends of each bin, so that half of a bin's part goes to each.
        least, most = clopper_pearson_ends(
            np.rint(positives), trials, error_rate=error_rate / (2 * bins)
        )
        low = float(share @ np.maximum(0.0, np.maximum(least - mean, mean - most)))
        high = float(share @ np.maximum(most - mean, mean - least))
    return Interval(
        0.0 if side == "upper" else low,
        1.0 if side == "lower" else high,
        confidence,
        f"Clopper-Pearson in {bins} bins",
        Guarantee.EXACT,
        side,
    )


def calibration_in_the_large(
    probabilities: ArrayLike,
    outcomes: ArrayLike,
    *,
    confidence: float,
    side: Side = "two",
    seed: int | None = 0,
) -> Interval:
    """The mean of (outcome - prediction): above 0 where the model promises too little.

    By the hedged interval on [-1, 1], which holds at every sample size; it sees only the average,
    so that errors which cancel escape it.

    Assumptions: rows are independent. Error: at most 1 - confidence. No rows: [-1, 1].

    Raises:
        ValueError: another shape, no probabilities, or other outcomes than 0 and 1.

    Source: Cox (1958), Biometrika 45 (the question); `bounded_means` (the interval).
    """
    predicted, happened = _rows(probabilities, outcomes)
    return hedged_interval(
        happened - predicted, confidence=confidence, side=side, low=-1.0, high=1.0, seed=seed
    )


def _rows(probabilities: ArrayLike, outcomes: ArrayLike) -> tuple[Vector, Vector]:
    predicted, happened = _probabilities(probabilities), np.asarray(outcomes, np.float64)
    if happened.shape != predicted.shape:
        raise ValueError(f"outcomes have shape {happened.shape}, expected {predicted.shape}")
    if not bool(((happened == 0) | (happened == 1)).all()):
        raise ValueError("some outcomes are neither 0 nor 1")
    return predicted, happened


def _probabilities(given: ArrayLike) -> Vector:
    found = np.asarray(given, np.float64)
    if found.ndim != 1:
        raise ValueError(f"probabilities have shape {found.shape}, expected (rows,)")
    # A comparison with NaN is false, so that this refuses it too.
    if not bool(((found >= 0) & (found <= 1)).all()):
        raise ValueError("some probabilities are not inside [0, 1]")
    return found
