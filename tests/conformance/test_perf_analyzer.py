"""Triton's `perf_analyzer`, unmodified, where it is on the PATH.

Its wheel wants a newer C library than Debian 12 has. The program inside the wheel of
`tritonclient` 2.50 runs there beside `libb64-0d` and `nvidia-cuda-runtime-cu12`.
"""

import csv
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from servers import Server, serving

PROGRAM = shutil.which("perf_analyzer")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="perf_analyzer is not on the PATH")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("perf"), {"mlp": models.mlp()}) as server:
        yield server


@pytest.mark.parametrize("form", ["binary", "json"])
def test_perf_analyzer_measures_us_without_a_failed_request(
    server: Server, tmp_path: Path, form: str
) -> None:
    table = tmp_path / "table.csv"
    before = server.metric("pilotage_requests_total", status="ok")
    done = subprocess.run(
        [
            *[str(PROGRAM), "-m", "mlp", "-u", server.url.removeprefix("http://"), "-i", "http"],
            *["--shape", "x:1,30", "--concurrency-range", "4", "--measurement-mode"],
            *["count_windows", "--measurement-request-count", "50", "-s", "999"],
            *["--input-tensor-format", form, "--output-tensor-format", form, "-f", str(table)],
        ],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = csv.DictReader(table.open())
    assert float(row["Inferences/Second"]) > 0
    assert server.metric("pilotage_requests_total", status="ok") >= before + 50
    assert server.metric("pilotage_refusals_total") == 0
