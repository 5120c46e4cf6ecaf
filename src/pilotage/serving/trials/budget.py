"""How much of one core's time work beside the traffic may take: a bucket that fills by itself.

Work starts while there is anything in the bucket, and what it took is taken out afterwards, even
below empty: so the share holds in the long run however long a single piece of work is.
"""

from typing import Final

from pilotage.contracts.snapshot import PPM

HELD_NS: Final = 1_000_000_000
"""A full bucket holds what fills it in so long: after a pause, this much may be made up for."""


class Budget:
    """A share of one core's wall time, in parts per million. Times are of a steady clock, in ns."""

    def __init__(self, share_ppm: int, *, now_ns: int) -> None:
        self.share_ppm = share_ppm
        self._at_ns = now_ns
        self._left = share_ppm * HELD_NS

    def wait_ns(self, now_ns: int) -> int:
        """How long until work may start; 0 where it may."""
        self._fill(now_ns)
        if self._left > 0:
            return 0
        return HELD_NS if not self.share_ppm else 1 - self._left // self.share_ppm

    def spend(self, took_ns: int, now_ns: int) -> None:
        """Takes out what work took."""
        self._fill(now_ns)
        self._left -= took_ns * PPM

    def _fill(self, now_ns: int) -> None:
        """The unit inside is a millionth of a nanosecond, so that nothing is rounded."""
        grown = self._left + (now_ns - self._at_ns) * self.share_ppm
        self._left = min(grown, self.share_ppm * HELD_NS)
        self._at_ns = now_ns
