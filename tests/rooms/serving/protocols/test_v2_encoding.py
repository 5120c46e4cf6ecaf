"""Answers are cut out of a batch: each has its own rows, and no other's trouble."""

import json

import numpy as np
import pytest

from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.protocols.inference import Inference
from pilotage.serving.protocols.v2 import Codec
from pilotage.serving.refusals import Refusal
from rooms.serving.protocols.requests import one_input

IDS = [b"%032x" % number for number in range(9)]


def asking(rows: int = 1, wanted=None, client_id: str | None = None) -> Inference:
    return Inference((b"",), ((rows, 3),), rows, None, wanted, client_id)


def answers(outputs: list, inferences: list, signature: Signature | None = None) -> list:
    codec = Codec('m "%b"', "1", signature or one_input(), Limits())
    return codec.encode(outputs, inferences, IDS[: len(inferences)])


def outputs_of(rows: int) -> list:
    y = np.arange(2 * rows, dtype=np.float32).reshape(rows, 2)
    return [y, np.arange(rows, dtype=np.int64) + 100]


def one_output(datatype: str, shape: tuple) -> Signature:
    return Signature((Tensor("x", "FP32", ("rows", 3)),), (Tensor("y %", datatype, shape),))


def test_one_row_requests_get_their_row_the_names_and_their_prediction_id():
    got = answers(outputs_of(3), [asking(), asking(), asking()])
    assert [json_bytes for _, json_bytes in got] == [None] * 3
    assert json.loads(got[1][0]) == {
        "model_name": 'm "%b"',
        "model_version": "1",
        "parameters": {"pilotage_prediction_id": IDS[1].decode()},
        "outputs": [
            {"name": "y", "shape": [1, 2], "datatype": "FP32", "data": [2.0, 3.0]},
            {"name": "label", "shape": [1], "datatype": "INT64", "data": [101]},
        ],
    }


def test_requests_of_several_rows_with_ids_and_wishes_share_a_batch():
    got = answers(
        outputs_of(5),
        [asking(2), asking(1, client_id='a"\u20ac'), asking(2, wanted=((1, True), (0, False)))],
    )
    first, second = (json.loads(body) for body, _ in got[:2])
    assert first["outputs"][0] == {
        "name": "y",
        "shape": [2, 2],
        "datatype": "FP32",
        "data": [0.0, 1.0, 2.0, 3.0],
    }
    assert "id" not in first
    assert (second["id"], second["outputs"][1]["data"]) == ('a"\u20ac', [102])
    body, json_bytes = got[2]
    third = json.loads(body[:json_bytes])
    assert [output["name"] for output in third["outputs"]] == ["label", "y"]
    assert third["outputs"][0]["parameters"] == {"binary_data_size": 16}
    assert np.frombuffer(body[json_bytes:], "<i8").tolist() == [103, 104]


def test_the_usual_way_and_the_general_way_write_the_same():
    usual = answers(outputs_of(3), [asking(), asking(), asking()])
    mixed = answers(outputs_of(3), [asking(), asking(client_id="x"), asking()])
    assert (usual[0], usual[2]) == (mixed[0], mixed[2])
    assert json.loads(mixed[1][0]).items() >= json.loads(usual[1][0]).items()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64", "BF16"])
def test_what_is_not_finite_is_refused_by_output_and_for_its_request_only(
    bad: float, datatype: str
):
    values = np.array([[1, 2], [3, bad], [5, 6], [7, 8]], np.float32)
    if datatype == "BF16":
        batch = (values.view(np.uint32) >> 16).astype(np.uint16)
    else:
        batch = values.astype({"FP16": "f2", "FP32": "f4", "FP64": "f8"}[datatype])
    signature = one_output(datatype, ("rows", 2))
    got = answers([batch], [asking(2), asking(1, client_id="c"), asking()], signature)
    assert [type(each) for each in got] == [Refusal, tuple, tuple]
    assert (got[0].status, got[0].reason, got[0].where) == (500, "output", "y %")
    assert json.loads(got[2][0])["outputs"][0]["data"] == [7, 8]


def test_binary_data_carries_what_is_not_finite():
    batch = np.array([[np.nan, np.inf]], np.float32)
    ((body, json_bytes),) = answers(
        [batch], [asking(wanted=((0, True),))], one_output("FP32", ("rows", 2))
    )
    assert body[json_bytes:] == batch.tobytes()


def test_strings_are_written_as_text_even_where_they_say_null():
    batch = np.array([["null", 'a"]'], ["],[", "\u20ac"]], object)
    got = answers([batch], [asking(), asking()], one_output("BYTES", ("rows", 2)))
    assert [json.loads(body)["outputs"][0]["data"] for body, _ in got] == batch.tolist()


def test_bytes_that_are_no_text_are_refused_in_json_and_given_in_binary():
    batch = np.array([[b"ok"], [b"\xff"]], object)
    signature = one_output("BYTES", ("rows", 1))
    fine, refused = answers([batch], [asking(), asking()], signature)
    assert json.loads(fine[0])["outputs"][0]["data"] == ["ok"]
    assert "no Unicode text" in refused.what
    ((body, json_bytes),) = answers([batch[1:]], [asking(wanted=((0, True),))], signature)
    assert body[json_bytes:] == b"\1\0\0\0\xff"


def test_a_model_without_a_row_axis_gives_its_whole_output():
    signature = Signature(
        (Tensor("x", "FP32", (3,)),), (Tensor("y", "BOOL", (2, 2)), Tensor("z", "INT8", ()))
    )
    outputs = [np.array([[True, False], [False, True]]), np.array(5, np.int8)]
    ((body, _),) = answers(outputs, [asking(0)], signature)
    y, z = json.loads(body)["outputs"]
    assert (y["shape"], y["data"]) == ([2, 2], [True, False, False, True])
    assert (z["shape"], z["data"]) == ([], [5])


@pytest.mark.parametrize("rows", [1, 3])
def test_an_output_without_elements_has_no_data(rows: int):
    batch = np.empty((2 * rows, 0), np.float32)
    got = answers([batch], [asking(rows), asking(rows)], one_output("FP32", ("rows", "n")))
    assert json.loads(got[1][0])["outputs"][0] == {
        "name": "y %",
        "shape": [rows, 0],
        "datatype": "FP32",
        "data": [],
    }


def test_outputs_that_lie_apart_in_memory_are_written_in_row_order():
    batch = np.arange(12, dtype=np.float32).reshape(6, 2)[::2]
    got = answers([batch], [asking(), asking(), asking()], one_output("FP32", ("rows", 2)))
    assert [json.loads(body)["outputs"][0]["data"] for body, _ in got] == batch.tolist()


@pytest.mark.parametrize(
    "outputs",
    [
        outputs_of(2)[:1],
        outputs_of(3),
        [outputs_of(2)[0].astype(np.float64), outputs_of(2)[1]],
        [np.float32(1).reshape(()), outputs_of(2)[1]],
    ],
)
def test_an_engine_that_breaks_the_signature_is_refused_for_all(outputs: list):
    got = answers(outputs, [asking(), asking()])
    assert all(isinstance(each, Refusal) and each.status == 500 for each in got)
