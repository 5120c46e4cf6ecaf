"""A file of gates: what it asks, or everything that is wrong with it."""

import pytest

from pilotage.errors import PilotageErrors
from pilotage.spec.gate_keys import ASKS, EXAMPLE, OPTIONS
from pilotage.spec.gate_reading import read_gates
from pilotage.spec.gate_words import ALSO_CALLED, METRICS, REFUSED, MetricWord
from pilotage.spec.gates import (
    AtLeast,
    AtMost,
    BetterThanBaseline,
    DataSettings,
    DifferenceAcross,
    DropUnder,
    Equals,
    Gate,
    NotWorseThanBaseline,
    Perturbation,
    RatioAcross,
    Within,
)


def _gate(text: str) -> Gate:
    (gate,) = read_gates(f"gates:\n  - {text}\n".encode(), "g.yaml").gates
    return gate


def _errors(text: str):
    with pytest.raises(PilotageErrors) as caught:
        read_gates(text.encode(), "g.yaml")
    return caught.value.errors


def _error(gate: str):
    (error,) = _errors(f"gates:\n  - {gate}\n")
    return error


def test_the_example_is_read_whole():
    read = read_gates(EXAMPLE.encode(), "g.yaml")
    assert read.data == DataSettings(
        file="census/2017.parquet", label="employed", protected=("sex", "race")
    )
    assert read.confidence == 0.95
    assert read.undecided == "fail"
    assert [gate.line for gate in read.gates] == list(range(3, 11))
    assert [gate.condition for gate in read.gates] == [
        AtLeast(0.85),
        NotWorseThanBaseline(0.01),
        DifferenceAcross(0.05),
        RatioAcross(0.8),
        Within(0.02),
        DropUnder(Perturbation(0.05, 0.1), 0.03),
        Equals(0.83, 0.01),
        AtMost(0.02),
    ]
    assert read.gates[3].across == ("race",)
    assert read.gates[3].groups_from == 200
    assert read.gates[6].claim == "paper, table 2"
    assert read.gates[7].rate_per_s == 200.0


@pytest.mark.parametrize("asks", ASKS, ids=lambda asks: asks.head)
def test_the_example_of_every_way_to_ask_is_right(asks):
    assert _gate(asks.example).line == 2


def test_groups_are_compared_as_the_gate_says():
    gate = _gate(
        "{metric: accuracy, across: [sex, race], difference_at_most: 5pp, against: best, "
        "where: {state: MA, year: 2017}}"
    )
    assert gate.across == ("sex", "race")
    assert gate.against == "best"
    assert gate.where == (("state", "MA"), ("year", "2017"))


def test_every_group_may_be_asked_for_itself():
    gate = _gate("{metric: recall, across: sex, at_least: 70%}")
    assert (gate.condition, gate.across) == (AtLeast(0.7), ("sex",))
    gate = _gate("{metric: recall, across: sex, not_worse_than: baseline, by_more_than: 1pp}")
    assert gate.across == ("sex",)


def test_a_gain_is_nothing_unless_it_is_given():
    assert _gate("{metric: accuracy, better_than: baseline}").condition == BetterThanBaseline(0.0)
    gate = _gate("{metric: mean_absolute_error, better_than: baseline, by_at_least: 0.5}")
    assert gate.condition == BetterThanBaseline(0.5)


def test_a_metric_brings_its_own_options():
    assert _gate("{metric: top_k_accuracy, k: 5, at_least: 90%}").options == (("k", 5.0),)
    gate = _gate("{metric: share_within, tolerance: 2.5, at_least: 0.9}")
    assert gate.options == (("tolerance", 2.5),)
    gate = _gate("{metric: quantile_absolute_error, quantile: 90%, at_most: 12}")
    assert gate.options == (("quantile", 0.9),)
    assert _gate("{metric: mean_absolute_error, clip: 100, at_most: 9}").options == (("clip", 100),)


def test_a_metric_of_ones_own_is_named_first():
    text = "metrics: {cost: costs.py:cost_of}\ngates: [{metric: cost, at_most: 0.2}]"
    read = read_gates(text.encode(), "g.yaml")
    assert read.metrics == (("cost", "costs.py:cost_of"),)
    assert read.gates[0].metric == "cost"


def test_the_table_of_metrics_is_an_argument():
    words = {"speed": MetricWord("speed", "value", "how fast", "higher", high=None)}
    read = read_gates(b"gates: [{metric: speed, at_least: 3}]", "g.yaml", metrics=words)
    assert read.gates[0].condition == AtLeast(3.0)


def test_all_errors_are_told_at_once_in_the_order_of_the_file():
    errors = _errors(
        "data: {lable: y}\n"
        "gates:\n"
        "  - {metric: acuracy, at_least: 80%}\n"
        "  - {metric: accuracy, at_least: 85}\n"
        "confidence: 95\n"
        "undecided: wran\n"
    )
    assert [error.where for error in errors] == [
        "g.yaml:1:8 (data)",
        "g.yaml:3:14 (gates[0].metric)",
        "g.yaml:4:34 (gates[1].at_least)",
        "g.yaml:5:13 (confidence)",
        "g.yaml:6:12 (undecided)",
    ]
    assert [error.fix for error in errors] == [
        "Did you mean label?",
        "Did you mean accuracy?",
        "Write 85%, if percent is meant.",
        "Write 95%, if percent is meant.",
        "Did you mean warn?",
    ]
    assert all(error.expected for error in errors if "metric is called" not in error.what)


@pytest.mark.parametrize("name", ["ece", "ECE", "expected_calibration_error"])
def test_a_threshold_on_the_expected_calibration_error_is_refused_with_what_to_use(name):
    error = _error(f"{{metric: {name}, at_most: 5%}}")
    assert "judges the number of rows" in error.what
    for word in ("calibration_in_the_large", "brier_score", "calibration_error (an upper bound)"):
        assert word in error.fix


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("{metric: mean_absolute_error, at_most: 5%}", "is no share"),
        ("{metric: accuracy, not_worse_than: baseline, by_more_than: 1}", "Write 1pp"),
        ("{metric: accuracy, not_worse_than: baseline, by_more_than: 1%}", "Write 1pp"),
        ("{metric: accuracy, not_worse_than: baseline}", "Add by_more_than: 1pp"),
        ("{metric: accuracy, at_least: 80%, at_most: 90%}", "at_least and at_most in one gate"),
        ("{metric: accuracy, at_least: 1}", "Write 1%"),
        ("{metric: accuracy, at_least: 0}", "every model keeps"),
        ("{metric: error_rate, at_most: 100%}", "every model keeps"),
        ("{metric: accuracy, at_least: 100%}", "no number of rows can show"),
        ("{metric: error_rate, at_most: 0%}", "no number of rows can show"),
        ("{metric: accuracy}", "asks nothing"),
        ("{at_least: 80%}", "names no metric"),
        ("{metric: accuracy, at_leats: 80%, at_most: 90%}", "Did you mean at_least?"),
        ("{metric: accuracy, min: 80%, at_most: 90%}", "Write at_least."),
        ("{metric: accuracy, at_least: 80%, confidence: 99%}", "at the top of the file"),
        ("{metric: accuracy, at_least: [80%]}", "a list where a value belongs"),
        ("{metric: accuracy, at_least: }", "nothing where a value belongs"),
        ("{metric: accuracy, at_least: 80%, by_more_than: 1pp}", "does not go with at_least"),
        ("{metric: accuracy, at_least: 80%, against: best}", "does not go with at_least"),
        ("{metric: accuracy, at_least: 80%, claim: me}", "does not go with at_least"),
        ("{metric: accuracy, at_least: 80%, groups_from: 9}", "without across"),
        ("{metric: accuracy, equals: 80%}", "equals stands without within"),
        ("{metric: accuracy, difference_at_most: 5pp}", "stands without across"),
        ("{metric: accuracy, across: sex, difference_at_most: 5pp, groups_from: 0}", "from 1 to"),
        ("{metric: accuracy, across: [], at_least: 80%}", "an empty list"),
        ("{metric: accuracy, across: [sex, sex], at_least: 80%}", "named twice"),
        ("{metric: accuracy, across: {a: b}, at_least: 80%}", "a mapping where a value belongs"),
        ("{metric: accuracy, drop_at_most: 3pp}", "stands without under"),
        ("{metric: accuracy, under: {}, drop_at_most: 3pp}", "nothing is done"),
        ("{metric: accuracy, under: {missing: 5}, drop_at_most: 3pp}", "Write 5%"),
        ("{metric: accuracy, under: {noise: 0.1}, drop_at_most: 3pp}", "Write 0.1sd"),
        ("{metric: accuracy, under: {misssing: 5%}, drop_at_most: 3pp}", "Did you mean missing?"),
        ("{metric: accuracy, not_worse_than: champion, by_more_than: 1pp}", "expected baseline"),
        ("{metric: selection_rate, not_worse_than: baseline, by_more_than: 1pp}", "neither more"),
        ("{metric: mean_error, better_than: baseline}", "Use within"),
        ("{metric: accuracy, within: 1pp}", "the ideal of accuracy is not 0"),
        ("{metric: r2, across: sex, ratio_at_least: 0.8}", "Use difference_at_most"),
        ("{metric: accuracy, at_least: 80%, at: 200/s}", "not measured under a load"),
        ("{metric: latency_p99, at_most: 20ms}", "none is stated"),
        ("{metric: latency_p99, at_least: 20ms, at: 9/s}", "cannot be asked so"),
        ("{metric: latency_p99, at_most: 20ms, at: 9/s, across: sex}", "Leave across out"),
        ("{metric: latency_p99, at_most: 20ms, at: 9}", "Write 9/s"),
        ("{metric: latency_p99, at_most: 20, at: 9/s}", "20ms or 20s"),
        ("{metric: top_k_accuracy, at_least: 90%}", "Add k: 5"),
        ("{metric: accuracy, k: 5, at_least: 90%}", "accuracy has no k"),
        ("{metric: mae, at_most: 5}", "Write mean_absolute_error."),
        ("{metric: quite_another, at_most: 5}", "pilotage schema gates"),
        ("accuracy", "a text where keys belong"),
    ],
)
def test_what_is_wrong_with_a_gate_is_told_with_its_place(gate, said):
    error = _error(gate)
    assert said in str(error)
    assert error.where.startswith("g.yaml:2:")
    assert error.expected or error.fix


def test_an_empty_gate_lacks_both_its_metric_and_its_question():
    assert len(_errors("gates: [{}]")) == 2


@pytest.mark.parametrize("text", ["", "gates: []", "gates: {metric: accuracy}", "data: {file: a}"])
def test_a_file_without_gates_is_refused(text):
    assert any("gates" in error.expected for error in _errors(text))


def test_what_is_no_yaml_is_an_error_like_any_other():
    (error,) = _errors("gates: [")
    assert error.where.startswith("g.yaml:")


def test_the_same_gate_twice_is_refused():
    line = "  - {metric: accuracy, at_least: 80%}\n"
    (error,) = _errors("gates:\n" + line + line)
    assert "as on line 2" in error.what


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ("{accuracy: a.py:f}", "known metric"),
        ("{ece: a.py:f}", "known metric"),
        ("{Cost: a.py:f}", "lower-case"),
        ("{cost: a.py}", "FILE.py:FUNCTION"),
        ("{cost: a.txt:f}", "FILE.py:FUNCTION"),
        ("costs", "keys belong"),
    ],
)
def test_a_metric_of_ones_own_has_a_name_and_a_function(metrics, said):
    text = f"metrics: {metrics}\ngates: [{{metric: accuracy, at_least: 80%}}]"
    (error,) = _errors(text)
    assert said in str(error)


@pytest.mark.parametrize(
    ("text", "ok"), [("50%", True), ("99.99%", True), ("49%", False), ("99.999%", False)]
)
def test_the_confidence_has_two_ends(text, ok):
    whole = f"gates: [{{metric: accuracy, at_least: 80%}}]\nconfidence: {text}\n"
    if ok:
        read_gates(whole.encode(), "g.yaml")
    else:
        assert "from 50% to 99.99%" in _errors(whole)[0].expected


def test_no_value_of_the_tables_leads_nowhere():
    assert set(ALSO_CALLED.values()) <= set(METRICS)
    assert not set(REFUSED) & set(METRICS)
    assert not set(ALSO_CALLED) & set(METRICS)
    for word in METRICS.values():
        assert set(word.required) <= set(word.options) <= {*OPTIONS, "at"}
        assert word.low is None or word.high is None or word.low < word.high
