"""Rows that a report and a live screen of a rollout share: title, stages, traffic, news. Pure."""

from datetime import datetime, tzinfo
from typing import Final

from pilotage.cli import rollout_words as words
from pilotage.cli.rollout_pictures import sparkline
from pilotage.cli.spans import Line, Span, Style, between, fitted, left, line_of, right
from pilotage.control.rollouts.table import words_of
from pilotage.control.rollouts.view import GuardView, Happened, RolloutView, StageView, TrafficView
from pilotage.control.rollouts.viewing import duration

VERDICT: Final = 13
"""Columns of a mark and a verdict's word, with the gap behind them."""
STAGE_MARKS: Final = {"done": "✓", "now": "▸", "next": "·", "never": "–", "stopped": "✗"}
_STYLES: Final[dict[str, Style]] = {
    "passed": "good",
    "failed": "bad",
    "undecided": "open",
    "live": "good",
    "rolled_back": "bad",
    "aborted": "bad",
    "paused": "open",
    "held": "open",
}
_LABEL: Final = 13
"""Columns of "candidate" with the room about it."""
_RATE: Final = 10
_ERRORS: Final = 13


def style_of(word: str) -> Style:
    """How a verdict's word, or a phase, is coloured."""
    return _STYLES.get(word, "")


def head(title: str) -> Line:
    """A heading."""
    return line_of(Span(title, "bold"))


def title(view: RolloutView, width: int, *, rule: bool = False) -> Line:
    """Who is tried against whom, and how the rollout stands; `rule` draws a line through it."""
    told = words_of(view.phase)  # pyright: ignore[reportArgumentType]
    if view.phase == "running":
        told += f", {duration(view.elapsed_s)} of {duration(view.patience_s)}"
    names = f"{view.candidate_name} against {view.baseline_name} on {view.endpoint}"
    start = line_of(Span("── " if rule else "", "dim"), Span(f"{names} ", "bold"))
    phase = Span(f" {told}", style_of(view.phase) or "bold")
    end = line_of(phase, Span(" ──" if rule else "", "dim"))
    return between(start, end, width, fill="─" if rule else " ")


def amounts(stage: StageView) -> str:
    """How much of its exposure a stage has seen: "6 of 10 min, 412 of 500"."""
    seen, wanted = duration(stage.seen_s), duration(stage.lasts_s)
    if stage.seen_s >= stage.lasts_s:
        return f"{wanted} met, {stage.seen_units:,} of {stage.units:,}"
    if seen.partition(" ")[2] == wanted.partition(" ")[2]:
        seen = seen.partition(" ")[0]
    return f"{seen} of {wanted}, {stage.seen_units:,} of {stage.units:,}"


def traffic(view: RolloutView, width: int) -> list[Line]:
    """One row for each arm that had any, to one scale."""
    if not view.traffic:
        return []
    top = max(max(each.baseline, each.candidate, each.shadow) for each in view.traffic)
    rows = [("baseline", [each.baseline for each in view.traffic], _errors_of_baseline)]
    shadow = [each.shadow for each in view.traffic]
    candidate = [each.candidate for each in view.traffic]
    if any(shadow):
        rows += [("copies", shadow, _errors_of_copies)]
    if any(candidate) or not any(shadow):
        rows += [("candidate", candidate, _errors_of_candidate)]
    room = width - _LABEL - _RATE - _ERRORS
    last = view.traffic[-1]
    return [
        line_of(
            left(f"  {name}", _LABEL),
            Span(sparkline(values, room, top=top), "dim"),
            right(words.rate(values[-1]), _RATE),
            right(errors(last), _ERRORS),
        )
        for name, values, errors in rows
    ]


def _errors_of_baseline(last: TrafficView) -> str:
    return words.traffic_errors(last.baseline_errors, last.baseline)


def _errors_of_candidate(last: TrafficView) -> str:
    return words.traffic_errors(last.candidate_errors, last.candidate)


def _errors_of_copies(last: TrafficView) -> str:
    return "" if last.candidate else words.traffic_errors(last.candidate_errors, last.shadow)


def verdict(guard: GuardView) -> Span:
    """Mark and word of a guard's verdict, `VERDICT` columns wide."""
    return Span(left(f"{words.MARKS[guard.word]} {guard.word}", VERDICT), style_of(guard.word))


def news(happened: Happened, zone: tzinfo, width: int) -> Line:
    """Something that happened, with its moment."""
    at = datetime.fromtimestamp(happened.at, zone).strftime("%H:%M:%S")
    return fitted(line_of(Span(f"  {at}  ", "dim"), happened.text), width)
