"""The JSON Schema of gates says what the reader says, as far as a schema can."""

import json

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from pilotage.errors import PilotageError
from pilotage.spec.gate_keys import ASKS, DATA_KEYS, EXAMPLE, FILE_KEYS, GATE_KEYS, UNDER_KEYS
from pilotage.spec.gate_reading import read_gates
from pilotage.spec.gate_schema import as_text, gates_schema
from pilotage.spec.gate_words import METRICS, REFUSED


def _accepts(text: str) -> bool:
    return Draft202012Validator(gates_schema()).is_valid(YAML(typ="safe").load(text))


def _reads(text: str) -> bool:
    try:
        read_gates(text.encode(), "g.yaml")
    except PilotageError:
        return False
    return True


def test_it_is_a_schema_of_its_dialect():
    Draft202012Validator.check_schema(json.loads(as_text()))


def test_the_example_fits():
    assert _accepts(EXAMPLE)


@pytest.mark.parametrize("asks", ASKS, ids=lambda asks: asks.head)
def test_every_way_to_ask_fits_and_needs_what_the_reader_needs(asks):
    assert _accepts(f"gates: [{asks.example}]")
    gate = YAML(typ="safe").load(asks.example)
    for name in (asks.head, *asks.requires, "metric"):
        rest = {key: value for key, value in gate.items() if key != name}
        text = json.dumps({"gates": [rest]})
        assert _accepts(text) == _reads(text), name


def test_every_key_that_the_reader_knows_is_in_it():
    schema = gates_schema()
    gate = schema["properties"]["gates"]["items"]["properties"]
    for keys, properties in (
        (FILE_KEYS, schema["properties"]),
        (DATA_KEYS, schema["properties"]["data"]["properties"]),
        (GATE_KEYS, gate),
        (UNDER_KEYS, gate["under"]["properties"]),
    ):
        assert [key.name for key in keys] == list(properties)


def test_every_metric_is_in_it_with_its_meaning():
    gate = gates_schema()["properties"]["gates"]["items"]["properties"]
    known = {each["const"]: each["description"] for each in gate["metric"]["anyOf"][:-1]}
    assert known == {name: word.meaning for name, word in METRICS.items()}


@pytest.mark.parametrize(
    "text",
    [
        "gates: []",
        "data: {file: a}",
        "gates: [{metric: accuracy}]",
        "gates: [{metric: accuracy, at_least: 80%, at_most: 90%}]",
        "gates: [{metric: accuracy, at_least: 80%, by_more_than: 1pp}]",
        "gates: [{metric: accuracy, at_least: 80%, groups_from: 9}]",
        "gates: [{metric: accuracy, at_least: eighty}]",
        "gates: [{metric: accuracy, at_least: 80%, k: 5}]",
        "gates: [{metric: accuracy, at_least: 80%, at: 9/s}]",
        "gates: [{metric: top_k_accuracy, at_least: 80%}]",
        "gates: [{metric: latency_p99, at_most: 20ms}]",
        "gates: [{metric: latency_p99, at_most: 20ms, at: 9}]",
        "gates: [{metric: accuracy, under: {}, drop_at_most: 3pp}]",
        "gates: [{metric: accuracy, under: {noise: 0.1}, drop_at_most: 3pp}]",
        "gates: [{metric: accuracy, across: [], at_least: 80%}]",
        "gates: [{metric: accuracy, at_least: 80%}]\nundecided: pass",
        "gates: [{metric: accuracy, at_least: 80%}]\nmetrics: {accuracy: a.py:f}",
        "gates: [{metric: accuracy, at_least: 80%}]\nmetrics: {cost: a.py}",
        *(f"gates: [{{metric: {name}, at_most: 5%}}]" for name in REFUSED),
    ],
)
def test_what_does_not_fit_is_refused_by_both(text):
    assert not _accepts(text)
    assert not _reads(text)


@pytest.mark.parametrize(
    "text",
    [
        "gates: [{metric: accuracy, at_least: 0.8, where: {sex: F, year: 2017}}]",
        "gates: [{metric: memory, at_most: 200MiB}]",
        "gates: [{metric: mean_absolute_error, at_most: 3.5, clip: 10}]",
        "gates: [{metric: cost, at_most: 5%}]\nmetrics: {cost: a.py:f}",
        "gates: [{metric: accuracy, at_least: .8}]\nconfidence: 0.99\nundecided: warn",
        "data: {file: a, label: y, positive: 1, protected: sex, threshold: 0.3}\n"
        "gates: [{metric: recall, at_least: 80%, across: [sex, race], groups_from: 50}]",
    ],
)
def test_what_fits_is_accepted_by_both(text):
    assert _accepts(text)
    assert _reads(text)
