"""The reference of guards names everything that a guard may say, and what it shows is right."""

import re

from pilotage.spec.document import read_document
from pilotage.spec.files import read_yaml
from pilotage.spec.guard_reference import guards_page
from pilotage.spec.guard_words import CLAUSES, GUARDS
from pilotage.spec.guards import read_guard
from pilotage.spec.reference import serve_page


def test_every_metric_and_word_is_in_the_reference():
    page = guards_page()
    missing = [name for name in GUARDS if f"`{name}`" not in page]
    missing += [each.name for each in CLAUSES if f"| `{each.name}" not in page]
    assert not missing


def test_every_guard_on_a_command_line_of_the_reference_can_be_read():
    guards = re.findall(r'--guard "([^"]*)"', guards_page())
    assert len(guards) == 2
    assert all(read_guard(guard) for guard in guards)


def test_every_file_with_a_rollout_that_the_reference_shows_can_be_read():
    pages = guards_page() + serve_page()
    shown = [text for text in re.findall(r"```yaml\n(.*?)```", pages, re.S) if "rollout:" in text]
    assert len(shown) == 2
    for text in shown:
        reading = read_document(read_yaml(text.encode(), "c.yaml"), "c.yaml")
        assert reading.errors == []
        assert [read_guard(guard.text) for guard in reading.given["guard"]]
