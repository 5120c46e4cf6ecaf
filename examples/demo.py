"""The main job, shown: a real model becomes a service, and every answer can be accounted for.

Run by `make demo`. Serves Magika's file-type classifier on a free port, sends it real files of
this repository and of the system, compares the answers with the files' true types, and finds one
of the predictions again in the record. Ends by itself unless a person watches.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from file_types import TRUTHS, FileTypeModel, labelled_files

ROOT = Path(__file__).resolve().parent.parent
PILOTAGE = [sys.executable, "-m", "pilotage"]
FOLDERS = [ROOT, Path("/usr/share"), Path("/usr/lib"), Path(sys.prefix) / "lib"]
EACH = 6
SHOWN = 12
READY_S = 60.0


@dataclass(frozen=True)
class Answered:
    """One file, what the model said of it, and how it went."""

    path: Path
    label: str
    score: float
    right: bool
    prediction_id: str
    milliseconds: float


def main() -> int:
    model = FileTypeModel.from_package()
    with tempfile.TemporaryDirectory(prefix="pilotage-demo-") as folder:
        records = Path(folder) / "records"
        port = free_port()
        command = ["serve", f"filetype={model.path}", "--port", str(port), "--record", str(records)]
        command += ["--log-format", "text"]
        say(f"$ pilotage {' '.join(command)}")
        environment = {**os.environ, "PILOTAGE_DATA": folder}
        server = subprocess.Popen([*PILOTAGE, *command], env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url, server)
            return show(model, url, records, server)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def show(model: FileTypeModel, url: str, records: Path, server: "subprocess.Popen[bytes]") -> int:
    """Sends the files, shows what came back, and finds one of the predictions again."""
    say("\nReal files, and what the model says they are:\n")
    answers = [ask(model, url, path) for path in labelled_files(FOLDERS, EACH)]
    for answer in spread(answers, SHOWN):
        mark = "✓" if answer.right else "✗"
        said = f"{answer.label:<15} {answer.score:4.0%}  {answer.milliseconds:5.1f} ms"
        say(f"  {mark} {said}  {short(answer.path)}")
    right = sum(answer.right for answer in answers)
    times = sorted(answer.milliseconds for answer in answers)
    say(f"\n{right} of {len(answers)} files got their true type.")
    say(
        f"Latency, one caller, JSON of 2048 numbers: median {times[len(times) // 2]:.1f} ms, "
        f"p99 {times[int(len(times) * 0.99)]:.1f} ms."
    )
    chosen = answers[len(answers) // 2]
    say(f"\nThe record of {short(chosen.path)}, found by its prediction id:")
    say(f"$ pilotage record find {chosen.prediction_id} --record {records}\n")
    sys.stdout.flush()
    found = subprocess.run(
        [*PILOTAGE, "record", "find", chosen.prediction_id, "--record", str(records)], check=False
    )
    tell_next(url)
    if sys.stdout.isatty():
        say("\nThe server goes on; Ctrl-C ends it.")
        wait_for_interrupt(server)
    enough = answers and right >= 0.9 * len(answers)
    if not enough:
        say("error: fewer than 9 in 10 files got their true type", file=sys.stderr)
    return 0 if enough and found.returncode == 0 else 1


def ask(model: FileTypeModel, url: str, path: Path) -> Answered:
    """One prediction over HTTP, as any client would ask for it."""
    features = model.features(path)
    body = {
        "id": path.name,
        "inputs": [
            {"name": "bytes", "shape": [1, len(features)], "datatype": "INT32", "data": features}
        ],
    }
    request = urllib.request.Request(
        f"{url}/v2/models/filetype/infer", json.dumps(body).encode(), method="POST"
    )
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)
        prediction_id = response.headers["Pilotage-Prediction-Id"]
    took = (time.perf_counter() - started) * 1000
    scores = answer["outputs"][0]["data"]
    best = max(range(len(scores)), key=scores.__getitem__)
    label = model.labels[best]
    right = label in TRUTHS[path.suffix.lower()]
    return Answered(path, label, scores[best], right, prediction_id, took)


def tell_next(url: str) -> None:
    say("\nWhat to try next:")
    say(f"  curl -s {url}/v2/models/filetype            # what it takes and gives")
    say(f"  curl -s {url}/metrics                       # what Prometheus reads")
    say("  pilotage serve YOUR_MODEL                   # ONNX, scikit-learn, XGBoost, LightGBM")


def spread(answers: list[Answered], count: int) -> list[Answered]:
    """So many of them, one of each ending first."""
    seen: set[str] = set()
    firsts = [a for a in answers if not (a.path.suffix in seen or seen.add(a.path.suffix))]
    return firsts[:count]


def short(path: Path) -> str:
    text = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
    return text if len(text) <= 60 else "…" + text[-59:]


def wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + READY_S
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise SystemExit(f"the server ended with code {server.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/v2/health/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"the server was not ready after {READY_S:.0f} s")


def wait_for_interrupt(server: "subprocess.Popen[bytes]") -> None:
    try:
        server.wait()
    except KeyboardInterrupt:
        return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(text: str, file: object = None) -> None:
    print(text, file=file or sys.stdout, flush=True)  # type: ignore[arg-type]


if __name__ == "__main__":
    raise SystemExit(main())
