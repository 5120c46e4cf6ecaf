"""One guard, on one line: a text in, a `GuardSpec` or everything wrong with it out. Pure.

    METRIC [of KIND] [between LOW and HIGH] [beyond NUMBER]
        not_worse_by AMOUNT | at_most SHARE  [tolerating AMOUNT] [optional]

What follows the metric may come in any order. `guard_words` lists metrics and words.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from pilotage.errors import PilotageError, PilotageErrors
from pilotage.spec import shares
from pilotage.spec.guard_words import (
    ALSO_CALLED,
    CLAUSES,
    GUARDS,
    KIND_CHARACTERS,
    NUMBER_HIGH,
    OPTIONAL,
    GuardWord,
)
from pilotage.spec.kinds import Kind, Wrong
from pilotage.spec.rollouts import GuardSpec
from pilotage.spec.words import did_you_mean, nearest, shown

GUARD_CHARACTERS: Final = 300
"""The longest text of a guard."""
MARGIN_LOW: Final = 1e-6
"""The smallest margin, as a share of what is possible: below it no traffic shows anything."""

_CLAUSES: Final = {clause.name: clause for clause in CLAUSES}
_KIND: Final = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{KIND_CHARACTERS - 1}}}\Z", re.ASCII)
_APART: Final = re.compile(r"(?<=[0-9.]) +(?=(?:%|pp)(?: |$))")
"""The space in "0.5 pp"."""
_END: Final = shares.number(-NUMBER_HIGH, NUMBER_HIGH, of="an outcome", example="5")
_DISTANCE: Final = shares.distance(of="a distance between outputs", zero=True)


def read_guard(text: str, *, where: str = "", line: int = 0) -> GuardSpec:
    """The guard that the text says; its own `text` is the normalised one.

    Raises:
        PilotageErrors: everything that is wrong with it.
    """
    faults = _Faults(where)
    spec = _read(text, faults)
    if spec is None or faults.errors:
        raise PilotageErrors(faults.errors)
    return replace(spec, text=text_of(spec), line=line)


def text_of(spec: GuardSpec) -> str:
    """The guard on one line, as short as it can be said; `read_guard` gives back the same."""
    word = GUARDS[spec.metric]
    parts: list[str] = [spec.metric]
    if spec.of and (spec.metric, spec.of) != ("accuracy", "label"):
        parts.append(f"of {spec.of}")
    if "between" in word.requires:
        parts.append(f"between {_plain(spec.low)} and {_plain(spec.high)}")
    if "beyond" in word.requires:
        parts.append(f"beyond {_plain(spec.beyond)}")
    parts.append(f"{word.asks} {amount_text(spec, spec.margin)}")
    if not math.isclose(spec.tolerated, word.tolerated * spec.margin, rel_tol=1e-12):
        parts.append(f"tolerating {amount_text(spec, spec.tolerated)}")
    return " ".join(parts if spec.required else [*parts, OPTIONAL])


def amount_text(spec: GuardSpec, amount: float) -> str:
    """An amount of harm in the guard's unit: "0.5pp", "20%", "0.2"."""
    unit = {"points": "pp", "share": "%", "percent": "%", "number": ""}[GUARDS[spec.metric].amount]
    return _plain(100 * amount if unit else amount) + unit


def _plain(value: float) -> str:
    return f"{value:.10g}"


# The words


@dataclass(slots=True)
class _Faults:
    """What is wrong, each with the same place; `meant` are words that were probably misspelt."""

    where: str
    errors: list[PilotageError] = field(default_factory=list[PilotageError])
    meant: set[str] = field(default_factory=set[str])

    def add(self, what: str, *, expected: str = "", fix: str = "") -> None:
        self.errors.append(PilotageError(what, where=self.where, expected=expected, fix=fix))

    def number(self, text: str, kind: Kind) -> float | None:
        try:
            value = kind.read(text)
        except Wrong as wrong:
            self.add(f"{shown(text)} is not {kind.noun}", expected=kind.expected, fix=wrong.fix)
            return None
        return float(value) if isinstance(value, int | float) else None


def _read(text: str, faults: _Faults) -> GuardSpec | None:
    if len(text) > GUARD_CHARACTERS:
        what = f"the guard has {len(text)} characters"
        faults.add(what, expected=f"at most {GUARD_CHARACTERS}")
        return None
    words = _APART.sub("", " ".join(text.split())).split(" ")
    if words == [""]:
        faults.add("the guard says nothing", expected="a guard", fix=f"For example: {_example()}.")
        return None
    word = _metric(words[0], faults)
    found = _clauses(words if words[0].lower() in _CLAUSES else words[1:], faults)
    if word is None:
        return None
    _fitting(word, found, faults)
    return _made(word, found, faults)


def _metric(name: str, faults: _Faults) -> GuardWord | None:
    if word := GUARDS.get(name.lower()):
        return word
    advised = ALSO_CALLED.get(name.lower(), "")
    near = f"Write {advised}." if advised.split(" ")[0] in GUARDS else did_you_mean(name, GUARDS)
    if name.lower() in _CLAUSES:
        near = f"The metric comes first, as in {_example()}."
    faults.add(
        f"no guard compares {shown(name)}",
        expected=", ".join(GUARDS),
        fix=near or f"For example: {_example()}.",
    )
    return None


def _clauses(words: list[str], faults: _Faults) -> dict[str, tuple[str, ...]]:
    """What follows each word; unknown ones are noted, and passed over up to the next known."""
    found: dict[str, tuple[str, ...]] = {}
    for name, values in _parts(words):
        clause = _CLAUSES.get(name)
        if clause is None:
            advised = ALSO_CALLED.get(name, "")
            fix = f"Write {advised}." if advised in _CLAUSES else did_you_mean(name, _CLAUSES)
            faults.add(
                f"no word of a guard is {shown(name)}", expected=", ".join(_CLAUSES), fix=fix
            )
            faults.meant.add(advised or nearest(name, _CLAUSES) or "")
            continue
        if name in found:
            faults.add(f"{name} is given twice", fix="Keep one of them.")
        wanted = len(clause.form.split())
        if len(values) < wanted or (name == "between" and values[1].lower() != "and"):
            faults.add(
                f"{name} stands without {clause.form}",
                expected=f"{name} {clause.form}",
                fix=f"As in {clause.example}.",
            )
        elif len(values) > wanted:
            extra = values[wanted]
            what = f"{shown(extra)} stands where a guard's next word belongs"
            faults.add(what, expected=", ".join(_CLAUSES), fix=did_you_mean(extra, _CLAUSES))
        found[name] = values[:wanted]
    return found


def _parts(words: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each known word, or the first of several unknown ones, with all up to the next known."""
    name, values = "", []
    for word in words:
        if word.lower() in _CLAUSES or not name:
            if name:
                yield name, tuple(values)
            name, values = word.lower(), list[str]()
        else:
            values.append(word)
    if name:
        yield name, tuple(values)


def _fitting(word: GuardWord, found: dict[str, tuple[str, ...]], faults: _Faults) -> None:
    """Notes words that are missing beside the metric, and those that do not go with it."""
    for name in (word.asks, *word.requires):
        if name not in found and name not in faults.meant:
            faults.add(
                f"{word.name} stands without {name}",
                expected=f"{name} {_CLAUSES[name].form} ({_CLAUSES[name].meaning})",
                fix=f"As in {word.example}.",
            )
    allowed = (word.asks, *word.requires, *word.allows, "tolerating", OPTIONAL)
    for name in found:
        if name not in allowed:
            owners = [
                each.name
                for each in GUARDS.values()
                if name in (each.asks, *each.requires, *each.allows)
            ]
            faults.add(
                f"{name} does not go with {word.name}",
                expected=f"{name} beside {' or '.join(owners)}",
                fix=f"As in {word.example}.",
            )


# The values


def _made(word: GuardWord, found: dict[str, tuple[str, ...]], faults: _Faults) -> GuardSpec | None:
    of = _kind(word, found, faults)
    ends = _ends(found, faults)
    beyond = _number(found, "beyond", _DISTANCE, faults)
    margin = _number(found, word.asks, _amount(word), faults)
    tolerated = _number(found, "tolerating", _amount(word), faults)
    if margin is None:
        return None
    low, high = ends or (0.0, 1.0)
    width = high - low if word.amount == "number" else 1.0
    text = found[word.asks][0]
    if ends is None or not _is_margin(word, margin, text, width, faults):
        return None
    if tolerated is not None and tolerated > margin:
        faults.add(
            f"more harm is tolerated, {found['tolerating'][0]}, than the margin accepts, {text}",
            expected=f"tolerating at most {text}",
            fix="Lower what is tolerated, or raise the margin.",
        )
    return GuardSpec(
        metric=word.name,
        margin=margin,
        tolerated=word.tolerated * margin if tolerated is None else tolerated,
        text="",
        of=of,
        beyond=beyond or 0.0,
        low=low,
        high=high,
        required=OPTIONAL not in found,
    )


def _number(
    found: dict[str, tuple[str, ...]], name: str, kind: Kind, faults: _Faults
) -> float | None:
    """The number behind a word; None where there is none, which is noted by now."""
    values = found.get(name)
    return faults.number(values[0], kind) if values else None


def _kind(word: GuardWord, found: dict[str, tuple[str, ...]], faults: _Faults) -> str:
    values = found.get("of")
    if not values:
        return "label" if word.name == "accuracy" else ""
    if not _KIND.match(values[0]):
        faults.add(
            f"{shown(values[0])} is no kind of outcome",
            expected="letters, digits, underscore, dot and dash, "
            f"at most {KIND_CHARACTERS}, as outcomes name it",
        )
    return values[0]


def _ends(found: dict[str, tuple[str, ...]], faults: _Faults) -> tuple[float, float] | None:
    """The ends of what is possible, 0 and 1 where none are said; None where they are wrong."""
    values = found.get("between")
    if values is None:
        return 0.0, 1.0
    if len(values) < 3:
        return None
    low_text, _, high_text = values
    low, high = faults.number(low_text, _END), faults.number(high_text, _END)
    if low is None or high is None:
        return None
    if low >= high:
        faults.add(
            f"nothing lies between {low_text} and {high_text}",
            expected="the lower end first",
            fix=f"Write between {high_text} and {low_text}." if low > high else "",
        )
        return None
    return low, high


def _is_margin(word: GuardWord, margin: float, text: str, width: float, faults: _Faults) -> bool:
    """Whether the margin can be shown and guards something; notes why not."""
    whole = word.amount == "number"
    high = width if whole else word.high
    spec = GuardSpec(word.name, margin, 0.0, "")
    if margin == 0:
        faults.add(
            "the margin is 0, and no traffic shows that nothing at all is worse",
            expected="a margin above 0",
            fix=f"Write the harm that is accepted, as in {word.example}.",
        )
    elif margin < MARGIN_LOW * width:
        faults.add(
            f"the margin {text} is too small to be shown by any traffic",
            expected=f"at least {amount_text(spec, MARGIN_LOW * width)}",
        )
    elif margin > high or (whole and margin == width):
        faults.add(
            f"a margin of {text} accepts nearly everything",
            expected=f"{'less than' if whole else 'at most'} {amount_text(spec, high)}",
            fix=f"Write the harm that is accepted, as in {word.example}.",
        )
    else:
        return True
    return False


def _amount(word: GuardWord) -> Kind:
    """What an amount of the metric may be written as, 0 among it."""
    if word.amount == "points":
        return shares.points(zero=True)
    if word.amount == "percent":
        return shares.percent(zero=True)
    if word.amount == "share":
        return shares.share(0.0, 1.0, example="5%", noun="such a share of pairs")
    return shares.distance(of=word.name, zero=True)


def _example() -> str:
    return next(iter(GUARDS.values())).example
