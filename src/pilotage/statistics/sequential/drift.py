"""Drift of one input feature beyond a tolerance: bets on the ranks its values have in a reference.

The promise: while a feature differs from its reference by no more than the tolerance, each factor
has expectation at most 1, so an `AlarmBudget` fed with them keeps its budget of false alarms.

When: a version is live and its inputs are recorded. The tolerance is an effect size, `effect`
standard deviations in its distribution-free form: the chance that a new value exceeds a reference
value is 1/2 give or take Phi(effect / sqrt 2) - 1/2. A test without a tolerance fires on any
harmless shift in the end: 0.02 standard deviations are found among enough rows.

How. The reference is frozen as bins with masses r (`references`). A value in bin k has the rank
score u = r_1 + ... + r_(k-1) + r_k / 2, whose mean on the reference is exactly 1/2, and the spread
|2u - 1|. Four bets: ranks went up, ranks went down, spread went up, spread went down; a fifth: more
values are missing. Each is L = product of 1 + stake * (score - limit) over a tick, that is, one
matrix product with the tick's histogram.

Limits: 1/2 + allowance for ranks, their mean + 2 * allowance for spreads, the reference's upper
limit + allowance for the missing rate, where

    allowance = Phi(effect / sqrt 2) - 1/2 + z / sqrt(12 rows)

with z the normal quantile at 1 - 0.01 / J over the J bets of the endpoint. The second term is there
because the reference is itself a sample. Measured with 5,000 rows a day and one of ten features
moved by 0.1 standard deviations: found after 4 days at the median with a reference of 200,000 rows,
5 with 50,000, 10 with 20,000; moved by 0.25, on day 1 with each.

Assumes that rows are independent given the tick, and that a tick is a whole number of cycles (a
day): inside it means may vary. Blind to a change that keeps both the mean rank and the mean spread,
as two categories can trade places.

Source: the rank score is Mann & Whitney's P(new > reference) + P(equal) / 2 (Annals of Mathematical
Statistics 1947); bets as in Waudby-Smith & Ramdas, JRSS B 2024 (arXiv 2010.09686).

    >>> reference = Reference.of_numbers(np.arange(20_000.0))
    >>> drift = RankDrift(RankDriftConfiguration(reference))
    >>> drift.update(np.arange(9_000.0, 11_000.0))
    >>> drift.close_block()
    >>> bool(drift.evidence_of("spread down")[-1] > 300.0)
    True
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.block_sums import counts
from pilotage.statistics.sequential.detectors import STAKES, stakes_against
from pilotage.statistics.sequential.references import Reference

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "rank_drift/1"
BETS = ("ranks up", "ranks down", "spread up", "spread down", "missing")
STAKES_A_FEATURE = len(BETS) * len(STAKES)
"""How many stakes a feature's `Monitor` has in the budget."""
BETS_OF_AN_ENDPOINT = 40
"""Ten features with four bets each, over which the allowance for the reference is spread."""
REFERENCE_ERROR = 0.01
"""The chance that the reference itself is beyond its allowance in any bet of the endpoint."""


def allowance(effect: float, rows: int, bets: int = BETS_OF_AN_ENDPOINT) -> float:
    """How far a mean rank may lie from 1/2: the tolerance, and the reference's own chance.

    Args:
        effect: the tolerated shift, in standard deviations, 0 or more.
        rows: of the reference.
        bets: of the whole endpoint.

    Raises:
        ValueError: a negative effect, or no rows or bets.
    """
    if effect < 0 or rows < 1 or bets < 1:
        raise ValueError("an allowance needs an effect of 0 or more, and rows and bets")
    tolerated = 0.5 * math.erf(effect / 2.0)  # Phi(x / sqrt 2) - 1/2 = erf(x / 2) / 2
    return tolerated + NormalDist().inv_cdf(1.0 - REFERENCE_ERROR / bets) / math.sqrt(12.0 * rows)


@dataclass(frozen=True, slots=True)
class RankDriftConfiguration:
    """A reference, the tolerated shift in standard deviations, and the endpoint's bets."""

    reference: Reference
    effect: float = 0.05
    bets_of_the_endpoint: int = BETS_OF_AN_ENDPOINT

    def __post_init__(self) -> None:
        self.allowance()

    def allowance(self) -> float:
        """How far a mean rank may lie from 1/2."""
        return allowance(self.effect, self.reference.rows, self.bets_of_the_endpoint)


class RankDrift:
    """Factors against "no further from the reference than tolerated", one tick after another.

    Not a verdict by itself: give `log_factors` to an `AlarmBudget` after each `close_block`. A tick
    of any size is kept as a histogram of at most 65 counts.
    """

    def __init__(self, configuration: RankDriftConfiguration, shape: tuple[int, ...] = ()) -> None:
        self._configuration = configuration
        self._shape = shape
        self._bets = _log_bets(configuration)
        self._open = np.zeros((*shape, len(configuration.reference.masses) + 1), np.int64)
        self._log_factors = np.zeros((*shape, STAKES_A_FEATURE))

    def update(self, values: Any) -> None:
        """Add a feature's values to the open tick.

        Args:
            values: numbers (*shape, n), or (n,), the same for every run, NaN where missing;
                categories (n,), None where missing.

        Raises:
            ValueError: numbers of another shape.
        """
        self._open += self._configuration.reference.histograms(values, self._shape)

    def update_counts(self, histogram: ArrayLike) -> None:
        """Add values as counts a bin, the last one missing: (*shape, bins + 1).

        Raises:
            ValueError: no counts, or another shape.
        """
        self._open += counts(histogram, self._open.shape)

    def close_block(self) -> None:
        """End the tick: its factors are in `log_factors` until the next one ends."""
        self._log_factors = self._open.astype(np.float64) @ self._bets
        self._open[...] = 0

    def log_factors(self) -> Array:
        """float64 (*shape, 30): the last tick's factors, natural logarithms, bet by bet."""
        return self._log_factors.copy()

    def evidence_of(self, bet: str) -> Array:
        """float64 (*shape, 6): the part of `log_factors` that one of `BETS` made.

        Raises:
            ValueError: no such bet.
        """
        start = BETS.index(bet) * len(STAKES)
        return self._log_factors[..., start : start + len(STAKES)].copy()

    def save(self) -> bytes:
        """The whole state, the open tick included."""
        arrays = {"open": self._open, "log_factors": self._log_factors}
        return pack(FORMAT, self._configuration, arrays)

    @classmethod
    def load(cls, configuration: RankDriftConfiguration, data: bytes) -> Self:
        """The monitor as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        drift = cls(configuration, arrays["open"].shape[:-1])
        drift._open = arrays["open"]
        drift._log_factors = arrays["log_factors"]
        return drift


def _log_bets(configuration: RankDriftConfiguration) -> Array:
    """float64 (bins + 1, 30): what one value of each bin adds to the logarithm of each factor."""
    reference = configuration.reference
    masses = np.asarray(reference.masses)
    allowed = configuration.allowance()
    ranks = np.cumsum(masses) - masses / 2.0
    spreads = np.abs(2.0 * ranks - 1.0)
    mean = float(masses @ spreads)
    table = np.zeros((masses.size + 1, STAKES_A_FEATURE))
    scored = (
        (ranks, 0.5 + allowed),
        (1.0 - ranks, 0.5 + allowed),
        (spreads, mean + 2.0 * allowed),
        (1.0 - spreads, 1.0 - mean + 2.0 * allowed),
    )
    for bet, (scores, limit) in enumerate(scored):
        # Missing values have no rank and bet nothing here.
        table[:-1, _columns(bet)] = _log_bet(scores, limit)
    missing = np.zeros(masses.size + 1)
    missing[-1] = 1.0
    table[:, _columns(len(scored))] = _log_bet(missing, reference.missing_limit + allowed)
    return table


def _log_bet(scores: Array, limit: float) -> Array:
    """float64 (bins, 6); a limit that no score can exceed leaves nothing to bet on."""
    if limit >= 1.0:
        return np.zeros((scores.size, len(STAKES)))
    stakes = stakes_against(limit)
    return np.log1p(stakes * (scores[:, None] - limit))


def _columns(bet: int) -> slice:
    return slice(bet * len(STAKES), (bet + 1) * len(STAKES))
