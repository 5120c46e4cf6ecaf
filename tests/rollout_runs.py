"""A rollout on a real server: started, watched over its socket, its ledger checked afterwards.

with rollout(folder, models.baseline(), models.failing(), *QUICK) as trial:
    with traffic(trial.plan(per_s=800.0)) as load:
        trial.until_phase("rolled_back")
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import rollout_models
from pilotage.control.ledger.lines import Line, is_whole, read_line
from pilotage.control.rollouts.steering import Order, Verb
from pilotage.control.rollouts.steering_socket import ask, socket_path
from pilotage.control.rollouts.view import GuardView, RolloutView
from pilotage.errors import PilotageError
from servers import PATIENCE_S, Server, serving
from traffic import Outcomes, Plan, saved

POLL_S: Final = 0.05
CANDIDATE: Final = "candidate.onnx"
QUICK: Final = (
    *("--block", "500ms", "--exposure", "2s", "--exposure-units", "200"),
    *("--window", "5s", "--window-requests", "20"),
)
"""The same rollout as in a day, with shorter times."""
OVER: Final = frozenset({"live", "rolled_back", "aborted", "held"})
PILOTAGE: Final = [sys.executable, "-m", "pilotage"]


@dataclass
class Trial:
    """A server with a candidate on trial. `data` is its home: rollouts, ledger, socket."""

    server: Server
    rows: str
    labels: str

    @property
    def data(self) -> Path:
        return self.server.folder / "data"

    def plan(self, *, outcomes: Mapping[str, Any] | None = None, **changes: Any) -> Plan:
        """Traffic about the people of the census, 0.3 % of whom have an impossible age."""
        told = None if outcomes is None else Outcomes(labels=self.labels, **outcomes)
        usual: dict[str, Any] = {"trouble": ((0.0, 0.003),), "retries": 1, "outcomes": told}
        return Plan(port=self.server.port, rows=self.rows, **{**usual, **changes})

    # --- steering --------------------------------------------------------------------------

    def ask(self, verb: Verb = "status") -> RolloutView:
        """How the rollout stands, from the decider itself; waits for one that is starting."""
        path = socket_path(self.data, rollout_models.MODEL)
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                reply = ask(path, Order(verb, by="a test"))
            except PilotageError:  # nobody is there, or it just died
                if time.monotonic() > end:
                    raise
                time.sleep(POLL_S)
                continue
            assert reply.view is not None, reply.error
            return reply.view

    def until(
        self, true: Callable[[RolloutView], bool], what: str, patience_s: float = PATIENCE_S
    ) -> RolloutView:
        """The first view of which it is true."""
        end = time.monotonic() + patience_s
        while True:
            view = self.ask()
            if true(view):
                return view
            assert time.monotonic() < end, f"{what} never came: {told(view)}"
            time.sleep(POLL_S)

    def until_over(self, patience_s: float = PATIENCE_S) -> RolloutView:
        return self.until(lambda view: view.phase in OVER, "an end", patience_s)

    def until_phase(self, phase: str, patience_s: float = PATIENCE_S) -> RolloutView:
        """The end, which must be this one."""
        view = self.until_over(patience_s)
        assert view.phase == phase, told(view)
        return view

    # --- the ledger ------------------------------------------------------------------------

    def ledger(self) -> list[Line]:
        """Its lines, each whole and behind the one before."""
        return ledger_in(self.data)

    def entries(self, kind: str) -> list[Line]:
        return [line for line in self.ledger() if line.entry.kind == kind]

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`pilotage WORDS` beside the server."""
        return subprocess.run(
            [*PILOTAGE, *words],
            env={**os.environ, "PILOTAGE_DATA": str(self.data)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def check_verdicts(self) -> list[Line]:
        """The chain holds, and every verdict comes out the same from the records alone."""
        verified = self.command("ledger", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        verdicts = self.entries("verdict")
        assert verdicts, "no verdict was written"
        for line in verdicts:
            again = self.command("verdict", "recompute", line.id)
            assert again.returncode == 0, again.stdout + again.stderr
        return verdicts


def ledger_in(data: Path) -> list[Line]:
    """The lines of a home's ledger; fails where one is not whole or not behind the one before."""
    path = data / "ledger.jsonl"
    lines = [read_line(text) for text in path.read_bytes().splitlines()] if path.exists() else []
    for line, before in zip(lines[1:], lines, strict=False):
        assert line.before == before.digest
        assert line.number == before.number + 1
    assert all(is_whole(line) for line in lines)
    return lines


@contextmanager
def rollout(
    folder: Path,
    baseline: bytes,
    candidate: bytes,
    *options: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Trial]:
    """A server that runs with the candidate on trial, and is stopped in order at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CANDIDATE).write_bytes(candidate)
    people, labels = rollout_models.people()
    words = ["--candidate", str(folder / CANDIDATE), "--control-port", "0", "--no-live", *options]
    files = {rollout_models.MODEL: baseline}
    with serving(folder, files, *words, environment=environment) as server:
        rows, truths = saved(people, folder / "rows.npy"), saved(labels, folder / "labels.npy")
        yield Trial(server, rows, truths)


def guard_of(view: RolloutView, metric: str) -> GuardView:
    (guard,) = [each for each in view.guards if each.metric == metric]
    return guard


def told(view: RolloutView) -> str:
    """The rollout in a line or two, for a failing test."""
    guards = "; ".join(
        f"{each.name}: {each.word} {each.because} {each.estimate} [{each.low}, {each.high}] "
        f"of {each.baseline_count} and {each.candidate_count}, "
        f"evidence {each.fail_evidence:.2f} and {each.pass_evidence:.2f}"
        for each in view.guards
    )
    stages = "; ".join(f"{each.name} {each.when} {each.seen_units}" for each in view.stages)
    return f"{view.phase}: {view.sentence} | {stages} | {guards} | {json.dumps(view.counts)}"
