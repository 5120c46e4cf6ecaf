"""Describes the machine of a run: processor, cores, memory, kernel, versions."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import msgspec

_PACKAGES = (
    "pilotage", "uvloop", "httptools", "msgspec", "orjson", "pysimdjson", "numpy", "onnxruntime",
)  # fmt: skip


class Machine(msgspec.Struct, frozen=True):
    """What a number must be read beside."""

    processor: str
    cores: int
    memory_gb: float
    kernel: str
    python: str
    wrk: str
    gcc: str
    packages: dict[str, str]
    commit: str
    load_average: float


def describe() -> Machine:
    """This machine, now."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        wrk=_first_line(["wrk", "-v"]).split(" [")[0],
        gcc=_first_line(["gcc", "--version"]),
        packages={name: _version(name) for name in _PACKAGES},
        commit=_first_line(["git", "rev-parse", "--short", "HEAD"]),
        load_average=round(os.getloadavg()[0], 2),
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "absent"
    return (done.stdout or done.stderr).strip().partition("\n")[0]
