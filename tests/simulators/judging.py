"""A judge of frames that stands in for the guards: it counts what outcomes say."""

from pilotage.checks.live.numbers import GuardNumbers, Looked, Traffic
from pilotage.contracts.segments import OUTCOME
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.entries import About
from pilotage.control.rollouts.identity import Identity, Party
from pilotage.control.rollouts.table import State
from pilotage.spec.rollouts import GuardSpec, RolloutSpec, StageSpec

SPEC = RolloutSpec(
    stages=(StageSpec("canary", 50_000, 600.0, 500),),
    guards=(GuardSpec("error_rate", 0.005, 0.0, "error_rate not_worse_by 0.5pp"),),
)
ABOUT = About("iris", "0123456789ab-1")
IDENTITY = Identity(
    "iris", Party("v1", "a" * 64, "v1.onnx"), Party("v2", "b" * 64, "v2.onnx"), SPEC
)


class CountingJudge:
    """Harm is found when a third of the frames are errors; blocks weigh by their seconds."""

    def __init__(self) -> None:
        self.frames = self.errors = 0
        self.weighted = 0.0

    def observe(self, kind: int, payload: bytes, /) -> None:
        assert kind == OUTCOME
        self.frames += 1
        self.errors += payload.startswith(b"error")

    def close_block(self, seconds: float, /) -> Looked:
        self.weighted = self.weighted * 0.9 + seconds * self.errors
        failed = 3 * self.errors >= self.frames > 0
        harm = f"{self.errors} errors" if failed else ""
        return Looked({}, failed, False, harm, Traffic(seconds))

    def numbers(self) -> tuple[GuardNumbers, ...]:
        guard = SPEC.guards[0]
        rate = self.errors / self.frames if self.frames else None
        number = GuardNumbers(
            name=guard.text,
            metric=guard.metric,
            unit="request",
            word="undecided",
            because="straddles",
            margin=guard.margin,
            tolerated=guard.tolerated,
            estimate=rate,
            low=-1.0,
            high=float("inf"),
            baseline=0.1,
            candidate=rate,
            baseline_count=7,
            candidate_count=self.frames,
            fail_evidence=self.weighted / 7,
            pass_evidence=-self.weighted / 3,
            share=1.0,
            required=True,
            rule="errors are counted",
            method="counting",
            error_rate=0.05,
            assumptions=("frames are counted",),
        )
        return (number,)


def started(begin, since_ns, records="", *, at: float = 1.79e9):
    """The entry of a rollout that began."""
    return entries.started(
        ABOUT.key(1), at, ABOUT, IDENTITY, begin=begin, since_ns=since_ns, records=records
    )


def verdict(judge: CountingJudge, looked: Looked, cuts, *, number: int = 2, at: float = 1.79e9):
    """The entry of the verdict of all guards after the last cut."""
    return entries.verdict(
        ABOUT.key(number),
        at,
        ABOUT,
        SPEC,
        State(stage_s=1.5, elapsed_s=sum(cut.seconds for cut in cuts)),
        of=entries.ROLLOUT,
        word=entries.word_of(looked),
        harm=looked.harm,
        because="",
        rule="harm is found when a third are errors",
        numbers=judge.numbers(),
        cuts=cuts,
        assumptions=["frames are counted"],
    )
