"""By what factor is the candidate slower? Bounds for the median ratio of paired times, at any look.

The promise: P(the lower end is ever above the median of T_candidate / T_baseline) <= `error_rate`,
and the same for the upper end, however often one looks. The median is the same for all probes, or
the bounds hold for what each of a block's probes has in common.

When: beside the verdict of `probes`, over the same probes and under the same assumptions.

How: for each ratio of a fixed grid, "the median is at most this" and "at least this" are judged by
the bet of `probes` on the probes above and below; what was rejected once stays rejected. Equal
ratios count for neither. The grid has steps of 1 % from 1/8 to 8, and only widens the bounds.

Source: as `probes`; intervals from tests valid at every look: Johari, Pekelis & Walsh (2015),
arXiv 1512.04922.

    >>> bounds = RatioBounds(0.05)
    >>> bounds.update(candidate_s=[0.013] * 20, baseline_s=[0.010] * 20)
    >>> bounds.close_block()
    >>> low, high = bounds.bounds()
    >>> low < 1.3 < high, round(high - low, 2)
    (True, 0.01)
"""

from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.probes import log_evidence_of_hits, times
from pilotage.statistics.sequential.wealth import log_threshold

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "ratio_bounds/1"
STEP: Final = 1.01
STEPS: Final = 209
"""To either side of 1; the last is 8.0."""
EDGES: Final = STEP ** np.arange(-STEPS, STEPS + 1.0)


class RatioBounds:
    """Lower and upper end for a median ratio of times. State: 840 counts and two places."""

    def __init__(self, error_rate: float) -> None:
        """`error_rate` is that of each end."""
        self._error_rate = error_rate
        self._threshold = log_threshold(error_rate)
        # By how many edges lie below a ratio, and by how many at or below it.
        self._below = np.zeros(EDGES.size + 1, np.int64)
        self._reached = np.zeros(EDGES.size + 1, np.int64)
        self._open = np.zeros((2, EDGES.size + 1), np.int64)
        # Edges rejected from below, and the first rejected from above.
        self._ends = np.array([0, EDGES.size], np.int64)

    def update(self, candidate_s: ArrayLike, baseline_s: ArrayLike) -> None:
        """Add probes to the open block: engine times of the same batch in seconds, each (n,).

        Raises:
            ValueError: shapes that differ, or a time that is none.
        """
        candidate, baseline = times(candidate_s, baseline_s, ())
        ratios = candidate / baseline
        np.add.at(self._open[0], np.searchsorted(EDGES, ratios, side="left"), 1)
        np.add.at(self._open[1], np.searchsorted(EDGES, ratios, side="right"), 1)

    def close_block(self) -> None:
        """The open block counts from now on, and is looked at."""
        self._below += self._open[0]
        self._reached += self._open[1]
        self._open[...] = 0
        probes = self._below.sum()
        above = probes - np.cumsum(self._below)[:-1]
        under = np.cumsum(self._reached)[:-1]
        low = log_evidence_of_hits(above, np.full_like(above, probes)) >= self._threshold
        high = log_evidence_of_hits(under, np.full_like(under, probes)) >= self._threshold
        self._ends[0] = max(self._ends[0], np.logical_and.accumulate(low).sum())
        from_above = np.logical_and.accumulate(high[::-1]).sum()
        self._ends[1] = min(self._ends[1], EDGES.size - from_above)

    def bounds(self) -> tuple[float, float]:
        """Lower and upper end of the ratio; 0 and infinity before anything is known."""
        low, high = self._ends.tolist()
        return (
            float(EDGES[low - 1]) if low else 0.0,
            float(EDGES[high]) if high < EDGES.size else float("inf"),
        )

    def estimate(self) -> float | None:
        """The median ratio so far, to half a step; None before any probe."""
        probes = int(self._below.sum())
        if not probes:
            return None
        place = int(np.searchsorted(np.cumsum(self._below), (probes + 1) // 2))
        return float(STEP ** (min(max(place, 1), EDGES.size - 1) - STEPS - 0.5))

    def save(self) -> bytes:
        """The whole state, the open block included."""
        names = ("below", "reached", "open", "ends")
        return pack(FORMAT, self._error_rate, {name: getattr(self, f"_{name}") for name in names})

    @classmethod
    def load(cls, error_rate: float, data: bytes) -> Self:
        """The bounds as they were saved, bit for bit.

        Raises:
            StateError: of another format or error rate, or damaged.
        """
        loaded = cls(error_rate)
        arrays = unpack(FORMAT, error_rate, data)
        for name in ("below", "reached", "open", "ends"):
            setattr(loaded, f"_{name}", arrays[name])
        return loaded
