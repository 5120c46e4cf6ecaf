"""Makes the sample of ledger format 1: a rollout that was decided, with the records it stands on.

    PYTHONPATH=tests python tests/samples/make_ledger_1.py

Run once, when the format was new; never again: see `make_format_1`.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from pilotage.control.rollouts import entries
from pilotage.control.rollouts.table import Steered
from simulators.decided_rollout import ABOUT, AT, SPEC, DecidedRollout

FOLDER = Path(__file__).parent / "ledger-1"


def main() -> None:
    if FOLDER.exists():
        sys.exit(f"already there, and to be kept as it is: {FOLDER}")
    with tempfile.TemporaryDirectory() as place:
        rollout = DecidedRollout(Path(place), errors=3, answers=(150, 30), records="records")
        first, second = SPEC.stages
        rollout.ledger.append(
            [
                entries.stage(ABOUT.key(4), AT + 61, ABOUT, first, second),
                entries.steered(ABOUT.key(5), AT + 62, ABOUT, Steered("pause", "ada")),
            ]
        )
        rollout.seal()
        rollout.close()
        (FOLDER / "records").mkdir(parents=True)
        shutil.copy(Path(place) / "ledger.jsonl", FOLDER)
        for segment in rollout.records.glob("*.seg"):
            shutil.copy(segment, FOLDER / "records")


if __name__ == "__main__":
    main()
