"""Several questions asked of one sample: which answers stand together.

Where every one must hold (all required gates pass), nothing is to be corrected: the bad one would
have to pass (Berger 1982). Correct where any one suffices: naming a culprit, failing by any gate,
picking a winner. All control the probability of any false rejection, under any dependence.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


def holm(p_values: ArrayLike) -> Vector:
    """Adjusted p-values: reject those at most alpha, and P(any false rejection) <= alpha.

    Never less powerful than Bonferroni. Shape (hypotheses,), in the order given.

    Raises:
        ValueError: another shape, or a p-value outside [0, 1].

    Source: Holm (1979), Scandinavian Journal of Statistics 6.
    """
    p = _p_values(p_values)
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def holm_rejections(p_values: ArrayLike, *, error_rate: float) -> tuple[bool, ...]:
    """Which hypotheses are rejected, in the order given, by Holm's procedure at `error_rate`."""
    return tuple(bool(rejected) for rejected in holm(p_values) <= error_rate)


def bonferroni(p_values: ArrayLike) -> Vector:
    """Adjusted p-values, each times the number of hypotheses: for showing one of them by itself."""
    p = _p_values(p_values)
    return np.minimum(p * len(p), 1.0)


def fixed_sequence(p_values: Sequence[float], *, error_rate: float) -> int:
    """How many of the hypotheses are rejected, tested in this order, stopping at the first not.

    Each is tested at the full `error_rate`; P(any false rejection) is at most that, as long as the
    order was fixed without looking at these data: from the safest configuration on (the least
    compressed model, the most careful threshold). To choose, take the last one rejected.

    Source: Maurer, Hothorn & Lehmacher (1995); as used for models: Angelopoulos, Bates, Candès,
    Jordan & Lei (2021), "Learn then Test", arXiv 2110.01052.
    """
    for index, p in enumerate(_p_values(p_values)):
        if p > error_rate:
            return index
    return len(p_values)


def _p_values(given: ArrayLike) -> Vector:
    p = np.asarray(given, np.float64)
    if p.ndim != 1:
        raise ValueError(f"p-values have shape {p.shape}, expected (hypotheses,)")
    if not bool(((p >= 0) & (p <= 1)).all()):
        raise ValueError("some p-values are not inside [0, 1]")
    return p
