"""The reference cases that the statistics must meet, each with its source and tolerance."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "samples" / "decisions_vectors.json"


@cache
def _all() -> list[dict[str, Any]]:
    return json.loads(FILE.read_text())["cases"]


def cases(kind: str) -> list[dict[str, Any]]:
    """Every case of one kind; never none, so that a misspelt kind fails."""
    found = [case for case in _all() if case["kind"] == kind]
    assert found, f"no reference case is of kind {kind}"
    return found
