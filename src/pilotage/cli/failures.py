"""Errors as people and programs read them, and the one place where a command may fail.

Exit codes: 0 done, 1 the answer is no, 2 what was given is wrong, 70 a fault of our own, 130
interrupted. A traceback is shown only with PILOTAGE_DEBUG=1; else it is kept in a file.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from pilotage.errors import PilotageError, PilotageErrors
from pilotage.spec.words import printable

EXIT_WRONG: Final = 2
EXIT_FAULT: Final = 70
"""EX_SOFTWARE of BSD's sysexits.h."""
EXIT_INTERRUPTED: Final = 130
EXIT_NO_READER: Final = 141


def guarded(command: Callable[[], int], *, as_json: bool = False) -> int:
    """What the command returns; whatever it raises becomes a message and an exit code."""
    try:
        return command()
    except PilotageError as error:
        sys.stderr.write((errors_as_json if as_json else errors_as_text)(error) + "\n")
        return EXIT_WRONG
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Nobody reads stdout: stop quietly, and keep the interpreter from trying once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NO_READER
    except Exception as error:
        _tell_fault(error)
        return EXIT_FAULT


def each(error: PilotageError) -> Sequence[PilotageError]:
    """The single errors."""
    return error.errors if isinstance(error, PilotageErrors) else [error]


def errors_as_text(error: PilotageError) -> str:
    """One block an error: what, then where, expected and fix, each where there is one."""
    blocks: list[str] = []
    for single in each(error):
        lines = [f"error: {printable(single.what)}"]
        rows = (("at", single.where), ("expected", single.expected), ("fix", single.fix))
        lines += [f"  {label:<9} {printable(text)}" for label, text in rows if text]
        blocks.append("\n".join(lines))
    count = len(blocks)
    return "\n\n".join(blocks) + (f"\n\n{count} errors." if count > 1 else "")


def errors_as_json(error: PilotageError) -> str:
    """`{"errors": [{"what", "where", "expected", "fix"}]}` on one line."""
    rows = [
        {name: getattr(single, name) for name in ("what", "where", "expected", "fix")}
        for single in each(error)
    ]
    return json.dumps({"errors": rows})


def _tell_fault(error: Exception) -> None:
    import traceback  # only on the way out

    details = "".join(traceback.format_exception(error))
    if os.environ.get("PILOTAGE_DEBUG", "") not in ("", "0"):
        sys.stderr.write(details)
        return
    place = _kept(details)
    sys.stderr.write(
        f"error: a fault in Pilotage ({type(error).__name__}); {place}. "
        "PILOTAGE_DEBUG=1 shows it here.\n"
    )


def _kept(details: str) -> str:
    """Where the details were written; only this user may read them."""
    import tempfile

    try:
        handle, path = tempfile.mkstemp(prefix="pilotage-fault-", suffix=".txt")
        with os.fdopen(handle, "w") as file:
            file.write(details)
    except OSError:
        return "the details could not be written"
    return f"the details are in {path}"
