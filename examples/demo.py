"""The main job, shown: a real model becomes a service, and every answer can be accounted for.

Run by `make demo`. Serves Magika's file-type classifier on a free port, sends it real files of
this repository and of the system, compares the answers with the files' true types, and finds one
of the predictions again in the record. Then two candidates are tried on users (`canary`). Ends by
itself unless a person watches.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import canary
from file_types import TRUTHS, FileTypeModel, labelled_files
from served import PILOTAGE, free_port, served

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = [ROOT, Path("/usr/share"), Path("/usr/lib"), Path(sys.prefix) / "lib"]
EACH = 6
SHOWN = 12


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
        words = [f"filetype={model.path}", "--record", str(records), "--log-format", "text"]
        say(f"$ pilotage serve {' '.join(words)} --port {port}")
        with served(words, port, {"PILOTAGE_DATA": folder}):
            right = show(model, f"http://127.0.0.1:{port}", records)
        right &= canary.tell(Path(folder))
    tell_next()
    return 0 if right else 1


def show(model: FileTypeModel, url: str, records: Path) -> bool:
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
    found = subprocess.run(
        [*PILOTAGE, "record", "find", chosen.prediction_id, "--record", str(records)], check=False
    )
    enough = bool(answers) and right >= 0.9 * len(answers)
    if not enough:
        say("error: fewer than 9 in 10 files got their true type", file=sys.stderr)
    return enough and found.returncode == 0


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


def tell_next() -> None:
    say("\nWhat to try next:")
    say("  pilotage serve YOUR_MODEL                          # ONNX, scikit-learn, XGBoost, …")
    say("  pilotage serve YOUR_MODEL --candidate ANOTHER      # it earns its traffic, or is out")
    say("  pilotage rollout status                            # while it runs")


def spread(answers: list[Answered], count: int) -> list[Answered]:
    """So many of them, one of each ending first."""
    seen: set[str] = set()
    firsts = [a for a in answers if not (a.path.suffix in seen or seen.add(a.path.suffix))]
    return firsts[:count]


def short(path: Path) -> str:
    text = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
    return text if len(text) <= 60 else "…" + text[-59:]


def say(text: str, file: object = None) -> None:
    print(text, file=file or sys.stdout, flush=True)  # type: ignore[arg-type]


if __name__ == "__main__":
    raise SystemExit(main())
