"""A verdict's numbers, and what computing it again found, in words. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from pilotage.cli import rollout_words
from pilotage.control.rollouts.blocks import hex_of
from pilotage.control.rollouts.recomputing import Different, Missing, Recomputed, Same
from pilotage.control.rollouts.view import GuardView
from pilotage.errors import PilotageError

NO_NUMBERS: Final = frozenset({"inf", "-inf", "nan"})
"""How the ledger tells floats that JSON has no numbers for."""
SHOWN_STRETCHES: Final = 3
SHOWN_BLOCKS: Final = 10


def guard_rows(guards: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Each guard's numbers as they stand in the ledger: one row a guard.

    Raises:
        PilotageError: they are not as a verdict has them.
    """
    try:
        return [_row_of(_view_of(each)) for each in guards]
    except (KeyError, ValueError, TypeError) as error:
        raise PilotageError(
            "the numbers of a guard cannot be read",
            where="the verdict's guards",
            fix="Run `pilotage ledger verify`; if it is whole, a later release wrote it.",
        ) from error


def _row_of(guard: GuardView) -> tuple[str, ...]:
    return (
        guard.name,
        guard.word,
        rollout_words.harm(guard),
        rollout_words.margin(guard),
        rollout_words.arm(guard, guard.baseline),
        rollout_words.arm(guard, guard.candidate),
        rollout_words.counts(guard),
        f"{guard.fail_evidence:.2f} against, {guard.pass_evidence:.2f} for",
    )


def _view_of(numbers: dict[str, Any]) -> GuardView:
    """As the rollout's own screen shows it; an end of an interval that is no number is open."""
    known = {name: value for name, value in numbers.items() if not isinstance(value, list)}
    for name in ("low", "high"):
        if known[name] in NO_NUMBERS:
            known[name] = None
    for name in ("fail_evidence", "pass_evidence"):
        known[name] = float(known[name])
    return msgspec.convert(known | {"expected_s": None, "history": []}, GuardView)


def outcome(result: Recomputed) -> str:
    """In one word."""
    match result:
        case Same():
            return "same"
        case Different():
            return "different"
        case Missing():
            return "missing"


def sentences_of(result: Recomputed) -> Iterator[str]:
    """What was found, the answer first."""
    match result:
        case Same(blocks=blocks, frames=frames, segments=segments, rounding=rounding):
            yield f"Same: every number, from {frames:,} frames in {blocks:,} blocks."
            if rounding:
                yield f"They are rounded otherwise here: by {rounding:.0e} of their size at most."
            if segments is None:
                yield "Its segments are not sealed yet, so there is no SHA-256 to compare."
            else:
                those = "its sealed segment" if segments == 1 else f"{segments} sealed segments"
                yield f"SHA-256 of {those} is what the ledger says."
        case Different(differences=differences):
            yield "Different: the records do not say what the ledger says."
            for each in differences:
                yield f"  {each.what}: {each.ledger} in the ledger, {each.records} from the records"
        case Missing():
            yield from _missing(result)


def _missing(result: Missing) -> Iterator[str]:
    frames = sum(gone.frames for gone in result.gone)
    yield f"Missing: {frames:,} frames in {len(result.gone):,} blocks are gone or damaged."
    for name in result.segments:
        yield f"  segment {name} is not there"
    for gone in result.gone[:SHOWN_BLOCKS]:
        places = [
            f"ring {hex_of(ring)} from {start} to {end}"
            for ring, start, end in gone.stretches[:SHOWN_STRETCHES]
        ]
        if len(gone.stretches) > SHOWN_STRETCHES:
            places.append("…")
        yield f"  block {gone.block + 1}: {gone.frames} frames, within {', '.join(places)}"
    if len(result.gone) > SHOWN_BLOCKS:
        yield f"  and {len(result.gone) - SHOWN_BLOCKS} more blocks"
