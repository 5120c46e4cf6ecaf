"""What every test run does: it notes the reasons of what was skipped, for the last line."""

import os
from pathlib import Path

import pytest


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Appends one reason a line to the file named by SKIPS, which `tests/run.sh` reads."""
    skipped = terminalreporter.stats.get("skipped", [])
    one_of_several = hasattr(config, "workerinput")
    if one_of_several or not skipped or "SKIPS" not in os.environ:
        return
    with Path(os.environ["SKIPS"]).open("a") as file:
        for report in skipped:
            _, _, reason = report.longrepr
            file.write(reason.removeprefix("Skipped: ").splitlines()[0] + "\n")
