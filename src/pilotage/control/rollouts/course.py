"""The course of one rollout: its evidence, its state, and what is to be written after each event.

It decides and writes nothing itself: each event gives a `Step` with the state after it and the
entries that the ledger is owed, which the decider commits before it acts. Clocks are arguments.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pilotage.checks.live.evidence import Evidence
from pilotage.checks.live.numbers import GuardNumbers, Looked
from pilotage.control.ledger.lines import Entry
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.blocks import Cut
from pilotage.control.rollouts.history import History, after_look, after_news
from pilotage.control.rollouts.identity import Identity
from pilotage.control.rollouts.store import Kept, Saved
from pilotage.control.rollouts.table import (
    UNDER_WAY,
    Crashed,
    Look,
    State,
    Steered,
    step,
    words_of,
)
from pilotage.control.rollouts.view import RolloutView
from pilotage.control.rollouts.viewing import TROUBLES, view_of
from pilotage.records.frames import Found

REPEATED_SHARE: Final = 0.5
"""Of all requests, retries beyond which no caller can mean them: each names one request."""
REPEATED_LEAST: Final = 100
"""Retries before that is said."""
_RULE = "fails by the mean of the guards' evidence; passes when every required guard has passed"


@dataclass(frozen=True, slots=True)
class Step:
    """What one event came to: to be committed whole, before anything is done about it."""

    state: State
    entries: tuple[Entry, ...]
    news: tuple[str, ...]


class Course:
    """A rollout that is under way, or over.

    Attributes:
        state: as after the last step that was taken.
        looks: blocks looked at.
        cuts: their boundaries, for the verdicts that stand on them.
        verdict: the id of the ledger's line that ended it by a look, "" before.
        trouble: why nothing new can be judged just now, a key of `viewing.TROUBLES`; "" for none.
    """

    def __init__(self, kept: Kept, cuts: list[Cut]) -> None:
        self.id = kept.id
        self.identity: Identity = kept.identity
        self.about = entries.About(kept.identity.endpoint, kept.id)
        self.state = kept.state
        self.looks = kept.evidence_looks
        self.cuts = cuts
        self.verdict = ""
        self.trouble = ""
        self._seen = self._retried = 0
        self.history: History = kept.history
        self._evidence = self._evidence_of(kept)
        self._numbers: tuple[GuardNumbers, ...] = self._evidence.numbers()
        self._passed = {each.name for each in self._numbers if each.word == "passed"}

    def _evidence_of(self, kept: Kept) -> Evidence:
        spec, endpoint = self.identity.spec, self.identity.endpoint
        if kept.evidence is None:
            return Evidence(spec, rollout=kept.id, endpoint=endpoint)
        return Evidence.load(spec, kept.evidence, rollout=kept.id, endpoint=endpoint)

    # --- events ----------------------------------------------------------------------------

    def observe(self, frames: Iterable[Found]) -> None:
        """The frames of the block that is to be closed next, in order."""
        for frame in frames:
            self._evidence.observe(frame.kind, frame.payload)

    def again(self, cut: Cut) -> None:
        """Closes a block that was looked at before this process began; its step was taken."""
        looked = self._evidence.close_block(cut.seconds)
        self._numbers = self._evidence.numbers()
        self._passed |= {each.name for each in self._numbers if each.word == "passed"}
        self.history = after_look(self.history, cut.seconds, self._numbers, looked.traffic)
        self.looks += 1

    def look(self, cut: Cut, *, now_s: float) -> Step:
        """Closes the block and looks; `now_s` since the epoch is for the ledger alone."""
        before = self.state
        looked = self._evidence.close_block(cut.seconds)
        self._numbers = self._evidence.numbers()
        self.cuts.append(cut)
        self.looks += 1
        self.history = after_look(self.history, cut.seconds, self._numbers, looked.traffic)
        stage = before.stage
        units = looked.units.get(self.identity.spec.stages[stage].name, 0)
        self._seen += looked.traffic.baseline + looked.traffic.candidate
        event = Look(
            cut.seconds,
            units,
            looked.failed,
            looked.passed,
            looked.harm,
            judged=not self.trouble,
        )
        after = step(before, event, self.identity.spec)
        return self._stepped(before, after, now_s=now_s, looked=looked)

    def steer(self, event: Steered, *, now_s: float) -> Step:
        """A person asked for something.

        Raises:
            PilotageError: the rollout is in no state for it.
        """
        before = self.state
        after = step(before, event, self.identity.spec)
        if after == before:
            return Step(after, (), ())
        key = self._key(f"{event.verb}/{round(now_s * 1e6)}")
        steered = entries.steered(key, now_s, self.about, event)
        stepped = self._stepped(before, after, now_s=now_s)
        return Step(after, (steered, *stepped.entries), stepped.news)

    def crash(self, event: Crashed, *, now_s: float) -> Step:
        """Something happened that no rate describes."""
        before = self.state
        after = step(before, event, self.identity.spec)
        return self._stepped(before, after, now_s=now_s)

    def take(self, taken: Step, *, now_s: float) -> None:
        """The step was committed: from now on it is so."""
        self.state = taken.state
        for news in taken.news:
            self.history = after_news(self.history, now_s, news)

    def troubled(self, trouble: str, *, now_s: float) -> str:
        """Why nothing new can be judged now: what there is to tell of it, "" for nothing new.

        `trouble` is the recorder's; without one, requests may still say that they are retries.
        """
        trouble = trouble or self._repeating()
        if trouble == self.trouble:
            return ""
        self.trouble = trouble
        news = TROUBLES[trouble] if trouble else "what comes is judged again"
        self.history = after_news(self.history, now_s, news)
        return news

    def _repeating(self) -> str:
        """`repeated_ids` where callers seem to send one id for everything."""
        retries = self._evidence.counts().get("retries", 0)
        if not self._seen:
            self._retried = retries  # before this process began
        retries -= self._retried
        most = retries > REPEATED_SHARE * self._seen and retries >= REPEATED_LEAST
        return "repeated_ids" if most else ""

    # --- what is written -------------------------------------------------------------------

    def saved(self, resumes_ns: int) -> Saved:
        """Evidence and history after `looks` blocks; `resumes_ns` is the reader's."""
        return Saved(self._evidence.save(), self.history, resumes_ns)

    def view(self, *, now_s: float) -> RolloutView:
        """What is shown now; `now_s` since the epoch."""
        return view_of(
            self.id,
            self.identity,
            self.state,
            self._numbers,
            self.history,
            counts=self._evidence.counts(),
            assumptions=self._evidence.assumptions(),
            verdict=self.verdict,
            now_s=now_s,
            trouble=self.trouble,
        )

    @property
    def under_way(self) -> bool:
        """Whether its guards look."""
        return self.state.phase in UNDER_WAY

    def _stepped(
        self, before: State, after: State, *, now_s: float, looked: Looked | None = None
    ) -> Step:
        """The step with what the ledger is owed: `looked` where a look took it."""
        owed: list[Entry] = []
        news: list[str] = []
        for guard in self._newly_passed():
            owed.append(self._verdict_of(guard, after, now_s))
            news.append(f"{guard.name}: passed")
        stages = self.identity.spec.stages
        if after.stage != before.stage:
            ended, began = stages[before.stage], stages[after.stage]
            key = self._key(f"stage/{after.stage}")
            owed.append(entries.stage(key, now_s, self.about, ended, began))
            news.append(f"{began.name} begins")
        if after.phase != before.phase:
            verdict = ""
            if looked is not None:
                owed.append(self._verdict(looked, after, now_s))
                verdict = owed[-1].key
            if after.phase not in UNDER_WAY:
                key = self._key(f"ended/{after.phase}")
                owed.append(entries.ended(key, now_s, self.about, after, verdict=verdict))
            news.append(f"{words_of(after.phase)}: {after.because}" if after.because else "resumed")
        return Step(after, tuple(owed), tuple(news))

    def _newly_passed(self) -> list[GuardNumbers]:
        passed = [each for each in self._numbers if each.word == "passed"]
        fresh = [each for each in passed if each.name not in self._passed]
        self._passed |= {each.name for each in fresh}
        return fresh

    def _verdict(self, looked: Looked, after: State, now_s: float) -> Entry:
        """Of all guards together, at the look that ended the rollout or its patience."""
        return entries.verdict(
            self._key("verdict"),
            now_s,
            self.about,
            self.identity.spec,
            after,
            of=entries.ROLLOUT,
            word=entries.word_of(looked),
            harm=looked.harm,
            because=after.because,
            rule=_RULE,
            numbers=self._numbers,
            cuts=self.cuts,
            assumptions=self._evidence.assumptions(),
        )

    def _verdict_of(self, guard: GuardNumbers, after: State, now_s: float) -> Entry:
        """Of one guard, at the look at which it first passed."""
        return entries.verdict(
            self._key(f"passed/{guard.name}"),
            now_s,
            self.about,
            self.identity.spec,
            after,
            of=guard.name,
            word="passed",
            harm="",
            because="",
            rule=guard.rule,
            numbers=self._numbers,
            cuts=self.cuts,
            assumptions=guard.assumptions,
        )

    def _key(self, what: str) -> str:
        """Of an entry about the last look, or about what came after it."""
        return f"{self.id}/{self.looks}/{what}"
