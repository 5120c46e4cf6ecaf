"""What a batch will take: t(rows) = fixed + each × rows, scaled by what was seen lately.

The line comes from timed batches at load (without it the first burst would be refused or queued
blindly). Afterwards one factor follows the machine: it rises fast and falls slowly, since an
optimistic estimate breaks deadlines and a pessimistic one only costs a little goodput.
"""

from collections.abc import Iterable

RISE = 0.3
FALL = 0.05


class Cost:
    """A cost model of one replica, in nanoseconds."""

    __slots__ = ("each_ns", "fixed_ns", "scale")

    def __init__(self, fixed_ns: float, each_ns: float) -> None:
        self.fixed_ns = fixed_ns
        self.each_ns = each_ns
        self.scale = 1.0

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

    def of_queue(self, rows: int, max_rows: int) -> float:
        """The expected time of so many waiting rows, run in batches as full as they may be."""
        batches = -(-rows // max_rows)
        return (self.fixed_ns * batches + self.each_ns * rows) * self.scale

    def learn(self, rows: int, took_ns: float) -> None:
        """Takes in one batch that was run."""
        seen = took_ns / (self.fixed_ns + self.each_ns * rows)
        self.scale += (RISE if seen > self.scale else FALL) * (seen - self.scale)
