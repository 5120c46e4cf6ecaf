"""The one entry: `pilotage` with its words goes in, an exit code comes out.

`serve` is called past Typer, whose import would be a tenth of the time from the start of the
process to its first answer; its place in the tree (`cli.tree`) is for completion and reference.
"""

import os
import sys
from collections.abc import Sequence

from pilotage.cli.failures import guarded

NAME = "pilotage"
COMPLETING = "_PILOTAGE_COMPLETE"
"""The variable by which a shell asks for completions. Source: Click, "Shell Completion"."""


def main(words: Sequence[str] | None = None) -> int:
    """The command that the words name; `sys.argv` where none are given."""
    words = sys.argv[1:] if words is None else list(words)
    if words[:1] == ["serve"] and COMPLETING not in os.environ:
        from pilotage.cli import serve

        return serve.run(words[1:])
    return guarded(lambda: _run_tree(words), as_json="--json" in words)


def _run_tree(words: Sequence[str]) -> int:
    from pilotage.cli.tree import tree

    asked = words[0] if words and COMPLETING not in os.environ else ""
    try:
        tree(asked)(args=list(words), prog_name=NAME)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1 if leaving.code else 0
    return 0


def __getattr__(name: str) -> object:
    """`app`, the whole tree, built when somebody asks for it."""
    if name == "app":
        from pilotage.cli.tree import tree

        return tree()
    raise AttributeError(name)
