"""`pilotage --help` is instant: it loads neither an engine nor a web framework."""

import json
import subprocess
import sys

HEAVY = {
    "onnxruntime",
    "onnx",
    "sklearn",
    "skl2onnx",
    "xgboost",
    "lightgbm",
    "scipy",
    "pandas",
    "polars",
    "fastapi",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
}
PROGRAM = """
import json, sys
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="pilotage")
sys.argv = ["pilotage", "--help"]
try:
    command.load()()
finally:
    sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def test_help_loads_neither_an_engine_nor_a_web_framework():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "serve" in ran.stdout
    loaded = set(json.loads(ran.stderr))
    assert HEAVY.isdisjoint(loaded)
    assert not [name for name in loaded if name.startswith("pilotage.console")]
