"""A declared guard -> its procedure, behind one small protocol.

error_rate          two arms in canary stages, pairs in shadow; their evidence multiplies
accuracy rate mean  two arms, of outcomes
disagreement        pairs, of labels that differ
difference          pairs, of numbers that differ by more than is allowed
engine_time         probes; beside them bounds for the median ratio
engine_time_tail    probes that are slow
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np

from pilotage.checks.live.arms import Arms, configuration_of
from pilotage.checks.live.numbers import GuardNumbers
from pilotage.checks.live.observing import Seen, asking, comparing
from pilotage.spec.rollouts import GuardSpec, RolloutSpec
from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.answers import Answers
from pilotage.statistics.sequential.combination import log_product
from pilotage.statistics.sequential.paired import LARGEST_MARGIN, Paired, PairedConfiguration
from pilotage.statistics.sequential.probe_tails import ProbeTails
from pilotage.statistics.sequential.probes import Probes, ProbesConfiguration
from pilotage.statistics.sequential.ratio_bounds import RatioBounds
from pilotage.statistics.sequential.wealth import log_threshold
from pilotage.statistics.verdict import Evidence

Array = np.ndarray[Any, np.dtype[Any]]
REPORTED: Final = "outcomes are as likely to be reported for either arm"


class Guard(Protocol):
    """One guard at work."""

    def look(self, seen: Seen) -> None:
        """A block of what it asks counts from now on; nothing of it changes nothing."""
        ...

    def says(self) -> "Says":
        """Its evidence and answers now."""
        ...

    def shown(self) -> "Shown":
        """What people see of it."""
        ...

    def save(self) -> bytes:
        """The whole state."""
        ...

    def restore(self, data: bytes) -> None:
        """Take over a state that was saved; raises StateError where it cannot."""
        ...


@dataclass(frozen=True, slots=True)
class Says:
    """Logs of both e-values, and what was answered at some look so far."""

    log_fail: float
    log_pass: float
    failed: bool
    passed: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What people see of a guard: see `numbers.GuardNumbers`."""

    unit: str
    evidence: Evidence
    estimate: float | None
    low: float | None
    high: float | None
    baseline_count: int
    candidate_count: int
    baseline: float | None = None
    candidate: float | None = None
    over_tolerated: int | None = None
    assumptions: tuple[str, ...] = ()


class _Procedure(Protocol):
    def log_evidence_fail(self) -> Array: ...
    def log_evidence_pass(self) -> Array: ...
    def failed(self) -> Array: ...
    def passed(self) -> Array: ...


def _says(procedure: _Procedure) -> Says:
    return Says(
        float(procedure.log_evidence_fail()),
        float(procedure.log_evidence_pass()),
        bool(procedure.failed()),
        bool(procedure.passed()),
    )


class OutcomesGuard:
    """Two arms, of outcomes."""

    def __init__(self, guard: GuardSpec, spec: RolloutSpec, question: int) -> None:
        self._question = question
        self._unit = "unit" if spec.sticky_by else "outcome"
        unit = "unit" if spec.sticky_by else "prediction"
        self._configuration = configuration_of(guard, spec, unit=unit)
        self._arms = Arms(self._configuration)

    def look(self, seen: Seen) -> None:
        self._arms.look(seen.outcomes[self._question])

    def says(self) -> Says:
        return _says(self._arms.judge)

    def shown(self) -> Shown:
        return _shown_arms(self._arms, self._unit, (REPORTED,))

    def save(self) -> bytes:
        return self._arms.save()

    def restore(self, data: bytes) -> None:
        self._arms = Arms.load(self._configuration, data)


class ErrorsGuard:
    """Two arms in canary stages, pairs in shadow; the product of their e-values decides."""

    FORMAT: Final = "live_errors/1"

    def __init__(self, guard: GuardSpec, spec: RolloutSpec) -> None:
        self._unit = "unit" if spec.sticky_by else "request"
        self._of_arms = configuration_of(guard, spec, unit=self._unit)
        self._of_pairs = paired_configuration_of(guard, spec)
        self._arms = Arms(self._of_arms)
        self._pairs = Paired(self._of_pairs)
        self._answers = Answers(self._of_pairs, ())
        # Pairs, and those in which the baseline and the candidate failed.
        self._counts = [0, 0, 0]

    def look(self, seen: Seen) -> None:
        worse, same, better = seen.error_pairs
        if worse + same + better:
            self._pairs.update_counts(worse, same, better)
            self._pairs.close_block()
            both = seen.both_failed
            for place, more in enumerate((worse + same + better, better + both, worse + both)):
                self._counts[place] += more
        self._arms.look(seen.errors)
        self._answers.look(*self._log_evidence())

    def _log_evidence(self) -> tuple[Array, Array]:
        arms, pairs = self._arms.judge, self._pairs
        return (
            log_product(pairs.log_evidence_fail(), arms.log_evidence_fail()),
            log_product(pairs.log_evidence_pass(), arms.log_evidence_pass()),
        )

    def says(self) -> Says:
        fail, pass_ = self._log_evidence()
        failed, passed = bool(self._answers.failed()), bool(self._answers.passed())
        return Says(float(fail), float(pass_), failed, passed)

    def shown(self) -> Shown:
        """The arms' numbers, once there are any; before, those of the pairs."""
        pairs, baseline, candidate = self._counts
        if self._arms.any_seen() or not pairs:
            return _shown_arms(self._arms, self._unit)
        shown = _shown_pairs(self._pairs)
        return Shown(
            shown.unit,
            shown.evidence,
            *(shown.estimate, shown.low, shown.high, pairs, pairs),
            baseline=baseline / pairs,
            candidate=candidate / pairs,
        )

    def save(self) -> bytes:
        arrays: dict[str, Array] = {
            "arms": np.frombuffer(self._arms.save(), np.uint8),
            "pairs": np.frombuffer(self._pairs.save(), np.uint8),
            "counts": np.array(self._counts, np.int64),
        }
        configuration = (self._of_arms, self._of_pairs)
        return pack(self.FORMAT, configuration, arrays | self._answers.arrays())

    def restore(self, data: bytes) -> None:
        arrays = unpack(self.FORMAT, (self._of_arms, self._of_pairs), data)
        self._arms = Arms.load(self._of_arms, arrays["arms"].tobytes())
        self._pairs = Paired.load(self._of_pairs, arrays["pairs"].tobytes())
        self._counts = arrays["counts"].tolist()
        self._answers.restore(arrays)


class PairsGuard:
    """Shadow pairs, of answers that differ; the baseline's own harm is none."""

    def __init__(self, guard: GuardSpec, spec: RolloutSpec, question: int) -> None:
        self._question = question
        self._configuration = paired_configuration_of(guard, spec)
        self._pairs = Paired(self._configuration)

    def look(self, seen: Seen) -> None:
        counts = seen.compared[self._question]
        if any(counts):
            self._pairs.update_counts(*counts)
            self._pairs.close_block()

    def says(self) -> Says:
        return _says(self._pairs)

    def shown(self) -> Shown:
        shown = _shown_pairs(self._pairs)
        # Answers differ or not, so the share is at least 0.
        return replace(shown, low=None if shown.low is None else max(0.0, shown.low))

    def save(self) -> bytes:
        return self._pairs.save()

    def restore(self, data: bytes) -> None:
        self._pairs = Paired.load(self._configuration, data)


class TimeGuard:
    """Paired timing probes, and bounds for the median ratio."""

    FORMAT: Final = "live_time/1"

    def __init__(self, guard: GuardSpec, spec: RolloutSpec) -> None:
        allowed = spec.error_rate
        self._configuration = ProbesConfiguration(guard.margin, guard.tolerated, allowed, allowed)
        self._allowed = allowed
        self._probes = Probes(self._configuration)
        self._bounds = RatioBounds(allowed)

    def look(self, seen: Seen) -> None:
        candidate_s, baseline_s, _ = seen.probed
        if candidate_s:
            for procedure in (self._probes, self._bounds):
                procedure.update(candidate_s, baseline_s)
                procedure.close_block()

    def says(self) -> Says:
        return _says(self._probes)

    def shown(self) -> Shown:
        evidence = self._probes.verdict().evidence
        probes = evidence.observations
        ratio = self._bounds.estimate()
        low, high = self._bounds.bounds()
        return Shown(
            "probe",
            evidence,
            None if ratio is None else ratio - 1.0,
            low - 1.0 if low > 0.0 else None,
            high - 1.0 if high < math.inf else None,
            probes,
            probes,
            over_tolerated=round((evidence.estimate or 0.0) * probes),
        )

    def save(self) -> bytes:
        arrays: dict[str, Array] = {
            "probes": np.frombuffer(self._probes.save(), np.uint8),
            "bounds": np.frombuffer(self._bounds.save(), np.uint8),
        }
        return pack(self.FORMAT, self._configuration, arrays)

    def restore(self, data: bytes) -> None:
        arrays = unpack(self.FORMAT, self._configuration, data)
        self._probes = Probes.load(self._configuration, arrays["probes"].tobytes())
        self._bounds = RatioBounds.load(self._allowed, arrays["bounds"].tobytes())


class TailGuard:
    """Paired timing probes that are slow."""

    def __init__(self, guard: GuardSpec, spec: RolloutSpec) -> None:
        self._configuration = paired_configuration_of(guard, spec, unit="probe")
        self._tails = ProbeTails(self._configuration)

    def look(self, seen: Seen) -> None:
        if seen.probed.candidate_s:
            self._tails.update(*seen.probed)
            self._tails.close_block()

    def says(self) -> Says:
        return _says(self._tails)

    def shown(self) -> Shown:
        return _shown_pairs(self._tails)

    def save(self) -> bytes:
        return self._tails.save()

    def restore(self, data: bytes) -> None:
        self._tails = ProbeTails.load(self._configuration, data)


def guards_of(spec: RolloutSpec) -> list[Guard]:
    """One guard at work for each that is declared, in the spec's order."""
    outcomes, compared = asking(spec), comparing(spec)
    makers: dict[str, Callable[[GuardSpec], Guard]] = {
        "error_rate": lambda guard: ErrorsGuard(guard, spec),
        "disagreement": lambda guard: PairsGuard(guard, spec, compared.index(guard)),
        "difference": lambda guard: PairsGuard(guard, spec, compared.index(guard)),
        "engine_time": lambda guard: TimeGuard(guard, spec),
        "engine_time_tail": lambda guard: TailGuard(guard, spec),
        "accuracy": lambda guard: OutcomesGuard(guard, spec, outcomes.index(guard)),
        "rate": lambda guard: OutcomesGuard(guard, spec, outcomes.index(guard)),
        "mean": lambda guard: OutcomesGuard(guard, spec, outcomes.index(guard)),
    }
    return [makers[guard.metric](guard) for guard in spec.guards]


def numbers_of(guard: Guard, declared: GuardSpec, spec: RolloutSpec, share: float) -> GuardNumbers:
    """The guard's numbers as of the last look; `share` is its part of all guards' evidence."""
    shown, says = guard.shown(), guard.says()
    decides = log_threshold(spec.error_rate)
    evidence = shown.evidence
    word = "failed" if says.failed else "passed" if says.passed else "undecided"
    because = ""
    if word == "undecided":
        seen = min(shown.baseline_count, shown.candidate_count)
        because = "straddles" if seen else "no_labels" if declared.of else "no_data"
    return GuardNumbers(
        name=declared.text,
        metric=declared.metric,
        unit=shown.unit,
        word=word,
        because=because,
        margin=declared.margin,
        tolerated=declared.tolerated,
        estimate=shown.estimate,
        low=shown.low,
        high=shown.high,
        baseline=shown.baseline,
        candidate=shown.candidate,
        baseline_count=shown.baseline_count,
        candidate_count=shown.candidate_count,
        fail_evidence=says.log_fail / decides,
        pass_evidence=says.log_pass / decides,
        share=share,
        required=declared.required,
        rule=evidence.rule,
        method=evidence.method,
        error_rate=evidence.error_rate,
        assumptions=evidence.assumptions + shown.assumptions,
        over_tolerated=shown.over_tolerated,
    )


def paired_configuration_of(
    guard: GuardSpec, spec: RolloutSpec, unit: str = "pair"
) -> PairedConfiguration:
    allowed = spec.error_rate
    margin = min(guard.margin, LARGEST_MARGIN)
    return PairedConfiguration(margin, min(guard.tolerated, margin), allowed, allowed, unit)


def _shown_arms(arms: Arms, unit: str, assumptions: tuple[str, ...] = ()) -> Shown:
    shown = arms.shown()
    return Shown(
        unit,
        arms.verdict().evidence,
        *(shown.estimate, shown.low, shown.high),
        *(shown.baseline_count, shown.candidate_count),
        baseline=shown.baseline,
        candidate=shown.candidate,
        assumptions=assumptions,
    )


def _shown_pairs(pairs: Paired | ProbeTails) -> Shown:
    evidence = pairs.verdict().evidence
    count = evidence.observations
    low, high = pairs.bounds() if count else (None, None)
    return Shown(
        evidence.unit,
        evidence,
        evidence.estimate,
        None if low is None else float(low),
        None if high is None else float(high),
        count,
        count,
    )
