"""Durations and sizes as people write them: "50ms" and "64MiB". Pure.

Both are held as whole numbers (nanoseconds, bytes), so that nothing is lost on the way through
text and back. A duration always brings its unit, since a bare 50 may mean anything.
"""

import re
from typing import Final

NS_PER_UNIT: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
"""Nanoseconds in each unit of time."""

BYTES_PER_UNIT: Final = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
"""Bytes in each unit of size."""

_NUMBER: Final = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,9}))? ?([A-Za-zµ]{0,3})\Z", re.ASCII)


class NotAUnit(ValueError):
    """The text is no duration or size.

    Attributes:
        fix: what to write in its place, when that can be guessed.
    """

    def __init__(self, fix: str = "") -> None:
        super().__init__(fix)
        self.fix = fix


def parse_duration(text: str) -> int:
    """The nanoseconds of "200us", "50ms", "1.5s", "2m" or "1h". A bare 0 is no time.

    Raises:
        NotAUnit: another form, no unit, or a fraction of a nanosecond.
    """
    return _parse(text, NS_PER_UNIT, needs_unit=True)


def parse_size(text: str) -> int:
    """The bytes of "4096", "64MiB" or "1.5GB". Without a unit it is bytes.

    Raises:
        NotAUnit: another form, or a fraction of a byte.
    """
    return _parse(text, BYTES_PER_UNIT, needs_unit=False)


def format_duration(ns: int) -> str:
    """The shortest whole form; `parse_duration` gives back `ns`."""
    return _format(ns, ("h", "m", "s", "ms", "us", "ns"), NS_PER_UNIT) if ns else "0"


def format_size(size_bytes: int) -> str:
    """The shortest whole form in powers of 1024; `parse_size` gives back `size_bytes`."""
    return _format(size_bytes, ("TiB", "GiB", "MiB", "KiB", "B"), BYTES_PER_UNIT)


def _parse(text: str, factors: dict[str, int], *, needs_unit: bool) -> int:
    match = _NUMBER.match(text.strip())
    if match is None:
        raise NotAUnit
    whole, fraction, unit = match.groups(default="")
    if not unit:
        if fraction or (needs_unit and int(whole)):
            raise NotAUnit(_which_unit(whole) if needs_unit and not fraction else "")
        return int(whole)
    factor = factors.get(unit) or factors.get(_spelling(unit, factors))
    if factor is None:
        raise NotAUnit(f"The units are {', '.join(factors)}.")
    numerator = int(whole + fraction) * factor
    value, rest = divmod(numerator, 10 ** len(fraction))
    if rest:
        raise NotAUnit("Use a smaller unit, so that the number is whole.")
    return value


def _spelling(unit: str, factors: dict[str, int]) -> str:
    """The one unit that differs from `unit` by case alone; "" when none or several do.

    "mb" is a megabyte to everybody; "M" stays unknown, since no unit is called so.
    """
    same = [name for name in factors if name.lower() == unit.lower() and len(name) > 1]
    return same[0] if len({factors[name] for name in same}) == 1 else ""


def _which_unit(whole: str) -> str:
    return f"{whole} of what? Write {whole}ms or {whole}s."


def _format(value: int, units: tuple[str, ...], factors: dict[str, int]) -> str:
    for unit in units:
        if value and value % factors[unit] == 0:
            return f"{value // factors[unit]}{unit}"
    return f"0{units[-1]}"
