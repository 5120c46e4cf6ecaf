"""The values of one gate: texts in, numbers in the metric's own unit out. Pure."""

import math
from collections.abc import Mapping as MappingOf
from typing import Final

from pilotage.spec import gate_keys, gates, kinds, shares
from pilotage.spec.gate_keys import Asks
from pilotage.spec.gate_words import METRICS, MetricWord
from pilotage.spec.gates import Condition, Perturbation
from pilotage.spec.kinds import Kind
from pilotage.spec.trees import Found, Reader

Keys = MappingOf[str, Found]

COLUMNS: Final = "a column, or a list of columns"
LIST_LENGTH: Final = 10**6
MISSING_HIGH: Final = 0.95
"""More missing values leave nothing to judge."""

_KEYS: Final = {key.name: key for key in gate_keys.GATE_KEYS}
_OPTIONS: Final[dict[str, Kind]] = {
    "k": kinds.whole(1, LIST_LENGTH),
    "tolerance": shares.distance(of="a tolerance"),
    "quantile": shares.share(0.001, 0.999, example="90%", noun="such a share of rows"),
    "clip": shares.distance(of="a clipped loss"),
}


def level_kind(word: MetricWord) -> Kind:
    """What a value of the metric may be written as."""
    if word.unit == "seconds":
        return shares.seconds()
    if word.unit == "bytes":
        return shares.size()
    low = -math.inf if word.low is None else word.low
    high = math.inf if word.high is None else word.high
    return (
        shares.share(low, high) if word.unit == "share" else shares.number(low, high, of=word.name)
    )


def margin_kind(word: MetricWord, *, zero: bool = False) -> Kind:
    """What a distance between two values of the metric may be written as."""
    if word.unit == "seconds":
        return shares.seconds(zero=zero)
    if word.unit == "bytes":
        return shares.size(zero=zero)
    if word.unit == "share":
        return shares.points(zero=zero)
    return shares.distance(of=word.name, zero=zero)


def read_condition(reader: Reader, keys: Keys, asks: Asks, word: MetricWord) -> Condition | None:
    """The question with its numbers; None where one of them is missing or wrong."""
    margins = {
        key: reader.float(keys[key], margin_kind(word, zero=key == "by_at_least"))
        for key in ("within", "by_more_than", "by_at_least", "difference_at_most", "drop_at_most")
        if key in keys
    }
    for key in ("not_worse_than", "better_than"):
        if key in keys and not reader.value(keys[key], kinds.choice("baseline")):
            return None
    match asks.head:
        case "at_least" | "at_most":
            value = _level(reader, keys[asks.head], asks.head, word)
            make = gates.AtLeast if asks.head == "at_least" else gates.AtMost
            return None if value is None else make(value)
        case "ratio_at_least":
            value = reader.float(keys[asks.head], shares.ratio())
            return None if value is None else gates.RatioAcross(value)
        case "equals":
            value = reader.float(keys["equals"], level_kind(word))
            within = margins.get("within")
            return None if value is None or within is None else gates.Equals(value, within)
        case "drop_at_most":
            under = _perturbation(reader, keys["under"]) if "under" in keys else None
            drop = margins["drop_at_most"]
            return None if under is None or drop is None else gates.DropUnder(under, drop)
        case "better_than":
            gain = margins.get("by_at_least", 0.0)
            return None if gain is None else gates.BetterThanBaseline(gain)
        case "not_worse_than":
            loss = margins.get("by_more_than")
            return None if loss is None else gates.NotWorseThanBaseline(loss)
        case _:
            margin = margins[asks.head]
            make = gates.Within if asks.head == "within" else gates.DifferenceAcross
            return None if margin is None else make(margin)


def _level(reader: Reader, found: Found, head: str, word: MetricWord) -> float | None:
    """A bound on the metric: neither one that all models keep nor one that none can show."""
    value = reader.float(found, level_kind(word))
    if value is None:
        return None
    always, never = (word.low, word.high) if head == "at_least" else (word.high, word.low)
    if value == always:
        what = f"every model keeps {word.name} {_said(head, found)}"
        reader.wrong(found.node, found.path, what, expected="a bound that a model can miss")
    elif value == never:
        what = f"no number of rows can show {word.name} {_said(head, found)}"
        reader.wrong(found.node, found.path, what, fix="Leave some room for a mistake.")
    else:
        return value
    return None


def _said(head: str, found: Found) -> str:
    text = getattr(found.node, "text", None)
    return f"{head.replace('_', ' ')} {text}"


def _perturbation(reader: Reader, found: Found) -> Perturbation | None:
    names = [key.name for key in gate_keys.UNDER_KEYS]
    before = len(reader.noted)
    keys = reader.keys(found.node, found.path, names, also_called={}, elsewhere={}) or {}
    missing = noise = 0.0
    columns: tuple[str, ...] = ()
    if "missing" in keys:
        kind = shares.share(0, MISSING_HIGH, example="5%")
        missing = reader.float(keys["missing"], kind) or 0.0
    if "noise" in keys:
        noise = reader.float(keys["noise"], shares.spread()) or 0.0
    if "columns" in keys:
        columns = reader.texts(keys["columns"], COLUMNS) or ()
    if len(reader.noted) > before:
        return None
    if not missing and not noise:
        reader.wrong(
            *(found.node, found.path, "nothing is done to the inputs"),
            expected="missing: 5%, noise: 0.1sd, or both",
        )
        return None
    return Perturbation(missing, noise, columns)


def read_options(reader: Reader, keys: Keys, word: MetricWord) -> tuple[tuple[str, float], ...]:
    """The metric's own settings."""
    kept: list[tuple[str, float]] = []
    for name in gate_keys.OPTIONS:
        if name in keys and name in word.options:
            value = reader.float(keys[name], _OPTIONS[name])
            kept += [] if value is None else [(name, value)]
        elif name in keys:
            owners = [other.name for other in METRICS.values() if name in other.options]
            reader.wrong(
                *(keys[name].key, keys[name].path, f"{word.name} has no {name}"),
                expected=f"{name} beside {' or '.join(owners)}",
                fix="Leave it out.",
            )
        elif name in word.required:
            found = keys["metric"]
            reader.wrong(
                *(found.node, found.path, f"{word.name} stands without {name}"),
                expected=f"{name} beside it: {_KEYS[name].meaning}",
                fix=f"Add {name}: {_KEYS[name].example}, for example.",
            )
    return tuple(kept)
