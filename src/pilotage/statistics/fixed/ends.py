"""The ends of an interval, each by a score test where that was measured to hold, else exact."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.statistics.interval import Guarantee, Interval, Side

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ends:
    """Both ends of many intervals; the masks tell which of them are the score test's."""

    low: Vector
    high: Vector
    low_by_score: Mask
    high_by_score: Mask

    def interval(
        self, *, confidence: float, side: Side, edges: tuple[float, float], score: str, exact: str
    ) -> Interval:
        """The only one as an interval, which says how its ends were found.

        Args:
            edges: what is possible, for an open end.
            score, exact: the names of the two methods.
        """
        low_by_score, high_by_score = bool(self.low_by_score), bool(self.high_by_score)
        used = {"two": {low_by_score, high_by_score}, "lower": {low_by_score}}.get(
            side, {high_by_score}
        )
        method = score if used == {True} else exact
        if len(used) == 2:
            method = f"{score}, one end by {exact}"
        return Interval(
            edges[0] if side == "upper" else float(self.low),
            edges[1] if side == "lower" else float(self.high),
            confidence,
            method,
            Guarantee.APPROXIMATE if True in used else Guarantee.EXACT,
            side,
        )


def chosen(
    score: tuple[Vector, Vector], exact: tuple[Vector, Vector], trusted: tuple[Mask, Mask]
) -> Ends:
    """The score test's ends where they are trusted, the exact ones elsewhere."""
    return Ends(
        np.where(trusted[0], score[0], exact[0]),
        np.where(trusted[1], score[1], exact[1]),
        *trusted,
    )
