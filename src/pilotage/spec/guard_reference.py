"""The reference of guards, written from the tables that the reader follows. Pure."""

from typing import Final

from pilotage.spec.guard_words import CLAUSES, GUARDS, Clause, GuardWord
from pilotage.spec.guards import amount_text
from pilotage.spec.reference import NOTE
from pilotage.spec.rollout_consistency import GUARDS_HIGH
from pilotage.spec.rollouts import GuardSpec

_AMOUNTS: Final = {
    "points": "percentage points: `0.5pp`, or `0.005`",
    "share": "a share of pairs: `5%`, or `0.05`",
    "percent": "percent of the baseline's: `20%`, or `0.2`",
    "number": "a number in the outcome's unit: `0.2`",
}


def guards_page() -> str:
    """Every metric and every word of a guard."""
    heads = ("metric", "what is compared", "judged", "margin", "tolerated", "a guard")
    parts = [NOTE, "# Guards", _INTRODUCTION, "## Metrics"]
    parts.append(_table(heads, [_metric(word) for word in GUARDS.values()]))
    parts += [_METRICS, "## Words"]
    parts.append(_table(("word", "meaning", "for example"), [_clause(each) for each in CLAUSES]))
    parts += [_WORDS, "## In the file", _FILE, "## Two questions, two error rates", _ERRORS]
    return "\n\n".join(parts) + "\n"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _metric(word: GuardWord) -> tuple[str, ...]:
    tolerated = {0.0: "0", 1.0: "the margin"}.get(word.tolerated, f"{word.tolerated:.0%} of it")
    margin = _AMOUNTS[word.amount]
    if word.amount == "number":
        margin += "; less than from end to end"
    else:
        margin += f"; at most {amount_text(GuardSpec(word.name, 0, 0, ''), word.high)}"
    return (
        *(f"`{word.name}`", word.meaning, word.judged, margin, tolerated),
        f"`{word.example}`",
    )


def _clause(clause: Clause) -> tuple[str, ...]:
    example = f"`{clause.example}`" if clause.example else ""
    return f"`{clause.name} {clause.form}`".replace(" `", "`"), clause.meaning, example


_INTRODUCTION: Final = f"""\
A guard is one question that a rollout asks from its first request to its last: is the candidate
worse than the baseline, and by how much? It stands on one line, in `--guard` or under `guards:`.
What is said with `--guard` takes the place of the default, `error_rate not_worse_by 0.5pp`; a
rollout has {GUARDS_HIGH} at most, no two the same.

```
pilotage serve v1.onnx --candidate v2.onnx --guard "error_rate not_worse_by 0.5pp" \\
    --guard "accuracy not_worse_by 1pp tolerating 0.2pp optional"
```"""

_METRICS: Final = """\
`error_rate` counts what the model is to blame for, and neither refusals nor callers' mistakes.
What is judged in the shadow needs `--shadow TIME`. What is judged by outcomes needs `POST
/v1/outcomes`, and `accuracy` recorded outputs besides; while none arrive such a guard is undecided.
The whole time of a request is no metric here: two versions that share an engine slow each other
down, so that an equal candidate would look worse or better than it is."""

_WORDS: Final = """\
The metric comes first; the words after it come in any order, each once. A margin is above 0, and at
least a millionth of what is possible."""

_FILE: Final = """\
```yaml
rollout:
  candidate: v2.onnx
  shadow: 10m
  canary: [5%, 25%]
  guards:
    - error_rate not_worse_by 0.5pp
    - disagreement at_most 5%
    - {guard: engine_time not_worse_by 20%, required: no}
```

`required: no` says what `optional` says."""

_ERRORS: Final = """\
With `--confidence 95%`, and however often one looks:

- a candidate whose harms are all tolerated is rolled back in at most 5 % of rollouts, by all guards
  together;
- a guard whose harm is at its margin or beyond passes in at most 5 % of rollouts. With
  `--promote-on guards` every guard that is not optional must pass before the candidate goes live,
  so that one which is worse by such a margin goes live by itself in at most 5 %.

A harm between what is tolerated and the margin may be answered either way."""
