"""One gate of a file: its keys in, a `Gate` out, with whatever does not fit together noted. Pure.

In three steps, each of which notes its own errors: the metric's word, the one way in which the gate
asks, and then every value by the metric's unit.
"""

from collections.abc import Mapping as MappingOf
from typing import Final

from pilotage.spec import gate_keys, kinds, shares
from pilotage.spec.files import Node
from pilotage.spec.gate_keys import ASKS, Asks
from pilotage.spec.gate_values import COLUMNS, Keys, read_condition, read_options
from pilotage.spec.gate_words import ALSO_CALLED, REFUSED, MetricWord
from pilotage.spec.gates import Gate
from pilotage.spec.trees import Reader
from pilotage.spec.words import did_you_mean, shown

GROUP_ROWS: Final = 10**9
GROUPS_FROM: Final = 20
"""Groups of fewer rows are undecided unless the gate says otherwise."""

_ASKS_BY_HEAD: Final = {asks.head: asks for asks in ASKS}
_KEYS: Final = {key.name: key for key in gate_keys.GATE_KEYS}
_WHOLE: Final = kinds.whole(1, GROUP_ROWS)


def read_gate(
    reader: Reader, node: Node, path: str, keys: Keys, words: MappingOf[str, MetricWord]
) -> Gate | None:
    """The gate at `node`; None, with everything wrong noted, where there is none to make."""
    word = _metric(reader, node, path, keys, words)
    asks = _asks(reader, node, path, keys)
    if asks is None:
        return None
    _together(reader, path, keys, asks)
    if word is None:
        return None
    _fitting(reader, node, path, keys, asks, word)
    return _made(reader, node, keys, asks, word)


def _made(reader: Reader, node: Node, keys: Keys, asks: Asks, word: MetricWord) -> Gate | None:
    """The gate from all of its values."""
    condition = read_condition(reader, keys, asks, word)
    options = read_options(reader, keys, word)
    columns = reader.texts(keys["across"], COLUMNS) if "across" in keys else ()
    pairs = reader.pairs(keys["where"], "COLUMN: VALUE") if "where" in keys else ()
    least = reader.value(keys["groups_from"], _WHOLE) if "groups_from" in keys else GROUPS_FROM
    rate = reader.float(keys["at"], shares.rate()) if "at" in keys else None
    against = claim = None
    if "against" in keys:
        against = reader.text(keys["against"], "best, overall, or a group")
    if "claim" in keys:
        claim = reader.text(keys["claim"], "a text")
    if condition is None or columns is None or pairs is None or not isinstance(least, int):
        return None
    return Gate(
        metric=word.name,
        condition=condition,
        across=columns,
        against=against or "extremes",
        groups_from=least,
        where=tuple((found.key.text or "", text) for found, text in pairs),
        options=options,
        rate_per_s=rate,
        claim=claim,
        line=node.line,
    )


# The metric


def _metric(
    reader: Reader, node: Node, path: str, keys: Keys, words: MappingOf[str, MetricWord]
) -> MetricWord | None:
    found = keys.get("metric")
    if found is None:
        reader.wrong(node, path, "the gate names no metric", expected="metric: accuracy, say")
        return None
    name = reader.text(found, "a metric, such as accuracy")
    if name is None:
        return None
    if name.lower() in REFUSED and name not in words:
        reader.wrong(
            found.node,
            found.path,
            f"a threshold on {name} judges the number of rows, not the model",
            fix=REFUSED[name.lower()],
        )
        return None
    if name not in words:
        advised = ALSO_CALLED.get(name.lower(), "")
        fix = f"Write {advised}." if advised in words else did_you_mean(name, words)
        reader.wrong(
            *(found.node, found.path, f"no metric is called {shown(name)}"),
            fix=fix or f"`{reader.lists}` lists them all; one of your own goes under `metrics:`.",
        )
        return None
    return words[name]


# What is asked


def _asks(reader: Reader, node: Node, path: str, keys: Keys) -> Asks | None:
    """The one way in which the gate asks."""
    heads = [head for head in _ASKS_BY_HEAD if head in keys]
    if "equals" in heads and "within" in heads:
        heads.remove("within")
    if len(heads) == 1:
        return _ASKS_BY_HEAD[heads[0]]
    every = ", ".join(_ASKS_BY_HEAD)
    if heads:
        reader.wrong(
            *(keys[heads[1]].key, path, f"{' and '.join(heads)} in one gate"),
            expected=f"one of {every}",
            fix="Make a gate of each.",
        )
    else:
        reader.wrong(node, path, "the gate asks nothing", expected=f"one of {every}")
    return None


def _together(reader: Reader, path: str, keys: Keys, asks: Asks) -> None:
    """Notes keys that are missing beside the head, and those that do not go with it."""
    for name in asks.requires:
        if name not in keys:
            example = _KEYS[name].example
            reader.wrong(
                *(keys[asks.head].key, path, f"{asks.head} stands without {name}"),
                expected=f"{name} beside it",
                fix=f"Add {name}: {example}, for example.",
            )
    for name, found in keys.items():
        if name not in asks.keys:
            beside = _KEYS[name].beside or tuple(other.head for other in ASKS if name in other.keys)
            reader.wrong(
                *(found.key, found.path, f"{name} does not go with {asks.head}"),
                expected=f"{' or '.join(beside)} beside {name}",
                fix=f"As in {_ASKS_BY_HEAD[beside[0]].example}",
            )
        elif name == "groups_from" and "across" not in keys:
            what = "groups_from stands without across"
            reader.wrong(found.key, found.path, what, expected="across beside it")


def _fitting(
    reader: Reader, node: Node, path: str, keys: Keys, asks: Asks, word: MetricWord
) -> None:
    """Notes what cannot be asked of this metric."""
    head = keys[asks.head].key
    name = word.name
    if "load" in word.needs:
        if asks.head != "at_most":
            reader.wrong(head, path, f"{name} cannot be asked so", expected=f"{name} at_most")
        for key in ("across", "where"):
            if key in keys:
                what = f"{name} is measured on the whole data, not by group"
                reader.wrong(keys[key].key, keys[key].path, what, fix=f"Leave {key} out.")
        if "at" in word.required and "at" not in keys:
            reader.wrong(
                *(node, path, f"{name} depends on the load, and none is stated"),
                expected="at: 200/s, or another number of requests a second",
            )
        return
    if "at" in keys:
        reader.wrong(
            *(keys["at"].key, keys["at"].path, f"{name} is not measured under a load"),
            expected="at beside latency_p50, latency_p90, latency_p99 or memory",
        )
    if asks.head in ("not_worse_than", "better_than", "drop_at_most"):
        if word.better in ("neither", "zero"):
            reader.wrong(
                *(head, path, f"neither more nor less of {name} is better as such"),
                fix="Use within." if word.better == "zero" else "Use at_least, at_most or across.",
            )
    elif asks.head == "within" and word.better != "zero":
        reader.wrong(
            *(head, path, f"the ideal of {name} is not 0"),
            expected="within beside calibration_in_the_large or mean_error, or beside equals",
            fix="Use at_least, at_most or equals.",
        )
    elif asks.head == "ratio_at_least" and (word.low is None or word.low < 0):
        reader.wrong(
            *(head, path, f"{name} can be below 0, so that a ratio says nothing"),
            fix="Use difference_at_most.",
        )
