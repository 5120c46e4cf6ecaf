"""Numbers as people read them in a sentence: `82.1–83.4 %`, `-0.2 to 0.9 pp`, `20,000`."""

import math

SPACE = "\u202f"
"""Narrow and unbreakable: a number and its unit stay together."""


def places_for(width: float) -> int:
    """Digits after the point, so that an interval of this width shows two figures of itself."""
    if not math.isfinite(width) or width <= 0:
        return 1
    return min(6, max(0, 1 - math.floor(math.log10(width))))


def scale_of(unit: str) -> float:
    """What a stored number is multiplied by to be shown in this unit."""
    return {"%": 100.0, "pp": 100.0, "ms": 1000.0, "MB": 1e-6}.get(unit, 1.0)


def shown(value: float, unit: str, *, places: int | None = None, sign: bool = False) -> str:
    """One number with its unit: `80 %`, `+0.5 pp`, `0.851`."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "unknown"
    text = _plain(value * scale_of(unit), places, sign=sign)
    return f"{text}{SPACE}{_name(unit)}" if _name(unit) else text


def shown_range(low: float, high: float, unit: str) -> str:
    """An interval with its unit: `82.1–83.4 %`, `−0.2 to 0.9 pp`, `at least 0.3`."""
    if not math.isfinite(low) and not math.isfinite(high):
        return "anything"
    if not math.isfinite(high):
        return f"at least {shown(low, unit)}"
    if not math.isfinite(low):
        return f"at most {shown(high, unit)}"
    scale = scale_of(unit)
    places = places_for((high - low) * scale)
    first, last = (_plain(end * scale, places) for end in (low, high))
    joined = f"{first} to {last}" if low < 0 else f"{first}–{last}"
    return f"{joined}{SPACE}{_name(unit)}" if _name(unit) else joined


def counted(number: int, noun: str) -> str:
    """`1 row`, `20,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _name(unit: str) -> str:
    return "" if unit == "ratio" else unit


def _plain(value: float, places: int | None, *, sign: bool = False) -> str:
    text = f"{value:.6g}" if places is None else f"{value:.{places}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    text = text.replace("-", "−")
    return f"+{text}" if sign and not text.startswith("−") else text
