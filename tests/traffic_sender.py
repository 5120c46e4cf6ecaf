"""The process behind `traffic`: pipelined connections, one loop, bodies made beforehand.

Measured on one of two shared cores: 30 microseconds of the processor a request, 3,500 a second.
"""

import asyncio
import heapq
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import uvloop

from traffic import TELLS_EVERY_S, Plan, Report

TICK_S: Final = 0.001
DRAIN_S: Final = 2.0
AGAIN_AFTER_S: Final = 0.02
CONNECTS_EVERY_S: Final = 0.02
SLOW_SHARE: Final = 0.2
IMPOSSIBLE: Final = 999.0
OUTCOMES_EACH: Final = 200
DRAWN_AT_ONCE: Final = 4096
VERSION: Final = b'"model_version":"'
PREDICTION: Final = b"Pilotage-Prediction-Id: "
LENGTH: Final = b"content-length: "


class Asked:
    """One request: under which id, about which row (-1: many), by whom, and how often before."""

    __slots__ = ("key", "payload", "row", "sent_at", "tries")

    def __init__(self, key: bytes, row: int, payload: bytes) -> None:
        self.key = key
        self.row = row
        self.payload = payload
        self.tries = 0
        self.sent_at = 0.0


class Bodies:
    """Requests of rows: everything but the id is made once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rows = np.load(plan.rows).astype(np.float32)
        self._tails: dict[tuple[int, bool], bytes] = {}
        self._line = b"POST /v2/models/%b/infer HTTP/1.1\r\nHost: load\r\n" % plan.model.encode()
        self.rows = len(self._rows)

    def request(self, key: bytes, row: int, user: int, *, trouble: bool) -> bytes:
        """The bytes of one request; row -1 carries many rows."""
        body = b'{"id":"%b",%b' % (key, self._tail(row, trouble))
        who = b"%b: u%d\r\n" % (self._plan.sticky.encode(), user) if self._plan.sticky else b""
        return (
            b"POST /v2/models/%b/infer HTTP/1.1\r\nHost: load\r\n%bContent-Length: %d\r\n\r\n%b"
            % (
                self._plan.model.encode(),
                who,
                len(body),
                body,
            )
        )

    def _tail(self, row: int, trouble: bool) -> bytes:
        made = self._tails.get((row, trouble))
        if made is None:
            numbers = self._rows[: self._plan.slow_rows] if row < 0 else self._rows[row : row + 1]
            if trouble:
                numbers = numbers.copy()
                numbers[:, 0] = IMPOSSIBLE
            tensor = {
                "name": self._plan.input,
                "shape": list(numbers.shape),
                "datatype": "FP32",
                "data": numbers.ravel().tolist(),
            }
            made = msgspec.json.encode({"inputs": [tensor]})[1:]
            self._tails[row, trouble] = made
        return made


class Chance:
    """Everything that is drawn, in an order that the seed fixes."""

    def __init__(self, plan: Plan, rows: int) -> None:
        self._plan = plan
        self._random = np.random.default_rng(plan.seed)
        self._rows = rows
        self._seconds = 0.0

    def requests(self) -> Iterator[tuple[float, int, int, bool]]:
        """When the next request is due (seconds from the start), its row, user and trouble."""
        while True:
            yield from self._some()

    def _some(self) -> Iterator[tuple[float, int, int, bool]]:
        random, plan, count = self._random, self._plan, DRAWN_AT_ONCE
        at = self._seconds + np.cumsum(random.exponential(1.0 / plan.per_s, count))
        row = random.integers(0, self._rows, count)
        user = random.integers(0, plan.users, count)
        if plan.requests_each:
            arriving = at + plan.stay_s * random.random(count)
            user = (arriving * plan.per_s / plan.requests_each).astype(np.int64)
        seconds, shares = np.array(plan.trouble, np.float64).T
        share = np.interp(at, seconds, shares)
        if plan.troubled_users < 1.0:
            # Knuth's multiplicative hash: who is troubled depends on the user and the seed alone.
            place = (user + 1_000_003 * plan.seed) * 2_654_435_761 % 2**32 / 2**32
            troubled = place < plan.troubled_users
            share = np.where(troubled, share / plan.troubled_users, 0.0)
        trouble = random.random(count) < share
        slow = random.random(count) < SLOW_SHARE
        for start, end in plan.slow:
            row = np.where(slow & (at >= start) & (at < end), -1, row)
        self._seconds = float(at[-1])
        return zip(at.tolist(), row.tolist(), user.tolist(), trouble.tolist(), strict=True)


class Connection(asyncio.Protocol):
    """One pipelined connection; answers come in the order of requests."""

    def __init__(self, sender: "Sender") -> None:
        self._sender = sender
        self._received = bytearray()
        self._out: list[bytes] = []
        self.under_way: deque[Asked] = deque()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def ask(self, asked: Asked, now: float) -> None:
        asked.sent_at = now
        self.under_way.append(asked)
        self._out.append(asked.payload)

    def flush(self) -> None:
        if self._out and self.transport is not None:
            self.transport.write(b"".join(self._out))
            self._out.clear()

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        start = 0
        while (body := received.find(b"\r\n\r\n", start)) >= 0:
            head = bytes(received[start:body])
            found = head.lower().find(LENGTH)
            end = body + 4 + int(head[found + len(LENGTH) :].split(b"\r", 1)[0])
            if end > len(received):
                break
            self._sender.on_answer(self.under_way.popleft(), head, received[body + 4 : end])
            start = end
        del received[:start]

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self.transport = None
        self._out.clear()
        self._sender.on_lost(self)


class Sender:
    """Sends what is due, counts what comes back."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._bodies = Bodies(plan)
        self._requests = Chance(plan, self._bodies.rows).requests()
        self._connections: list[Connection] = []
        self._waiting: deque[Asked] = deque()
        self._again: list[tuple[float, int, Asked]] = []
        self._number = 0
        self._answered: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._took_ms: dict[str, array[float]] = {}
        self._last_sent: dict[str, float] = {}
        self._sent = self._sent_again = self._broken = 0
        self._epoch = time.time() - time.monotonic()
        self._start = time.monotonic()
        self._outcomes = Telling(plan) if plan.outcomes else None
        self.over = False

    async def run(self) -> None:
        """Until the plan is over or `over` is set, and what is under way is answered."""
        self._start = time.monotonic()
        tending = [asyncio.create_task(self._tend(None)) for _ in range(self._plan.connections)]
        if self._outcomes:
            tending.append(asyncio.create_task(self._outcomes.run()))
        due, row, user, trouble = next(self._requests)
        while not self.over:
            now = time.monotonic() - self._start
            while due <= now and due < self._plan.seconds:
                self._number += 1
                key = b"%d-%d" % (self._plan.seed, self._number)
                payload = self._bodies.request(key, row, user, trouble=trouble)
                self._waiting.append(Asked(key, row, payload))
                due, row, user, trouble = next(self._requests)
            self.over |= now >= self._plan.seconds
            self._send()
            await asyncio.sleep(TICK_S)
        await self._drain()
        for task in tending:
            task.cancel()

    def report(self, *, last: bool = False) -> Report:
        now = time.monotonic()
        report = Report(
            at=now + self._epoch,
            seconds=now - self._start,
            sent=self._sent,
            again=self._sent_again,
            answered=dict(self._answered),
            failed=dict(self._failed),
            broken=self._broken,
            waiting=len(self._waiting),
            last_sent={name: at + self._epoch for name, at in self._last_sent.items()},
            over=last,
        )
        if self._outcomes:
            report.told, report.not_told = self._outcomes.told, self._outcomes.not_told
        if last:
            for version, took in self._took_ms.items():
                p50, p99 = np.percentile(np.asarray(took), [50, 99])
                report.p50_ms[version], report.p99_ms[version] = float(p50), float(p99)
        return report

    def on_answer(self, asked: Asked, head: bytes, body: bytearray) -> None:
        if head[9:12] != b"200":
            self._failed[head[9:12].decode()] += 1
            self._send_again(asked)
            return
        at = body.find(VERSION) + len(VERSION)
        version = body[at : body.find(b'"', at)].decode()
        self._answered[version] += 1
        self._last_sent[version] = max(asked.sent_at, self._last_sent.get(version, 0.0))
        took = self._took_ms.setdefault(version, array("d"))
        took.append(1000 * (time.monotonic() - asked.sent_at))
        if self._outcomes and asked.row >= 0:
            at = head.find(PREDICTION) + len(PREDICTION)
            self._outcomes.answered(head[at : at + 32].decode(), asked.key.decode(), asked.row)

    def on_lost(self, connection: Connection) -> None:
        self._broken += len(connection.under_way)
        for asked in connection.under_way:
            self._send_again(asked)
        connection.under_way.clear()
        self._connections.remove(connection)

    def _send_again(self, asked: Asked) -> None:
        if asked.tries < self._plan.retries:
            asked.tries += 1
            self._sent_again += 1
            due = time.monotonic() + AGAIN_AFTER_S
            heapq.heappush(self._again, (due, self._sent_again, asked))

    def _send(self) -> None:
        now = time.monotonic()
        while self._again and self._again[0][0] <= now:
            self._waiting.append(heapq.heappop(self._again)[2])
        most = self._plan.pipelined
        # The least busy first, as a pool of connections would choose.
        for connection in sorted(self._connections, key=lambda each: len(each.under_way)):
            fair = -(-len(self._waiting) // max(1, len(self._connections)))
            for _ in range(min(fair, most - len(connection.under_way), len(self._waiting))):
                connection.ask(self._waiting.popleft(), now)
                self._sent += 1
            connection.flush()

    async def _tend(self, connection: Connection | None) -> None:
        """Keeps one connection open."""
        loop = asyncio.get_running_loop()
        while True:
            if connection is None or connection.transport is None:
                try:
                    _, connection = await loop.create_connection(
                        lambda: Connection(self), "127.0.0.1", self._plan.port
                    )
                    self._connections.append(connection)
                except OSError:
                    connection = None
            await asyncio.sleep(CONNECTS_EVERY_S)

    async def _drain(self) -> None:
        end = time.monotonic() + DRAIN_S
        while time.monotonic() < end:
            self._send()
            if not self._waiting and not any(each.under_way for each in self._connections):
                break
            await asyncio.sleep(TICK_S)
        if self._outcomes:
            await self._outcomes.drain()


class Telling:
    """Outcomes, on a connection of their own."""

    def __init__(self, plan: Plan) -> None:
        assert plan.outcomes is not None
        self._port, self._plan = plan.port, plan.outcomes
        self._labels: list[int] = np.load(plan.outcomes.labels).tolist()
        self._chance = np.random.default_rng((plan.seed, 1))
        self._due: list[tuple[float, int, dict[str, object]]] = []
        self._number = 0
        self.told = self.not_told = 0

    def answered(self, prediction_id: str, key: str, row: int) -> None:
        """Notes what is to be told of this answer."""
        plan = self._plan
        share, by_key, late, twice, corrected, unknown = self._chance.random(6).tolist()
        if share >= plan.share:
            return
        truth = self._labels[row]
        after_s = plan.after_s * (10.0 if late < plan.late else 1.0)
        named = {"key": key} if by_key < plan.by_key else {"prediction_id": prediction_id}
        if corrected < plan.corrected:
            self._tell(after_s / 2, named, 1 - truth)
        self._tell(after_s, named, truth)
        if twice < plan.twice:
            self._tell(after_s, named, truth)
        if unknown < plan.unknown:
            self._tell(after_s, {"key": f"nobody-{self._number}"}, truth)

    def _tell(self, after_s: float, named: dict[str, str], value: int) -> None:
        self._number += 1
        outcome = {**named, "kind": self._plan.kind, "value": value}
        heapq.heappush(self._due, (time.monotonic() + after_s, self._number, outcome))

    async def run(self) -> None:
        """Posts what is due, again after a connection broke."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                while True:
                    await asyncio.sleep(0.05)
                    while self._due and self._due[0][0] <= time.monotonic():
                        await self._post(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.1)

    async def drain(self) -> None:
        """Gives what is due soon its time."""
        end = time.monotonic() + DRAIN_S
        while self._due and self._due[0][0] <= time.monotonic() < end:
            await asyncio.sleep(0.05)

    async def _post(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now, outcomes = time.monotonic(), []
        while self._due and self._due[0][0] <= now and len(outcomes) < OUTCOMES_EACH:
            outcomes.append(heapq.heappop(self._due)[2])
        body = msgspec.json.encode(outcomes)
        head = b"POST /v1/outcomes HTTP/1.1\r\nHost: load\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer[answer.find(LENGTH) + len(LENGTH) :].split(b"\r", 1)[0])
        await reader.readexactly(length)
        if answer[9:10] == b"2":
            self.told += len(outcomes)
        else:
            self.not_told += len(outcomes)


async def _send(plan: Plan) -> None:
    sender = Sender(plan)

    async def tell() -> None:
        while True:
            _say(sender.report())
            await asyncio.sleep(TELLS_EVERY_S)

    def stopped() -> None:
        if not sys.stdin.buffer.raw.read(4096):  # type: ignore[attr-defined]
            asyncio.get_running_loop().remove_reader(0)
            sender.over = True

    asyncio.get_running_loop().add_reader(0, stopped)
    telling = asyncio.create_task(tell())
    await sender.run()
    telling.cancel()
    _say(sender.report(last=True))


def _say(report: Report) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()


def send(plan: Plan) -> None:
    """Sends all of the plan, telling reports on standard output."""
    uvloop.run(_send(plan))
