"""How a decider that starts goes on where the last one was: from what is kept, and the records."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pilotage.control.ledger.lines import Entry
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.blocks import Cut, reached
from pilotage.control.rollouts.course import Course
from pilotage.control.rollouts.history import History
from pilotage.control.rollouts.replaying import Gone, frames_of_blocks
from pilotage.control.rollouts.store import Kept
from pilotage.records.frames import Reader
from pilotage.statistics.procedure import StateError

Log = Callable[..., None]


def course_of(kept: Kept, cuts: list[Cut], log: Log) -> tuple[Kept, Course]:
    """The rollout as it was kept, with its evidence as of when that was saved.

    Evidence that cannot be read (damaged, or of another release) is left out of both: all of it is
    in the records, and is observed again from the beginning.
    """
    try:
        return kept, Course(kept, cuts)
    except StateError as error:
        log("evidence_unreadable", why=str(error))
        bare = replace(kept, evidence=None, evidence_looks=0, resumes_ns=0, history=History())
        return bare, Course(bare, cuts)


def started(course: Course, kept: Kept) -> Entry:
    """The entry of the beginning: the same at each start, so that it stands in the ledger once."""
    return entries.started(
        f"{kept.id}/started",
        kept.begun_at,
        course.about,
        kept.identity,
        begin=kept.begin,
        since_ns=kept.since_ns,
        records=kept.records,
    )


def caught_up(course: Course, kept: Kept, cuts: Sequence[Cut], log: Log) -> Reader:
    """Observes the blocks since evidence was saved once more; the reader stands behind them.

    Records that are gone meanwhile are missing from the evidence, as they are for everybody.
    """
    saved, again = cuts[: kept.evidence_looks], cuts[kept.evidence_looks :]
    records, since_ns = Path(kept.records), kept.resumes_ns or kept.since_ns
    begin = reached(kept.begin, saved)
    missing: list[Gone] = []
    blocks = frames_of_blocks(records, begin, again, since_ns=since_ns, missing=missing)
    for frames, cut in zip(blocks, again, strict=True):
        course.observe(frames)
        course.again(cut)
    if missing:
        log("records_missing", blocks=len(missing), frames=sum(each.frames for each in missing))
    return Reader(records, given=reached(begin, again), since_ns=since_ns)
