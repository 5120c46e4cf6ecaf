import hashlib
import timeit

import numpy as np
import pytest

from pilotage.contracts.records import Entry, records_of
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import RecordPolicy
from pilotage.serving.recording import blocks
from pilotage.serving.recording.blocks import Origin, Timing, blocks_of, joined

ROWS = Signature(
    inputs=(Tensor("x", "FP32", ("n", 4)), Tensor("s", "BYTES", ("n",), optional=True)),
    outputs=(Tensor("y", "INT64", ("n",)),),
)
WHOLE = Signature(inputs=(Tensor("x", "FP32", (3,)),), outputs=(Tensor("y", "FP32", ()),))
TIMING = Timing(batch_rows=8, engine_us=40, encode_us=3)


def _origin(signature: Signature = ROWS, **policy) -> Origin:
    policy = RecordPolicy(**policy)
    return Origin("e", "v", 3, "candidate", 250_000, "r", "canary", policy, signature)


def _entries(rows) -> list[Entry]:
    return [Entry(bytes([n]) * 16, 1000 + n, count, n) for n, count in enumerate(rows)]


def _batch(rows, names=None):
    """Arrays in which every row is its own number, and the entries to them."""
    total = sum(rows)
    x = np.repeat(np.arange(total, dtype=np.float32), 4).reshape(total, 4)
    s = None if names is None else np.array(names, dtype=object)
    return [x, s], [np.arange(total, dtype=np.int64)], _entries(rows)


def _records(made):
    return sorted((record for block in made for record in records_of(block)), key=lambda r: r.id)


def test_a_batch_is_one_block_and_each_record_has_its_own_rows():
    inputs, outputs, entries = _batch((1, 3, 2), ["a", "bb", "", "é", "x" * 300, b"\xff"])
    (block,) = blocks_of(_origin(), inputs, outputs, entries, TIMING)
    assert block.entries is entries
    first, second, third = records_of(block)
    assert (first.arm, first.propensity_ppm, first.stage) == ("candidate", 250_000, "canary")
    assert (first.batch_rows, first.parts_us) == (8, {"queue": 0, "engine": 40, "encode": 3})
    assert np.frombuffer(second.inputs[0].data, np.float32).tolist() == [1] * 4 + [2] * 4 + [3] * 4
    assert second.inputs[1].data == joined(["bb", "", "é"])
    assert second.outputs[0].data == np.array([1, 2, 3], np.int64).tobytes()
    assert third.inputs[1].data == joined(["x" * 300, b"\xff"])
    assert third.inputs[0].shape == (2, 4)


def test_an_optional_input_that_did_not_come_has_no_column():
    (block,) = blocks_of(_origin(), *_batch((1, 1)), TIMING)
    assert [column.name for column in block.inputs] == ["x"]


def test_a_model_without_rows_keeps_whole_shapes():
    inputs, outputs = [np.ones(3, np.float32)], [np.float32(2.5).reshape(())]
    (block,) = blocks_of(_origin(WHOLE), inputs, outputs, _entries([0]), TIMING)
    (record,) = records_of(block)
    assert (record.inputs[0].shape, record.outputs[0].shape) == ((3,), ())
    assert record.outputs[0].data == np.float32(2.5).tobytes()


def test_what_has_no_answer_has_no_outputs():
    inputs, _, entries = _batch((2,))
    (block,) = blocks_of(_origin(), inputs, [], entries, TIMING, phase="opened", usage={"n": 1})
    (record,) = records_of(block)
    assert (record.outputs, record.phase, record.usage) == ((), "opened", {"n": 1})


@pytest.mark.parametrize(("rows", "kept"), [(4, True), (5, False)])
def test_auto_keeps_a_request_up_to_the_bound_and_its_digest_beyond(rows, kept):
    inputs, outputs, entries = _batch((rows,))
    made = blocks_of(_origin(inline_bytes=64), inputs, outputs, entries, TIMING)
    (record,) = _records(made)
    data = inputs[0].tobytes()
    assert record.inputs[0].data == (data if kept else None)
    assert record.inputs[0].digest == (None if kept else hashlib.sha256(data).digest())
    assert record.outputs[0].data == outputs[0].tobytes()


def test_what_is_kept_of_a_request_does_not_depend_on_its_company():
    rows = (1, 5, 2, 6, 4)
    inputs, outputs, entries = _batch(rows)
    made = blocks_of(_origin(inline_bytes=64), inputs, outputs, entries, TIMING)
    together = _records(made)
    assert len(made) == 2
    at = 0
    for record, count, entry in zip(together, rows, entries, strict=True):
        rows_of = slice(at, at + count)
        alone = blocks_of(
            _origin(inline_bytes=64),
            [inputs[0][rows_of], None],
            [outputs[0][rows_of]],
            [entry],
            TIMING,
        )
        assert _records(alone) == [record]
        at += count


@pytest.mark.parametrize(("inline_bytes", "kept"), [(24, True), (16, True), (15, False)])
def test_many_requests_of_one_row_are_kept_as_each_would_be_alone(inline_bytes, kept):
    inputs, outputs, entries = _batch((1,) * 50)  # 16 bytes in and 8 out, each
    made = blocks_of(_origin(inline_bytes=inline_bytes), inputs, outputs, entries, TIMING)
    together = _records(made)
    assert all((record.inputs[0].data is not None) is kept for record in together)
    assert all(record.outputs[0].data is not None for record in together)
    for at, entry in enumerate(entries):
        alone = blocks_of(
            _origin(inline_bytes=inline_bytes),
            [inputs[0][at : at + 1], None],
            [outputs[0][at : at + 1]],
            [entry],
            TIMING,
        )
        assert _records(alone) == [together[at]]


def test_strings_of_uneven_length_are_judged_request_by_request():
    inputs, outputs, entries = _batch((1, 1, 1), ["a", "b" * 100, "c"])
    made = blocks_of(_origin(inline_bytes=64), inputs, outputs, entries, TIMING)
    kept = [record.inputs[1].data for record in _records(made)]
    assert kept == [joined(["a"]), None, joined(["c"])]


def test_a_policy_may_keep_digests_only_or_nothing():
    batch = _batch((2, 1))
    made = blocks_of(_origin(inputs="digest", outputs="none"), *batch, TIMING)
    first, second = _records(made)
    x = batch[0][0]
    assert first.inputs[0].digest == hashlib.sha256(x[:2].tobytes()).digest()
    assert second.inputs[0].digest == hashlib.sha256(x[2:].tobytes()).digest()
    assert (first.outputs[0].data, first.outputs[0].digest) == (None, None)
    assert first.outputs[0].shape == (2,)


def test_a_large_batch_becomes_blocks_below_the_bound(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 200)
    inputs, outputs, entries = _batch((1, 2, 9, 1, 1, 3))
    made = blocks_of(_origin(), inputs, outputs, entries, TIMING)
    assert [[entry.rows for entry in block.entries] for block in made] == [[1, 2], [9], [1, 1, 3]]


@pytest.mark.serial
def test_a_usual_batch_costs_less_than_a_microsecond_and_a_half_a_request():
    inputs, outputs, entries = _batch((1,) * 32)
    origin = _origin()
    best = min(
        timeit.repeat(
            lambda: blocks_of(origin, inputs, outputs, entries, TIMING), number=300, repeat=7
        )
    )
    assert best / 300 < 48e-6
