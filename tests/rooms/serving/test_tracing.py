"""W3C Trace Context: valid headers go on, invalid ones are passed over."""

import pytest

from pilotage.serving.tracing import trace_of, traceparent_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
VALID = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_valid_header_gives_its_trace_and_flags() -> None:
    assert trace_of(VALID) == (TRACE, b"01")


def test_a_later_version_may_carry_more() -> None:
    assert trace_of(b"01" + VALID[2:] + b"-extra") == (TRACE, b"01")


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"nonsense",
        VALID + b"-extra",
        b"ff" + VALID[2:],
        VALID.upper(),
        VALID.replace(TRACE.encode(), b"0" * 32),
        VALID.replace(b"b7ad6b7169203331", b"0" * 16),
        VALID[:-1],
        VALID + b"\n",
    ],
)
def test_an_invalid_header_is_passed_over(header: bytes | None) -> None:
    assert trace_of(header) == ("", b"")


def test_our_span_is_the_end_of_the_prediction_id() -> None:
    prediction = b"01a20cb714a0d121da7e530000000007"
    assert traceparent_of(TRACE, prediction, b"01") == (
        b"00-0af7651916cd43dd8448eb211c80319c-da7e530000000007-01"
    )


def test_a_span_is_never_all_zeros() -> None:
    assert b"-0000000000000001-" in traceparent_of(TRACE, b"f" * 16 + b"0" * 16, b"00")
