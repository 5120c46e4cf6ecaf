"""The generate extension: plain members in, plain members or events out."""

import json
import struct

import numpy as np
import pytest

from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature, Tensor
from pilotage.serving.protocols.generate import GenerateCodec, error_event
from pilotage.serving.refusals import Refusal

SIGNATURE = Signature(
    (
        Tensor("text_input", "BYTES", ("rows", 1)),
        Tensor("max_tokens", "INT32", ("rows", 1), optional=True),
        Tensor("weights", "FP32", ("rows", "n", 2), optional=True),
    ),
    (Tensor("text_output", "BYTES", ("rows", 1)), Tensor("scores", "FP32", ("rows", "k"))),
)
CODEC = GenerateCodec("llm", "2", SIGNATURE, Limits(client_id_bytes=8))
ID = b"ab" * 16


def outputs_of(text: str, *scores: float) -> list:
    return [np.array([[text]], object), np.array([scores], np.float32)]


def test_members_and_parameters_fill_the_inputs_and_the_rest_are_parameters():
    body = {
        "id": "7",
        "text_input": "hi",
        "weights": [1, 2, 3, 4],
        "parameters": {"max_tokens": 5, "temperature": 0.5},
        "stream": True,
    }
    inference = CODEC.decode(json.dumps(body).encode())
    assert inference.buffers == ([b"hi"], struct.pack("<i", 5), struct.pack("<4f", 1, 2, 3, 4))
    assert inference.shapes == ((1, 1), (1, 1), (1, 2, 2))
    assert (inference.rows, inference.client_id) == (1, "7")
    assert inference.json_parameters == {"temperature": 0.5, "stream": True}


def test_optional_inputs_may_be_left_out():
    inference = CODEC.decode(b'{"text_input": ["hi"]}')
    assert inference.buffers == ([b"hi"], None, None)
    assert inference.json_parameters is None


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"[]", "body"),
        (b'{"text_input": "a"', "body"),
        (b'{"text_input": "\xff"}', "body byte 16"),
        (b"{}", "text_input"),
        (b'{"text_input": 5}', "text_input[0]"),
        (b'{"text_input": ["a", "b"]}', "text_input"),
        (b'{"text_input": "a", "max_tokens": 1.5}', "max_tokens[0]"),
        (b'{"text_input": "a", "max_tokens": 2147483648}', "max_tokens[0]"),
        (b'{"text_input": "a", "weights": [1, 2, 3]}', "weights"),
        (b'{"text_input": "a", "parameters": 3}', "parameters"),
        (b'{"text_input": "a", "id": 3}', "id"),
        (b'{"text_input": "a", "id": "123456789"}', "id"),
        (b'{"text_input": "a", "x": ' + b"[" * 40 + b"]" * 40 + b"}", "body"),
    ],
)
def test_what_is_wrong_is_named(body: bytes, where: str):
    with pytest.raises(Refusal) as refused:
        CODEC.decode(body)
    assert (refused.value.status, refused.value.where) == (400, where)


def test_a_whole_answer_names_its_prediction_and_one_element_is_no_array():
    inference = CODEC.decode(b'{"text_input": "a", "id": "7"}')
    assert json.loads(CODEC.encode(outputs_of("out", 0.5, 1), inference, ID)) == {
        "model_name": "llm",
        "model_version": "2",
        "id": "7",
        "parameters": {"pilotage_prediction_id": ID.decode()},
        "text_output": "out",
        "scores": [0.5, 1.0],
    }


def test_a_chunk_is_one_server_sent_event_on_one_line():
    inference = CODEC.decode(b'{"text_input": "a"}')
    event = CODEC.event(outputs_of("a\n\nb", 1), inference)
    assert event.startswith(b"data: {")
    assert event.endswith(b"}\n\n")
    assert event.count(b"\n") == 2
    assert json.loads(event[6:])["text_output"] == "a\n\nb"


def test_what_json_cannot_carry_is_refused():
    inference = CODEC.decode(b'{"text_input": "a"}')
    with pytest.raises(Refusal, match="scores"):
        CODEC.encode(outputs_of("a", np.nan), inference, ID)
    with pytest.raises(Refusal, match="scores"):
        CODEC.event(outputs_of("a", np.inf), inference)


def test_the_end_of_a_broken_stream_is_an_event():
    event = error_event(Refusal(500, "engine", "the model failed"))
    assert json.loads(event.removeprefix(b"data: ")) == {"error": "the model failed"}
