"""Is the candidate worse on the very same requests? Betting on paired differences, at every look.

The promise: P(ever failed | the candidate is worse by at most `tolerated`) <= error_rate_fail, and
P(ever passed | it is worse by `margin` or more) <= error_rate_pass, however often one looks.

When: both versions answered the same input, as in shadow, and each answer has a harm y in [0, 1]
(wrong: 1). What counts is D = y_candidate - y_baseline in [-1, 1], whatever the two have in common.

How: against "the mean of D is at most d" bet with factors 1 + stake * (D - d), stakes of
0.9 / (1 + d) times 1, 1/2, ..., 1/64, each with a seventh of the wealth, d = `tolerated`; for a
pass the same on -D with d = -`margin`. Wealth of 1/error_rate decides (Ville's inequality).
Assumes that differences are independent given a block's means; means may drift, and only their
average over a block must satisfy the hypothesis, since the logarithm is concave.

The interval shown takes the same bets with D split into parts of -1, 0 and 1, which is exact for
binary outcomes and wider than need be for others; each end holds at its own side's error rate, at
every look.

Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B
2024 (arXiv 2010.09686).

Measured (10 % discordant, margin 2 points, looks every 100 pairs, 2,000 runs): an equal candidate
passed after 2,000 pairs at the median (95 %: 5,200), one worse by 2 points failed after 2,000
(5,100), by 5 points after 400 (800).

    >>> paired = Paired(PairedConfiguration(margin=0.02))
    >>> paired.update_counts(worse=50, same=1_900, better=50)
    >>> paired.close_block()
    >>> bool(paired.passed()), bool(paired.failed())
    (True, False)
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.interval import Guarantee, Interval
from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.answers import Answers
from pilotage.statistics.sequential.block_sums import (
    FRACTION_BITS,
    bounded,
    counts,
    fixed_point,
    floating_point,
    room_for,
    sum_of_log_bets,
)
from pilotage.statistics.sequential.wealth import log_mixture, log_threshold
from pilotage.statistics.verdict import Evidence, Verdict

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "paired/1"
METHOD = "betting on paired differences"
BOLDNESS = 0.9 * 0.5 ** np.arange(7)
"""What each stake can lose at most in one pair, as a share of its wealth."""
LARGEST_MARGIN = 0.99
EDGE = 1e-9
HALVINGS = 40
STATE = ("log_wealth", "masses", "open_logs", "open_masses", "open_pairs")
"""What is saved besides the answers, in this order."""


@dataclass(frozen=True, slots=True)
class PairedConfiguration:
    """What is asked of the mean difference, and how often a wrong answer is allowed.

    `margin` (delta) is the harm that must not pass, `tolerated` (tau) the harm that must not fail;
    0 <= tolerated <= margin <= 0.99. A truth between them may get either answer; where they are
    equal, a candidate on the edge stays undecided for ever.
    """

    margin: float
    tolerated: float = 0.0
    error_rate_pass: float = 0.05
    error_rate_fail: float = 0.05
    unit: str = "pair"

    def __post_init__(self) -> None:
        if not 0.0 <= self.tolerated <= self.margin <= LARGEST_MARGIN:
            raise ValueError(f"0 <= tolerated <= margin <= {LARGEST_MARGIN} is needed")
        log_threshold(self.error_rate_pass)
        log_threshold(self.error_rate_fail)


class Paired:
    """Passed, failed or undecided on the mean of paired differences, valid at every look.

    State: 14 logarithms of wealth, three masses and the open block, 240 bytes a run.
    """

    def __init__(self, configuration: PairedConfiguration, shape: tuple[int, ...] = ()) -> None:
        self._configuration = configuration
        self._shape = shape
        self._fail_stakes = BOLDNESS / (1.0 + configuration.tolerated)
        self._pass_stakes = BOLDNESS / (1.0 - configuration.margin)
        values = np.array([1.0, 0.0, -1.0])
        # int64 (3, 14): what one pair adds, for D = 1, 0, -1.
        self._of_count = np.stack([self._sums(values[i : i + 1]) for i in range(3)])
        self._log_wealth = np.zeros((*shape, 2 * BOLDNESS.size))
        self._masses = np.zeros((*shape, 3))
        self._open_logs = np.zeros((*shape, 2 * BOLDNESS.size), np.int64)
        self._open_masses = np.zeros((*shape, 3), np.int64)
        self._open_pairs = np.zeros(shape, np.int64)
        self._answers = Answers(configuration, shape)

    def update(self, differences: ArrayLike) -> None:
        """Add harm of the candidate less harm of the baseline, in [-1, 1], to the open block.

        Args:
            differences: (*shape, n), or (n,), the same for every run.

        Raises:
            ValueError: another shape, a value outside, or more than a block may hold.
        """
        observed = bounded(differences, self._shape, -1.0, 1.0)
        pairs = observed.shape[-1]
        room_for(self._open_pairs, pairs)
        self._open_logs += self._sums(observed)
        worse = fixed_point(np.maximum(observed, 0.0)).sum(axis=-1)
        better = fixed_point(np.maximum(-observed, 0.0)).sum(axis=-1)
        same = (pairs << FRACTION_BITS) - worse - better
        self._open_masses += np.stack([worse, same, better], axis=-1)
        self._open_pairs += pairs

    def update_counts(self, worse: ArrayLike, same: ArrayLike, better: ArrayLike) -> None:
        """Add pairs of binary outcomes: only the candidate failed, both alike, only the baseline.

        Args:
            worse, same, better: counts of the procedure's shape.

        Raises:
            ValueError: no counts, another shape, or more than a block may hold.
        """
        found = np.stack([counts(each, self._shape) for each in (worse, same, better)], axis=-1)
        room_for(self._open_pairs, found.sum(axis=-1))
        self._open_logs += found @ self._of_count
        self._open_masses += found << FRACTION_BITS
        self._open_pairs += found.sum(axis=-1)

    def close_block(self) -> None:
        """The open block counts from now on, and is looked at."""
        self._log_wealth += floating_point(self._open_logs)
        self._masses += floating_point(self._open_masses)
        self._open_logs[...] = 0
        self._open_masses[...] = 0
        self._open_pairs[...] = 0
        self._answers.look(self.log_evidence_fail(), self.log_evidence_pass())

    def log_evidence_fail(self) -> Array:
        """float64, the shape: log of the e-value against "worse by at most `tolerated`", now."""
        return log_mixture(self._log_wealth[..., : BOLDNESS.size])

    def log_evidence_pass(self) -> Array:
        """float64, the shape: log of the e-value against "worse by `margin` or more", now."""
        return log_mixture(self._log_wealth[..., BOLDNESS.size :])

    def passed(self) -> Array:
        """bool, the shape: "worse by `margin` or more" was rejected at some look so far."""
        return self._answers.passed()

    def failed(self) -> Array:
        """bool, the shape: "worse by at most `tolerated`" was rejected at some look so far."""
        return self._answers.failed()

    def estimate(self) -> Array:
        """float64, the shape: the mean difference over all closed blocks; NaN before any pair."""
        worse, same, better = np.moveaxis(self._masses, -1, 0)
        total = worse + same + better
        return np.where(total > 0.0, (worse - better) / np.where(total > 0.0, total, 1.0), np.nan)

    def bounds(self) -> tuple[Array, Array]:
        """float64, the shape: lower and upper end for the mean difference, at every look.

        The lower end errs with probability `error_rate_fail` at most, the upper one with
        `error_rate_pass`. For binary outcomes they agree with the verdict of the same look.
        """
        configuration = self._configuration
        low = _lower_end(self._masses, configuration.error_rate_fail)
        high = -_lower_end(self._masses[..., ::-1], configuration.error_rate_pass)
        return low, high

    def verdict(self) -> Verdict:
        """The answer of a procedure of shape (); harm comes first.

        Raises:
            ValueError: of another shape.
        """
        self._answers.single()
        configuration = self._configuration
        observations = round(float(self._masses.sum()))
        low, high = self.bounds()
        errors = configuration.error_rate_fail + configuration.error_rate_pass
        interval = Interval(
            float(low), float(high), round(1.0 - errors, 12), METHOD, Guarantee.ANYTIME
        )
        evidence = Evidence(
            estimate=float(self.estimate()) if observations else None,
            interval=interval if observations else None,
            observations=observations,
            unit=configuration.unit,
            rule=(
                f"mean difference below {configuration.margin:g} to pass, "
                f"above {configuration.tolerated:g} to fail"
            ),
            method=METHOD,
            error_rate=self._answers.error_rate,
            assumptions=("pairs are independent of each other",),
        )
        return self._answers.verdict(evidence)

    def save(self) -> bytes:
        """The whole state, the open block included."""
        arrays = {name: getattr(self, f"_{name}") for name in STATE}
        return pack(FORMAT, self._configuration, arrays | self._answers.arrays("passed"))

    @classmethod
    def load(cls, configuration: PairedConfiguration, data: bytes) -> Self:
        """The procedure as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        paired = cls(configuration, arrays["failed"].shape)
        for name in STATE:
            setattr(paired, f"_{name}", arrays[name])
        paired._answers.restore(arrays)
        return paired

    def _sums(self, differences: Array) -> Array:
        """int64 (*shape, 14): what differences add to the logarithms, fixed point."""
        fail = sum_of_log_bets(differences - self._configuration.tolerated, self._fail_stakes)
        pass_ = sum_of_log_bets(self._configuration.margin - differences, self._pass_stakes)
        return np.concatenate([fail, pass_], axis=-1)


def _lower_end(masses: Array, error_rate: float) -> Array:
    """The largest d at which "the mean is at most d" is rejected; -1 if at none.

    Every factor falls as d grows, so halving finds the only crossing.
    """
    wanted = log_threshold(error_rate)
    low = np.full(masses.shape[:-1], -1.0 + EDGE)
    high = np.full(masses.shape[:-1], 1.0 - EDGE)
    rejected_at_all = _log_evidence_of(masses, low) >= wanted
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        rejected = _log_evidence_of(masses, middle) >= wanted
        low = np.where(rejected, middle, low)
        high = np.where(rejected, high, middle)
    return np.where(rejected_at_all, low, -1.0)


def _log_evidence_of(masses: Array, mean: Array) -> Array:
    stakes = BOLDNESS / (1.0 + mean[..., None])
    log_factors = np.log1p(stakes[..., None, :] * (_parts(mean)[..., None]))
    return log_mixture(np.einsum("...d,...ds->...s", masses, log_factors))


def _parts(mean: Array) -> Array:
    """float64 (..., 3): D - mean for D = 1, 0, -1."""
    return np.array([1.0, 0.0, -1.0]) - mean[..., None]
