"""Which models were judged on which rows, so that a report says how often luck has had a chance.

Judging the same model again is the same decision. Each new version on the same rows is a new one:
with error rate alpha each, P(any bad one of k passed) is k alpha at most, as long as no version was
made with these rows: trained on them, or tuned by what their reports showed.
"""

import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pilotage.evaluation.report import Report

HISTORY: Final = "evaluations.jsonl"
"""File in the data folder; one line a model and data set."""


class Judged(Struct, frozen=True):
    data: str
    model: str
    at: str


def remembered(report: Report, file: Path) -> Report:
    """The report with a note on how many versions were judged on its rows; it is one of them.

    A folder that cannot be written, or a damaged file, costs the note and nothing else.
    """
    before = _read(file)
    models = list(dict.fromkeys(one.model for one in before if one.data == report.data.digest))
    if report.model.digest not in models:
        models.append(report.model.digest)
        _append(file, Judged(report.data.digest, report.model.digest, report.made_at))
    place = models.index(report.model.digest) + 1
    if place == 1:
        return report
    alpha = 1 - report.confidence
    note = (
        f"the {_ordinal(place)} version judged on these rows: P(any bad one passed) is at most"
        f" {min(100.0, 100 * place * alpha):.3g}% if none was made with them; fresh rows start anew"
    )
    return replace(report, notes=(*report.notes, note))


def _read(file: Path) -> list[Judged]:
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return []
    found: list[Judged] = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Judged))
        except msgspec.DecodeError:
            continue
    return found


def _append(file: Path, judged: Judged) -> None:
    line = msgspec.json.encode(judged) + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        return
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def _ordinal(number: int) -> str:
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
