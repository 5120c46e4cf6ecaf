"""Events with fields, as text for people or a JSON object a line for machines.

An event is a few words ("worker started"); everything that varies is a field. Inputs, outputs and
secrets are no fields. One write a line, so that lines of several processes are not mixed.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

from pilotage.spec.words import printable

Level = Literal["info", "warning", "error"]
WARNINGS: Final = frozenset(
    {
        *("process_died", "not_started", "declined", "reload_refused", "fell_back"),
        *(
            "killed",
            "not_recording",
            "stopping_now",
            "few_descriptors",
            "fault",
            "hung",
            "metrics_too_many",
        ),
        *("decider_failed", "not_steerable", "no_page", "not_understood", "not_asked"),
        *("not_directed", "not_fallen_back", "direction_dropped"),
        *("records_missing", "evidence_unreadable", "ledger_owed", "ledger_tail_removed"),
    }
)
"""Events of the data plane and of a rollout that somebody should look at."""
LINE_CHARACTERS: Final = 8192
"""The longest line of text; longer ones are cut."""


class Log:
    """Writes events to a stream. A stream that is gone loses events and stops nothing.

    Args:
        form: "text" or "json".
        stream: where lines go.
        clock: seconds since the epoch.
    """

    def __init__(
        self, form: Literal["text", "json"], stream: TextIO, clock: Callable[[], float]
    ) -> None:
        self.form = form
        self._stream = stream
        self._clock = clock

    def __call__(self, event: str, **fields: object) -> None:
        """An event of the data plane; its name tells the level."""
        self.write("warning" if event in WARNINGS else "info", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Something that is worth knowing happened."""
        self.write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something goes on that should be looked at."""
        self.write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Something failed."""
        self.write("error", event, fields)

    def write(self, level: Level, event: str, fields: dict[str, object]) -> None:
        """One line."""
        render = _as_json if self.form == "json" else _as_text
        self.line(render(self._clock(), level, event, fields))

    def line(self, text: str) -> None:
        """One line that is rendered already."""
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return  # nobody reads: there is no one left to tell


def form_of(chosen: str, *, on_terminal: bool) -> Literal["text", "json"]:
    """The form that a `log_format` stands for: "auto" is text on a terminal, else JSON."""
    if chosen == "auto":
        return "text" if on_terminal else "json"
    return "json" if chosen == "json" else "text"


def _as_json(at_s: float, level: Level, event: str, fields: dict[str, object]) -> str:
    at = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
    record = {"at": at.replace("+00:00", "Z"), "level": level, "event": event, **fields}
    return json.dumps(record, default=str, separators=(",", ":"))


def _as_text(at_s: float, level: Level, event: str, fields: dict[str, object]) -> str:
    at = datetime.fromtimestamp(at_s).strftime("%H:%M:%S.%f")[:-3]
    mark = "" if level == "info" else f"{level}: "
    line = " ".join(
        [f"{at} {mark}{event}", *(f"{name}={_field(value)}" for name, value in fields.items())]
    )
    return line if len(line) <= LINE_CHARACTERS else line[: LINE_CHARACTERS - 1] + "…"


def _field(value: object) -> str:
    """A value on one line; quoted where it holds a space, so that the line can be taken apart."""
    text = printable(f"{value:.6g}" if isinstance(value, float) else str(value))
    return json.dumps(text) if not text or set(text) & set(' "=') else text
