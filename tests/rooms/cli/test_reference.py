from pathlib import Path

import pytest

from pilotage.cli.reference import pages

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "reference"


@pytest.mark.parametrize("page", sorted(pages()))
def test_the_reference_is_up_to_date(page):
    written = (FOLDER / page).read_text(encoding="utf-8")
    assert written == pages()[page], "run `python -m pilotage.cli.reference docs`"
