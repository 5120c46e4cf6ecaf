"""Texts and starting points of projects, read from beside them."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

TEXTS: Final = Path(__file__).parent / "texts"


def text_of(project: str, file: str) -> str:
    return (TEXTS / project / file).read_text(encoding="utf-8")


def file_of(project: str, file: str) -> Callable[[], bytes]:
    """The bytes of a file, read when they are wanted."""
    return (TEXTS / project / file).read_bytes
