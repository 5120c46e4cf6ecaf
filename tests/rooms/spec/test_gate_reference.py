"""The reference of gates names everything that a file may say, and what it shows is right."""

import re

from pilotage.spec.gate_keys import ASKS, DATA_KEYS, FILE_KEYS, GATE_KEYS, UNDER_KEYS
from pilotage.spec.gate_reading import read_gates
from pilotage.spec.gate_reference import gates_page
from pilotage.spec.gate_words import METRICS, REFUSED


def test_every_key_way_and_metric_is_in_the_reference():
    page = gates_page()
    tables = (FILE_KEYS, DATA_KEYS, GATE_KEYS, UNDER_KEYS, METRICS.values())
    names = [row.name for table in tables for row in table] + [asks.head for asks in ASKS]
    assert not [name for name in [*names, *REFUSED] if f"`{name}`" not in page]


def test_every_file_that_the_reference_shows_can_be_read():
    shown = [
        text for text in re.findall(r"```yaml\n(.*?)```", gates_page(), re.S) if "gates:" in text
    ]
    assert len(shown) == 2
    for text in shown:
        assert read_gates(text.encode(), "g.yaml").gates
