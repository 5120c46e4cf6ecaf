"""Makes the samples of format 1. Run once, when the format was new; never again.

    python tests/samples/make_format_1.py

Every later release must read these files, so they are not made anew when the code changes: the
script refuses where they are there. A new format gets a script and a folder of its own.
"""

import sys
from pathlib import Path

from pilotage.contracts import records, snapshot
from samples.contents_1 import BLOCK, OUTCOME, SNAPSHOT, segment

FOLDER = Path(__file__).parent / "format-1"


def main() -> None:
    files = {
        "snapshot.msgpack": snapshot.encode(SNAPSHOT),
        "block.msgpack": records.encode(BLOCK),
        "outcome.msgpack": records.encode(OUTCOME),
        "sealed.seg": segment(sealed=True),
        "torn.open": segment(sealed=False)[:-5],
    }
    there = [name for name in files if (FOLDER / name).exists()]
    if there:
        sys.exit(f"already there, and to be kept as they are: {', '.join(there)}")
    FOLDER.mkdir(exist_ok=True)
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
