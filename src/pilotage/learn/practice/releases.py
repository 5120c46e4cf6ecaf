"""What rollouts left behind in a learner's home folder: the ledger, and the records."""

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from pilotage.contracts.predictions import unpack
from pilotage.contracts.snapshot import Step, digest_of_version
from pilotage.control.ledger.file import Ledger
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.entries import ROLLOUT, Ended, Started, SteeredBy, Verdict
from pilotage.learn.people import model
from pilotage.learn.projects import Bench
from pilotage.records.store import Query, Store

HOME: Final = "home"
"""The folder that the task gives to `--data`."""
LEDGER: Final = "ledger.jsonl"
RECORDS: Final = "records"
NS: Final = 1_000_000_000


@dataclass(slots=True)
class Release:
    """A rollout as the ledger tells it. `begun` counts the lines that say it started; `verdict` is
    that of all guards together, the last one, and `verdict_key` names it."""

    rollout: str
    started: Started
    begun: int = 1
    steered: list[SteeredBy] = field(default_factory=list[SteeredBy])
    verdict: Verdict | None = None
    verdict_key: str = ""
    ended: Ended | None = None
    ended_at: float = 0.0


@dataclass(slots=True)
class Recorded:
    """Predictions until a rollout ended: how many by each arm, and by which starts of the
    server."""

    by_arm: Counter[str] = field(default_factory=Counter[str])
    boots: set[int] = field(default_factory=set[int])


def home_of(bench: Bench) -> Path:
    return bench.folder / HOME


def releases_in(home: Path) -> list[Release]:
    """The rollouts of a home folder in the order in which they began.

    Raises:
        PilotageError: an entry is not as its kind is written.
    """
    found: dict[str, Release] = {}
    for line in Ledger(home / LEDGER).read():
        entry = line.entry
        release = found.get(entry.rollout)
        if entry.kind == "started":
            if release is None:
                found[entry.rollout] = Release(entry.rollout, entries.read(entry, Started))
            else:
                release.begun += 1
        elif release is None:
            continue
        elif entry.kind == "steered":
            release.steered.append(entries.read(entry, SteeredBy))
        elif entry.kind == "verdict":
            verdict = entries.read(entry, Verdict)
            if verdict.of == ROLLOUT:
                release.verdict, release.verdict_key = verdict, entry.key
        elif entry.kind == "ended":
            release.ended, release.ended_at = entries.read(entry, Ended), entry.at
    return list(found.values())


@cache
def digest_of(name: str) -> str:
    """The digest by which `serve` knows a model of ours, whatever file it is served from."""
    from pilotage.formats.opening import open_model  # NumPy, which the map does not need

    with tempfile.TemporaryDirectory(prefix="pilotage-learn-") as folder:
        file = Path(folder, f"{name}.onnx")
        file.write_bytes(model(name)())
        found = open_model(file, artifacts=Path(folder, "artifacts"))
    step = Step(
        engine="onnxruntime",
        artifact=found.digest,
        location=str(found.path),
        settings=found.settings,
    )
    return digest_of_version((step,))


def recorded_of(home: Path, release: Release) -> Recorded:
    """What is recorded of a rollout until it ended, or until now.

    Raises:
        PilotageError: a record cannot be read.
    """
    folder = home / RECORDS
    found = Recorded()
    if not folder.is_dir():
        return found
    until = Query(until_ns=int(release.ended_at * NS)) if release.ended else Query()
    for record in Store(folder).records(until):
        if record.rollout == release.rollout:
            found.by_arm[record.arm] += 1
            found.boots.add(unpack(record.id).boot)
    return found
