"""What `pilotage evaluate` said of a model of ours under a learner's gates."""

import json
from dataclasses import dataclass
from typing import Final

import msgspec

from pilotage.evaluation.report import GateShown, Report
from pilotage.learn.people import model
from pilotage.learn.projects import Bench, CannotSee

GATES: Final = "gates.yaml"


@dataclass(frozen=True, slots=True)
class Judged:
    """The report, and the command by which a learner sees the same."""

    report: Report
    command: str

    @property
    def stopping(self) -> tuple[GateShown, ...]:
        """The gates that did not pass."""
        return tuple(gate for gate in self.report.gates if gate.verdict.word != "passed")


def judge(
    bench: Bench, name: str, people: bytes, *, shown: str, label: str = "employed"
) -> Judged | CannotSee:
    """Judges the model `name` of ours on these rows by the learner's gates.

    Model and rows are ours, whatever lies in the folder: only the gates are the learner's.
    """
    if not (bench.folder / GATES).is_file():
        return CannotSee(
            f"There is no {GATES} in {bench.folder}.",
            "Write it there. `pilotage learn reset` brings back the one of the start.",
        )
    file, rows = bench.scratch / f"{shown}.onnx", bench.scratch / "people.csv"
    file.write_bytes(model(name)())
    rows.write_bytes(people)
    command = f"pilotage evaluate {shown}.onnx --gates {GATES}"
    ran = bench.run(
        "evaluate", str(file), "--gates", GATES, "--data", str(rows), "--label", label, "--json"
    )
    if ran.code not in (0, 1):
        return CannotSee(
            f"`{command}` cannot run: {_first_error(ran.err)}",
            f"Mend it until this runs: {command}",
        )
    return Judged(msgspec.json.decode(ran.out, type=Report), command)


def _first_error(text: str) -> str:
    """What went wrong, from the errors that a command prints with `--json`."""
    try:
        first = json.loads(text.strip().splitlines()[-1])["errors"][0]
    except (ValueError, LookupError, TypeError):
        return text.strip()[-300:] or "it said nothing"
    place = f" ({first['where']})" if first["where"] else ""
    fix = f". {first['fix']}" if first["fix"] else ""
    return f"{first['what']}{place}{fix}"
