"""Numbers of a report as people read them, in the words of the verdicts' sentences.

A report may lack a number, or an end of an interval; a dash says so.
"""

import math
from typing import Final

from pilotage.checks.numbers import places_for, scale_of, shown_range
from pilotage.checks.numbers import shown as _shown

NOTHING: Final = "–"
"""Stands where there is no number."""
SIGNIFICANT_DIGITS: Final = 3
"""Of a number that comes without an interval."""


def known(value: float | None) -> bool:
    """Whether there is a number to show: neither missing, nor NaN, nor an open end."""
    return value is not None and math.isfinite(value)


def scaled(value: float | None, unit: str) -> float | None:
    """`value` in the unit that is shown; None where there is none that a picture could place."""
    return value * scale_of(unit) if value is not None and math.isfinite(value) else None


def shown(value: float | None, unit: str = "", *, width: float | None = None) -> str:
    """One estimate with its unit.

    `width` is that of its interval, in the metric's own unit: it says how many digits mean
    something. Without one, three significant digits.
    """
    if value is None or math.isnan(value):
        return NOTHING
    span = abs(width) * scale_of(unit) if width and math.isfinite(width) else 0.0
    if not span and value:
        size = abs(value) * scale_of(unit)
        places = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(size)) if size < math.inf else 0
        return _shown(value, unit, places=min(max(places, 0), 6))
    return _shown(value, unit, places=places_for(span) if span else 0)


def exact(value: float | None, unit: str = "") -> str:
    """A number that a person chose, such as a margin: with the digits that were written."""
    return _shown(value, unit) if value is not None and math.isfinite(value) else NOTHING


def between(low: float | None, high: float | None, unit: str = "", *, side: str = "two") -> str:
    """An interval: "82.1–83.4 %", "−1.2 to 0.4 pp", or by its one bound: "at most 5.1 %"."""
    lower = low if low is not None and not math.isnan(low) and side != "upper" else -math.inf
    upper = high if high is not None and not math.isnan(high) and side != "lower" else math.inf
    if math.isinf(lower) and math.isinf(upper):
        return NOTHING
    if lower == upper:
        return exact(lower, unit)
    if math.isinf(upper):
        return f"at least {shown(lower, unit)}"
    return f"at most {shown(upper, unit)}" if math.isinf(lower) else shown_range(lower, upper, unit)


def width(low: float | None, high: float | None) -> float | None:
    """How wide an interval is; None for an open one."""
    if low is None or high is None or not math.isfinite(high - low):
        return None
    return high - low


def count(value: int) -> str:
    """A count with its thousands apart: "20,000"."""
    return f"{value:,}"


def p_shown(value: float | None) -> str:
    """A p value; below one in ten thousand only that it is."""
    if value is None or math.isnan(value):
        return NOTHING
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}" if value < 0.995 else "1"
