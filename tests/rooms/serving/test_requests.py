"""What a head asks for: paths, methods, headers."""

from dataclasses import dataclass, field

import pytest

from pilotage.serving import requests
from pilotage.serving.refusals import Refusal
from pilotage.serving.requests import Operation


@dataclass
class Head:
    method: bytes = b"POST"
    path: bytes = b"/v2/models/iris/infer"
    headers: dict[bytes, bytes] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (b"/v2", (Operation.SERVER, "", "")),
        (b"/v2/", (Operation.SERVER, "", "")),
        (b"/v2/health/live", (Operation.LIVE, "", "")),
        (b"/v2/health/ready", (Operation.READY, "", "")),
        (b"/metrics", (Operation.METRICS, "", "")),
        (b"/v2/models/iris", (Operation.MODEL, "iris", "")),
        (b"/v2/models/iris/ready", (Operation.MODEL_READY, "iris", "")),
        (b"/v2/models/iris/versions/7/infer", (Operation.INFER, "iris", "7")),
        (b"/v2/models/iris/versions/7", (Operation.MODEL, "iris", "7")),
        (b"/v2/models/my%20model/infer", (Operation.INFER, "my model", "")),
        (b"/v2/models/versions/infer", (Operation.INFER, "versions", "")),
        (b"/v2/models/stats", (Operation.STATS, "", "")),
        (b"/v2/models/iris/stats", (Operation.STATS, "iris", "")),
        (b"/v2/models/iris/generate_stream", (Operation.GENERATE_STREAM, "iris", "")),
        (b"/v2/repository/index", (Operation.INDEX, "", "")),
        (b"/v1/outcomes", (Operation.OUTCOMES, "", "")),
    ],
)
def test_a_path_names_an_operation(path: bytes, found: tuple[Operation, str, str]) -> None:
    assert requests.locate(path) == found


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/v1/models/iris",
        b"/v1/outcomes/iris",
        b"/v2/outcomes",
        b"/v2/models",
        b"/v2/models/iris/predict",
        b"/v2/health",
        b"/v2/models//infer",
        b"/v2/models//versions/1/infer",
        b"/v2/models/iris/versions//infer",
    ],
)
def test_an_unknown_path_is_refused(path: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        requests.locate(path)
    assert refused.value.status == 404


def test_a_wrong_method_is_told_the_right_one() -> None:
    with pytest.raises(Refusal) as refused:
        requests.read(Head(method=b"GET"))
    assert refused.value.status == 405
    assert ("Allow", "POST") in refused.value.headers


def test_what_is_read_may_also_be_asked_for_without_its_body() -> None:
    assert requests.read(Head(b"HEAD", b"/v2")).operation is Operation.SERVER


@pytest.mark.parametrize(
    ("value", "deadline"), [(b"50", 50.0), (b"0.5", 0.5), (b"86400000", 8.64e7)]
)
def test_a_deadline_is_a_number_of_milliseconds(value: bytes, deadline: float) -> None:
    head = Head(headers={b"pilotage-deadline-ms": value})
    assert requests.read(head).deadline_ms == deadline


@pytest.mark.parametrize("value", [b"0", b"-5", b"nan", b"inf", b"86400001", b"soon", b""])
def test_any_other_deadline_is_refused(value: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        requests.read(Head(headers={b"pilotage-deadline-ms": value}))
    assert refused.value.where == "header pilotage-deadline-ms"


@pytest.mark.parametrize("value", [b"-1", b"1.5", b"", b"1" * 20, b"\xb2"])
def test_a_length_of_the_json_part_is_a_whole_number(value: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        requests.read(Head(headers={b"inference-header-content-length": value}))
    assert refused.value.status == 400


def test_what_is_not_asked_for_is_absent() -> None:
    asked = requests.read(Head())
    assert (asked.deadline_ms, asked.json_bytes, asked.trace, asked.timing) == (
        None,
        None,
        "",
        False,
    )
