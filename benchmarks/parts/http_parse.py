"""µs a request in the HTTP layer without a socket: the fast way, a new head, a body in two pieces.

    python benchmarks/parts/http_parse.py

Rotates over several heads and bodies, so that no single object stays warm. Prints the median and
the least of several rounds, each beside the same loop with an empty callee subtracted.
"""

import statistics
import time
from collections.abc import Callable

from pilotage.contracts.limits import Limits
from pilotage.serving.http.connection import Connection
from pilotage.serving.http.exchange import Exchange
from pilotage.serving.http.head import Head, read_head
from pilotage.serving.http.head_cache import HeadCache
from pilotage.serving.http.reading import Front

ROUNDS = 9
REQUESTS = 40_000


class Nowhere:
    """A wire that takes everything and does nothing."""

    def write(self, data: bytes) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def limit_unsent(self, high_bytes: int) -> None: ...

    def finish(self) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Echo:
    """Answers each request at once with the same bytes."""

    def __init__(self) -> None:
        self.data = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def plan(self, head: Head) -> object:
        return head.path

    def admit(self, plan: object, body_bytes: int) -> None: ...

    def answer(self, exchange: Exchange) -> None:
        exchange.reply(self.data)

    def abandon(self, exchange: Exchange) -> None: ...


def requests() -> list[tuple[bytes, bytes]]:
    pairs: list[tuple[bytes, bytes]] = []
    for number in range(8):
        values = ",".join(f"{number + position / 7:.6f}" for position in range(30))
        body = b'{"inputs":[{"name":"x","shape":[1,30],"datatype":"FP32","data":[%b]}]}'
        whole = body % values.encode()
        head = (
            b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
            b"Authorization: Bearer 0123456789abcdef0123456789abcdef0123456789a\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(whole)
        )
        pairs.append((head, whole))
    return pairs


def timed(call: Callable[[bytes], object], inputs: list[bytes], calls: int) -> float:
    """µs a call, less the loop's own."""
    repeats = calls // len(inputs)

    def nothing(data: bytes) -> None: ...

    began = time.perf_counter()
    for _ in range(repeats):
        for data in inputs:
            nothing(data)
    loop_s = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(repeats):
        for data in inputs:
            call(data)
    return (time.perf_counter() - began - loop_s) / (repeats * len(inputs)) * 1e6


def report(name: str, call: Callable[[bytes], object], inputs: list[bytes], per: int = 1) -> None:
    rounds = [timed(call, inputs, REQUESTS) * per for _ in range(ROUNDS)]
    print(f"{name:<44} median {statistics.median(rounds):6.2f}  least {min(rounds):6.2f} µs")


def main() -> None:
    pairs = requests()
    limits = Limits()
    front = Front(Echo(), limits, HeadCache(), now_ns=time.time_ns)
    connection = Connection(front, Nowhere())
    whole = [head + body for head, body in pairs]
    for data in whole * 2:
        connection.receive(data)
    report("known head, whole body, reply", connection.receive, whole)
    heads = {head: len(head) for head, _ in pairs}

    def lookup(data: bytes) -> object:
        return heads.get(data[: data.find(b"\r\n\r\n") + 4])

    report("  of it: find, slice, hash, look up", lookup, whole)
    halves = [half for head, body in pairs for half in (head + body[:99], body[99:])]
    report("known head, body in two pieces, reply", connection.receive, halves, 2)
    report("read_head, a new head", lambda raw: read_head(raw, limits), [head for head, _ in pairs])
    chunked = [
        head.replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked")
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        for head, body in pairs
    ]
    report("chunked, new head each time, reply", connection.receive, chunked)


if __name__ == "__main__":
    main()
