"""Throws bytes at a connection: each is answered, refused or waited for, and nothing raises.

    pip install atheris
    PYTHONPATH=tests python tests/fuzz/http_connection.py -max_total_time=60

The same bytes in one piece and in many must be taken as the same requests and get the same
statuses; whatever was reserved for bodies is given back when the client leaves.
"""

import sys

import atheris

with atheris.instrument_imports(include=["pilotage.serving.http"]):
    from simulators.clients import Client, get, post

from pilotage.contracts.limits import Limits

LIMITS = Limits(
    head_bytes=400,
    header_count=8,
    body_bytes=300,
    inflight_bytes=300,
    pipelined_requests=3,
    chunk_line_bytes=20,
    trailer_bytes=40,
)
CHUNKED = b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
SEEDS = [
    b"",
    get(b"/a"),
    post(b"/v2/models/m/infer", b"body", b"Expect: 100-continue"),
    CHUNKED + b"3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
    b"HEAD /o HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    post(b"/u", b"body", b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Encoding: gzip"),
]


def stream_from(provider: atheris.FuzzedDataProvider) -> bytes:
    """Right requests one behind the other, with a piece overwritten, and raw bytes behind."""
    count = provider.ConsumeIntInRange(0, 4)
    data = b"".join(provider.PickValueInList(SEEDS) for _ in range(count))
    at = provider.ConsumeIntInRange(0, len(data))
    cut = provider.ConsumeIntInRange(0, 12)
    piece = provider.ConsumeBytes(provider.ConsumeIntInRange(0, 24))
    return data[:at] + piece + data[at + cut :] + provider.ConsumeBytes(2000)


def outcome(pieces: list[bytes]) -> tuple[list[tuple[bytes, bytes, bytes]], list[bytes]]:
    """What was taken, and the statuses but `100`, which depends on the cuts."""
    client = Client(limits=LIMITS)
    client.send(*pieces)
    client.connection.tick(0.0)
    client.connection.lost()
    assert client.front.receiving_bytes == 0
    taken = [
        (exchange.plan.method, exchange.plan.path, exchange.body)
        for exchange in client.service.exchanges
    ]
    statuses = [part[:3] for part in bytes(client.wire.sent).split(b"HTTP/1.1 ")[1:]]
    return taken, [status for status in statuses if status != b"100"]


def one(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    step = provider.ConsumeIntInRange(1, 40)
    sent = stream_from(provider)
    pieces = [sent[at : at + step] for at in range(0, len(sent), step)]
    assert outcome(pieces) == outcome([sent]), sent


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
