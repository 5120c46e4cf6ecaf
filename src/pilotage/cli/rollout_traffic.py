"""The traffic that a plan of a rollout stands on. Pure."""

from typing import NamedTuple


class Traffic(NamedTuple):
    """Traffic as it was given or measured; None for what is not known.

    Attributes:
        per_s: requests a second.
        error_rate: the baseline's own.
        units_per_s: values of the sticky key that come anew, a second.
        sentence: all this in words, and where it is from.
    """

    per_s: float
    error_rate: float | None
    units_per_s: float | None
    sentence: str
