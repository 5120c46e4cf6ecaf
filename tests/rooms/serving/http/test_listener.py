"""The listener on real sockets: both ways of sending, TLS, limits, draining, many idle clients."""

import asyncio
import contextlib
import datetime
import functools
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import pytest
import uvloop

from pilotage.contracts.limits import KIB, MIB, Limits
from pilotage.serving.http.head_cache import HeadCache
from pilotage.serving.http.listener import Listener
from pilotage.serving.http.reading import Front
from pilotage.serving.http.responses import json_response, stream_head
from pilotage.serving.http.streams import StreamOut
from simulators.clients import Reply, Service, get, post, read_replies


def on_uvloop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """The test, run to its end by the loop that workers use."""

    @functools.wraps(test)
    def run(**arguments: object) -> None:
        uvloop.run(test(**arguments))

    return run


class Server:
    """A listener with a door: connections are accepted as a supervisor would."""

    def __init__(self, listener: Listener, door: socket.socket) -> None:
        self.listener = listener
        self.address: tuple[str, int] = door.getsockname()

    async def connect(self, tls: ssl.SSLContext | None = None):
        return await asyncio.open_connection(*self.address, ssl=tls)


@contextlib.asynccontextmanager
async def _serving(
    service: Service,
    *,
    limits: Limits | None = None,
    direct: bool = True,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Server]:
    front = Front(service, limits or Limits(), HeadCache(), now_ns=time.time_ns)
    listener = Listener(front, direct=direct, tls=tls)
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as door:
        door.setblocking(False)

        def accept() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    listener.accept(door.accept()[0])

        loop.add_reader(door, accept)
        try:
            yield Server(listener, door)
        finally:
            loop.remove_reader(door)
            listener.close()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def _ask(server: Server, *requests: bytes, tls: ssl.SSLContext | None = None) -> list[Reply]:
    """All replies until the server closes."""
    reader, writer = await server.connect(tls)
    writer.write(b"".join(requests))
    data = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return list(read_replies(data))


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close without a goodbye: the server gets a reset and not an end."""
    client = writer.get_extra_info("socket")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


LAST = b"Connection: close"


@pytest.mark.parametrize("direct", [True, False])
@on_uvloop
async def test_requests_of_every_size_are_answered_in_order(direct: bool):
    bodies = [bytes([number]) * size for number, size in enumerate((0, 10, 100_000, 5 * MIB, 3))]
    async with _serving(Service(), direct=direct) as server:
        replies = await _ask(server, *(post(b"/p", body) for body in bodies), get(b"/", LAST))
    assert [reply.body for reply in replies] == [*(b"POST /p " + b for b in bodies), b"GET / "]


@pytest.mark.parametrize("direct", [True, False])
@on_uvloop
async def test_small_replies_behind_a_large_one_keep_their_order(direct: bool):
    large = bytes(6 * MIB)
    async with _serving(Service(), direct=direct, limits=Limits(unread_bytes=32 * MIB)) as server:
        reader, writer = await server.connect()
        for _ in range(3):
            writer.write(post(b"/p", large) + get(b"/a") * 5)
        writer.write(get(b"/", LAST))
        await writer.drain()
        await asyncio.sleep(0.05)  # the client reads late, so that answers pile up
        replies = list(read_replies(await reader.read()))
        writer.close()
    assert [len(reply.body) for reply in replies] == [len(large) + 8, *[7] * 5] * 3 + [6]


@pytest.mark.parametrize("direct", [True, False])
@on_uvloop
async def test_a_client_that_never_reads_is_paused_and_memory_stays_bounded(direct: bool):
    class Large(Service):
        def answer(self, exchange) -> None:
            self.exchanges.append(exchange)
            exchange.reply(json_response(200, bytes(256 * KIB)))

    service = Large()
    async with _serving(service, direct=direct, limits=Limits(unread_s=0.5)) as server:
        with socket.create_connection(server.address) as client:
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            sending = loop.create_task(loop.sock_sendall(client, get(b"/a") * 200_000))
            await _until(lambda: server.listener.open_connections == 1)
            await _until(lambda: server.listener.open_connections == 0)  # unread_s later
            sending.cancel()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await sending
    assert 4 < len(service.exchanges) < 200


@on_uvloop
async def test_a_refusal_reaches_a_client_that_is_still_sending():
    async with _serving(Service(), limits=Limits(body_bytes=MIB)) as server:
        reader, writer = await server.connect()
        head = post(b"/p", b"x" * (4 * MIB))
        writer.write(head[: MIB // 2])
        (reply,) = read_replies(await asyncio.wait_for(reader.read(), 10))
        assert reply.status == 413
        writer.close()
        await _until(lambda: server.listener.open_connections == 0)


@on_uvloop
async def test_late_heads_and_idle_clients_are_closed_by_the_clock():
    limits = Limits(head_s=0.3, idle_s=0.3)
    async with _serving(Service(), limits=limits) as server:
        idle_reader, idle_writer = await server.connect()
        late_reader, late_writer = await server.connect()
        late_writer.write(b"GET / HT")
        assert await asyncio.wait_for(idle_reader.read(), 10) == b""
        (reply,) = read_replies(await asyncio.wait_for(late_reader.read(), 10))
        assert reply.status == 408
        idle_writer.close()
        late_writer.close()


@on_uvloop
async def test_a_half_closed_client_is_answered():
    service = Service(holds=True)
    async with _serving(service) as server:
        reader, writer = await server.connect()
        writer.write(get(b"/a"))
        writer.write_eof()
        await _until(lambda: bool(service.exchanges))
        await asyncio.sleep(0.05)
        service.echo(service.exchanges[0])
        (reply,) = read_replies(await asyncio.wait_for(reader.read(), 10))
        assert reply.body == b"GET /a "
        writer.close()


@on_uvloop
async def test_a_client_that_resets_leaves_its_work_to_abandon():
    service = Service(holds=True)
    async with _serving(service) as server:
        _, writer = await server.connect()
        writer.write(get(b"/a"))
        await _until(lambda: bool(service.exchanges))
        _reset(writer)
        await _until(lambda: server.listener.open_connections == 0)
        assert service.abandoned == service.exchanges
        service.echo(service.exchanges[0])


@on_uvloop
async def test_connections_holds_on_both_sides():
    async with _serving(Service(), limits=Limits(connections=2)) as server:
        kept = [await server.connect() for _ in range(2)]
        await _until(lambda: server.listener.open_connections == 2)
        reader, writer = await server.connect()
        assert await asyncio.wait_for(reader.read(), 10) == b""
        for kept_reader, kept_writer in kept:
            kept_writer.write(get(b"/a", LAST))
            assert b"GET /a " in await asyncio.wait_for(kept_reader.read(), 10)
            kept_writer.close()
        writer.close()


@on_uvloop
async def test_draining_answers_what_is_owed_and_then_closes():
    service = Service(holds=True)
    async with _serving(service) as server:
        busy_reader, busy_writer = await server.connect()
        idle_reader, idle_writer = await server.connect()
        busy_writer.write(get(b"/a"))
        await _until(lambda: bool(service.exchanges) and server.listener.open_connections == 2)
        draining = asyncio.create_task(server.listener.drain(10))
        await asyncio.sleep(0)
        service.echo(service.exchanges[0])
        (reply,) = read_replies(await asyncio.wait_for(busy_reader.read(), 10))
        assert reply.headers["connection"] == "close"
        assert await asyncio.wait_for(idle_reader.read(), 10) == b""
        busy_writer.close()
        idle_writer.close()
        assert await draining


@on_uvloop
async def test_draining_cuts_what_takes_too_long():
    service = Service(holds=True)
    async with _serving(service) as server:
        reader, writer = await server.connect()
        writer.write(get(b"/a"))
        await _until(lambda: bool(service.exchanges))
        assert not await server.listener.drain(0.1)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 10) == b""
        await _until(lambda: service.abandoned == service.exchanges)
        writer.close()


class Streamer(Service):
    """Answers with a stream of pieces, as fast as the client takes them."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.left = pieces
        self.most_ahead = 0
        self.gone = False

    def answer(self, exchange) -> None:
        stream: StreamOut = exchange.open_stream(stream_head(content_type=b"text/event-stream"))
        stream.on_ready = lambda: self.produce(stream)
        stream.on_gone = self.note_gone
        self.produce(stream)

    def produce(self, stream: StreamOut) -> None:
        while self.left and stream.ready:
            stream.write(b"x" * (64 * KIB))
            self.left -= 1
        if not self.left:
            stream.close()

    def note_gone(self) -> None:
        self.gone = True


@pytest.mark.parametrize("direct", [True, False])
@on_uvloop
async def test_a_stream_waits_for_a_client_that_stops_reading(direct: bool):
    service = Streamer(pieces=500)
    async with _serving(service, direct=direct) as server:
        reader, writer = await server.connect()
        writer.write(get(b"/s", LAST))
        await _until(lambda: service.left < 500)
        await asyncio.sleep(0.1)
        assert service.left > 250  # the rest is not even made
        (reply,) = read_replies(await asyncio.wait_for(reader.read(), 20))
        assert reply.body == b"x" * (500 * 64 * KIB)
        writer.close()


@on_uvloop
async def test_a_stream_is_told_when_its_client_hangs_up():
    service = Streamer(pieces=500)
    async with _serving(service) as server:
        _, writer = await server.connect()
        writer.write(get(b"/s"))
        await _until(lambda: service.left < 500)
        _reset(writer)
        await _until(lambda: service.gone)
        assert service.left > 0


def _certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@on_uvloop
async def test_tls_carries_the_same_and_a_failed_handshake_leaves_nothing(tmp_path: Path):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*_certificate(tmp_path))
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    body = bytes(3 * MIB)
    async with _serving(Service(), tls=tls) as server:
        replies = await _ask(server, post(b"/p", body), get(b"/a", LAST), tls=trusting)
        assert [len(reply.body) for reply in replies] == [len(body) + 8, 7]
        (refused,) = await _ask(server, b"nonsense\r\n\r\n", tls=trusting)
        assert refused.status == 400
        reader, writer = await server.connect()
        writer.write(get(b"/plain"))
        assert b"HTTP/1.1 200" not in await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await _until(lambda: server.listener.open_connections == 0)


@on_uvloop
async def test_draining_does_not_wait_for_a_handshake_that_failed(tmp_path: Path):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*_certificate(tmp_path))
    async with _serving(Service(), tls=tls) as server:
        _, writer = await server.connect()
        await _until(lambda: server.listener.open_connections == 1)
        draining = asyncio.create_task(server.listener.drain(5))
        await asyncio.sleep(0)
        _reset(writer)
        assert await asyncio.wait_for(draining, 3)


@on_uvloop
async def test_two_thousand_idle_connections_do_not_hurt_a_good_client():
    async def ask_often(server: Server) -> list[float]:
        reader, writer = await server.connect()
        times_s: list[float] = []
        for _ in range(1500):
            began = time.perf_counter()
            writer.write(request)
            await reader.readexactly(len(expected))
            times_s.append(time.perf_counter() - began)
        writer.close()
        return sorted(times_s)

    request = post(b"/p", b"body")
    expected = json_response(200, b"POST /p body")
    async with _serving(Service()) as server:
        await ask_often(server)
        alone = await ask_often(server)
        idle: list[socket.socket] = []
        try:
            for number in range(2000):
                idle.append(socket.create_connection(server.address))
                if number % 50 == 0:
                    await asyncio.sleep(0)
            await _until(lambda: server.listener.open_connections == 2000)
            crowded = await ask_often(server)
        finally:
            for client in idle:
                client.close()
    assert crowded[len(crowded) // 2] < 3 * alone[len(alone) // 2] + 0.001
    assert crowded[int(len(crowded) * 0.99)] < 3 * alone[int(len(alone) * 0.99)] + 0.005
