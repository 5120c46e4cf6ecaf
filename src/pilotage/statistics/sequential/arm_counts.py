"""Trials and harm of two arms: the open block, the totals, and the difference within blocks.

The difference of two running means is not kept, for it is wrong as soon as the share of traffic
changes while rates drift (Simpson's paradox). Each block's difference counts with the weight
n_B n_C / (n_B + n_C), which is the Mantel-Haenszel estimate.
"""

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray[Any, np.dtype[Any]]
LARGEST_BLOCK = 1 << 52
"""Trials of one arm in one block; sums of counts are exact up to here."""


class ArmCounts:
    """What two arms did, exact and the same however a block was cut.

    Sums of harm are exact for whole numbers and for multiples of 2^-20 up to 2^32; other fractions
    are added as they come. State: 11 numbers a run.
    """

    def __init__(self, shape: tuple[int, ...] = (), *, larger_is_better: bool = False) -> None:
        """With `larger_is_better` events are good, and what is missing to the trials is harm."""
        self._shape = shape
        self._larger_is_better = larger_is_better
        self._open = np.zeros((*shape, 4))
        self._totals = np.zeros((*shape, 4))
        # Weight, weighted rate of the baseline, weighted rate of the candidate.
        self._weighted = np.zeros((*shape, 3))

    def update(
        self,
        baseline_trials: ArrayLike,
        baseline_events: ArrayLike,
        candidate_trials: ArrayLike,
        candidate_events: ArrayLike,
    ) -> None:
        """Add to the open block.

        Raises:
            ValueError: another shape, trials that are no whole numbers of 0 or more, or events
                outside 0 to trials.
        """
        found = np.empty((*self._shape, 4))
        given = (baseline_trials, baseline_events, candidate_trials, candidate_events)
        for place, each in enumerate(given):
            array = np.asarray(each)
            try:
                found[..., place] = array
            except ValueError:
                raise ValueError(f"counts of shape {array.shape}, expected {self._shape}") from None
        trials, events = found[..., 0::2], found[..., 1::2]
        if not np.all((events >= 0.0) & (events <= trials)):
            raise ValueError("events of an arm lie between 0 and its trials")
        if not np.all(np.floor(trials) == trials) or np.any(trials > LARGEST_BLOCK):
            raise ValueError(f"trials are whole numbers of at most {LARGEST_BLOCK}")
        if self._larger_is_better:
            found[..., 1::2] = trials - events
        self._open += found

    def open_block(self) -> tuple[Array, Array, Array, Array]:
        """Baseline's trials and harm, candidate's trials and harm, each of the shape."""
        return _four(self._open)

    def totals(self) -> tuple[Array, Array, Array, Array]:
        """The same over all closed blocks."""
        return _four(self._totals)

    def close_block(self) -> None:
        """The open block joins the totals; a block with an empty arm has no difference to weigh."""
        trials_b, harm_b, trials_c, harm_c = self.open_block()
        both = trials_b + trials_c
        at_least_one = np.maximum(both, 1.0)
        self._weighted[..., 0] += trials_b * trials_c / at_least_one
        self._weighted[..., 1] += harm_b * trials_c / at_least_one
        self._weighted[..., 2] += harm_c * trials_b / at_least_one
        self._totals += self._open
        self._open = np.zeros_like(self._open)

    def baseline_rate(self, start: float, weight: float) -> Array:
        """float64, the shape: the baseline's rate of harm, with `start` for `weight` observations.

        Over closed blocks alone, so that the open block can be tested against it.
        """
        trials, harm, _, _ = self.totals()
        return (start * weight + harm) / (weight + trials)

    def candidate_rate(self, start: float, weight: float) -> Array:
        """float64, the shape: `baseline_rate` and the difference so far, shrunk by `weight`."""
        seen, baseline, candidate = np.moveaxis(self._weighted, -1, 0)
        return self.baseline_rate(start, weight) + (candidate - baseline) / (weight + seen)

    def boldness(self, weight: float, times: float) -> Array:
        """float64, the shape, at most 1: `times` what is known of the baseline over the open block.

        The power to which a block's factor is taken, so that a large block is not staked on a
        guess of the baseline's rate. Valid by Jensen's inequality: E S^b <= (E S)^b <= 1.
        """
        known = times * (weight + self._totals[..., 0])
        return known / np.maximum(known, self._open[..., 0])

    def difference(self) -> Array:
        """float64, the shape: candidate's less baseline's rate of harm; NaN before any."""
        weight, baseline, candidate = np.moveaxis(self._weighted, -1, 0)
        return _quotient(candidate - baseline, weight)

    def rates(self) -> tuple[Array, Array]:
        """float64, the shape: both arms' rates of harm, weighted as their difference is.

        NaN before any block with both arms.
        """
        weight, baseline, candidate = np.moveaxis(self._weighted, -1, 0)
        return _quotient(baseline, weight), _quotient(candidate, weight)

    def relative_difference(self) -> Array:
        """float64, the shape: how much larger the candidate's rate is, in parts of the baseline's.

        NaN before any harm of the baseline.
        """
        _, baseline, candidate = np.moveaxis(self._weighted, -1, 0)
        return _quotient(candidate - baseline, baseline)

    def arrays(self) -> dict[str, Array]:
        """The whole state by name."""
        return {"open": self._open, "totals": self._totals, "weighted": self._weighted}

    def restore(self, arrays: dict[str, Array]) -> None:
        """Take over a state that `arrays` gave; other names are left alone."""
        self._open = arrays["open"]
        self._totals = arrays["totals"]
        self._weighted = arrays["weighted"]


def _four(counts: Array) -> tuple[Array, Array, Array, Array]:
    return cast(tuple[Array, Array, Array, Array], tuple(counts[..., i] for i in range(4)))


def _quotient(above: Array, below: Array) -> Array:
    known = below > 0.0
    return np.where(known, above / np.where(known, below, 1.0), np.nan)
