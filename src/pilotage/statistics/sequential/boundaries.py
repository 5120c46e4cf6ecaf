"""Closed-form bands that hold at every look, for display.

Promise of `quantile_radius`: P(at any look, for any p, the p-quantile lies outside its band) is at
most `error_rate`. Use it to draw p50, p90, p99 and all others of one growing sample at once; for
one quantile against a limit `latency_objectives` needs fewer observations. Assumes independent
observations of one distribution.

Source: Howard & Ramdas, "Sequential estimation of quantiles with applications to A/B testing and
best-arm identification", Bernoulli 28(3), 2022 (arXiv 1906.09712), theorem 3.

    >>> quantile_ranks(0.99, 100_000, error_rate=0.05)
    (98806, 99171)
"""

import math

BEST_FROM = 1_000
"""Observations from which the band is tuned to be narrow; valid before as well."""
_GRID = 0.5
"""How finely quantiles are laid out in the proof, in log odds."""
_DECAY = 1.4
"""How fast the error rate given to later stretches of time falls."""
_STRETCH = 2.0
"""By what factor stretches of time grow."""


def quantile_radius(
    quantile: float, observations: int, *, error_rate: float, best_from: int = BEST_FROM
) -> float:
    """How many ranks the p-quantile may lie above its place in the sample, at every look.

    The number of observations up to the true quantile exceeds `observations * quantile` by less
    than this, for all quantiles and looks at once. For how far below, ask for 1 - quantile. Divided
    by the observations it is a radius in probability.

    Raises:
        ValueError: a quantile or error rate outside (0, 1), or no observations.
    """
    if not (0.0 < quantile < 1.0 and 0.0 < error_rate < 1.0):
        raise ValueError("a quantile and an error rate lie between 0 and 1, both excluded")
    if observations < 1 or best_from < 1:
        raise ValueError("a band needs an observation")
    larger = max(observations, best_from)
    time = larger / best_from
    odds = math.log(quantile / (1.0 - quantile))
    near = quantile
    if quantile < 0.5:
        moved = odds + 2.0 * _GRID * math.sqrt(_STRETCH / time)
        near = min(0.5, 1.0 / (1.0 + math.exp(-moved)))
    variance = near * (1.0 - near)
    place = math.sqrt(time) * abs(odds) / (2.0 * _GRID) + 1.0
    total = 2.0 * zeta(_DECAY)
    log_cost = (
        _DECAY * math.log(math.log(_STRETCH * time))
        + _DECAY * math.log(place)
        + math.log(total * (total + 1.0) / (error_rate * math.log(_STRETCH) ** _DECAY))
    )
    of_variance = (_STRETCH**0.25 + _STRETCH**-0.25) / math.sqrt(2.0)
    skew = (1.0 - 2.0 * quantile) / 3.0 * (math.sqrt(_STRETCH) + 1.0) / 2.0 * log_cost
    spread = of_variance**2 * variance * larger * log_cost
    return (
        _GRID * math.sqrt(_STRETCH * time * variance) + math.hypot(math.sqrt(spread), skew) + skew
    )


def quantile_ranks(
    quantile: float, observations: int, *, error_rate: float, best_from: int = BEST_FROM
) -> tuple[int | None, int | None]:
    """Which observations, from 1 in rising order, bound the quantile; None where none does yet.

    Raises:
        ValueError: as `quantile_radius`.
    """
    at = quantile * observations
    below = quantile_radius(
        1.0 - quantile, observations, error_rate=error_rate, best_from=best_from
    )
    above = quantile_radius(quantile, observations, error_rate=error_rate, best_from=best_from)
    # More than at - below observations lie up to the quantile, and fewer than at + above.
    first, last = math.floor(at - below) + 1, math.ceil(at + above)
    return (first if first >= 1 else None, last if last <= observations else None)


def zeta(power: float) -> float:
    """Riemann's zeta function above 1: a sum, and Euler and Maclaurin's rest. To 1e-15."""
    terms = 50
    head = math.fsum(k**-power for k in range(1, terms))
    rest = terms ** (1.0 - power) / (power - 1.0) + 0.5 * terms**-power
    first = power * terms ** (-power - 1.0) / 12.0
    second = power * (power + 1.0) * (power + 2.0) * terms ** (-power - 3.0) / 720.0
    return head + rest + first - second
