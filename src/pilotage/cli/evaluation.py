"""What `evaluate` and `compare` share: words into a request, a report onto the screen.

Heavy packages are imported here, when one of the commands runs.
"""

import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pilotage import __version__
from pilotage.cli.composition import ARTIFACTS
from pilotage.errors import PilotageError
from pilotage.formats.opening import OpenedModel, open_model
from pilotage.spec.folders import data_folder
from pilotage.spec.gate_reading import read_confidence, read_gates
from pilotage.spec.gates import DataSettings, GateFile

if TYPE_CHECKING:
    from pilotage.evaluation.evaluating import Request
    from pilotage.evaluation.report import Report

EXIT_FAILED: Final = 1
PROGRESS_ROWS: Final = 20_000
"""Rows from which a progress bar is worth its place."""

Tell = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Words:
    """What was typed."""

    model: Path
    data: str | None
    query: str | None
    label: str | None
    gates: Path | None
    baseline: Path | None
    protected: tuple[str, ...]
    positive: str | None
    confidence: str | None
    html: Path | None
    as_json: bool
    trust: bool


def evaluate(words: Words) -> int:
    """Runs `pilotage evaluate`; the exit code."""
    from pilotage.evaluation.evaluating import evaluate as evaluated
    from pilotage.evaluation.history import HISTORY, remembered
    from pilotage.evaluation.load.latency import measure

    _check_page(words.html)
    gates = gates_of(words)
    request = _request(words, gates)
    with _progress(words) as tell:
        loaded = measure(
            gates.gates,
            request.model,
            request.dataset,
            gates.data,
            confidence=gates.confidence,
            progress=lambda done, total: tell("serving under load", done, total),
        )
        report = evaluated(
            request, progress=tell, measured=loaded.asked, latency=loaded.shown, notes=loaded.notes
        )
    if report.gates:
        report = remembered(report, _data_folder() / HISTORY)
    _show(report, words)
    return exit_code(report)


def exit_code(report: "Report") -> int:
    """0 all passed or none was asked, 1 one failed, or is undecided where that is to fail."""
    allowed = ("passed", "none", "undecided") if report.undecided == "warn" else ("passed", "none")
    return 0 if report.outcome in allowed else EXIT_FAILED


def compare(words: Words) -> int:
    """Runs `pilotage compare`; the exit code."""
    from pilotage.evaluation.comparing import compare as compared

    _check_page(words.html)
    request = _request(words, gates_of(words))
    with _progress(words) as tell:
        report = compared(request, progress=tell)
    _show(report, words)
    return 0


def plan(words: Words) -> int:
    """Runs `pilotage evaluate --plan`; the exit code."""
    from pilotage.checks.once.planning import plan as planned
    from pilotage.cli.plan_screen import render

    render(planned(gates_of(words)), as_json=words.as_json)
    return 0


def gates_of(words: Words) -> GateFile:
    """The file of gates, and over it what was typed."""
    found = GateFile(gates=())
    if words.gates is not None:
        try:
            data = words.gates.read_bytes()
        except OSError as error:
            raise PilotageError(
                f"the gates cannot be read: {error.strerror}", where=str(words.gates)
            ) from error
        found = read_gates(data, str(words.gates))
    settings = found.data
    beside = words.gates.parent if words.gates is not None else Path()
    file = settings.file
    if file is not None and "://" not in file and not Path(file).is_absolute():
        file = str(beside / file)
    settings = DataSettings(
        file=words.data or file,
        label=words.label or settings.label,
        protected=tuple(dict.fromkeys((*settings.protected, *words.protected))),
        weight=settings.weight,
        query_group=settings.query_group,
        positive=words.positive or settings.positive,
        threshold=settings.threshold,
    )
    if words.confidence is not None:
        found = replace(found, confidence=read_confidence(words.confidence, "--confidence"))
    return replace(found, data=settings)


def _check_page(html: Path | None) -> None:
    """Told before the work, not after it."""
    if html is None:
        return
    if html.is_dir():
        raise PilotageError(
            "the report cannot be written: it is a folder", where=str(html), expected="a file"
        )
    if not html.parent.is_dir():
        raise PilotageError(
            "the report cannot be written: its folder does not exist",
            where=str(html),
            fix=f"Make the folder first: mkdir -p {html.parent}",
        )


def _request(words: Words, gates: GateFile) -> "Request":
    from pilotage.evaluation.data.datasets import open_dataset
    from pilotage.evaluation.evaluating import Request

    if gates.data.file is None:
        raise PilotageError(
            "no data were named",
            expected="rows with the truth in them",
            fix="Name them: --data FILE --label COLUMN, or `data:` in the file of gates.",
        )
    dataset = open_dataset(gates.data.file, query=words.query)
    return Request(
        model=_open(words.model, words),
        baseline=None if words.baseline is None else _open(words.baseline, words),
        dataset=dataset,
        gates=gates,
        home=words.gates.parent if words.gates is not None else Path(),
        command=" ".join(["pilotage", *sys.argv[1:]]),
        pilotage=__version__,
        now=datetime.now(UTC).isoformat(timespec="seconds"),
        clock=time.monotonic,
    )


def _open(path: Path, words: Words) -> OpenedModel:
    return open_model(path, artifacts=_data_folder() / ARTIFACTS, trust=words.trust)


def _data_folder() -> Path:
    named = os.environ.get("PILOTAGE_DATA", "")
    return Path(named or data_folder(os.environ, sys.platform))


def _silent(what: str, done: int, total: int | None) -> None:
    """Nobody watches."""


@contextmanager
def _progress(words: Words) -> Generator[Tell]:
    """A bar on stderr while it is a terminal; nothing else otherwise."""
    console = Console(stderr=True)
    if words.as_json or not console.is_terminal:
        yield _silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        tasks: dict[str, int] = {}

        def tell(what: str, done: int, total: int | None) -> None:
            if total is not None and total < PROGRESS_ROWS:
                return
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)  # pyright: ignore[reportArgumentType]

        yield tell


def _show(report: "Report", words: Words) -> None:
    """The report where it was asked for: a page, JSON, or the screen."""
    from pilotage.evaluation.report import encode

    if words.html is not None:
        from pilotage.evaluation.page.rendering import rendered

        try:
            words.html.write_text(rendered(report), encoding="utf-8")
        except OSError as error:
            raise PilotageError(
                f"the report cannot be written: {error.strerror}", where=str(words.html)
            ) from error
    if words.as_json:
        sys.stdout.buffer.write(encode(report))
        return
    from pilotage.cli.report_screen import render

    render(report, Console(), page=words.html is not None)
    if words.html is not None:
        sys.stderr.write(f"The report with pictures: {words.html}\n")
