"""Runs wrk on the load's core and reads what it measured."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.places import HERE, HOST, LOAD_CORE
from pilotage.errors import PilotageError


class Load(msgspec.Struct, frozen=True):
    """One run of wrk. Times are microseconds; `refused` are answers of 400 and above, `broken`
    are connections that failed or timed out."""

    requests: int
    duration_us: int
    bytes: int
    refused: int
    broken: int
    p50_us: int
    p90_us: int
    p99_us: int
    p999_us: int
    max_us: int

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.requests - self.refused) / (self.duration_us / 1e6)


@dataclass(frozen=True)
class Running:
    """A wrk that is under way."""

    process: "subprocess.Popen[bytes]"

    def finish(self) -> Load:
        out, err = self.process.communicate(timeout=120)
        if self.process.returncode != 0:
            raise PilotageError("wrk failed", where=err.decode(errors="replace").strip()[-300:])
        return msgspec.json.decode(out.splitlines()[-1], type=Load)


def tool(name: str, package: str) -> str:
    """The path of a program, or an error that says how to get it."""
    found = shutil.which(name)
    if found is None:
        raise PilotageError(
            f"the program {name} is missing", fix=f"Install it: apt-get install {package}"
        )
    return found


def start(rotation: Path, port: int, *, connections: int, seconds: int) -> Running:
    """Starts wrk with one thread on the load's core; `seconds` is whole, as wrk's clock is."""
    command = [
        tool("taskset", "util-linux"), "-c", str(LOAD_CORE), tool("wrk", "wrk"),
        "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s",
        "-s", str(HERE / "rotate.lua"), f"http://{HOST}:{port}", "--", str(rotation),
    ]  # fmt: skip
    return Running(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE))


def run(rotation: Path, port: int, *, connections: int, seconds: int) -> Load:
    """One bounded run of wrk from start to end."""
    return start(rotation, port, connections=connections, seconds=seconds).finish()
