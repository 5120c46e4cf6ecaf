"""Where a run keeps its files, and which core does what."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
BUILD = HERE / ".build"
ENVIRONMENTS = HERE / ".environments"
RESULTS = HERE / "results"

SERVER_CORE = 0
LOAD_CORE = 1
HOST = "127.0.0.1"
SECRET = "benchmark-key-0123456789abcdef0123456789abcdef"
"""The key that our server asks for; every contender is sent the same header."""
