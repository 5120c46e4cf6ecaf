"""Evidence as betting wealth, in logarithms: mixing it, tempering it, judging it.

An e-value is the wealth of a bet that cannot grow on average while its hypothesis holds, so it
reaches 1/error_rate at any look with probability `error_rate` at most (Ville's inequality). Wealths
overflow within a day of traffic; their logarithms do not, so nothing here leaves them.

Source: Ville (1939), "Étude critique de la notion de collectif"; Ramdas, Grünwald, Vovk & Shafer
(2023), "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray[Any, np.dtype[Any]]


def log_mixture(log_wealths: Array, weights: ArrayLike | None = None) -> Array:
    """float64: log of the weighted mean wealth over the last axis; equal weights unless given.

    A mean of e-values is an e-value, whatever their dependence. `weights` are above 0 and add up
    to 1.
    """
    logs = log_wealths if weights is None else log_wealths + np.log(np.asarray(weights, np.float64))
    parts = log_wealths.shape[-1] if weights is None else 1
    highest = logs.max(axis=-1, keepdims=True)
    # Relative to the largest: nothing overflows, and wealth that is all lost stays -inf.
    floor = np.where(np.isfinite(highest), highest, 0.0)
    with np.errstate(divide="ignore"):
        return floor[..., 0] + np.log(np.exp(logs - floor).sum(axis=-1) / parts)


def tempered(log_factor: Array, cluster: int) -> Array:
    """float64: the factor's root of order `cluster`, for outcomes of which so many hang together.

    With outcomes in m sets, each independent within itself, Hölder's inequality gives
    E prod f^(1/m) <= prod (E f)^(1/m) <= 1. The price is evidence m times slower.
    """
    return log_factor if cluster == 1 else log_factor / cluster


def log_threshold(error_rate: float) -> float:
    """The logarithm of the wealth that rejects at this error rate: log(1/error_rate).

    Raises:
        ValueError: an error rate outside (0, 1).
    """
    if not 0.0 < error_rate < 1.0:
        raise ValueError("an error rate lies between 0 and 1, both excluded")
    return -math.log(error_rate)
