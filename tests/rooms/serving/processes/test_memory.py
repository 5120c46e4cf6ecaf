"""Memory before a swap: what is available, and whether a version fits."""

from pathlib import Path

import pytest

from pilotage.errors import PilotageError
from pilotage.serving.processes.memory import available_bytes, check_fits

MIB = 2**20


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_machine_tells_what_is_available(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    1024 kB\n")
    assert available_bytes(tmp_path) == MIB


def test_a_container_with_less_counts(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemAvailable: 1048576 kB\n")
    write(tmp_path, "sys/fs/cgroup/memory.max", f"{3 * MIB}\n")
    write(tmp_path, "sys/fs/cgroup/memory.current", f"{MIB}\n")
    assert available_bytes(tmp_path) == 2 * MIB


def test_a_container_without_a_limit_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemAvailable: 2048 kB\n")
    write(tmp_path, "sys/fs/cgroup/memory.max", "max\n")
    write(tmp_path, "sys/fs/cgroup/memory.current", "5\n")
    assert available_bytes(tmp_path) == 2 * MIB


def test_where_nothing_is_told_nothing_is_known(tmp_path: Path) -> None:
    assert available_bytes(tmp_path) is None


def test_what_fits_passes_and_one_byte_more_is_refused_with_the_numbers() -> None:
    check_fits(90 * MIB, 100 * MIB, what="the new snapshot")
    with pytest.raises(PilotageError, match=r"needs 90 MiB .* and 100 MiB are available"):
        check_fits(90 * MIB + 1, 100 * MIB, what="the new snapshot")


def test_where_nothing_is_known_nothing_is_refused() -> None:
    check_fits(10**15, None, what="the new snapshot")
