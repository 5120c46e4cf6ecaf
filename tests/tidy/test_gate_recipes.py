"""Files of gates in documents are read as they stand."""

import re

import pytest

from pilotage.spec.gate_reading import read_gates
from tidy.tree import DOCS

PAGES = ("how-to/gates.md", "tutorials/is-it-good-enough.md", "reference/gates.md")
BLOCK = re.compile(r"^```yaml[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _recipes():
    return [
        (page, block)
        for page in PAGES
        for block in BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
        if "gates:\n" in block
    ]


def test_every_page_has_recipes():
    assert {page for page, _ in _recipes()} == set(PAGES)


@pytest.mark.parametrize(("page", "block"), _recipes())
def test_every_recipe_is_a_file_of_gates(page: str, block: str):
    assert read_gates(block.encode(), page).gates
