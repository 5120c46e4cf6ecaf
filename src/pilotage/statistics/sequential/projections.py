"""The pair of rates on a hypothesis' edge that is hardest to tell from two given rates.

The edge is a line: candidate - baseline = d, or candidate = r * baseline. Hardest to tell is the
pair with the least divergence n_B KL(a_B || p_B) + n_C KL(a_C || p_C) from the alternative (a_B,
a_C); a bet against this pair is fair or worse at every pair of the hypothesis (`block_evidence`).

Everything is elementwise over arrays that broadcast. Trials enter through their shares alone, so a
block of a billion costs no accuracy.

Source: Turner & Grünwald, "Exact anytime-valid confidence intervals for contingency tables" (2023),
Statistics & Probability Letters, arXiv 2203.09785; the cubic: Miettinen & Nurminen (1985),
Statistics in Medicine 4.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
NEWTON_STEPS = 2
"""After the cubic, whose roots near the corners are right to a few digits only."""
EDGE = 1e-14
"""How near to impossible a projected rate may come."""


def onto_difference(
    baseline_rate: Array,
    candidate_rate: Array,
    baseline_trials: Array,
    candidate_trials: Array,
    difference: Array | float,
) -> tuple[Array, Array]:
    """float64: the baseline's and the candidate's rate with candidate - baseline = `difference`.

    Rates lie in (0, 1), the difference in (-1, 1); at least one trial.
    """
    total = baseline_trials + candidate_trials
    share_b, share_c = baseline_trials / total, candidate_trials / total
    if isinstance(difference, float) and difference == 0.0:
        pooled = share_b * baseline_rate + share_c * candidate_rate
        return pooled, pooled
    low = np.maximum(0.0, -np.asarray(difference)) + EDGE
    high = np.minimum(1.0, 1.0 - np.asarray(difference)) - EDGE
    rate = _cubic_root(share_b, share_c, baseline_rate, candidate_rate, difference)
    rate = np.clip(rate, low, high)
    for _ in range(NEWTON_STEPS):
        step = _newton_step(rate, share_b, share_c, baseline_rate, candidate_rate, difference)
        rate = np.clip(rate - step, low, high)
    return rate, rate + difference


def onto_ratio(
    baseline_rate: Array,
    candidate_rate: Array,
    baseline_trials: Array,
    candidate_trials: Array,
    ratio: Array | float,
) -> tuple[Array, Array]:
    """float64: the baseline's and the candidate's rate with candidate = `ratio` * baseline.

    Rates lie in (0, 1), the ratio above 0; at least one trial. The score on this line is a
    quadratic, ratio * p^2 - linear * p + harm = 0, of which the smaller root is possible.
    """
    total = baseline_trials + candidate_trials
    share_b, share_c = baseline_trials / total, candidate_trials / total
    harm_b, harm_c = share_b * baseline_rate, share_c * candidate_rate
    harm = harm_b + harm_c
    linear = share_b + harm_c + ratio * (share_c + harm_b)
    root = np.sqrt(np.maximum(linear * linear - 4.0 * ratio * harm, 0.0))
    rate = np.clip(
        2.0 * harm / (linear + root), EDGE, np.minimum(1.0, 1.0 / np.asarray(ratio)) * (1.0 - EDGE)
    )
    return rate, ratio * rate


def _cubic_root(
    share_b: Array, share_c: Array, rate_b: Array, rate_c: Array, d: Array | float
) -> Array:
    """The middle root of the score's cubic in the baseline's rate, by the cosine."""
    harm_b = share_b * rate_b
    harm = harm_b + share_c * rate_c
    square = (share_c + 2.0 * share_b) * d - 1.0 - harm
    linear = (share_b * d - 1.0 - 2.0 * harm_b) * d + harm
    constant = harm_b * d * (1.0 - np.asarray(d))
    third = square / 3.0
    q = third**3 - linear * square / 6.0 + constant / 2.0
    s = np.sqrt(np.maximum(third**2 - linear / 3.0, 0.0))
    s = np.where(q < 0.0, -s, s)
    cube = s**3
    cosine = np.where(cube == 0.0, 1.0, q / np.where(cube == 0.0, 1.0, cube))
    angle = (np.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3.0
    return 2.0 * s * np.cos(angle) - third


def _newton_step(
    rate: Array, share_b: Array, share_c: Array, rate_b: Array, rate_c: Array, d: Array | float
) -> Array:
    """Score over curvature of the divergence along the line."""
    gone_b, other = 1.0 - rate, rate + d
    gone_c = 1.0 - other
    up_b, down_b = rate_b / rate, (1.0 - rate_b) / gone_b
    up_c, down_c = rate_c / other, (1.0 - rate_c) / gone_c
    score = share_b * (down_b - up_b) + share_c * (down_c - up_c)
    curvature = share_b * (up_b / rate + down_b / gone_b) + share_c * (
        up_c / other + down_c / gone_c
    )
    return score / curvature
