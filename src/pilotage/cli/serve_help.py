"""The help of `pilotage serve`, made from the table of settings. Pure."""

import textwrap
from itertools import groupby
from typing import Final

from pilotage.spec.table import SETTINGS, Setting

SUMMARY: Final = "Turn model files into a fast, hardened, recorded service."

EXAMPLES: Final = """\
Examples:
  pilotage serve iris.onnx
  pilotage serve iris=models/iris.onnx spam=models/spam.skops --key @key.txt --host 0.0.0.0 \\
      --deadline 50ms --workers 2"""

CLOSING: Final = """\
Each setting is also a variable (--max-batch-rows is PILOTAGE_MAX_BATCH_ROWS) and a key of the file
that --config names (max_batch_rows). Flags win over variables, variables over the file."""


def help_text(width: int = 100) -> str:
    """The whole help."""
    parts = ["Usage: pilotage serve MODEL [MODEL …] [OPTIONS]", SUMMARY, EXAMPLES]
    for group, settings in groupby(SETTINGS, lambda setting: setting.group):
        parts.append("\n".join([f"{group}:", *(_row(setting, width) for setting in settings)]))
    return "\n\n".join([*parts, CLOSING]) + "\n"


def term(setting: Setting) -> str:
    """What is typed: "--port PORT"; a switch stands alone."""
    if not setting.flag:
        return "MODEL"
    return f"{setting.flag} {setting.kind.metavar}".rstrip()


def _row(setting: Setting, width: int) -> str:
    default = f" [{setting.default}]" if setting.default not in ("", "no") else ""
    lines = textwrap.wrap(setting.help + default, width - 28, break_on_hyphens=False)
    head = f"  {term(setting)}"
    if len(head) > 26:
        return "\n".join([head, *(f"{'':28}{line}" for line in lines)])
    return "\n".join([f"{head:28}{lines[0]}", *(f"{'':28}{line}" for line in lines[1:])])
