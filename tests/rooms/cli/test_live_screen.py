import asyncio
import fcntl
import io
import os
import pty
import struct
import termios
from contextlib import contextmanager

import pytest
from msgspec import structs

from pilotage.cli import live_screen
from pilotage.cli.live_screen import LOG_ROWS, Block, LiveScreen, columns_of, is_drawable
from pilotage.control.rollouts.view import Happened
from simulators.rollout_samples import ERRORS, ROLLED_BACK, RUNNING
from simulators.terminals import Terminal

PAGE = "http://127.0.0.1:8090"


def lines_of(*texts):
    return "".join(f"{text}\n" for text in texts)


# --- the block -----------------------------------------------------------------------------------


def test_a_block_stands_at_the_foot_and_the_cursor_where_it_was():
    terminal, block = Terminal(rows=10), Block()
    terminal.write("$ pilotage serve\n")
    terminal.write(block.drawn(["one", "two"], 10))
    assert terminal.shown == ["$ pilotage serve", *[""] * 7, "one", "two"]
    assert (terminal.row, terminal.column) == (1, 0)


def test_lines_of_other_processes_scroll_past_above_it():
    terminal, block = Terminal(rows=10), Block()
    terminal.write(block.drawn(["one", "two"], 10))
    terminal.write(lines_of(*map(str, range(20))))
    terminal.write(block.drawn(["one", "two!"], 10))
    terminal.write(lines_of("20"))
    assert terminal.shown == ["14", "15", "16", "17", "18", "19", "20", "", "one", "two!"]
    assert terminal.scrolled == list(map(str, range(14)))


def test_at_the_foot_of_a_full_terminal_nothing_is_overwritten():
    terminal, block = Terminal(rows=6), Block()
    terminal.write(lines_of(*map(str, range(10))))
    terminal.write(block.drawn(["one", "two"], 6))
    assert terminal.scrolled + terminal.shown == [*map(str, range(10)), "", "one", "two"]


def test_a_block_that_grows_pushes_up_what_is_above_it():
    terminal, block = Terminal(rows=6), Block()
    terminal.write(block.drawn(["one"], 6))
    terminal.write(lines_of(*map(str, range(8))))
    terminal.write(block.drawn(["one", "two", "three"], 6))
    assert terminal.scrolled + terminal.shown == [*map(str, range(8)), "", "one", "two", "three"]


def test_a_block_does_not_shrink():
    terminal, block = Terminal(rows=6), Block()
    terminal.write(block.drawn(["one", "two", "three"], 6))
    terminal.write(block.drawn(["one"], 6))
    assert terminal.shown == ["", "", "", "", "", "one"]
    assert terminal.region == (0, 2)


def test_a_redraw_leaves_nothing_of_what_was_there():
    terminal, block = Terminal(rows=6), Block()
    terminal.write(block.drawn(["a long line"], 6))
    terminal.write(block.drawn(["short"], 6))
    assert terminal.shown[-1] == "short"


@pytest.mark.parametrize("rows", [7, 14])
def test_on_a_terminal_of_another_size_it_stands_at_the_foot_again(rows):
    terminal, block = Terminal(rows=10), Block()
    terminal.write("$\n" + block.drawn(["one", "two"], 10))
    terminal.resize(80, rows)
    terminal.write(block.drawn(["one", "two"], rows))
    assert terminal.shown == ["$", *[""] * (rows - 3), "one", "two"]
    assert terminal.region == (0, rows - 3)


def test_a_block_is_taken_over_from_a_process_that_was_killed():
    terminal = Terminal(rows=10)
    terminal.write("$\n" + Block().drawn(["old", "old", "old"], 10))
    terminal.write(Block().drawn(["new", "new"], 10))
    assert terminal.shown == ["$", *[""] * 7, "new", "new"]


def test_an_erased_block_gives_its_rows_back():
    terminal, block = Terminal(rows=10), Block()
    terminal.write("$\n" + block.drawn(["one", "two"], 10))
    terminal.write(block.erased())
    assert terminal.shown == ["$", *[""] * 9]
    assert terminal.region == (0, 9)
    assert (terminal.row, terminal.column) == (1, 0)
    assert not block.erased()


# --- on a terminal -------------------------------------------------------------------------------


class Screened:
    """A pseudo-terminal whose output is fed to a simulated one."""

    def __init__(self, rows=24, columns=80):
        self.ours, theirs = pty.openpty()
        self.resize(rows, columns)
        self.out = open(theirs, "w", encoding="utf-8")  # noqa: SIM115 - closed below
        self.terminal = Terminal(columns, rows)

    def resize(self, rows, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def shown(self):
        """The rows, when all that was written has come."""
        os.write(self.out.fileno(), b"\x07")
        data = b""
        while not data.endswith(b"\x07"):
            data += os.read(self.ours, 65_536)
        self.terminal.write(data[:-1].decode().replace("\r\n", "\n"))
        return self.terminal.shown

    def close(self):
        self.out.close()
        os.close(self.ours)


@pytest.fixture
def screened():
    screened = Screened()
    yield screened
    screened.close()


@contextmanager
def live(screened):
    screen = LiveScreen(screened.out, terminal=True, page=PAGE)
    try:
        yield screen
    finally:
        screen.close()


def test_a_view_is_drawn_in_the_last_rows(screened):
    with live(screened) as screen:
        screen.show(RUNNING)
        shown = screened.shown()
        assert shown[24 - 20].startswith("── v2.onnx against v1.onnx on jobs")
        assert shown[-1].startswith(PAGE)
        assert shown[:LOG_ROWS] == [""] * LOG_ROWS


def test_a_worker_logs_meanwhile(screened):
    with live(screened) as screen:
        screen.show(RUNNING)
        os.write(screened.out.fileno(), b"a worker started\n" * 9)
        assert screened.shown()[: LOG_ROWS - 1] == ["a worker started"] * (LOG_ROWS - 1)
        assert screened.shown()[-1].startswith(PAGE)


def test_in_the_end_the_sentence_stays(screened):
    with live(screened) as screen:
        screen.show(RUNNING)
        screen.show(ROLLED_BACK)
    assert screened.shown()[:2] == [
        "v2.onnx rolled back: it fails 2.1 % of requests against 0.3 % (95 %, 151",
        "candidate requests).",
    ]
    assert screened.terminal.region == (0, 23)


def test_a_screen_that_showed_nothing_leaves_nothing(screened):
    with live(screened):
        pass
    assert screened.shown() == [""] * 24


def test_what_comes_too_fast_is_drawn_a_little_later(screened):
    async def show():
        with live(screened) as screen:
            for at in range(100):
                screen.show(structs.replace(RUNNING, sentence=f"sentence {at}"))
            soon = screened.shown()[5]
            await asyncio.sleep(1.5 / live_screen.REDRAWS_PER_S)
            return soon, screened.shown()[5]

    assert asyncio.run(show()) == ("sentence 0", "sentence 99")


def test_a_change_of_size_is_followed(screened, monkeypatch):
    monkeypatch.setattr(live_screen, "REDRAWS_PER_S", 1e9)
    with live(screened) as screen:
        screen.show(RUNNING)
        screened.shown()
        screened.resize(30, 100)
        screened.terminal.resize(100, 30)
        screen.show(RUNNING)
        assert screened.shown()[-1].startswith(PAGE)
        assert len(screened.shown()[-1]) == 100


def test_a_terminal_without_room_is_left_alone():
    screened = Screened(rows=LOG_ROWS)
    with live(screened) as screen:
        screen.show(RUNNING)
        assert screened.shown() == [""] * LOG_ROWS
    screened.close()


def test_a_terminal_that_is_gone_stops_nothing(screened):
    with live(screened) as screen:
        screened.out.close()
        screen.show(RUNNING)


def test_no_colour_where_it_is_not_wanted(screened, monkeypatch):
    written = []
    monkeypatch.setattr(os, "write", lambda _, data: written.append(bytes(data)) or len(data))
    monkeypatch.setenv("NO_COLOR", "1")
    with live(screened) as screen:
        screen.show(RUNNING)
    monkeypatch.setenv("NO_COLOR", "")
    with live(screened) as screen:
        screen.show(RUNNING)
    assert [b"\x1b[33m" in each for each in written if PAGE.encode() in each] == [False, True]


# --- without a terminal --------------------------------------------------------------------------


def test_without_a_terminal_each_thing_is_told_once(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    out = io.StringIO()
    screen = LiveScreen(out, terminal=False, page=PAGE)
    later = structs.replace(
        RUNNING,
        guards=[ERRORS],
        happened=[*RUNNING.happened, Happened(RUNNING.updated_at, "canary 25 % begins")],
    )
    for view in (RUNNING, RUNNING, later, later):
        screen.show(view)
    screen.close()
    lines = out.getvalue().splitlines()
    assert lines[0] == PAGE
    assert [line[9:] for line in lines[1:]] == [RUNNING.sentence, "canary 25 % begins"]


def test_news_cannot_steer_what_reads_them():
    out = io.StringIO()
    LiveScreen(out, terminal=False, page="").show(structs.replace(RUNNING, sentence="a\x1b[2J\nb"))
    assert out.getvalue()[9:] == "a\\x1b[2J\\nb\n"


@pytest.mark.parametrize(
    ("term", "drawable"), [("xterm-256color", True), ("dumb", False), ("", False)]
)
def test_what_takes_no_commands_is_no_terminal_to_draw_on(screened, term, drawable):
    assert is_drawable(screened.out, {"TERM": term}) is drawable
    assert not is_drawable(io.StringIO(), {"TERM": term})


def test_a_pipe_is_80_columns_and_a_terminal_as_wide_as_it_is_within_reason(screened):
    assert columns_of(io.StringIO()) == 80
    widths = []
    for columns in (40, 100, 300):
        screened.resize(24, columns)
        widths.append(columns_of(screened.out))
    assert widths == [60, 100, 120]
