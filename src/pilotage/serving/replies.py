"""From encoded answers to HTTP responses on their connections.

The head of the usual answer is a template that is made again once a second for its date; an answer
that asks for more (tracing, timings, compression) takes the longer way.
"""

import time
from collections.abc import Callable, Sequence
from email.utils import formatdate

from pilotage.serving.calls import Batch, Call
from pilotage.serving.http.compression import (
    COMPRESS_FROM_BYTES,
    accepted_encoding,
    compress,
)
from pilotage.serving.http.responses import JSON, answer_head
from pilotage.serving.protocols.v2_encoding import Encoded
from pilotage.serving.refusals import Refusal
from pilotage.serving.requests import Operation
from pilotage.serving.tracing import traceparent_of


class Replies:
    """Writes the answers of batches. `tick` is to be called once a second."""

    def __init__(self) -> None:
        self.epoch_ns = 0
        self.after_batch: Callable[[], None] | None = None
        self._plain_head = b""
        self._date = b""
        self.tick()

    def tick(self) -> None:
        """Renews the date, and the offset of the steady clock from the wall clock."""
        self.epoch_ns = time.time_ns() - time.monotonic_ns()
        self._date = formatdate(time.time(), usegmt=True).encode()
        self._plain_head = (
            b"HTTP/1.1 200 OK\r\nDate: %b\r\nContent-Type: application/json\r\n"
            b"Pilotage-Prediction-Id: " % self._date
        )

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return (time.monotonic_ns() + self.epoch_ns) // 1_000_000

    def send(
        self,
        batch: Batch,
        calls: Sequence[Call],
        encoded: Sequence[Encoded | Refusal],
        ids: Sequence[bytes],
        *,
        recorded: bool,
    ) -> None:
        """Replies to every call of a batch."""
        head = self._plain_head
        for call, answer, prediction_id in zip(calls, encoded, ids, strict=True):
            if isinstance(answer, Refusal):
                call.exchange.refuse(answer.of_prediction(prediction_id))
                continue
            body, json_bytes = answer
            if recorded and json_bytes is None and call.plan.plain and not call.generates:
                call.exchange.reply(
                    b"%b%b\r\nContent-Length: %d\r\n\r\n%b" % (head, prediction_id, len(body), body)
                )
            else:
                self._send_special(batch, call, body, json_bytes, prediction_id, recorded)
        if self.after_batch is not None:
            self.after_batch()

    def _send_special(
        self,
        batch: Batch,
        call: Call,
        body: bytes,
        json_bytes: int | None,
        prediction_id: bytes,
        recorded: bool,
    ) -> None:
        asked = call.plan.asked
        lines = [b"Date: %b\r\nPilotage-Prediction-Id: %b\r\n" % (self._date, prediction_id)]
        if json_bytes is not None:
            lines.append(b"Inference-Header-Content-Length: %d\r\n" % json_bytes)
        if not recorded:
            lines.append(b"Pilotage-Recorded: no\r\n")
        if asked.trace:
            span = traceparent_of(asked.trace, prediction_id, asked.trace_flags)
            lines.append(b"traceparent: %b\r\n" % span)
        if asked.timing:
            lines.append(b"Server-Timing: %b\r\n" % _server_timing(batch, call))
        if asked.accepts and len(body) >= COMPRESS_FROM_BYTES:
            coding = accepted_encoding(asked.accepts)
            if coding is not None:
                body = compress(body, coding)
                lines.append(b"Content-Encoding: %b\r\nVary: Accept-Encoding\r\n" % coding.encode())
        kind = JSON if json_bytes is None else b"application/octet-stream"
        if call.generates and asked.operation is Operation.GENERATE_STREAM:
            kind = b"text/event-stream"
        head = answer_head(len(body), content_type=kind, headers=b"".join(lines))
        call.exchange.reply(head + body)


def _server_timing(batch: Batch, call: Call) -> bytes:
    """The parts of the time, in milliseconds (W3C Server Timing)."""
    now_ns = time.monotonic_ns()
    parts = (
        (b"queue", batch.started_ns - call.received_ns),
        (b"engine", batch.ended_ns - batch.started_ns),
        (b"encode", now_ns - batch.ended_ns),
        (b"total", now_ns - call.received_ns),
    )
    return b", ".join(b"%b;dur=%.3f" % (name, ns / 1e6) for name, ns in parts)
