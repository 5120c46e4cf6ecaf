"""A rollout's evidence: frames of records in, block by block; numbers and answers out. Pure.

It is used twice: by the decider while frames arrive, and by whoever computes a verdict again from
the records; the same frames in the same blocks give the same numbers, bit for bit.

All guards together fail the rollout (`combination`): P(ever failed | every harm is tolerated) is at
most 1 - confidence. It passes when every required guard has passed and none of them fails by
itself: P(ever passed | a required guard's harm is at its margin) is at most 1 - confidence.
"""

from dataclasses import fields, replace
from typing import Any, Final, Self

import numpy as np

from pilotage.checks.live.guards import guards_of, numbers_of
from pilotage.checks.live.numbers import GuardNumbers, Looked, Traffic
from pilotage.checks.live.observing import Observing
from pilotage.checks.live.words import harm_of
from pilotage.spec.rollouts import (
    OUTCOME_METRICS,
    SHADOW_METRICS,
    GuardSpec,
    RolloutSpec,
    StageSpec,
)
from pilotage.statistics.procedure import StateError, pack, unpack
from pilotage.statistics.sequential.combination import Guards, GuardsConfiguration

__all__ = ["Evidence", "GuardNumbers", "Looked", "Traffic"]

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT: Final = "evidence/1"
CULPRIT_SHARE: Final = 0.1
"""Of the evidence, for a guard to be named where the rollout fails."""
ONE_REQUEST: Final = "a caller's own id names one request: ids that come again keep their arm"
RECORDED: Final = "requests that could not be recorded are missing alike in both arms"
LEFT_OUT: Final = "requests that were refused, expired or cancelled are so alike in both arms"


class Evidence:
    """What is known of one rollout of one endpoint."""

    def __init__(self, spec: RolloutSpec, *, rollout: str, endpoint: str) -> None:
        self._spec = spec
        self._names = (rollout, endpoint)
        self._observing = Observing(spec, rollout=rollout, endpoint=endpoint)
        self._guards = guards_of(spec)
        self._together = Guards(_together_of(spec))
        # As of the last look: intervals are dear, and asked for more than once.
        self._numbers: tuple[GuardNumbers, ...] | None = None

    def observe(self, kind: int, payload: bytes) -> None:
        """One frame of the open block, in order: a kind of `contracts.segments` and its payload.

        What is of another endpoint or rollout, or holds no observation, is passed over.
        """
        self._observing.observe(kind, payload)

    def close_block(self, seconds: float) -> Looked:
        """The open block counts, and is looked at. The rollout's own clock moves by `seconds`.

        Raises:
            ValueError: a time that is negative or no number.
        """
        seen = self._observing.close_block(seconds)
        self._numbers = None
        for guard in self._guards:
            guard.look(seen)
        says = [guard.says() for guard in self._guards]
        passed = [each.passed and not each.failed for each in says]
        self._together.update([each.log_fail for each in says], passed)
        self._together.close_block()
        failed = bool(self._together.failed())
        alone = any(
            each.failed and guard.required
            for each, guard in zip(says, self._spec.guards, strict=True)
        )
        return Looked(
            units=seen.units,
            failed=failed,
            passed=bool(self._together.passed()) and not failed and not alone,
            harm=self._harm() if failed else "",
            traffic=seen.traffic,
        )

    def numbers(self) -> tuple[GuardNumbers, ...]:
        """One a guard, in the spec's order, as of the last look."""
        if self._numbers is None:
            each = zip(
                self._guards, self._spec.guards, self._together.shares().tolist(), strict=True
            )
            self._numbers = tuple(
                numbers_of(guard, declared, self._spec, share) for guard, declared, share in each
            )
        return self._numbers

    def _harm(self) -> str:
        named = {each.name: each for each in self.numbers()}
        declared = {guard.text: guard for guard in self._spec.guards}
        culprits = self._together.culprits()
        behind = [name for name, share in culprits if share >= CULPRIT_SHARE]
        return harm_of([(named[n], declared[n]) for n in behind], self._spec.confidence)

    def counts(self) -> dict[str, int]:
        """What was left out or told apart so far, by people's name for it, sorted."""
        return self._observing.counts()

    def assumptions(self) -> tuple[str, ...]:
        """Whole clauses on which the error rates stand, the unit among them; each once."""
        clauses = [*_unit_of(self._spec), RECORDED, LEFT_OUT]
        clauses += [clause for each in self.numbers() for clause in each.assumptions]
        clauses += self._together.verdict().evidence.assumptions
        return tuple(dict.fromkeys(clauses))

    def save(self) -> bytes:
        """The whole state, the open block included."""
        arrays = {f"observing.{n}": array for n, array in self._observing.arrays().items()}
        for number, guard in enumerate(self._guards):
            arrays[f"guard_{number}"] = np.frombuffer(guard.save(), np.uint8)
        arrays["together"] = np.frombuffer(self._together.save(), np.uint8)
        return pack(FORMAT, _configuration(self._spec, *self._names), arrays)

    @classmethod
    def load(cls, spec: RolloutSpec, data: bytes, *, rollout: str, endpoint: str) -> Self:
        """As it was saved, bit for bit.

        Raises:
            StateError: of another format, spec, rollout or endpoint, or damaged.
        """
        arrays = unpack(FORMAT, _configuration(spec, rollout, endpoint), data)
        loaded = cls(spec, rollout=rollout, endpoint=endpoint)
        prefix = "observing."
        parts = {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
        try:
            loaded._observing.restore(parts)
        except (KeyError, ValueError) as error:
            raise StateError(f"this state is damaged: {error}") from error
        for number, guard in enumerate(loaded._guards):
            guard.restore(arrays[f"guard_{number}"].tobytes())
        loaded._together = Guards.load(_together_of(spec), arrays["together"].tobytes())
        return loaded


def _together_of(spec: RolloutSpec) -> GuardsConfiguration:
    return GuardsConfiguration(
        tuple(guard.text for guard in spec.guards),
        tuple(guard.text for guard in spec.guards if not guard.required),
        error_rate_fail=spec.error_rate,
    )


def _configuration(spec: RolloutSpec, rollout: str, endpoint: str) -> object:
    """What the evidence was gathered for; on which line a guard was written says nothing.

    What a spec leaves at its default is not named, so that a later release may know of more.
    """
    guards = tuple(_named(replace(guard, line=0)) for guard in spec.guards)
    stages = tuple(_named(stage) for stage in spec.stages)
    rest = {n: v for n, v in _named(spec).items() if n not in ("guards", "stages")}
    return (rest, stages, guards, rollout, endpoint)


def _named(part: RolloutSpec | GuardSpec | StageSpec) -> dict[str, object]:
    """The fields that differ from their defaults."""
    found = {field.name: getattr(part, field.name) for field in fields(part)}
    defaults = {field.name: field.default for field in fields(part)}
    return {name: value for name, value in found.items() if value != defaults[name]}


def _unit_of(spec: RolloutSpec) -> tuple[str, ...]:
    metrics = {guard.metric for guard in spec.guards}
    of_arms = bool(metrics & (OUTCOME_METRICS | {"error_rate"}))
    if spec.sticky_by and of_arms:
        return (
            f"each value of {spec.sticky_by} counts once in the whole rollout: the mean of its "
            f"first {spec.window_requests} requests within {spec.window_s:g} s",
        )
    if metrics & SHADOW_METRICS and not of_arms:
        return ("each pair of answers to the same request counts once",)
    return (
        "each request counts once, a retry within a minute with the one it repeats",
        ONE_REQUEST,
    )
