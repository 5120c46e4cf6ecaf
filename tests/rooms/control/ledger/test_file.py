import errno
import os
import threading
import time

import pytest

from pilotage.control.ledger import file as module
from pilotage.control.ledger.file import Ledger, verify
from pilotage.control.ledger.lines import Entry, line_after, text_of
from pilotage.errors import PilotageError


def _entry(key: str, **what) -> Entry:
    return Entry(key, "stage", 1.5, "iris", "rollout", what)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "ledger.jsonl"


def test_entries_get_lines_that_follow_one_another(path):
    ledger = Ledger(path)
    first, second = ledger.append([_entry("a"), _entry("b")])
    (third,) = ledger.append([_entry("c")])
    assert [line.number for line in (first, second, third)] == [1, 2, 3]
    assert third.before == second.digest
    assert list(ledger.read()) == [first, second, third]
    assert verify(path).faults == ()
    assert verify(path).last == third.digest


def test_a_key_is_written_once_for_ever(path):
    ledger = Ledger(path)
    (line,) = ledger.append([_entry("a", said="first")])
    assert ledger.append([_entry("a", said="second")]) == [line]
    assert Ledger(path).append([_entry("b"), _entry("a"), _entry("b")])[1] == line
    assert [each.entry.key for each in ledger.read()] == ["a", "b"]


def test_several_processes_may_append_in_turn(path):
    ours, theirs = Ledger(path), Ledger(path)
    for number in range(10):
        ours.append([_entry(f"ours {number}")])
        theirs.append([_entry(f"theirs {number}"), _entry(f"ours {number}")])
    assert len(list(ours.read())) == 20
    assert verify(path).faults == ()


def test_several_threads_may_append_at_once(path):
    def work(name: str) -> None:
        ledger = Ledger(path)
        for number in range(20):
            ledger.append([_entry(f"{name} {number}"), _entry(f"shared {number}")])

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(Ledger(path).read())) == 80
    assert verify(path).faults == ()


def test_only_its_user_may_read_it(path):
    Ledger(path).append([_entry("a")])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_without_an_end_is_cut_off_by_the_next_appender_who_says_so(path):
    Ledger(path).append([_entry("a")])
    torn = text_of(line_after(2, "0" * 64, _entry("torn")))
    for cut in (1, 10, len(torn) - 1):
        whole = path.read_bytes()
        path.write_bytes(whole + torn[:-cut])
        assert len(list(Ledger(path).read())) == whole.count(b"\n")
        assert verify(path).faults
        events = []
        ledger = Ledger(path, log=lambda event, told=events, **fields: told.append((event, fields)))
        ledger.append([_entry("a")])
        assert path.read_bytes() == whole
        assert events == [("ledger_tail_removed", {"bytes": len(torn) - cut})]
        ledger.append([_entry(f"after {cut}")])
        assert len(events) == 1
        assert verify(path).faults == ()


def test_what_a_full_disk_leaves_is_taken_back(path, monkeypatch):
    ledger = Ledger(path)
    ledger.append([_entry("a")])
    whole = path.read_bytes()
    real = os.pwrite

    def fill(descriptor, data, at):
        if at > len(whole):
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data[:7], at)

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "pwrite", fill)
        with pytest.raises(OSError, match="full"):
            ledger.append([_entry("b"), _entry("c")])
    assert path.read_bytes() == whole
    assert [line.number for line in ledger.append([_entry("b")])] == [2]
    assert verify(path).faults == ()


def test_nothing_follows_a_last_line_that_cannot_be_read(path):
    ledger = Ledger(path)
    ledger.append([_entry("a")])
    with path.open("ab") as file:
        file.write(b"no line\n")
    for each in (ledger, Ledger(path)):
        with pytest.raises(PilotageError, match="nothing can follow it"):
            each.append([_entry("b")])
    assert len(list(ledger.read())) == 1


def test_a_ledger_that_was_moved_away_begins_anew(path):
    ledger = Ledger(path)
    ledger.append([_entry("a"), _entry("b")])
    path.rename(path.with_suffix(".old"))
    (line,) = ledger.append([_entry("b")])
    assert line.number == 1
    assert verify(path).lines == 1


def test_a_line_is_found_by_the_beginning_of_its_id_or_by_its_key(path):
    ledger = Ledger(path)
    lines = ledger.append([_entry(f"rollout/{number}") for number in range(20)])
    for line in lines:
        assert ledger.find(line.id) == line
        assert ledger.find(line.digest.upper()) == line
        assert ledger.find(f" {line.id[:8]} ") == line
        assert ledger.find(line.entry.key) == line
    for wrong in ("", lines[0].id[:3], "ffffffffffffffff", "rollout"):
        with pytest.raises(PilotageError, match="no line has this id"):
            ledger.find(wrong)


def test_a_beginning_that_several_ids_share_names_none(path):
    ledger = Ledger(path)
    ids = [line.id[:4] for line in ledger.append([_entry(str(n)) for n in range(1500)])]
    shared = next(each for each in ids if ids.count(each) > 1)
    with pytest.raises(PilotageError, match="several lines"):
        ledger.find(shared)


def test_a_ledger_that_is_not_there_is_empty_and_cannot_be_verified(path):
    assert list(Ledger(path).read()) == []
    with pytest.raises(PilotageError, match="no ledger"):
        verify(path)


def test_who_reads_slowly_holds_nobody_up(path):
    ledger = Ledger(path)
    ledger.append([_entry("a"), _entry("b")])
    reading = ledger.read()
    next(reading)
    ledger.append([_entry("c")])
    assert [line.entry.key for line in reading] == ["b"]


def test_a_hundred_thousand_lines_are_verified_in_seconds(path):
    ledger = Ledger(path)
    what = {"word": "passed", "guards": [{"name": "error_rate", "low": 0.1, "high": 0.2}] * 4}
    ledger.append([_entry(f"r/{number}", **what) for number in range(20_000)])
    start = time.perf_counter()
    assert verify(path).faults == ()
    assert 5 * (time.perf_counter() - start) < 15
