"""Load for a server on this machine, from a process of its own: users, retries, outcomes, counts.

    with traffic(Plan(port=8080, rows=str(file), per_s=500.0)) as load:
        load.until(lambda report: report.answers > 1_000)
    print(load.report.answered)

Open loop: requests arrive at the stated rate, whether answers come or not. What is sent, when and
by whom follows from the seed. `python traffic.py` reads a plan as a line of JSON and tells reports,
a line each, until its input ends or the plan is over; then the last one.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

PATIENCE_S: Final = 60.0
TELLS_EVERY_S: Final = 0.1


class Outcomes(Struct, frozen=True):
    """What is told of answers later: the true label of the row.

    Attributes:
        labels: a .npy file with a whole number a row.
        share: of the answers that get an outcome at all.
        after_s: from the answer to its outcome; `late` is the share that takes ten times as long.
        by_key: the share that is told by the caller's own id instead of the prediction's.
        twice: the share that is told again; `corrected`: told wrong first, then right.
        unknown: the share to which one of a prediction that never was is added.
    """

    labels: str
    kind: str = "label"
    share: float = 1.0
    after_s: float = 0.2
    late: float = 0.0
    by_key: float = 0.5
    twice: float = 0.0
    corrected: float = 0.0
    unknown: float = 0.0


class Plan(Struct, frozen=True):
    """What is sent.

    Attributes:
        rows: a .npy file with the rows to ask about, float32.
        input: the name of the model's input.
        per_s: requests a second, at random moments; `seconds` is how long.
        sticky: a header that names the user, "" for none. There are `users` of them, any of whom
            may ask at any time; or they come in turn, stay for `stay_s` seconds and ask
            `requests_each` times on average, where that is not 0. Their names hold the seed.
        trouble: (second, share): the share of requests whose first number is impossible, so that
            any version fails on them; in straight lines from one to the next.
        troubled_users: all trouble comes from this share of the users, as often on the whole; 1
            means that every user may have some.
        slow: (from, to) seconds in which a fifth of the requests carries `slow_rows` rows.
        retries: how often a request that failed is sent again under the same id.
        pipelined: requests under way on one connection.
    """

    port: int
    rows: str
    model: str = "census"
    input: str = "person"
    per_s: float = 500.0
    seconds: float = 3600.0
    seed: int = 1
    sticky: str = ""
    users: int = 2_000
    requests_each: float = 0.0
    stay_s: float = 1.0
    trouble: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    troubled_users: float = 1.0
    slow: tuple[tuple[float, float], ...] = ()
    slow_rows: int = 64
    retries: int = 0
    connections: int = 8
    pipelined: int = 16
    outcomes: Outcomes | None = None


class Report(Struct):
    """What came back so far; versions are those that the answers name.

    Attributes:
        at: seconds since the epoch; `seconds` since the start.
        sent: requests, those sent again included (`again`).
        answered: answers by version; `failed`: by HTTP status.
        broken: requests whose connection ended before their answer.
        waiting: requests that are due and not yet sent, since all connections are busy.
        last_sent: when the last request was sent that a version answered, since the epoch.
        p50_ms, p99_ms: by version, from sent to answered; told with the last report.
        told: outcomes that the server took, `not_told` those that it did not.
    """

    at: float = 0.0
    seconds: float = 0.0
    sent: int = 0
    again: int = 0
    answered: dict[str, int] = {}
    failed: dict[str, int] = {}
    broken: int = 0
    waiting: int = 0
    last_sent: dict[str, float] = {}
    p50_ms: dict[str, float] = {}
    p99_ms: dict[str, float] = {}
    told: int = 0
    not_told: int = 0
    over: bool = False

    @property
    def answers(self) -> int:
        return sum(self.answered.values())

    @property
    def failures(self) -> int:
        return sum(self.failed.values())


class Load:
    """A process that sends. `report` is the newest that it told."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.report = Report()
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(plan) + b"\n")
        self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def until(self, true: Callable[[Report], bool], what: str = "it") -> Report:
        """The first report of which it is true."""
        end = time.monotonic() + PATIENCE_S
        with self._news:
            while not true(self.report):
                assert not self.report.over, f"the load ended before {what}: {self.report}"
                assert time.monotonic() < end, f"{what} never came true: {self.report}"
                self._news.wait(1.0)
        return self.report

    def stop(self) -> Report:
        """Sends nothing more, and waits for what is under way."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        code = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert code == 0, f"the load ended with code {code}"
        return self.report

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.report = msgspec.json.decode(line, type=Report)
                self._news.notify_all()


@contextmanager
def traffic(plan: Plan) -> Iterator[Load]:
    """Load while the block runs; its report is whole after it."""
    load = Load(plan)
    try:
        yield load
    finally:
        load.stop()


def saved(array: npt.NDArray[np.generic], file: Path) -> str:
    """The array as a file for a plan."""
    np.save(file, array)
    return str(file)


def main() -> None:
    import traffic_sender

    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    traffic_sender.send(plan)


if __name__ == "__main__":
    main()
