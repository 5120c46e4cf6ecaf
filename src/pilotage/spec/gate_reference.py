"""The reference of gates, written from the tables that the reader follows. Pure."""

from typing import Final

from pilotage.spec import gate_keys
from pilotage.spec.gate_keys import ASKS, EXAMPLE, Key
from pilotage.spec.gate_words import METRICS, REFUSED, MetricWord
from pilotage.spec.reference import NOTE

_BETTER: Final = {"higher": "more", "lower": "less", "zero": "nearer to 0", "neither": ""}
_UNITS: Final = {"share": "share", "seconds": "time", "bytes": "size", "value": "number"}


def gates_page() -> str:
    """Every key, every way to ask and every metric of a file of gates."""
    parts = [NOTE, "# Gates", _INTRODUCTION, f"```yaml\n{EXAMPLE}```", _NUMBERS]
    parts += ["## Ways to ask", _ASKING, _table(("", "the question", "an example"), _ways())]
    for title, keys in (
        ("A gate", gate_keys.GATE_KEYS),
        ("`under:`", gate_keys.UNDER_KEYS),
        ("`data:`", gate_keys.DATA_KEYS),
        ("The file", gate_keys.FILE_KEYS),
    ):
        parts.append(f"## {title}\n" + _table(("key", "meaning", "for example"), _keys(keys)))
    parts += ["## Metrics", _METRICS]
    heads = ("metric", "meaning", "better", "written as", "models", "options")
    parts.append(_table(heads, [_metric(word) for word in METRICS.values()]))
    refused = ", ".join(f"`{name}`" for name in REFUSED)
    parts += [_REFUSED.format(refused=refused), "## Metrics of your own", _OWN]
    return "\n\n".join(parts) + "\n"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _ways() -> list[tuple[str, ...]]:
    return [(f"`{asks.head}`", asks.meaning, f"`{asks.example}`") for asks in ASKS]


def _keys(keys: tuple[Key, ...]) -> list[tuple[str, ...]]:
    return [(f"`{key.name}`", key.meaning, f"`{key.name}: {key.example}`") for key in keys]


def _metric(word: MetricWord) -> tuple[str, ...]:
    models = ", ".join(word.tasks) or "every kind"
    needs = [need for need in word.needs if need in ("scores", "probabilities")]
    models += f" with {needs[0]}" if needs else ""
    options = [
        f"`{option}`" + (" (needed)" if option in word.required else "") for option in word.options
    ]
    return (
        *(f"`{word.name}`", word.meaning, _BETTER[word.better], _UNITS[word.unit]),
        *(models, ", ".join(options)),
    )


_INTRODUCTION: Final = """\
A file of gates says what a model has to show before it gets traffic. Each gate is one question
with a margin; its answer is passed, failed or undecided, and it is wrong as often as `confidence`
leaves to 100 %: at most, or nearly where its sentence says "about" or "roughly". Every text is
checked, and all errors are told at once, with line and column."""

_NUMBERS: Final = """\
Your editor completes and checks the file when it knows its schema:

```
pilotage schema gates > gates.schema.json
```

```yaml
# yaml-language-server: $schema=gates.schema.json
```

## Numbers
A share is written as `85%` or `0.85`. How far two shares are apart is written in percentage points,
`5pp`, or as a fraction, `0.05`; `5%` of a distance is refused, since it leaves open of what. A bare
`1` is refused where a share belongs. A time brings its unit (`20ms`), a size may (`200MiB`), a rate
is `200/s`, noise is counted in standard deviations of its column (`0.1sd`). Metrics in the unit of
the label are bare numbers. A file has at most 256 KiB, no key twice, no aliases."""

_ASKING: Final = """\
A gate has exactly one of these. `across` beside `at_least`, `at_most`, `within`, `not_worse_than`
or `better_than` asks it of every group, all of which must pass; beside `difference_at_most` and
`ratio_at_least` it compares them, all pairs or those that `against` names. Groups of fewer rows
than `groups_from` are undecided."""

_METRICS: Final = """\
Latency and memory are measured on the serving engine, at the load that `at` states; the others are
computed from the rows of the data set."""

_REFUSED: Final = """\
Not among them: {refused}. In 15 bins a model that is calibrated perfectly has an expected
calibration error of 0.086 on 200 rows and of 0.012 on 10,000, so that a threshold on it judges the
number of rows. `calibration_in_the_large` asks whether as many rows are positive as was predicted;
`brier_score` judges probabilities as a whole; `calibration_error` is an upper bound."""

_OWN: Final = """\
```yaml
metrics: {cost: costs.py:cost_of_error}
gates:
  - {metric: cost, at_most: 0.1}
```

```python
# costs.py
def cost_of_error(truth, answer, score):
    return (truth != answer) * 0.5
```

The function gets the rows in portions, as NumPy arrays, and gives back one loss a row, from 0 to 1,
so that the mean has an interval that holds at every number of rows. `truth` and `answer` are
numbers, or for a classifier labels: whole numbers or booleans where all of its classes are, else
texts. `score` is the probability or score of the positive class, one column a class beyond two, and
None where the model gives none. The path starts beside the file of gates. The function runs in a
process of its own, without network, that reads this file and writes nothing, for 300 s and in 8 GiB
at most."""
