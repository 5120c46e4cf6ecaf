"""Answers in chunks: as they come, no faster than the client reads, no longer than it listens."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from pilotage.contracts.records import Record
from servers import Server, serving, until
from simulators.counting_engine import CLOSED, ENDED, FAILED, Progress
from simulators.raw import Raw, post

STREAM = "/v2/models/counting/generate_stream"
WHOLE = "/v2/models/counting/generate"
STREAMS = 4
CHUNK_BYTES = 64 * 1024
GROWTH_BYTES = 48 * 2**20
"""How much a worker may grow while a client leaves a stream unread; the stream itself is 64 GB."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("counting")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(
        folder,
        {"words": models.identity("BYTES", shape=("n", 1))},
        "--limit",
        f"streams={STREAMS}",
        engines="counting_engine",
        environment={"COUNTING": str(folder)},
    ) as server:
        yield server


def asked(text: str, count: int, *, chunk_bytes: int = 0, fail_at: int = -1) -> bytes:
    return json.dumps(
        {
            "id": text,
            "text_input": text,
            "parameters": {"count": count, "chunk_bytes": chunk_bytes, "fail_at": fail_at},
        }
    ).encode()


def event_of(chunk: bytes) -> dict[str, Any]:
    assert chunk.startswith(b"data: ")
    assert chunk.endswith(b"\n\n")
    return json.loads(chunk[6:])


def until_broken_off(raw: Raw) -> list[dict[str, Any]]:
    """The events of a stream that must not end well."""
    events: list[dict[str, Any]] = []
    chunks = raw.chunks()
    while True:
        try:
            events.append(event_of(next(chunks)))
        except EOFError:
            return events


def records_of(server: Server, headers: dict[str, str]) -> list[Record]:
    def both() -> list[Record]:
        finding = server.store().find(bytes.fromhex(headers["pilotage-prediction-id"]))
        records = [] if finding is None else sorted(finding.records, key=lambda r: r.phase)
        return records if len(records) == 2 else []

    return until(both, "two records")


def test_chunks_arrive_as_events_and_the_record_is_opened_and_closed(
    server: Server, folder: Path
) -> None:
    with Raw(server.port) as raw:
        raw.send(post(STREAM, asked("hello", 5)))
        status, headers = raw.head()
        events = [event_of(chunk) for chunk in raw.chunks()]
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert [event["text_output"] for event in events] == [f"hello {n};" for n in range(5)]
    assert {event["model_name"] for event in events} == {"counting"}
    assert Progress(folder, "hello").last_word == ENDED
    closed, opened = records_of(server, headers)
    assert (opened.phase, closed.phase) == ("opened", "closed")
    assert (closed.status, closed.usage) == ("ok", {"chunks": 5})
    assert opened.inputs[0].data == b"\x05\x00\x00\x00hello"
    assert b"hello 4;" in (closed.outputs[0].data or b"")
    assert closed.client_id == "hello"


def test_the_connection_goes_on_after_a_stream(server: Server) -> None:
    with Raw(server.port) as raw:
        raw.send(post(STREAM, asked("first", 2)) + post(STREAM, asked("second", 1)))
        raw.head()
        assert len(list(raw.chunks())) == 2
        raw.head()
        assert event_of(next(raw.chunks()))["text_output"] == "second 0;"


def test_the_whole_answer_is_all_chunks_together(server: Server) -> None:
    reply = server.call("POST", WHOLE, asked("whole", 3))
    assert reply.status == 200
    assert reply.json["text_output"] == "whole 0;whole 1;whole 2;"
    assert reply.json["id"] == "whole"
    record = server.record_of(reply.prediction_id)
    assert (record.phase, record.status, record.usage) == ("whole", "ok", {"chunks": 3})


def test_a_client_that_stops_reading_stops_the_engine(server: Server, folder: Path) -> None:
    worker_bytes = server.memory_bytes()
    progress = Progress(folder, "unread")
    with Raw(server.port, receive_buffer_bytes=4096) as raw:
        raw.send(post(STREAM, asked("unread", 1_000_000, chunk_bytes=CHUNK_BYTES)))
        until(lambda: progress.chunks > 8)
        seen = [0, 0]

        def stands_still() -> bool:
            """Other requests are answered meanwhile, and no chunk is made."""
            for number in range(20):
                assert server.call("GET", "/v2/health/live").status == 200, number
            seen.append(progress.chunks)
            return seen[-1] == seen[-2] == seen[-3]

        until(stands_still)
        assert progress.chunks < 1_000
        assert server.memory_bytes() - worker_bytes < GROWTH_BYTES
        raw.head()
        chunks = raw.chunks()
        before = progress.chunks
        for _ in range(before + 20):
            next(chunks)
        assert progress.chunks > before
    until(lambda: progress.last_word == CLOSED)


def test_a_client_that_hangs_up_ends_the_work(server: Server, folder: Path) -> None:
    progress = Progress(folder, "gone")
    with Raw(server.port) as raw:
        raw.send(post(STREAM, asked("gone", 1_000_000, chunk_bytes=1000)))
        _, headers = raw.head()
        event_of(next(raw.chunks()))
    until(lambda: progress.last_word == CLOSED)
    assert records_of(server, headers)[0].status == "cancelled"
    until(lambda: server.metric("pilotage_streams") == 0)


def test_a_stream_that_fails_tells_the_client_and_breaks_off(server: Server, folder: Path) -> None:
    with Raw(server.port) as raw:
        raw.send(post(STREAM, asked("broken", 5, fail_at=2)))
        status, headers = raw.head()
        assert status == 200
        events = until_broken_off(raw)
    assert [event.get("text_output") for event in events[:2]] == ["broken 0;", "broken 1;"]
    assert events[-1] == {"error": "the model failed on this request"}
    assert Progress(folder, "broken").last_word == FAILED
    assert records_of(server, headers)[0].status == "engine_error"


def test_a_whole_answer_that_fails_is_an_error(server: Server) -> None:
    reply = server.call("POST", WHOLE, asked("all-broken", 5, fail_at=1))
    assert (reply.status, reply.json["reason"]) == (500, "engine")


def test_a_client_of_a_whole_answer_that_hangs_up_ends_the_work(
    server: Server, folder: Path
) -> None:
    progress = Progress(folder, "whole-gone")
    with Raw(server.port) as raw:
        raw.send(post(WHOLE, asked("whole-gone", 1_000_000_000)))
        until(lambda: progress.chunks > 8)
    until(lambda: progress.last_word == CLOSED)
    until(lambda: server.metric("pilotage_streams") == 0)


def test_a_whole_answer_past_its_deadline_ends_the_work(server: Server, folder: Path) -> None:
    body = asked("whole-late", 1_000_000_000)
    refused = server.call("POST", WHOLE, body, Pilotage_Deadline_Ms="50")
    assert (refused.status, refused.json["reason"]) == (503, "deadline")
    assert Progress(folder, "whole-late").last_word == CLOSED
    assert server.record_of(refused.prediction_id).status == "expired"


def test_a_model_that_answers_at_once_is_reached_the_same_way(server: Server) -> None:
    body = json.dumps({"x": "word"}).encode()
    whole = server.call("POST", "/v2/models/words/generate", body)
    assert whole.json["y"] == "word"
    with Raw(server.port) as raw:
        raw.send(post("/v2/models/words/generate_stream", body))
        reply = raw.reply()
    assert reply.headers["content-type"] == "text/event-stream"
    assert event_of(reply.body)["y"] == "word"


def test_a_model_that_answers_in_chunks_has_no_infer(server: Server) -> None:
    refused = server.call("POST", "/v2/models/counting/infer", b'{"inputs":[]}')
    assert (refused.status, refused.json["where"]) == (400, "request line")
    assert "generate_stream" in refused.json["fix"]


def test_as_many_streams_as_the_limit_are_answered_and_one_more_is_refused(
    server: Server,
) -> None:
    held = [Raw(server.port) for _ in range(STREAMS)]
    try:
        for number, raw in enumerate(held):
            raw.send(post(STREAM, asked(f"held-{number}", 1_000_000, chunk_bytes=100_000)))
            assert raw.head()[0] == 200
        for path in (STREAM, WHOLE):
            refused = server.call("POST", path, asked("refused", 1))
            assert (refused.status, refused.json["reason"]) == (503, "overload")
    finally:
        for raw in held:
            raw.close()
    until(lambda: server.metric("pilotage_streams") == 0)


def test_a_stream_that_the_end_of_the_server_cuts_has_its_closing_record(tmp_path: Path) -> None:
    started: list[dict[str, str]] = []
    held: list[Raw] = []
    with serving(
        tmp_path,
        {"words": models.identity("BYTES", shape=("n", 1))},
        *("--drain", "50ms"),
        engines="counting_engine",
        environment={"COUNTING": str(tmp_path)},
    ) as server:
        for number in range(STREAMS):
            raw = Raw(server.port)
            raw.send(post(STREAM, asked(f"cut-{number}", 1_000_000, chunk_bytes=CHUNK_BYTES)))
            started.append(raw.head()[1])
            held.append(raw)
        server.stop()
        for headers in started:
            closed, _ = records_of(server, headers)
            assert closed.status == "cancelled"
    for raw in held:
        raw.close()


def test_what_is_wrong_with_a_prompt_is_told(server: Server) -> None:
    reply = server.call("POST", STREAM, b'{"text_input": 7}')
    assert (reply.status, reply.json["reason"]) == (400, "invalid")
