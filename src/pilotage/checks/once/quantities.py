"""A number that is not known exactly, and the questions that may be asked of it.

Everything a gate judges is one of these: a metric, its difference between two models on the same
rows, its difference or ratio between two groups.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from pilotage.checks.step_down import Question
from pilotage.statistics.fixed.decisions import (
    decide_equals_from_intervals,
    decide_from_intervals,
)
from pilotage.statistics.interval import Interval, Side
from pilotage.statistics.verdict import Because, Passed, Verdict

INDEPENDENT = "rows are drawn independently from the population that the answer is about"
LISTS = "lists are drawn independently from the population that the answer is about"
ASYMPTOTIC = "there are rows enough for the bootstrap, which reaches its confidence as they grow"


@dataclass(frozen=True, slots=True)
class Quantity:
    """What the rows say about one number.

    `bounds(confidence, side)` is computed when it is asked for, and once. `because` is set where
    there is nothing to decide on, whatever the bounds say.
    """

    estimate: float | None
    observations: int
    bounds: Callable[[float, Side], Interval]
    assumptions: tuple[str, ...] = (INDEPENDENT,)
    because: Because | None = None
    unit: str = "row"
    known: dict[tuple[float, Side], Interval] = field(
        default_factory=dict[tuple[float, Side], Interval], repr=False
    )

    def interval(self, confidence: float, side: Side) -> Interval:
        key = (confidence, side)
        if key not in self.known:
            self.known[key] = self.bounds(confidence, side)
        return self.known[key]

    def at_least(self, value: float, *, fails_below: float | None = None) -> Question:
        return self._beyond(at_least=value, fails_beyond=fails_below)

    def at_most(self, value: float, *, fails_above: float | None = None) -> Question:
        return self._beyond(at_most=value, fails_beyond=fails_above)

    def _beyond(
        self,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        fails_beyond: float | None,
    ) -> Question:
        def decided(confidence: float, beyond: float | None) -> Verdict:
            return decide_from_intervals(
                self.interval(confidence, "lower"),
                self.interval(confidence, "upper"),
                estimate=self.estimate,
                observations=self.observations,
                at_least=at_least,
                at_most=at_most,
                fails_beyond=beyond,
                unit=self.unit,
                assumptions=self.assumptions,
                because=self.because,
            )

        def ask(confidence: float) -> Verdict:
            # A margin that is accepted is accepted, however sure one is of a smaller harm: with
            # rows enough, any harm at all could be shown. Both error rates hold either way, since
            # between 0 and the margin either answer is right.
            plain = decided(confidence, None)
            if fails_beyond is None or isinstance(plain, Passed):
                return plain
            return decided(confidence, fails_beyond)

        return ask

    def equals(self, value: float, *, within: float) -> Question:
        def ask(confidence: float) -> Verdict:
            return decide_equals_from_intervals(
                self.interval(confidence, "lower"),
                self.interval(confidence, "upper"),
                self.interval(confidence, "two"),
                equals=value,
                within=within,
                estimate=self.estimate,
                observations=self.observations,
                unit=self.unit,
                assumptions=self.assumptions,
                because=self.because,
            )

        return ask
