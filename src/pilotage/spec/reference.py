"""The reference of settings, limits and commands, written from their tables.

`pilotage.cli.reference` writes them into files, and adds the page of commands, whose tree is
above this room.
"""

import re
from itertools import groupby

from pilotage.contracts.limits import Limits
from pilotage.spec.setting import Setting
from pilotage.spec.table import OTHER_VARIABLES, SETTINGS
from pilotage.spec.units import format_duration, format_size

NOTE = "<!-- Written by `python -m pilotage.cli.reference`; change the tables, not this page. -->"


def serve_page() -> str:
    """Every setting of `pilotage serve`, with flag, variable, key, default and example."""
    parts = [NOTE, "# Settings of `pilotage serve`", _SERVE_INTRODUCTION]
    for group, settings in groupby(SETTINGS, lambda setting: setting.group):
        rows = ["| flag | variable | in the file | default | meaning |", "|---|---|---|---|---|"]
        rows += [_row(setting) for setting in settings]
        parts.append(f"## {group}\n" + "\n".join(rows))
    others = [f"- `{name}`: {meaning}" for name, meaning in OTHER_VARIABLES.items()]
    others.append("- `NO_COLOR`: set to anything, no colours are used.")
    parts += ["## Other variables\n" + "\n".join(others), _SERVE_CLOSING]
    return "\n\n".join(parts) + "\n"


def limits_page() -> str:
    """Every limit, with its default, what to write, and what it means."""
    rows = ["| limit | default | variable | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {_default(name)} | `PILOTAGE_LIMIT_{name.upper()}` | {meaning} |"
        for name, meaning in limit_meanings().items()
    ]
    return "\n\n".join([NOTE, "# Limits", _LIMITS_INTRODUCTION, "\n".join(rows)]) + "\n"


def limit_meanings() -> dict[str, str]:
    """What each limit means, from the docstring of `Limits`."""
    lines = (Limits.__doc__ or "").partition("Attributes:")[2].splitlines()
    meanings: dict[str, str] = {}
    name = ""
    for line in lines:
        if begins := re.match(r" +([a-z_0-9]+): (.*)", line):
            name = begins[1]
            meanings[name] = begins[2].strip()
        elif name and line.strip():
            meanings[name] += " " + line.strip()
    return meanings


def _row(setting: Setting) -> str:
    flag = f"`{setting.flag} {setting.kind.metavar}`" if setting.flag else "`MODEL`"
    if setting.flag and not setting.kind.metavar:
        flag = f"`{setting.flag}`"
    words = f" One of: {', '.join(setting.kind.choices)}." if setting.kind.choices else ""
    several = " May be given several times." if setting.many else ""
    key = f"`{setting.in_file}`" if setting.in_file else ""
    meaning = f"{setting.help}{words}{several} For example `{setting.example}`."
    return f"| {flag} | `{setting.variable}` | {key} | {setting.default} | {meaning} |"


def _default(name: str) -> str:
    value: float = getattr(Limits(), name)
    if name.endswith("_bytes"):
        return format_size(int(value))
    if name.endswith("_s"):
        return format_duration(round(value * 1_000_000_000))
    return str(value)


_SERVE_INTRODUCTION = """\
The same settings can be given as flags, as environment variables and in a YAML file
(`--config FILE`). Flags win over variables, variables over the file. Every text is checked, the
overridden ones too, and all errors are told at once.

```
pilotage serve iris.onnx
pilotage serve iris=models/iris.onnx spam=models/spam.skops --key @key.txt --host 0.0.0.0
pilotage serve v1.onnx --candidate v2.onnx --shadow 10m --canary 5%,25%
```

```yaml
# serve.yaml: pilotage serve --config serve.yaml
models:
  - path: iris.onnx
    name: iris
    deadline: 50ms
  - path: spam.skops
    max_batch_rows: 64
workers: 2
limits:
  body_bytes: 16MiB
```

```yaml
# rollout.yaml: a candidate beside the only model
models: v1.onnx
rollout:
  candidate: v2.onnx
  canary: [5%, 25%]
  sticky_by: header:x-user-id
  guards:
    - error_rate not_worse_by 0.5pp
    - {guard: accuracy not_worse_by 1pp, required: no}
  patience: 24h
  then: hold
```

A time brings its unit (`200us`, `50ms`, `30s`, `2m`); a size may (`4096`, `64MiB`, `10GB`).
Switches are `true` or `false` in a variable or the file; `--trust` and `--no-trust` on the command
line. Paths in the file start beside the file. An entry of `models` may have `name`,
`max_batch_rows`, `deadline`, `trust` and `sample` for itself, which win over those of the
file for all models. A file has at most 256 KiB, no key twice, no aliases. What a guard may say
stands on [a page of its own](guards.md)."""

_SERVE_CLOSING = """\
## Rollouts
A candidate gets the settings of the model beside it: name, deadline, batches, trust, sample. It
must take and give the same tensors, in the same order. The same command resumes the rollout that it
began, after a crash too; another candidate, guard or stage makes another rollout. `pilotage rollout
status` shows it, and `pause`, `resume`, `promote`, `abort` and `rollback` steer it.

## Keys
A text is `SECRET`, `NAME=SECRET`, `@FILE` or `NAME=@FILE`; a file holds `SECRET` or `NAME=SECRET`
a line, and lines that begin with `#` are passed over. An `=` at the end belongs to the secret.
Records carry the name; a key without one is called by six digits of its digest. A secret is at
most 512 visible ASCII characters, and at least 16 where the address can be reached from other
machines. Callers send it as `Authorization: Bearer SECRET`.

## Headers
| header | direction | meaning |
|---|---|---|
| `Authorization: Bearer SECRET` | in | the caller's key |
| `Pilotage-Deadline-Ms` | in | milliseconds within which the answer is wanted |
| `Inference-Header-Content-Length` | both | bytes of JSON before binary tensors |
| `traceparent` | both | W3C trace context |
| `Pilotage-Prediction-Id` | out | the id by which `pilotage record find` finds the record |
| `Pilotage-Recorded: no` | out | the answer could not be recorded |
| `Server-Timing` | out | the parts of the time, where the request asks for them |

## Signals
SIGTERM and SIGINT end the service after requests under way; SIGHUP reads the models and the
configuration file again.

## Exit codes
| code | meaning |
|---|---|
| 0 | ended as asked |
| 1 | the answer is no (nothing was found) |
| 2 | what was given is wrong; each error says where, what was expected and what to do |
| 70 | a fault of our own; the message says where the details are |
| 130 | interrupted |"""

_LIMITS_INTRODUCTION = """\
A limit is the largest value that is still served; one more is refused. The number in brackets is
the HTTP status of the refusal. Set one with `--limit NAME=VALUE`, a variable, or under `limits:` in
the file."""
