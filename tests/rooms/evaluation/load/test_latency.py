"""Latency and memory of a model that is really served."""

import numpy as np
import pytest

import models
from pilotage.checks.once.asking import answer_all
from pilotage.errors import PilotageError
from pilotage.evaluation.data.datasets import open_dataset
from pilotage.evaluation.load.latency import (
    MEMORY_RATE_PER_S,
    LoadSettings,
    loads_of,
    measure,
    memory_at_most,
    notes_of,
)
from pilotage.evaluation.load.open_loop import Outcome
from pilotage.formats.opening import open_model
from pilotage.spec.gate_reading import read_gates
from pilotage.spec.gates import DataSettings
from pilotage.statistics.verdict import Failed, Passed

MIB = 2**20
SHORT = LoadSettings(seconds=2.0, warm_up_s=0.2)


def _gates(*lines: str):
    text = "gates:\n" + "".join(f"  - {{{line}}}\n" for line in lines)
    return read_gates(text.encode(), "g.yaml").gates


def _measure(tmp_path, gates, content: bytes, rows: str):
    (tmp_path / "m.onnx").write_bytes(content)
    (tmp_path / "rows.csv").write_text(rows)
    model = open_model(tmp_path / "m.onnx", artifacts=tmp_path / "artifacts")
    dataset = open_dataset(str(tmp_path / "rows.csv"))
    return measure(gates, model, dataset, DataSettings(label="y"), load=SHORT)


ROWS = "a,b,c,d,y\n" + "1,2,3,4,5\n6,7,8,9,10\n" * 30


@pytest.mark.serial
def test_gates_on_latency_and_memory_are_answered_on_the_serving_engine(tmp_path):
    gates = _gates(
        "metric: latency_p50, at_most: 2s, at: 100/s",
        "metric: latency_p90, at_most: 1us, at: 100/s",
        "metric: memory, at_most: 4GiB",
        "metric: accuracy, at_least: 80%",
    )
    measured = _measure(tmp_path, gates, models.tripled(), ROWS)
    answers = answer_all(measured.asked, 0.95)
    assert [type(answer.verdict) for answer in answers] == [Passed, Failed, Passed]
    assert [answer.unit for answer in answers] == ["ms", "ms", "MB"]
    assert [answer.gate for answer in answers] == list(gates[:3])
    shown = measured.shown
    assert (shown.rate_per_s, shown.requests) == (100.0, 200)
    assert shown.memory_bytes > MIB
    assert all(
        low <= estimate <= high
        for low, estimate, high in zip(
            shown.lows_ms, shown.estimates_ms, shown.highs_ms, strict=True
        )
    )
    assert any("200 requests in 2 s" in note for note in measured.notes)


def test_rows_that_the_served_model_refuses_are_told_before_any_load(tmp_path):
    gates = _gates("metric: latency_p50, at_most: 2s, at: 100/s")
    rows = "x,y\n" + "99,1\n" * 40
    with pytest.raises(PilotageError, match="refuses the data's first row with status"):
        _measure(tmp_path, gates, models.look_up(), rows)


def test_nothing_is_started_where_no_gate_asks_for_it():
    gates = _gates("metric: accuracy, at_least: 80%")
    measured = measure(gates, None, None, DataSettings())
    assert measured.asked == ()
    assert measured.shown is None


def test_gates_of_one_load_are_measured_together():
    gates = _gates(
        "metric: memory, at_most: 1GiB",
        "metric: latency_p50, at_most: 2s, at: 50/s",
        "metric: latency_p99, at_most: 2s, at: 200/s",
        "metric: latency_p99, at_most: 2s, at: 50/s",
    )
    loads = loads_of(gates)
    assert {rate: [gate.line for gate in mine] for rate, mine in loads.items()} == {
        50.0: [3, 5, 2],
        200.0: [4],
    }
    assert list(loads_of(gates[:1])) == [MEMORY_RATE_PER_S]


def test_the_largest_look_at_the_memory_counts():
    assert isinstance(memory_at_most([5, 9, 7], 9)(0.95), Passed)
    verdict = memory_at_most([5, 9, 7], 8)(0.95)
    assert isinstance(verdict, Failed)
    assert verdict.evidence.estimate == 9
    with pytest.raises(PilotageError, match="cannot be measured"):
        memory_at_most([], 8)


def test_what_a_run_cannot_show_and_what_failed_is_told():
    outcome = Outcome(np.ones(300), np.zeros(300), 3.0, {200: 290, 503: 9, -1: 1})
    gates = _gates("metric: latency_p99, at_most: 2s, at: 100/s")
    notes = "\n".join(notes_of(outcome, 100.0, gates, 0.95))
    assert "cannot be shown by 300 requests: it takes 402" in notes
    assert "status 503 (9), no answer in time (1)" in notes
