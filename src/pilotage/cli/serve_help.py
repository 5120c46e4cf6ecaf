"""The help of `pilotage serve`, made from the table of settings. Pure."""

import textwrap
from itertools import groupby
from typing import Final

from pilotage.spec.rollout_table import GROUP
from pilotage.spec.setting import Setting
from pilotage.spec.table import SETTINGS

SUMMARY: Final = "Turn model files into a fast, hardened, recorded service."

EXAMPLES: Final = """\
Examples:
  pilotage serve iris.onnx
  pilotage serve iris=models/iris.onnx spam=models/spam.skops --key @key.txt --host 0.0.0.0 \\
      --deadline 50ms --workers 2
  pilotage serve v1.onnx --candidate v2.onnx
  pilotage serve v1.onnx --candidate v2.onnx --shadow 10m --canary 5%,25% \\
      --sticky-by header:x-user-id --guard "error_rate not_worse_by 0.5pp" \\
      --guard "disagreement at_most 5%" --patience 24h"""

CLOSING: Final = """\
Each setting is also a variable (--max-batch-rows is PILOTAGE_MAX_BATCH_ROWS) and a key of the file
that --config names (max_batch_rows; a rollout's under `rollout:`). Flags win over variables,
variables over the file."""


def help_text(width: int = 100) -> str:
    """The whole help."""
    parts = ["Usage: pilotage serve MODEL [MODEL …] [OPTIONS]", SUMMARY, EXAMPLES]
    for group, settings in groupby(SETTINGS, lambda setting: setting.group):
        parts.append("\n".join([f"{group}:", *(_row(setting, width) for setting in settings)]))
        parts += [_guards(width)] if group == GROUP else []
    return "\n\n".join([*parts, CLOSING]) + "\n"


def term(setting: Setting) -> str:
    """What is typed: "--port PORT"; a switch stands alone."""
    if not setting.flag:
        return "MODEL"
    return f"{setting.flag} {setting.kind.metavar}".rstrip()


def _guards(width: int) -> str:
    """What --guard may say, a metric each."""
    from pilotage.spec.guard_words import GUARDS  # serving imports this file, and needs no help

    rows = ["Guards, each optionally followed by `tolerating AMOUNT` and by `optional`:"]
    for word in GUARDS.values():
        lines = textwrap.wrap(word.meaning, width - 28)
        rows += [f"  {word.example}", *(f"{'':28}{line}" for line in lines)]
    return "\n".join(rows)


def _row(setting: Setting, width: int) -> str:
    default = f" [{setting.default}]" if setting.default not in ("", "no") else ""
    lines = textwrap.wrap(setting.help + default, width - 28, break_on_hyphens=False)
    head = f"  {term(setting)}"
    if len(head) > 26:
        return "\n".join([head, *(f"{'':28}{line}" for line in lines)])
    return "\n".join([f"{head:28}{lines[0]}", *(f"{'':28}{line}" for line in lines[1:])])
