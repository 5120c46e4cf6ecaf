"""The rollout's page on a real socket: many readers, and none that holds the decider up."""

import asyncio
import json
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from msgspec import structs

from pilotage.console import server
from pilotage.errors import PilotageError
from simulators.rollout_samples import RUNNING

WAIT_S = 5.0


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(server, "PACE_S", 0.05)


@pytest.fixture
async def page():
    served = await server.serve("127.0.0.1", 0)
    yield served
    served.close()


def view_at(at):
    return structs.replace(RUNNING, elapsed_s=float(at))


class Browser:
    """One connection to the page."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, path="/", method="GET", **headers):
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def head(self):
        async with asyncio.timeout(WAIT_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
        first, *rest = head.decode().rstrip().split("\r\n")
        return int(first.split()[1]), dict(line.split(": ", 1) for line in rest)

    async def answer(self):
        status, headers = await self.head()
        async with asyncio.timeout(WAIT_S):
            body = await self.reader.readexactly(int(headers["Content-Length"]))
        return status, headers, body

    async def event(self):
        """The fields of the next event, or comment, of a stream."""
        async with asyncio.timeout(WAIT_S):
            text = (await self.reader.readuntil(b"\n\n")).decode()
        return dict(line.split(": ", 1) for line in text.rstrip().split("\n"))

    async def view(self):
        while (told := await self.event()).get("event") != "view":
            pass
        return json.loads(told["data"])

    async def is_closed(self):
        async with asyncio.timeout(WAIT_S):
            return await self.reader.read() == b""


@asynccontextmanager
async def browsing(page, **options):
    parts = urlsplit(page.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, **options)
    try:
        yield Browser(reader, writer)
    finally:
        writer.close()


async def test_several_questions_are_answered_on_one_connection(page):
    page.show(RUNNING)
    async with browsing(page) as browser:
        for path, kind in (
            ("/", "text/html; charset=utf-8"),
            ("/app.css", "text/css; charset=utf-8"),
            ("/app.js", "text/javascript; charset=utf-8"),
            ("/health", "text/plain; charset=utf-8"),
        ):
            browser.send(path)
            status, headers, body = await browser.answer()
            assert (status, headers["Content-Type"]) == (200, kind)
            assert body
        browser.send("/rollout.json")
        _, _, body = await browser.answer()
        assert json.loads(body)["sentence"] == RUNNING.sentence


async def test_the_page_may_load_its_own_files_and_nothing_else(page):
    async with browsing(page) as browser:
        browser.send("/")
        _, headers, _ = await browser.answer()
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers


async def test_a_reader_is_told_the_view_at_once_and_each_later_one(page):
    page.show(view_at(1))
    async with browsing(page) as browser:
        browser.send("/events")
        status, headers = await browser.head()
        assert (status, headers["Content-Type"]) == (200, "text/event-stream")
        assert (await browser.view())["elapsed_s"] == 1
        page.show(view_at(2))
        assert (await browser.view())["elapsed_s"] == 2


async def test_a_reader_that_comes_before_the_first_view_waits_for_it(page):
    async with browsing(page) as browser:
        browser.send("/events")
        await browser.head()
        page.show(view_at(1))
        assert (await browser.view())["elapsed_s"] == 1


async def test_every_reader_is_told(page):
    async with browsing(page) as one, browsing(page) as other:
        for browser in (one, other):
            browser.send("/events")
            await browser.head()
        page.show(view_at(1))
        assert [(await each.view())["elapsed_s"] for each in (one, other)] == [1, 1]


async def test_of_views_that_come_faster_than_the_pace_the_last_is_told(page):
    page.show(view_at(0))
    async with browsing(page) as browser:
        browser.send("/events")
        await browser.head()
        assert (await browser.view())["elapsed_s"] == 0
        for at in range(1, 100):
            page.show(view_at(at))
        assert (await browser.view())["elapsed_s"] == 99


async def test_a_reader_that_does_not_read_misses_views_and_holds_nobody_up(page):
    many = [structs.replace(RUNNING.guards[0], name=f"{n} {'x' * 8000}") for n in range(64)]
    large = structs.replace(RUNNING, guards=many)
    page.show(large)
    async with browsing(page, limit=1024) as slow, browsing(page, limit=1 << 24) as quick:
        slow.send("/events")
        quick.send("/events")
        await quick.head()
        for at in range(1, 20):
            page.show(structs.replace(large, elapsed_s=float(at)))
            assert (await quick.view())["guards"]
        page.show(structs.replace(large, elapsed_s=1000.0))
        while (await quick.view())["elapsed_s"] != 1000.0:
            pass
        told, rest = 0, b""
        while (
            b'"elapsed_s":1000.0,"patience' not in rest
        ):  # the last one comes, others were dropped
            async with asyncio.timeout(WAIT_S):
                data = await slow.reader.read(1 << 16)
            assert data
            told += (rest[-11:] + data).count(b"event: view")
            rest = rest[-64:] + data
        assert told < 20


async def test_a_quiet_stream_beats(page, monkeypatch):
    monkeypatch.setattr(server, "HEARTBEAT_S", 0.05)
    async with browsing(page) as browser:
        browser.send("/events")
        await browser.head()
        assert await browser.event() == {"": "beat"}
        assert (await browser.event())["event"] == "beat"


async def test_a_reader_that_leaves_frees_its_place(page, monkeypatch):
    monkeypatch.setattr(server, "CONNECTIONS", 1)
    async with browsing(page) as browser:
        browser.send("/events")
        await browser.head()
    async with asyncio.timeout(WAIT_S):
        while True:
            async with browsing(page) as browser:
                browser.send("/health")
                if (await browser.answer())[0] == 200:
                    break


async def test_one_connection_past_the_limit_is_told_so_and_closed(page, monkeypatch):
    monkeypatch.setattr(server, "CONNECTIONS", 2)
    async with browsing(page) as one, browsing(page) as two:
        for browser in (one, two):
            browser.send("/health")
            assert (await browser.answer())[0] == 200
        async with browsing(page) as three:
            assert (await three.answer())[0] == 503
            assert await three.is_closed()
        one.send("/health")
        assert (await one.answer())[0] == 200


async def test_a_connection_that_asks_nothing_is_closed_after_its_time(page, monkeypatch):
    monkeypatch.setattr(server, "IDLE_S", 0.2)
    async with browsing(page) as browser:
        browser.send("/health")
        assert (await browser.answer())[0] == 200
        browser.writer.write(b"GET /health HT")  # a head that is not whole does not help
        assert await browser.is_closed()


async def test_a_stream_outlives_the_time_of_an_idle_connection(page, monkeypatch):
    monkeypatch.setattr(server, "IDLE_S", 0.1)
    monkeypatch.setattr(server, "HEARTBEAT_S", 0.04)
    async with browsing(page) as browser:
        browser.send("/events")
        await browser.head()
        for _ in range(12):
            await browser.event()
        page.show(view_at(1))
        assert (await browser.view())["elapsed_s"] == 1


async def test_what_is_no_http_is_refused_and_closed(page):
    async with browsing(page) as browser:
        browser.writer.write(b"\x16\x03\x01\x02\x00\r\n\r\n")
        assert (await browser.answer())[0] == 400
        assert await browser.is_closed()


async def test_a_request_that_wants_it_is_the_last(page):
    async with browsing(page) as browser:
        browser.send("/health", Connection="close")
        _, headers, _ = await browser.answer()
        assert headers["Connection"] == "close"
        assert await browser.is_closed()


async def test_readers_are_cut_when_the_page_closes(page):
    async with browsing(page) as browser:
        browser.send("/events")
        await browser.head()
        page.close()
        assert await browser.is_closed()
    with pytest.raises(ConnectionRefusedError):
        async with browsing(page):
            pass


async def test_a_port_that_is_taken_is_named(page):
    port = urlsplit(page.url).port
    with pytest.raises(PilotageError) as refused:
        await server.serve("127.0.0.1", port)
    assert refused.value.where == f"127.0.0.1:{port}"
    assert "--control-port" in refused.value.fix


async def test_the_page_is_served_to_this_machine_only():
    with pytest.raises(PilotageError):
        await server.serve("0.0.0.0", 0)


async def test_a_port_can_be_had_again_at_once(page):
    port = urlsplit(page.url).port
    async with browsing(page) as browser:
        browser.send("/events")
        await browser.head()
        page.close()
        assert await browser.is_closed()
    again = await server.serve("127.0.0.1", port)
    assert urlsplit(again.url).port == port
    again.close()
