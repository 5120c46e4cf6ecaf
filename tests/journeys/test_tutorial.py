"""The tutorials do what they say: their blocks are run as they stand, in an empty folder."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE_S = 240.0
PLAIN_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f"), " ")
"""A number is bound to its unit; documents are typed with plain spaces."""


@dataclass
class Block:
    """One fenced block: its language, its options, its text."""

    language: str
    options: dict[str, str]
    text: str


def blocks(tutorial: Path) -> Iterator[Block]:
    for language, options, text in FENCE.findall(tutorial.read_text(encoding="utf-8")):
        yield Block(language, dict(pair.split("=", 1) for pair in options.split()), text)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Reader:
    """Somebody who follows the tutorial in a folder of their own, on a port that is free."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.output = ""
        self.servers: list[subprocess.Popen[str]] = []
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "HOME": str(folder)}

    def follow(self, block: Block) -> None:
        text = block.text.replace("8099", self.port)
        if "file" in block.options:
            (self.folder / block.options["file"]).write_text(text)
        elif block.language == "output":
            for line in text.strip().splitlines():
                assert line in self.output
        elif "background" in block.options:
            self._serve(text)
        else:
            self._run(text, until="until" in block.options)

    def _run(self, text: str, *, until: bool) -> None:
        ends = time.monotonic() + (PATIENCE_S if until else 0)
        while True:
            done = subprocess.run(
                ["bash", "-ec", text],
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            self.output = done.stdout.translate(PLAIN_SPACES)
            if self.output.strip().endswith("2") or time.monotonic() >= ends:
                return
            time.sleep(0.1)

    def _serve(self, text: str) -> None:
        server = subprocess.Popen(
            ["bash", "-c", f"exec {text}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.servers.append(server)
        assert server.stdout is not None
        for line in server.stdout:
            if line.startswith("http://"):
                return
        raise AssertionError("the server ended before it was ready")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_works_as_written(tutorial: Path, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    try:
        for block in blocks(tutorial):
            reader.follow(block)
        for server in reader.servers:
            assert server.wait(30) == 0
    finally:
        for server in reader.servers:
            if server.poll() is None:
                server.send_signal(signal.SIGKILL)
