"""The project on the bad release: two rollouts and a kill, by public commands alone."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from learning import PATIENCE_S, Learner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NAME = "catch-the-bad-release"
SHORT = ("--exposure", "3s", "--exposure-units", "300", "--block", "500ms", "--canary", "50%")
GUARD = ("--guard", "error_rate not_worse_by 2pp")
STRICT = ("--guard", "error_rate not_worse_by 0.01pp")
"""Takes tens of thousands of requests."""
ALL = [
    *("ledger-whole", "both-decided", "bad-one-out", "good-one-live"),
    *("same-numbers", "people-asked", "came-back"),
]


SKILLS = [
    *("canary-releases", "automatic-rollback", "crash-recovery"),
    *("audit-trail", "reproducible-decisions"),
]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@dataclass
class Practising(Learner):
    """Somebody with two terminals: one serves, one sends traffic."""

    port: int = field(default_factory=free_port)

    @contextmanager
    def serving(self, candidate: str, *wishes: str) -> Iterator[subprocess.Popen[bytes]]:
        """The server of the task, in a group of its own so that all of it can be killed."""
        words = ["serve", "live.onnx", "--candidate", candidate, "--data", "home", *SHORT]
        words += ["--port", str(self.port), "--control-port", "0", *(wishes or GUARD)]
        with self._running("-m", "pilotage", *words) as server:
            self.until(lambda view: view is not None, "a server")
            yield server

    @contextmanager
    def traffic(self) -> Iterator[None]:
        with self._running("traffic.py", f"http://127.0.0.1:{self.port}"):
            yield

    def until(self, true: Any, what: str) -> None:
        """Waits until what `rollout status` shows is so."""
        end = time.monotonic() + PATIENCE_S
        while True:
            said = self.type("rollout", "status", "--data", "home", "--json", within=NAME)
            if true(said.told if said.out else None):
                return
            assert time.monotonic() < end, f"no {what}: {said.out}{said.err}"

    def until_decided(self) -> None:
        self.until(lambda view: view and view["phase"] in ("live", "rolled_back"), "decision")

    def until_seen(self) -> None:
        self.until(
            lambda view: view and any(each["candidate_count"] for each in view["guards"]), "traffic"
        )

    def rolled_out(self, candidate: str, *wishes: str) -> None:
        """A rollout from its start to its decision."""
        with self.serving(candidate, *wishes), self.traffic():
            self.until_decided()

    def rolled_out_through_a_kill(self, candidate: str, *wishes: str) -> None:
        with self.traffic():
            with self.serving(candidate, *wishes) as server:
                self.until_seen()
                os.killpg(server.pid, signal.SIGKILL)
            self.rolled_out_again(candidate, *wishes)

    def rolled_out_again(self, candidate: str, *wishes: str) -> None:
        """The same command, while traffic is still there."""
        with self.serving(candidate, *(wish for wish in wishes if wish != "--anew")):
            self.until_decided()

    def found(self) -> dict[str, tuple[str, str]]:
        """What the checks say: (answer, what was said and where to look)."""
        said = self.type("learn", "check", NAME, "--folder", NAME, "--json")
        assert said.code in (0, 1), said.err
        return {
            each["name"]: (each["answer"], f"{each['said']} {each['next']}")
            for each in said.told["checks"]
        }

    @contextmanager
    def _running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder / NAME,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def solved(tmp_path_factory) -> Practising:
    """Somebody who did what the task says."""
    learner = Practising(tmp_path_factory.mktemp("solved"))
    learner.start(NAME)
    learner.rolled_out("juniper.onnx")
    learner.rolled_out_through_a_kill("alder.onnx")
    return learner


@pytest.fixture
def another(solved: Practising, tmp_path: Path) -> Practising:
    """Somebody with a copy of what a solved project left behind."""
    shutil.copytree(solved.folder / NAME, tmp_path / NAME)
    return Practising(tmp_path)


@pytest.fixture
def beginner(tmp_path: Path) -> Practising:
    learner = Practising(tmp_path)
    learner.start(NAME)
    return learner


def test_it_is_solved_by_two_rollouts_and_a_kill(solved):
    said = solved.type("learn", "check", NAME)
    assert said.code == 0, said.out
    assert "SOLVED" in said.out
    assert "juniper.onnx is out: it fails" in said.flat
    assert "alder.onnx is live: every required guard passed." in said.flat
    assert "The server was started 2 times under the rollout of alder.onnx" in said.flat
    assert [answer for answer, _ in solved.found().values()] == ["holds"] * len(ALL)
    told = solved.type("learn", "--json").told
    standings = {skill["name"]: skill["standing"] for skill in told["skills"]}
    assert {standings[name] for name in SKILLS} == {"done"}


def test_nothing_served_is_told_as_such(beginner):
    found = beginner.found()
    assert list(found) == ALL
    answer, said = found["ledger-whole"]
    assert answer == "cannot_see"
    assert "no rollout began there" in said
    assert "--data home" in said
    assert {answer for answer, _ in list(found.values())[1:]} == {"later"}


def test_traffic_that_was_never_sent_is_refused(beginner):
    with beginner.serving("alder.onnx"):
        pass
    with beginner.serving("juniper.onnx"):
        pass
    answer, said = beginner.found()["both-decided"]
    assert answer == "does_not_hold"
    assert "is not decided. It has no prediction on record." in said
    assert "let traffic.py run" in said


def test_a_rollout_that_goes_on_is_told_with_what_was_seen(beginner):
    with beginner.serving("alder.onnx", *STRICT), beginner.traffic():
        beginner.until_seen()
    answer, said = beginner.found()["both-decided"]
    assert answer == "does_not_hold"
    assert "The rollout of alder.onnx is not decided." in said
    assert "predictions on record" in said


def test_a_rollout_that_a_person_ended_is_refused(another):
    with another.serving("juniper.onnx", *GUARD, "--anew"):
        said = another.type("rollout", "rollback", "--data", "home", "--yes", within=NAME)
        assert said.code == 0, said.err
    answer, said = another.found()["both-decided"]
    assert answer == "does_not_hold"
    assert "ended by an order, `pilotage rollout rollback`, and not by evidence" in said
    assert "--anew" in said


def test_a_ledger_that_was_edited_is_refused(another):
    ledger = another.folder / NAME / "home" / "ledger.jsonl"
    ledger.write_text(ledger.read_text().replace('"phase":"live"', '"phase":"held"'))
    found = another.found()
    answer, said = found["ledger-whole"]
    assert answer == "does_not_hold"
    assert "The chain of the ledger is broken" in said
    assert "pilotage ledger verify --data home" in said
    assert found["good-one-live"][0] == "later"


def test_records_that_are_gone_are_told(another):
    shutil.rmtree(another.folder / NAME / "home" / "records")
    answer, said = another.found()["same-numbers"]
    assert answer == "does_not_hold"
    assert "does not follow from the records" in said


def test_a_release_without_a_kill_is_refused(another):
    another.rolled_out("alder.onnx", *GUARD, "--anew")
    found = another.found()
    assert [found[name][0] for name in ALL[:-1]] == ["holds"] * (len(ALL) - 1), found
    answer, said = found["came-back"]
    assert answer == "does_not_hold"
    assert "none was ended in the middle" in said
    assert "without --anew" in said


def test_candidates_that_go_live_by_exposure_are_refused(beginner):
    wishes = ("--guard", "engine_time not_worse_by 900%", "--promote-on", "exposure")
    for candidate in ("juniper.onnx", "alder.onnx"):
        beginner.rolled_out(candidate, *wishes)
    found = beginner.found()
    answer, said = found["bad-one-out"]
    assert answer == "does_not_hold"
    assert "juniper.onnx is live, and gives 6 of 100 people no answer" in said
    assert "--promote-on exposure" in said
    answer, said = found["good-one-live"]
    assert answer == "does_not_hold"
    assert "not because it was shown to do no harm" in said
