"""A terminal as far as a block at its foot needs one: scrolling region, cursor, erasing.

Source: DEC STD 070 and ECMA-48, for the commands that `cli.live_screen` writes. Any other command
is an error, so that a screen cannot begin to use one unseen.
"""

import re

COMMAND = re.compile(r"\x1b(?:\[([?0-9;]*)([A-Za-z])|([78]))")


class Terminal:
    """Columns and rows of characters; `scrolled` are the lines that left at the top."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.scrolled: list[str] = []
        self.resize(columns, rows, [""] * rows)
        self.row = self.column = 0
        self._saved = (0, 0)
        self._wraps = True

    def resize(self, columns: int, rows: int, lines: list[str] | None = None) -> None:
        """Another size: the first rows stay; the region is the whole terminal."""
        lines = self.lines if lines is None else lines
        self.columns, self.rows = columns, rows
        self.lines = [line[:columns] for line in (lines + [""] * rows)[:rows]]
        self.region = (0, rows - 1)

    @property
    def shown(self) -> list[str]:
        """The rows, without what is blank at their ends."""
        return [line.rstrip() for line in self.lines]

    def write(self, text: str) -> None:
        """What a program writes, as a terminal driver passes it on."""
        at = 0
        while at < len(text):
            found = COMMAND.match(text, at)
            if found:
                self._command(found)
                at = found.end()
                continue
            assert text[at] != "\x1b", repr(text[at : at + 10])
            self._put(text[at])
            at += 1

    def _put(self, character: str) -> None:
        if character == "\n":
            self.column = 0
            if self.row == self.region[1]:
                self._scroll()
            else:
                self.row = min(self.row + 1, self.rows - 1)
            return
        if self.column == self.columns:
            assert self._wraps, "a line is longer than the terminal"
            self._put("\n")
        line = self.lines[self.row].ljust(self.columns)
        self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
        self.column += 1

    def _scroll(self) -> None:
        first, last = self.region
        gone = self.lines.pop(first)
        self.lines.insert(last, "")
        if first == 0:
            self.scrolled.append(gone.rstrip())

    def _command(self, found: re.Match[str]) -> None:
        words, letter, digit = found.groups()
        numbers = [int(word) for word in (words or "").strip("?").split(";") if word]
        match digit or letter:
            case "7":
                self._saved = (self.row, self.column)
            case "8":
                self.row, self.column = self._saved
            case "H":
                self.row, self.column = (each - 1 for each in numbers)
            case "A":
                self.row = max(self.row - (numbers[0] or 1), 0)
            case "K":
                self.lines[self.row] = self.lines[self.row][: self.column]
            case "J":
                self.lines[self.row] = self.lines[self.row][: self.column]
                self.lines[self.row + 1 :] = [""] * (self.rows - self.row - 1)
            case "r":
                first, last = numbers or (1, self.rows)
                assert first < last <= self.rows
                self.region = (first - 1, last - 1)
                self.row = self.column = 0
            case "h" | "l":
                assert numbers == [7], words
                self._wraps = letter == "h"
            case "m":
                pass
            case other:
                raise AssertionError(other)
