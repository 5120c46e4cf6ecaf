"""`kill -9` of a process that appends to the ledger, at random moments, beside another that does.

What an appender was told to be written stands in the ledger once, and the chain is whole. The
appenders write in small pieces, so that many kills leave a line without an end.
"""

import mmap
import os
import random
import signal
import time

from pilotage.control.ledger import file as module
from pilotage.control.ledger.file import Ledger, verify
from pilotage.control.ledger.lines import Entry

ROUNDS = 60
SEED = 20_264
PIECE_BYTES = 100


def _entry(key: str) -> Entry:
    return Entry(key, "stage", 1.5, "iris", "rollout", {"text": "x" * 150})


def _append(path, name: str, said: memoryview, index: int) -> None:
    """Appends until it is killed: an entry of its own and one that the other writes too."""
    whole = os.pwrite

    def slowly(descriptor, data, at):
        time.sleep(0.0005)
        return whole(descriptor, data[:PIECE_BYTES], at)

    def count(_event, **_fields):
        said[2 + index] += 1

    module.os.pwrite = slowly
    ledger = Ledger(path, log=count)
    while True:
        number = said[index]
        lines = ledger.append([_entry(f"{name} {number}"), _entry(f"shared {number}")])
        assert [line.entry.key for line in lines] == [f"{name} {number}", f"shared {number}"]
        said[index] = number + 1


def _child(run) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        run()
    finally:
        os._exit(1)


def test_kills_lose_no_entry_that_was_acknowledged_and_write_none_twice(tmp_path):
    path = tmp_path / "ledger.jsonl"
    chance = random.Random(SEED)
    said = memoryview(mmap.mmap(-1, 4 * 8)).cast("Q")
    names = ("first", "second")

    def start(index: int) -> int:
        return _child(lambda: _append(path, names[index], said, index))

    children = [start(0), start(1)]
    for _ in range(ROUNDS):
        time.sleep(chance.random() * 0.03)
        index = chance.randrange(2)
        os.kill(children[index], signal.SIGKILL)
        assert os.waitpid(children[index], 0)[1] == signal.SIGKILL
        children[index] = start(index)
    for child in children:
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
    Ledger(path).append([_entry("last")])
    assert verify(path).faults == ()
    keys = [line.entry.key for line in Ledger(path).read()]
    assert len(set(keys)) == len(keys)
    for index, name in enumerate(names):
        for each in (name, "shared"):
            assert {f"{each} {number}" for number in range(said[index])} <= set(keys)
        assert said[index] > 10
    assert said[2] + said[3] > 3, "hardly a kill left a line without an end"
