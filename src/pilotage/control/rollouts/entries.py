"""What a rollout writes into the ledger: one type a kind, how each is made and read. Pure.

    started   what is asked, of which versions, and from where on records are read
    stage     one stage ended, the next began
    steered   a person asked for something
    verdict   of the whole rollout or of one guard, with numbers and block boundaries
    sealed    the sealed segments that a verdict stands on, by SHA-256
    ended     how the rollout ended

Floats stand in JSON with all their digits; those that are no number stand as "inf", "-inf" and
"nan", which JSON has no numbers for.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, cast

import msgspec
from msgspec import Struct

from pilotage.checks.live.numbers import GuardNumbers, Looked
from pilotage.control.ledger.lines import Entry, Line
from pilotage.control.rollouts.blocks import (
    Cut,
    decoded,
    encoded,
    offsets_decoded,
    offsets_encoded,
    reached,
)
from pilotage.control.rollouts.identity import Identity, Party, spec_text
from pilotage.control.rollouts.table import State, Steered, Verb
from pilotage.errors import PilotageError
from pilotage.spec.rollouts import RolloutSpec, StageSpec

ROLLOUT: Final = "rollout"
"""What the verdict of all guards together is of."""

Word = Literal["passed", "failed", "undecided"]


class About(Struct, frozen=True):
    """What an entry is about."""

    endpoint: str
    rollout: str

    def key(self, number: int) -> str:
        """Names the entry for ever."""
        return f"{self.rollout}/{number}"


class Started(Struct, frozen=True):
    """A rollout began. `begin`, by ring in hex, and `since_ns` are as in `records.frames`."""

    spec: dict[str, Any]
    baseline: Party
    candidate: Party
    begin: dict[str, int]
    since_ns: int
    records: str

    @property
    def asked(self) -> RolloutSpec:
        """The spec as it was then.

        Raises:
            PilotageError: it is damaged, or of a later release.
        """
        try:
            return msgspec.convert(self.spec, RolloutSpec)
        except msgspec.ValidationError as error:
            raise _unreadable("started", "spec", error) from error

    @property
    def offsets(self) -> dict[int, int]:
        """How far each ring had been read.

        Raises:
            PilotageError: they are damaged.
        """
        try:
            return offsets_decoded(self.begin)
        except ValueError as error:
            raise _unreadable("started", "begin", error) from error


class StageEnded(Struct, frozen=True):
    """One stage ended and another began; the share is the candidate's of all traffic."""

    ended: str
    began: str
    share_ppm: int


class SteeredBy(Struct, frozen=True):
    """A person asked for something, and it was done."""

    verb: Verb
    by: str


class Verdict(Struct, frozen=True):
    """An answer, and all that is needed to compute it again.

    Attributes:
        of: "rollout", or the guard's name.
        because: why it is undecided, or what followed; "" where the word says it all.
        harm: what was found, for people; "" unless failed.
        guards: `GuardNumbers` of every guard at this look, as JSON.
        stage, elapsed_s: where the rollout was after this look.
        looks: blocks looked at; `cuts` are their boundaries, as `blocks.encoded` has them.
    """

    of: str
    word: Word
    because: str
    harm: str
    confidence: float
    guards: list[dict[str, Any]]
    stage: str
    elapsed_s: float
    looks: int
    cuts: dict[str, Any]
    assumptions: list[str]
    rule: str

    @property
    def blocks(self) -> list[Cut]:
        """The blocks it stands on.

        Raises:
            PilotageError: they are damaged.
        """
        return decoded(self.cuts)


class SealedSegment(Struct, frozen=True):
    """A segment by name; `digest` is SHA-256, in hex, of everything before its seal."""

    name: str
    digest: str


class Sealed(Struct, frozen=True):
    """Every frame under the verdict of this key lies in these segments now."""

    verdict: str
    segments: list[SealedSegment]


class Ended(Struct, frozen=True):
    """How a rollout ended; `verdict` is the key of the verdict that ended it, "" if none did."""

    phase: str
    because: str
    verdict: str


Kind = Started | StageEnded | SteeredBy | Verdict | Sealed | Ended
_KINDS: Final[dict[str, type[Kind]]] = {
    "started": Started,
    "stage": StageEnded,
    "steered": SteeredBy,
    "verdict": Verdict,
    "sealed": Sealed,
    "ended": Ended,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


# --- making ------------------------------------------------------------------------------------


def started(
    key: str,
    at: float,
    about: About,
    identity: Identity,
    *,
    begin: Mapping[int, int],
    since_ns: int,
    records: str,
) -> Entry:
    """A rollout began."""
    return _entry(
        key,
        at,
        about,
        Started(
            spec=msgspec.json.decode(spec_text(identity.spec)),
            baseline=identity.baseline,
            candidate=identity.candidate,
            begin=offsets_encoded(begin),
            since_ns=since_ns,
            records=records,
        ),
    )


def stage(key: str, at: float, about: About, ended: StageSpec, began: StageSpec) -> Entry:
    """A stage ended and the next began."""
    return _entry(key, at, about, StageEnded(ended.name, began.name, began.share_ppm))


def steered(key: str, at: float, about: About, event: Steered) -> Entry:
    """A person asked for something, and it was done."""
    return _entry(key, at, about, SteeredBy(event.verb, event.by))


def verdict(
    key: str,
    at: float,
    about: About,
    spec: RolloutSpec,
    state: State,
    *,
    of: str,
    word: Word,
    harm: str,
    because: str,
    rule: str,
    numbers: Iterable[GuardNumbers],
    cuts: Sequence[Cut],
    assumptions: Iterable[str],
) -> Entry:
    """An answer of the guards after the last of `cuts`; `state` is the state after that look."""
    return _entry(
        key,
        at,
        about,
        Verdict(
            of=of,
            word=word,
            because=because,
            harm=harm,
            confidence=spec.confidence,
            guards=[numbers_of(each) for each in numbers],
            stage=spec.stages[state.stage].name,
            elapsed_s=state.elapsed_s,
            looks=len(cuts),
            cuts=encoded(cuts),
            assumptions=list(assumptions),
            rule=rule,
        ),
    )


def sealed(line: Line, at: float, segments: Iterable[tuple[str, bytes]]) -> Entry:
    """Where the frames under this verdict are: names of segments, SHA-256 before their seals."""
    of = line.entry
    held = [SealedSegment(name, digest.hex()) for name, digest in segments]
    about = About(of.endpoint, of.rollout)
    return _entry(f"{of.key}/sealed", at, about, Sealed(of.key, held))


def ended(key: str, at: float, about: About, state: State, *, verdict: str) -> Entry:
    """The rollout ended."""
    return _entry(key, at, about, Ended(state.phase, state.because, verdict))


def word_of(looked: Looked) -> Word:
    """What all guards together say after a look."""
    return "failed" if looked.failed else "passed" if looked.passed else "undecided"


def numbers_of(guard: GuardNumbers) -> dict[str, Any]:
    """A guard's numbers as JSON values, exactly."""
    plain: dict[str, Any] = msgspec.to_builtins(guard)
    return {name: _told(value) for name, value in plain.items()}


def _told(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value


def _entry(key: str, at: float, about: About, what: Kind) -> Entry:
    values = msgspec.to_builtins(what)
    return Entry(key, _NAMES[type(what)], at, about.endpoint, about.rollout, values)


# --- reading -----------------------------------------------------------------------------------

AnyKind = TypeVar("AnyKind", bound=Kind)


def read(entry: Entry, kind: type[AnyKind]) -> AnyKind:
    """The particulars of an entry of that kind.

    Raises:
        PilotageError: it is of another kind, or not as its kind is written.
    """
    if _KINDS.get(entry.kind) is not kind:
        raise PilotageError(
            f"the entry is of the kind {entry.kind}", where=entry.key, expected=_NAMES[kind]
        )
    try:
        return msgspec.convert(entry.what, kind)
    except msgspec.ValidationError as error:
        raise _unreadable(entry.kind, entry.key, error) from error


def _unreadable(kind: str, where: str, error: Exception) -> PilotageError:
    return PilotageError(
        f"the entry is not as the kind {kind} is written: {error}",
        where=where,
        fix="Run `pilotage ledger verify`; if it is whole, a later release wrote it.",
    )


def ends_of(entry: Entry) -> dict[int, int]:
    """For each ring with frames under this verdict, the offset behind the last of them."""
    return reached({}, read(entry, Verdict).blocks)
