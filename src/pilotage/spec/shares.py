"""Shares, margins, spreads and rates as people write them: 95%, 1pp, 0.1sd, 200/s. Pure.

A share is a fraction inside; `%` says which share, `pp` (percentage points) how far two shares are
apart. A bare 1 may mean 1 % or all, so that it is refused with both ways to write it.
"""

import math
import re
from decimal import Decimal
from typing import Final

from pilotage.spec import units
from pilotage.spec.kinds import Kind, Wrong

CONFIDENCE_LOW: Final = 0.5
CONFIDENCE_HIGH: Final = 0.9999
NUMBER_LENGTH: Final = 24
"""Characters of a number; more are no number that a person meant."""

_TEXT: Final = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?) ?([A-Za-z%/µ]*)\Z", re.ASCII
)


def share(low: float, high: float, *, example: str = "85%", noun: str = "such a share") -> Kind:
    """A share from `low` to `high`: "85%", "0.85". Where it is itself a distance, "2pp" will do."""

    def read(text: str) -> float:
        value, unit = _split(text)
        if unit not in ("", "%", "pp"):
            raise Wrong(f"Write it in percent, as in {example}.")
        if not unit and abs(value) >= 1:
            raise Wrong(f"Write {_plain(value)}%, if percent is meant.")
        return _between(_fraction(value, unit), low, high)

    expected = f"a share from {_percent(low)} to {_percent(high)}, such as {example}"
    return Kind(read, noun, expected, "SHARE")


def confidence() -> Kind:
    """How sure a verdict is: "95%"."""
    return share(CONFIDENCE_LOW, CONFIDENCE_HIGH, example="95%", noun="such a confidence")


def portions() -> Kind:
    """Shares of traffic in parts per million, separated by commas: "5%,25%"; () for "none"."""

    def read(text: str) -> tuple[int, ...]:
        if text.lower() == "none":
            return ()
        return tuple(_ppm(part.strip()) for part in text.split(","))

    expected = "shares above 0% and below 100%, separated by commas, such as 5%,25%, or none"
    return Kind(read, "such a list of shares", expected, "SHARES")


def percent(*, zero: bool = False) -> Kind:
    """How much more of itself a quantity is, above 0 (or from 0 on): "20%", "0.2"."""

    def read(text: str) -> float:
        value, unit = _split(text)
        if unit not in ("", "%"):
            raise Wrong(f"Write {_plain(value)}%: it is counted in the baseline's own time.")
        if not unit and value >= 1:
            raise Wrong(f"Write {_plain(value)}%, if percent is meant.")
        return _margin(_fraction(value, unit), zero=zero, below=math.inf)

    return Kind(read, "such a margin", "percent such as 20%", "PERCENT")


def points(*, zero: bool = False) -> Kind:
    """A distance between two shares, above 0 (or from 0 on) and below 1: "1pp", "0.01"."""

    def read(text: str) -> float:
        value, unit = _split(text)
        if unit == "%":
            raise Wrong(f"Write {_plain(value)}pp (percentage points): {text} leaves open of what.")
        if unit not in ("", "pp"):
            raise Wrong("Write it in percentage points, as in 1pp.")
        if not unit and value >= 1:
            raise Wrong(f"Write {_plain(value)}pp, if percentage points are meant.")
        return _margin(_fraction(value, unit), zero=zero, below=1.0)

    expected = "percentage points such as 1pp, or a fraction such as 0.01"
    return Kind(read, "such a margin", expected, "POINTS")


def number(low: float, high: float, *, of: str, example: str = "3.5") -> Kind:
    """A bare number from `low` to `high`; `of` names what has no percent."""

    def read(text: str) -> float:
        return _between(_bare(text, of), low, high)

    ends = [f"at least {low:g}"] if low > -math.inf else []
    ends += [f"at most {high:g}"] if high < math.inf else []
    span = f" of {' and '.join(ends)}" if ends else ""
    return Kind(read, "such a number", f"a number{span}, such as {example}", "NUMBER")


def distance(*, of: str, zero: bool = False) -> Kind:
    """A bare number above 0 (or from 0 on)."""

    def read(text: str) -> float:
        return _margin(_bare(text, of), zero=zero, below=math.inf)

    return Kind(read, "such a margin", "a number above 0, such as 0.5", "NUMBER")


def ratio() -> Kind:
    """The smaller over the larger, between 0 and 1: "0.8", "80%"."""

    def read(text: str) -> float:
        value, unit = _split(text)
        if unit not in ("", "%"):
            raise Wrong("A ratio is written as 0.8 or 80%.")
        return _margin(_fraction(value, unit), zero=False, below=1.0)

    return Kind(read, "such a ratio", "a ratio between 0 and 1, such as 0.8", "RATIO")


def spread(high: float = 100.0) -> Kind:
    """A number of standard deviations: "0.1sd"."""

    def read(text: str) -> float:
        value, unit = _split(text)
        if unit != "sd":
            raise Wrong(f"Write {_plain(value)}sd: it is counted in the column's own spread.")
        return _margin(float(value), zero=False, below=high)

    return Kind(read, "such a noise", "standard deviations such as 0.1sd", "SPREAD")


def rate(high: float = 1e6) -> Kind:
    """Requests a second: "200/s"."""

    def read(text: str) -> float:
        value, unit = _split(text)
        if unit != "/s":
            raise Wrong(f"Write {_plain(value)}/s, if requests a second are meant.")
        return _margin(float(value), zero=False, below=math.nextafter(high, math.inf))

    return Kind(read, "such a rate", f"requests a second, at most {high:,.0f}, as in 200/s", "RATE")


def seconds(*, zero: bool = False) -> Kind:
    """A time with its unit, in seconds: "20ms"."""

    def read(text: str) -> float:
        try:
            value = units.parse_duration(text) / 1e9
        except units.NotAUnit as error:
            raise Wrong(error.fix) from None
        return _margin(value, zero=zero, below=24 * 3600.0)

    return Kind(read, "such a time", "a time with its unit, such as 20ms", "TIME")


def size(*, zero: bool = False) -> Kind:
    """A size in bytes: "200MiB"."""

    def read(text: str) -> float:
        try:
            value = units.parse_size(text)
        except units.NotAUnit as error:
            raise Wrong(error.fix) from None
        return _margin(float(value), zero=zero, below=2.0**60)

    return Kind(read, "such a size", "a size such as 200MiB", "SIZE")


def _ppm(text: str) -> int:
    """Whole parts per million of a share between 0 and all."""
    value, unit = _split(text)
    if unit not in ("", "%"):
        raise Wrong("Write it in percent, as in 5%.")
    if not unit and value >= 1:
        raise Wrong(f"Write {_plain(value)}%, if percent is meant.")
    ppm = value * (10_000 if unit else 1_000_000)
    if ppm != int(ppm):
        raise Wrong("A share is a whole number of parts per million: 0.0001% is the smallest.")
    if not 0 < ppm < 1_000_000:
        raise Wrong
    return int(ppm)


def _split(text: str) -> tuple[Decimal, str]:
    """The number, and what stands behind it. Decimal, so that 1.1% is 0.011 and not beside it."""
    found = _TEXT.match(text) if len(text) <= NUMBER_LENGTH else None
    if found is None:
        raise Wrong("Write the fraction behind a point." if "," in text else "")
    value = Decimal(found[1])
    if not math.isfinite(float(value)):
        raise Wrong
    return value, found[2]


def _fraction(value: Decimal, unit: str) -> float:
    return float(value / 100 if unit in ("%", "pp") else value)


def _bare(text: str, of: str) -> float:
    value, unit = _split(text)
    if unit:
        raise Wrong(f"{of} is no share; write a number without {unit}.")
    return float(value)


def _between(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise Wrong
    return value


def _margin(value: float, *, zero: bool, below: float) -> float:
    if value < 0 or (value == 0 and not zero) or value >= below:
        raise Wrong
    return value


def _plain(value: Decimal) -> str:
    return f"{value:f}"


def _percent(value: float) -> str:
    return f"{100 * value:g}%"
