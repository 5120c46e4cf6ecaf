"""How long a rollout will take: until harm of a size is found, and until "not worse" is shown.

By simulation with the very procedures of the guards, `RUNS` rollouts of each size side by side, all
in one stage from start to end. Blocks are those of the spec at first; once a twentieth of what was
seen exceeds one, they are so much longer, for evidence hardly depends on how time is cut, and a day
of blocks would take a minute to simulate. So times are known to about 5 %.

Harm is found when the guard's evidence is enough for all guards together, the others adding
nothing. What is not given is assumed, and moves the plan alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np

from pilotage.checks.live.arms import EXPECTED_HARM, configuration_of
from pilotage.checks.live.guards import paired_configuration_of
from pilotage.contracts.snapshot import PPM
from pilotage.spec.rollouts import (
    OUTCOME_METRICS,
    SHADOW_METRICS,
    GuardSpec,
    RolloutSpec,
    StageSpec,
)
from pilotage.statistics.sequential.paired import Paired
from pilotage.statistics.sequential.probes import log_evidence_of_hits
from pilotage.statistics.sequential.two_arms import TwoArms
from pilotage.statistics.sequential.wealth import log_threshold

Array = np.ndarray[Any, np.dtype[Any]]
RUNS: Final = 200
SURE: Final = 0.95
GROWTH: Final = 0.05
"""A block is at least this part of the time before it."""
SIZES: Final = (1.0, 2.0, 4.0)
"""Harms that are looked for unless others are given, in margins."""
WITHOUT_MARGIN: Final = 0.005
PROBE_EVERY: Final = 100
"""Requests to a timing probe, where each batch holds one."""
NOISE: Final = 0.05
"""Of one timing, as a part of it."""
SLOW_SHARE: Final = 0.01
"""Of the baseline's probes that are slow, where nothing is known."""
MOST_OF_A_BLOCK: Final = 1 << 25
"""Observations of one simulated block; a busier endpoint decides within it anyhow."""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """How long one question takes in one stage.

    Attributes:
        guard: its text.
        stage: the stage's name; "" for timing probes, which go on in all of them.
        question: "harm": until a candidate worse by `size` is found. "not_worse": until an equal
            one is shown to be so; `size` is 0.
        size: the harm, in the metric's own unit (pairs: the share that differs).
        candidate_requests: what the candidate was given until then, in the median; in the
            guard's unit (requests, sticky units, outcomes, pairs, probes). None with `median_s`.
        median_s, p95_s: seconds; None beyond the patience.
    """

    guard: str
    stage: str
    question: Literal["harm", "not_worse"]
    size: float
    candidate_requests: int | None
    median_s: float | None
    p95_s: float | None


def plan(
    spec: RolloutSpec,
    *,
    requests_per_s: float,
    baseline_rates: Mapping[str, float] | None = None,
    harms: Mapping[str, Sequence[float]] | None = None,
    units_per_s: float | None = None,
    outcomes_share: float = 1.0,
    copies_share: float = 1.0,
    probes_per_s: float | None = None,
    seed: int = 1,
) -> tuple[PlanRow, ...]:
    """How long each guard takes, in each stage that it is asked in.

    Args:
        requests_per_s: of the whole endpoint.
        baseline_rates: by a guard's text, the baseline's own value: its error rate, its accuracy;
            of pairs, the share in which an equal candidate differs; of slow probes, their share.
        harms: by a guard's text, the sizes to look for, each above 0; else `SIZES` margins.
        units_per_s: sticky units that come anew. Unless given, each makes a whole window's
            requests, and all of them go alike, which is the slowest case.
        outcomes_share: of requests that get an outcome.
        copies_share: of requests that the candidate answers too, in shadow.
        probes_per_s: timing probes; unless given, one for `PROBE_EVERY` requests.
        seed: of the simulation; the same gives the same.

    Raises:
        ValueError: no traffic.
    """
    per_s = {
        "requests": requests_per_s,
        "units": units_per_s or requests_per_s / spec.window_requests,
        "copies": requests_per_s * copies_share,
        "probes": probes_per_s or requests_per_s / PROBE_EVERY,
        "outcomes": outcomes_share,
    }
    if not all(0.0 < each < math.inf for each in per_s.values()):
        raise ValueError("a plan needs traffic: numbers and shares above 0")
    rows: list[PlanRow] = []
    for number, guard in enumerate(spec.guards):
        rng = np.random.default_rng([seed, number])
        sizes = tuple((harms or {}).get(guard.text, _sizes_of(guard)))
        value = (baseline_rates or {}).get(guard.text, _value_of(guard))
        for questions in _questions(guard, spec, per_s, (*sizes, 0.0), value):
            rows += _answer(questions, guard, spec, rng)
    return tuple(rows)


def _sizes_of(guard: GuardSpec) -> tuple[float, ...]:
    return tuple(times * (guard.margin or WITHOUT_MARGIN) for times in SIZES)


def _value_of(guard: GuardSpec) -> float:
    """The baseline's own value where nothing is known."""
    if guard.metric == "error_rate":
        return EXPECTED_HARM["error_rate"]
    if guard.metric == "engine_time_tail":
        return SLOW_SHARE
    if guard.metric in OUTCOME_METRICS:
        good = 1.0 - EXPECTED_HARM[guard.metric]
        return guard.low + good * (guard.high - guard.low) if guard.metric == "mean" else good
    return 0.0


class _Simulated(Protocol):
    """A guard's procedure over (sizes, runs), fed by chance."""

    def block(self, seconds: float, rng: np.random.Generator) -> Array:
        """Simulate a block; what the candidate was given in it, (sizes, runs)."""
        ...

    def log_fail(self) -> Array: ...
    def log_pass(self) -> Array: ...


@dataclass(frozen=True, slots=True)
class _Questions:
    """One guard in one stage: harms, the last of them 0, and how they are simulated."""

    stage: str
    sizes: tuple[float, ...]
    simulated: _Simulated
    delay_s: float = 0.0


def _questions(
    guard: GuardSpec,
    spec: RolloutSpec,
    per_s: Mapping[str, float],
    sizes: tuple[float, ...],
    value: float,
) -> list[_Questions]:
    """In which stages the guard is asked, and how."""
    if guard.metric == "engine_time":
        return [_Questions("", sizes, _Times(guard, sizes, per_s["probes"]))]
    if guard.metric == "engine_time_tail":
        pairs = _Pairs(guard, spec, sizes, value, per_s["probes"])
        return [_Questions("", sizes, pairs)]
    found: list[_Questions] = []
    for stage in spec.stages:
        if stage.kind == "shadow" and guard.metric not in OUTCOME_METRICS:
            pairs = _Pairs(guard, spec, sizes, value, per_s["copies"])
            found.append(_Questions(stage.name, sizes, pairs))
        elif stage.kind == "canary" and guard.metric not in SHADOW_METRICS:
            observed = per_s["units" if spec.sticky_by else "requests"]
            if guard.metric in OUTCOME_METRICS:
                observed *= per_s["outcomes"]
            delay_s = spec.window_s if spec.sticky_by else 0.0
            arms = _Arms(guard, spec, sizes, value, observed, stage)
            found.append(_Questions(stage.name, sizes, arms, delay_s))
    return found


def _answer(
    questions: _Questions, guard: GuardSpec, spec: RolloutSpec, rng: np.random.Generator
) -> list[PlanRow]:
    """Simulate until all is decided, or patience ends."""
    allowed = spec.error_rate
    fails_from = log_threshold(allowed) + math.log(len(spec.guards))
    passes_from = log_threshold(allowed)
    sizes, simulated = questions.sizes, questions.simulated
    decided_s = np.full((len(sizes), RUNS), np.inf)
    given = np.zeros((len(sizes), RUNS))
    until = np.zeros((len(sizes), RUNS))
    now_s = questions.delay_s
    for seconds in _blocks(spec.block_s, spec.patience_s - questions.delay_s):
        given += simulated.block(seconds, rng)
        now_s += seconds
        decides = simulated.log_fail() >= fails_from
        decides[-1] = simulated.log_pass()[-1] >= passes_from
        new = decides & np.isinf(decided_s)
        decided_s[new], until[new] = now_s, given[new]
        if (np.isfinite(decided_s).mean(axis=1) >= SURE + 1.0 / RUNS).all():
            break
    return [
        _row(guard, questions.stage, size, times, counts)
        for size, times, counts in zip(sizes, decided_s, until, strict=True)
    ]


def _row(guard: GuardSpec, stage: str, size: float, times: Array, counts: Array) -> PlanRow:
    order = np.argsort(times, kind="stable")
    middle, late = order[(RUNS - 1) // 2], order[math.ceil(SURE * RUNS) - 1]
    known = bool(np.isfinite(times[middle]))
    return PlanRow(
        guard.text,
        stage,
        "harm" if size else "not_worse",
        size,
        round(float(counts[middle])) if known else None,
        float(times[middle]) if known else None,
        float(times[late]) if np.isfinite(times[late]) else None,
    )


def _blocks(block_s: float, patience_s: float) -> list[float]:
    """Seconds of each simulated block: whole blocks of the spec."""
    lengths: list[float] = []
    now_s = 0.0
    while now_s + block_s <= patience_s:
        blocks = max(1, int(now_s * GROWTH / block_s))
        lengths.append(blocks * block_s)
        now_s += lengths[-1]
    return lengths


class _Arms:
    """Two arms: the same baseline, a candidate for each size."""

    def __init__(
        self,
        guard: GuardSpec,
        spec: RolloutSpec,
        sizes: tuple[float, ...],
        value: float,
        per_s: float,
        stage: StageSpec,
    ) -> None:
        configuration = configuration_of(guard, spec, unit="request")
        scaled = (value - configuration.low) / configuration.span
        harm = np.array(sizes)[:, None] / configuration.span
        worse = -harm if configuration.larger_is_better else harm
        self._rate = min(1.0, max(0.0, scaled))
        self._rates = np.clip(scaled + worse, 0.0, 1.0)
        self._per_s, self._share = per_s, stage.share_ppm / PPM
        self._arms = TwoArms(configuration.two_arms, (len(sizes), RUNS))

    def block(self, seconds: float, rng: np.random.Generator) -> Array:
        total = min(self._per_s * seconds, float(MOST_OF_A_BLOCK))
        shape = (self._rates.size, RUNS)
        candidate = rng.poisson(total * self._share, shape)
        baseline = rng.poisson(total * (1.0 - self._share), shape)
        events = (rng.binomial(baseline, self._rate), rng.binomial(candidate, self._rates))
        self._arms.update(baseline, events[0], candidate, events[1])
        self._arms.close_block()
        return candidate

    def log_fail(self) -> Array:
        return self._arms.log_evidence_fail()

    def log_pass(self) -> Array:
        return self._arms.log_evidence_pass()


class _Pairs:
    """Pairs: each version's own harm, by itself; or how the two answers differ."""

    def __init__(
        self,
        guard: GuardSpec,
        spec: RolloutSpec,
        sizes: tuple[float, ...],
        value: float,
        per_s: float,
    ) -> None:
        both = guard.metric not in SHADOW_METRICS
        # Of answers that differ a size is the whole share; an equal candidate's is the natural one.
        shares = [value + size if both else size or value for size in sizes]
        candidate = np.clip(np.array(shares)[:, None], 0.0, 1.0)
        baseline = value if both else 0.0
        self._worse = candidate * (1.0 - baseline)
        self._better = baseline * (1.0 - candidate)
        self._per_s = per_s
        self._pairs = Paired(paired_configuration_of(guard, spec), (len(sizes), RUNS))

    def block(self, seconds: float, rng: np.random.Generator) -> Array:
        mean = min(self._per_s * seconds, float(MOST_OF_A_BLOCK))
        pairs = rng.poisson(mean, (self._worse.size, RUNS))
        worse = rng.binomial(pairs, self._worse)
        better = rng.binomial(pairs - worse, self._better / np.maximum(1.0 - self._worse, 1e-9))
        self._pairs.update_counts(worse, pairs - worse - better, better)
        self._pairs.close_block()
        return pairs

    def log_fail(self) -> Array:
        return self._pairs.log_evidence_fail()

    def log_pass(self) -> Array:
        return self._pairs.log_evidence_pass()


class _Times:
    """Timing probes: by the chances that a ratio of times is above what is asked of it."""

    def __init__(self, guard: GuardSpec, sizes: tuple[float, ...], per_s: float) -> None:
        self._per_s = per_s
        self._slow = np.array([_above(size, guard.tolerated) for size in sizes])[:, None]
        self._fast = np.array([1.0 - _above(size, guard.margin) for size in sizes])[:, None]
        self._counts = np.zeros((3, len(sizes), RUNS), np.int64)

    def block(self, seconds: float, rng: np.random.Generator) -> Array:
        mean = min(self._per_s * seconds, float(MOST_OF_A_BLOCK))
        probes = rng.poisson(mean, (self._slow.size, RUNS))
        hits = (rng.binomial(probes, self._slow), rng.binomial(probes, self._fast))
        self._counts += np.stack([probes, *hits])
        return probes

    def log_fail(self) -> Array:
        return log_evidence_of_hits(self._counts[1], self._counts[0])

    def log_pass(self) -> Array:
        return log_evidence_of_hits(self._counts[2], self._counts[0])


def _above(slower: float, limit: float) -> float:
    """The chance that a ratio with median 1 + slower is above 1 + limit; both times are noisy."""
    distance = math.log((1.0 + slower) / (1.0 + limit)) / (NOISE * math.sqrt(2.0))
    return 0.5 * math.erfc(-distance / math.sqrt(2.0))
