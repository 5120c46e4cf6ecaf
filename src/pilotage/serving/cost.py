"""What a batch will take: t(rows) = fixed + each × rows, scaled by what was seen lately.

The line comes from timed batches at load (without it the first burst would be refused or queued
blindly). Afterwards one factor follows the machine: it rises fast and falls slowly, since an
optimistic estimate breaks deadlines and a pessimistic one only costs a little goodput.

A second factor follows what is usual, and is not moved by single batches that the machine held up:
whether a batch may run on the loop must not change with every hiccup.
"""

from collections.abc import Iterable

RISE = 0.3
FALL = 0.05
DRIFT = 0.05
"""How fast the usual factor moves; one batch counts for at most twice what is usual."""


class Cost:
    """A cost model of one replica, in nanoseconds."""

    __slots__ = ("each_ns", "fixed_ns", "scale", "usual")

    def __init__(self, fixed_ns: float, each_ns: float) -> None:
        self.fixed_ns = fixed_ns
        self.each_ns = each_ns
        self.scale = 1.0
        self.usual = 1.0

    @classmethod
    def from_timings(cls, timings: Iterable[tuple[int, float]]) -> "Cost":
        """The line through (rows, ns) of a smallest and a largest batch."""
        points = sorted(timings)
        (few, few_ns), (many, many_ns) = points[0], points[-1]
        each = max(0.0, (many_ns - few_ns) / (many - few)) if many > few else 0.0
        return cls(max(1.0, few_ns - each * few), each)

    def of(self, rows: int) -> float:
        """The expected time of one batch of so many rows."""
        return (self.fixed_ns + self.each_ns * rows) * self.scale

    def usually(self, rows: int) -> float:
        """What such a batch takes when nothing else disturbs it."""
        return (self.fixed_ns + self.each_ns * rows) * self.usual

    def of_queue(self, rows: int, max_rows: int) -> float:
        """The expected time of so many waiting rows, run in batches as full as they may be."""
        batches = -(-rows // max_rows)
        return (self.fixed_ns * batches + self.each_ns * rows) * self.scale

    def learn(self, rows: int, took_ns: float) -> None:
        """Takes in one batch that was run."""
        seen = took_ns / (self.fixed_ns + self.each_ns * rows)
        self.scale += (RISE if seen > self.scale else FALL) * (seen - self.scale)
        self.usual += DRIFT * (min(seen, 2 * self.usual) - self.usual)

    def doubt(self) -> None:
        """Takes in that the engine idles because of this estimate.

        Only batches that run could correct it, and none would run: after one slow call every
        request with a deadline would be refused for good.
        """
        self.scale *= 1 - FALL
