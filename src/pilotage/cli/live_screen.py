"""Draws a rollout on a terminal to which other processes write too, or tells its news in lines.

The block stands in the last rows of the terminal, and what scrolls is kept above it: DECSTBM takes
its rows out of the scrolling region, so that a line of a worker or of the supervisor scrolls past
above the block and never through it. (Erasing a block above the cursor, as most progress bars do,
would break with the first line that another process writes.) Each redraw is one write, which a
terminal takes whole, and puts the cursor back where the others left it.

Whoever makes a screen closes it: that gives the rows back. A process that is killed leaves them
taken; the next screen on that terminal takes them over, and `reset` gives them back.

Source: DEC STD 070 (DECSTBM, DECSC, DECRC, DECAWM); ECMA-48 (CUP, CUU, EL, ED).
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final, TextIO

from pilotage.cli.rollout_live import live_lines
from pilotage.cli.rollout_screen import news_of
from pilotage.cli.spans import Line, texts_of, wrapped
from pilotage.control.rollouts.view import RolloutView
from pilotage.spec.words import printable

if TYPE_CHECKING:
    from asyncio import TimerHandle

REDRAWS_PER_S: Final = 4
"""A terminal is drawn at most so often."""
LOG_ROWS: Final = 4
"""Rows that stay for the lines of others, at least."""
BLOCK_ROWS: Final = 26
"""The block takes at most so many rows, however high the terminal is."""
COLUMNS: Final = 120
"""The block is at most so wide."""


class LiveScreen:
    """Shows views as they come. A stream that is gone loses them and stops nothing.

    Args:
        out: where it is shown, as a rule stderr.
        terminal: `out` is a terminal that takes commands (`is_drawable`); else lines are written.
        page: the address of the rollout's page, shown beside; "" for none.
    """

    def __init__(self, out: TextIO, *, terminal: bool, page: str) -> None:
        self._out = out
        self._terminal = terminal
        self._page = page
        self._zone = datetime.now().astimezone().tzinfo
        self._view: RolloutView | None = None
        self._drawn_s = -1.0
        self._block = Block()
        self._later: TimerHandle | None = None

    def show(self, view: RolloutView) -> None:
        """Draws the view: at once, or as soon as the terminal may be drawn again."""
        before, self._view = self._view, view
        if not self._terminal:
            if before is None and self._page:
                self._write(f"{self._page}\n")
            for each in news_of(before, view):
                at = datetime.fromtimestamp(each.at, self._zone).strftime("%H:%M:%S")
                self._write(f"{at} {printable(each.text)}\n")
            return
        wait_s = self._drawn_s + 1 / REDRAWS_PER_S - time.monotonic()
        if wait_s <= 0:
            self._draw()
        elif self._later is None:
            import asyncio  # heavy, and not needed where only lines are printed

            with suppress(RuntimeError):  # without a loop, the next view comes soon
                self._later = asyncio.get_running_loop().call_later(wait_s, self._draw)

    def close(self) -> None:
        """Gives the terminal back, and leaves the rollout's sentence as its last line."""
        if self._later is not None:
            self._later.cancel()
        if self._terminal and self._view is not None:
            columns, _ = _size(self._out)
            sentence = texts_of(wrapped(self._view.sentence, columns), colour=False)
            self._write(self._block.erased() + "".join(f"{line}\n" for line in sentence))
            self._view = None

    def _draw(self) -> None:
        self._later = None
        if self._view is None:
            return
        self._drawn_s = time.monotonic()
        columns, rows = _size(self._out)
        width = min(columns, COLUMNS)
        lines = live_lines(
            self._view,
            width=width,
            height=max(min(rows - LOG_ROWS, BLOCK_ROWS), 0),
            page=self._page,
            zone=self._zone,
        )
        encoding = self._out.encoding or "utf-8"
        texts = texts_of(lines, colour=wants_colour(os.environ), encoding=encoding)
        self._write(self._block.drawn(texts, rows))

    def _write(self, text: str) -> None:
        """One write, so that lines of other processes do not come between."""
        with suppress(OSError, ValueError):
            self._out.flush()
            left = memoryview(text.encode(self._out.encoding or "utf-8", "backslashreplace"))
            if not self._terminal:
                self._out.write(bytes(left).decode(self._out.encoding or "utf-8"))
                self._out.flush()
                return
            while left:
                left = left[os.write(self._out.fileno(), left) :]


class Block:
    """The commands that keep some rows at the foot of a terminal and draw lines there. Pure."""

    def __init__(self) -> None:
        self._rows = 0
        self._height = 0

    def drawn(self, lines: list[str], rows: int) -> str:
        """Draws the lines in the last of `rows` rows. The block grows and does not shrink."""
        parts: list[str] = []
        height = max(len(lines), self._height if rows == self._rows else 0)
        if rows != self._rows or height != self._height:
            parts.append(self._taken(rows, height))
        self._rows, self._height = rows, height
        parts.append("\x1b7\x1b[?7l")
        first = rows - height + 1
        padded = [*[""] * (height - len(lines)), *lines]
        parts += [f"\x1b[{first + at};1H{line}\x1b[K" for at, line in enumerate(padded)]
        parts.append("\x1b[?7h\x1b8")
        return "".join(parts)

    def _taken(self, rows: int, height: int) -> str:
        """Scrolls what is there up by as much as the block grows, and takes the rows.

        On a terminal of another size, or at first, nothing is known of what stands below the
        cursor: perhaps an older block, which is erased.
        """
        grows, before = height - self._height, ""
        if rows != self._rows:
            grows, before = height, "\x1b7\x1b[r\x1b8\x1b[J"
        if not grows:
            return before
        return before + "\n" * grows + f"\x1b[{grows}A\x1b7\x1b[1;{rows - height}r\x1b8"

    def erased(self) -> str:
        """Gives the rows back, and leaves them empty."""
        if not self._height:
            return ""
        first = self._rows - self._height + 1
        self._rows = self._height = 0
        return f"\x1b7\x1b[{first};1H\x1b[J\x1b[r\x1b8"


def is_drawable(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether `out` is a terminal on which a block can be drawn."""
    try:
        on_terminal = out.isatty()
    except ValueError:
        return False
    return on_terminal and environment.get("TERM", "") not in ("", "dumb")


def wants_colour(environment: Mapping[str, str]) -> bool:
    """Whether a terminal may be coloured. Source: no-color.org."""
    return not environment.get("NO_COLOR")


def print_lines(lines: list[Line], out: TextIO) -> None:
    """Writes lines once, coloured on a terminal that wants it."""
    colour = is_drawable(out, os.environ) and wants_colour(os.environ)
    texts = texts_of(lines, colour=colour, encoding=out.encoding or "utf-8")
    out.write("".join(f"{text}\n" for text in texts))
    out.flush()


def columns_of(out: TextIO) -> int:
    """How wide to print: as wide as the terminal within reason; 80 in a file or a pipe."""
    columns, _ = _size(out)
    return max(60, min(columns, COLUMNS))


def _size(out: TextIO) -> tuple[int, int]:
    """Columns and rows; 80 and 24 where nobody knows."""
    try:
        size = os.get_terminal_size(out.fileno())
    except (OSError, ValueError):
        return 80, 24
    return size.columns or 80, size.lines or 24
