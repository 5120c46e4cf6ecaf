"""Makes the sample of evidence format 1: what a decider had saved in the middle of a rollout.

    PYTHONPATH=tests python tests/samples/make_evidence_1.py

Run once, when the format was new; never again: see `make_format_1`.
"""

import sys
from pathlib import Path

import msgspec
import numpy as np

from pilotage.checks.live.evidence import Evidence
from pilotage.spec.rollouts import GuardSpec
from simulators.rollout_frames import (
    ENDPOINT,
    ERRORS,
    FIVE,
    QUARTER,
    ROLLOUT,
    SHADOW,
    Frame,
    Frames,
    labels,
    spec_of,
)

FOLDER = Path(__file__).parent / "evidence-1"
SPEC = spec_of(
    ERRORS,
    GuardSpec("disagreement", 0.05, 0.05, "disagreement at_most 5%"),
    GuardSpec("engine_time", 0.2, 0.05, "engine_time not_worse_by 20%"),
    GuardSpec("engine_time_tail", 0.01, 0.0, "engine_time_tail not_worse_by 1pp"),
    GuardSpec("accuracy", 0.02, 0.0, "accuracy not_worse_by 2pp", of="label", required=False),
    stages=(SHADOW, FIVE, QUARTER),
    sticky_by="header:x-user-id",
    window_s=25.0,
)
WHO = {"rollout": ROLLOUT, "endpoint": ENDPOINT}


def block(frames: Frames, number: int) -> list[Frame]:
    """Frames of one block, the same whenever they are made."""
    rng = np.random.default_rng(number)
    out = [frames.pairs(*[("ok", "ok", (bool(each), 0.0)) for each in rng.random(20) > 0.02])]
    out += [frames.probe(10.0 + float(each), 10.0) for each in rng.random(4)]
    for arm, count in (("baseline", 36), ("candidate", 12)):
        users = rng.integers(0, 2000, count).tolist()
        entries = [frames.entry(user=(arm, user), client_id=f"{arm}-{user}") for user in users]
        entries.append(frames.entry("engine_error", user=(arm, number)))
        right = rng.random(count) < 0.8
        stage = QUARTER if number > 3 else FIVE
        told = [
            frames.outcome(int(y), of=e.id) for y, e in zip(right, entries[:count], strict=True)
        ]
        out += [*told[:2], frames.block(arm, entries, stage, outputs=labels(*[1] * (count + 1)))]
        out += told[2:]
    return out


def main() -> None:
    if FOLDER.exists():
        sys.exit(f"already there, and to be kept as it is: {FOLDER}")
    frames, evidence = Frames(), Evidence(SPEC, **WHO)
    for number in range(6):
        for kind, payload in block(frames, number):
            evidence.observe(kind, payload)
        if number < 5:
            evidence.close_block(10.0)
    FOLDER.mkdir()
    (FOLDER / "state").write_bytes(evidence.save())
    evidence.close_block(10.0)
    numbers = [msgspec.to_builtins(each) for each in evidence.numbers()]
    after = {"numbers": numbers, "counts": evidence.counts()}
    (FOLDER / "after.json").write_bytes(msgspec.json.format(msgspec.json.encode(after)))


if __name__ == "__main__":
    main()
