"""Rows as requests: what the server reads is what the rows hold."""

import json

import numpy as np

from pilotage.contracts.signature import Signature, Tensor
from pilotage.evaluation.load.infer_requests import requests_of


def _parts(request: bytes):
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert int(headers["Content-Length"]) == len(body)
    at = int(headers["Inference-Header-Content-Length"])
    return lines[0], headers, json.loads(body[:at])["inputs"], body[at:]


def test_each_row_is_a_request_of_its_own():
    signature = Signature(
        (Tensor("x", "FP32", ("n", 2)), Tensor("s", "BYTES", ("n",))),
        (Tensor("y", "FP32", ("n",)),),
    )
    numbers = np.array([[1, 2], [3, 4]], np.float32)
    texts = np.array(["a", "öl"], object)
    first, second = requests_of([numbers, texts], signature, "/v2/models/m/infer", "h:1")
    line, headers, inputs, raw = _parts(second)
    assert line == "POST /v2/models/m/infer HTTP/1.1"
    assert headers["Host"] == "h:1"
    assert [(each["name"], each["datatype"], each["shape"]) for each in inputs] == [
        ("x", "FP32", [1, 2]),
        ("s", "BYTES", [1]),
    ]
    assert raw == numbers[1].tobytes() + b"\x03\x00\x00\x00" + "öl".encode()
    assert _parts(first)[3].startswith(numbers[0].tobytes())


def test_a_model_without_rows_gets_the_shape_that_it_names():
    signature = Signature((Tensor("x", "INT64", (3,)),), (Tensor("y", "INT64", (1,)),))
    (request,) = requests_of([np.arange(3).reshape(1, 3)], signature, "/p", "h:1")
    assert _parts(request)[2][0]["shape"] == [3]
    led = Signature((Tensor("x", "INT64", (1, 3)),), (Tensor("y", "INT64", (2,)),))
    (request,) = requests_of([np.arange(3).reshape(1, 3)], led, "/p", "h:1")
    assert _parts(request)[2][0]["shape"] == [1, 3]


def test_an_input_that_is_left_out_is_not_sent():
    signature = Signature(
        (Tensor("x", "BOOL", ("n",)), Tensor("o", "FP32", ("n",), optional=True)), ()
    )
    (request,) = requests_of([np.array([True]), None], signature, "/p", "h:1")
    _, _, inputs, raw = _parts(request)
    assert [each["name"] for each in inputs] == ["x"]
    assert raw == b"\x01"
