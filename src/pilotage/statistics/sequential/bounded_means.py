"""The mean of a bounded quantity while it arrives: an interval and a limit, valid at every look.

The promise: P(an end of the interval ever misses the mean) is at most that end's error rate;
P(ever failed | the mean is on the good side of `fails_beyond`) <= error_rate_fail, and
P(ever passed | it is on the bad side of the limit) <= error_rate_pass, however often one looks.

When: one stream without a baseline, of values in [low, high]: a loss, a rating, a share of a cost.
For a floor under a live version that must raise few alarms for years, see `floors`.

How: against "the mean is at most m" bet with factors 1 + stake * (X - m). Fourteen stakes share the
wealth: 2, 1, 1/2, ... of the reciprocal of sqrt(m (1 - m)), none of which may lose more than 95 %
at once; against "at least m" the mirror image. Stakes never change, so that all wealth follows from
sums of the values (`split_values`), which are the whole state; each m has its wealth whenever
somebody asks (`mean_bets`), and the interval holds the m at which neither side has 1/error_rate
(Ville's inequality). Conservative: values are split over two points of 129, and the mean is moved
outward by 2.4e-10.

Assumes that values are independent given the block's means; means may drift, and only their average
over each block must satisfy the hypothesis, since the logarithm is concave.

Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B
2024 (arXiv 2010.09686); mixtures of stakes: Orabona & Jun, "Tight concentrations and confidence
sequences from the regret of universal portfolio", IEEE Trans. Information Theory 2024.

Measured: its width over that of the hedged-capital sequence with predictable stakes, both 95 %,
after 100, 10,000 and a million values: 1.0, 0.69 and 0.49 (half are ones), 0.88, 1.10 and 0.89
(0.3 % are ones), 1.1, 0.98 and 0.87 (beta 2, 5). A million values take 0.1 s, an interval 2 ms.

    >>> losses = BoundedMean(BoundedMeanConfiguration(at_most=0.2))
    >>> losses.update_counts(ones=100, zeros=900)
    >>> losses.close_block()
    >>> bool(losses.passed()), [round(float(end), 3) for end in losses.bounds()]
    (True, [0.072, 0.134])
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.interval import Guarantee, Interval
from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.answers import Answers
from pilotage.statistics.sequential.block_sums import bounded, counts, room_for
from pilotage.statistics.sequential.mean_bets import WEIGHTS, log_bets, lower_end
from pilotage.statistics.sequential.split_values import (
    POINTS,
    ROUNDING,
    ends_sums,
    masses,
    mean_of,
    split_sums,
)
from pilotage.statistics.sequential.wealth import log_mixture, log_threshold
from pilotage.statistics.verdict import Evidence, Verdict

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "bounded_mean/1"
METHOD = "mixture of bets on a bounded mean"
STATE = ("sums", "open")
"""What is saved besides the answers, in this order."""


@dataclass(frozen=True, slots=True)
class BoundedMeanConfiguration:
    """What is asked of the mean, and how often a wrong answer is allowed.

    Attributes:
        at_most, at_least: the limit, one of them, or none where only the interval is wanted.
        fails_beyond: what the mean must be shown to lie beyond to fail; the limit unless given.
        low, high: between what every value lies.
        unit: what one observation is.
    """

    at_most: float | None = None
    at_least: float | None = None
    fails_beyond: float | None = None
    low: float = 0.0
    high: float = 1.0
    error_rate_pass: float = 0.05
    error_rate_fail: float = 0.05
    unit: str = "request"

    def __post_init__(self) -> None:
        log_threshold(self.error_rate_pass)
        log_threshold(self.error_rate_fail)
        if self.at_most is not None and self.at_least is not None:
            raise ValueError("one of at_most and at_least, not both")
        if not -np.inf < self.low < self.high < np.inf:
            raise ValueError(f"values lie between low and high, here {self.low} and {self.high}")
        limit, beyond = self.limit, self.harmful_beyond
        if any(each is not None and not self.low < each < self.high for each in (limit, beyond)):
            raise ValueError(f"a limit lies inside ({self.low}, {self.high})")
        if limit is not None and beyond is not None:
            better = beyond - limit if self.at_least is None else limit - beyond
            if better > 0:
                raise ValueError("what fails beyond the limit would pass and fail at once")

    @property
    def limit(self) -> float | None:
        """The mean that must not pass."""
        return self.at_least if self.at_most is None else self.at_most

    @property
    def harmful_beyond(self) -> float | None:
        """The mean that must not fail."""
        return self.limit if self.fails_beyond is None else self.fails_beyond

    @property
    def error_rates(self) -> tuple[float, float]:
        """Of the interval's lower and its upper end."""
        if self.at_least is None:
            return self.error_rate_fail, self.error_rate_pass
        return self.error_rate_pass, self.error_rate_fail

    @property
    def rule(self) -> str:
        """What is asked, in one line."""
        if self.limit is None:
            return "no limit"
        asked = "at least" if self.at_most is None else "at most"
        return f"mean {asked} {self.limit:g}, to fail beyond {self.harmful_beyond:g}"


class BoundedMean:
    """An interval for a mean, and passed, failed or undecided on a limit, at every look.

    State: sums over 128 intervals, closed and open, 4 kB a run.
    """

    def __init__(
        self, configuration: BoundedMeanConfiguration, shape: tuple[int, ...] = ()
    ) -> None:
        self._configuration = configuration
        self._shape = shape
        self._sums = split_sums(np.empty((*shape, 0)))
        self._open = np.zeros_like(self._sums)
        self._answers = Answers(configuration, shape)
        self._bets = self._bets_on_points()

    def _bets_on_points(self) -> Array | None:
        """float64 (129, 28): what a value on each point adds to each logarithm: fail, then pass."""
        limit, beyond = self._configuration.limit, self._configuration.harmful_beyond
        if limit is None or beyond is None:
            return None
        at_most = self._configuration.at_least is None
        fail, passing = self._bets_at(beyond, upward=at_most), self._bets_at(limit, not at_most)
        return np.concatenate([fail, passing], axis=-1)

    def _bets_at(self, limit: float, upward: bool) -> Array:
        mean = self._unit(limit)
        if upward:
            return log_bets(np.asarray(mean + ROUNDING), POINTS).T
        return log_bets(np.asarray(1.0 - mean + ROUNDING), 1.0 - POINTS).T

    def _unit(self, values: Any) -> Any:
        low, high = self._configuration.low, self._configuration.high
        return (values - low) / (high - low)

    def update(self, values: ArrayLike) -> None:
        """Add values in [low, high] to the open block.

        Args:
            values: (*shape, n), or (n,), the same for every run.

        Raises:
            ValueError: another shape, a value outside, or more than a block may hold.
        """
        configuration = self._configuration
        observed = bounded(values, self._shape, configuration.low, configuration.high)
        room_for(self._open[..., 0, :].sum(axis=-1), observed.shape[-1])
        self._open += split_sums(self._unit(observed))

    def update_counts(self, ones: ArrayLike, zeros: ArrayLike) -> None:
        """Add so many values that are `high`, and so many that are `low`.

        Args:
            ones, zeros: counts of the procedure's shape.

        Raises:
            ValueError: no counts, another shape, or more than a block may hold.
        """
        found = [counts(each, self._shape) for each in (ones, zeros)]
        room_for(self._open[..., 0, :].sum(axis=-1), found[0] + found[1])
        self._open += ends_sums(*found)

    def close_block(self) -> None:
        """The open block counts from now on, and is looked at."""
        self._sums += self._open
        self._open[...] = 0
        self._answers.look(*self._log_evidence())

    def log_evidence_fail(self) -> Array:
        """float64, the shape: log of the e-value against "on the good side", now; 0 if no limit."""
        return self._log_evidence()[0]

    def log_evidence_pass(self) -> Array:
        """float64, the shape: log of the e-value against "on the bad side", now; 0 if no limit."""
        return self._log_evidence()[1]

    def _log_evidence(self) -> tuple[Array, Array]:
        if self._bets is None:
            return np.zeros(self._shape), np.zeros(self._shape)
        logs = masses(self._sums) @ self._bets
        half = logs.shape[-1] // 2
        return log_mixture(logs[..., :half], WEIGHTS), log_mixture(logs[..., half:], WEIGHTS)

    def passed(self) -> Array:
        """bool, the shape: the mean was shown to be on the good side of the limit."""
        return self._answers.passed()

    def failed(self) -> Array:
        """bool, the shape: the mean was shown to lie beyond `fails_beyond`."""
        return self._answers.failed()

    def observations(self) -> Array:
        """int64, the shape: of all closed blocks."""
        return self._sums[..., 0, :].sum(axis=-1)

    def estimate(self) -> Array:
        """float64, the shape: the mean of all closed blocks; NaN before any value."""
        configuration = self._configuration
        mean = mean_of(self._sums)
        return configuration.low + (configuration.high - configuration.low) * mean

    def bounds(self) -> tuple[Array, Array]:
        """float64, the shape: lower and upper end for the mean, of this look and all the others.

        They keep to what was decided at an earlier look. Costs 2 ms for one run: ask when
        somebody reads it, not at every block.
        """
        configuration = self._configuration
        on_points = masses(self._sums)
        low_rate, high_rate = configuration.error_rates
        low = lower_end(on_points, POINTS, log_threshold(low_rate))
        high = 1.0 - lower_end(on_points, 1.0 - POINTS, log_threshold(high_rate))
        span = configuration.high - configuration.low
        low, high = configuration.low + span * low, configuration.low + span * high
        above, below = self._shown()
        low, high = np.maximum(low, above), np.minimum(high, below)
        # Both ends wrong together is an error that the rates allow; the hull stays an interval.
        return np.minimum(low, high), np.maximum(low, high)

    def _shown(self) -> tuple[Array, Array]:
        """float64, the shape: what the mean was shown to be above, and below, at some look."""
        configuration = self._configuration
        limit, beyond = configuration.limit, configuration.harmful_beyond
        if limit is None or beyond is None:
            return np.asarray(configuration.low), np.asarray(configuration.high)
        if configuration.at_least is None:
            above, below = (self.failed(), beyond), (self.passed(), limit)
        else:
            above, below = (self.passed(), limit), (self.failed(), beyond)
        return np.where(*above, configuration.low), np.where(*below, configuration.high)

    def verdict(self) -> Verdict:
        """The answer of a procedure of shape (); harm comes first.

        Raises:
            ValueError: of another shape.
        """
        self._answers.single()
        configuration = self._configuration
        observations = int(self.observations())
        low, high = self.bounds()
        confidence = round(1.0 - sum(configuration.error_rates), 12)
        interval = Interval(float(low), float(high), confidence, METHOD, Guarantee.ANYTIME)
        evidence = Evidence(
            estimate=float(self.estimate()) if observations else None,
            interval=interval if observations else None,
            observations=observations,
            unit=configuration.unit,
            rule=configuration.rule,
            method=METHOD,
            error_rate=self._answers.error_rate,
            assumptions=(f"{configuration.unit}s are independent of each other",),
        )
        return self._answers.verdict(evidence)

    def save(self) -> bytes:
        """The whole state, the open block included."""
        arrays = {name: getattr(self, f"_{name}") for name in STATE}
        return pack(FORMAT, self._configuration, arrays | self._answers.arrays("passed"))

    @classmethod
    def load(cls, configuration: BoundedMeanConfiguration, data: bytes) -> Self:
        """The procedure as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        loaded = cls(configuration, arrays["failed"].shape)
        for name in STATE:
            setattr(loaded, f"_{name}", arrays[name])
        loaded._answers.restore(arrays)
        return loaded
