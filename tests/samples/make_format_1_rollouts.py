"""Makes the samples of what rollouts added to format 1. Run once; never again.

    PYTHONPATH=tests python tests/samples/make_format_1_rollouts.py

Those of `make_format_1.py` stay as they are: they are what was written before.
"""

import sys
from pathlib import Path

from pilotage.contracts import records, snapshot
from samples.contents_1_rollouts import NARROWED, PAIRED, PROBE, TRIED, segment

FOLDER = Path(__file__).parent / "format-1-rollouts"


def main() -> None:
    files = {
        "snapshot.msgpack": snapshot.encode(TRIED),
        "block.msgpack": records.encode(PAIRED),
        "probe.msgpack": records.encode(PROBE),
        "outcome.msgpack": records.encode(NARROWED),
        "sealed.seg": segment(),
    }
    there = [name for name in files if (FOLDER / name).exists()]
    if there:
        sys.exit(f"already there, and to be kept as they are: {', '.join(there)}")
    FOLDER.mkdir(exist_ok=True)
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
