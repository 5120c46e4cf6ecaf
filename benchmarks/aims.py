"""The aims of the data plane and whether a run met them. Pure: results in, verdicts out."""

import statistics
from dataclasses import dataclass

from benchmarks.results import Results
from benchmarks.trials import Trial

OURS = "pilotage"


@dataclass(frozen=True)
class Aim:
    """One measure: what was found beside what was aimed at.

    Attributes:
        found: None when this run did not measure it.
        at_least: True when more is better.
    """

    measure: str
    found: float | None
    bound: float
    at_least: bool
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """`met`, `missed` or `not measured`."""
        if self.found is None:
            return "not measured"
        met = self.found >= self.bound if self.at_least else self.found <= self.bound
        return "met" if met else "missed"


def aims(results: Results) -> list[Aim]:
    """All aims, in the order of the issue's table."""
    return [*_tiny(results), *_cpu(results), *_wide(results), *_overload(results), *_rest(results)]


def of(
    results: Results, contender: str, model: str, encoding: str, connections: int
) -> list[Trial]:
    """The trials of one case, by round."""
    return [
        trial
        for trial in results.trials
        if (trial.contender, trial.model, trial.encoding, trial.connections)
        == (contender, model, encoding, connections)
    ]


def median_rate(trials: list[Trial]) -> float | None:
    """Median of good answers a second over the rounds."""
    return statistics.median(trial.rate for trial in trials) if trials else None


def median_p50_us(trials: list[Trial]) -> float | None:
    """Median over the rounds of the median latency, in microseconds."""
    return statistics.median(trial.load.p50_us for trial in trials) if trials else None


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _tiny(results: Results) -> list[Aim]:
    def rate(who: str, connections: int) -> float | None:
        return median_rate(of(results, who, "tiny", "json", connections))

    def p50(who: str) -> float | None:
        return median_p50_us(of(results, who, "tiny", "json", 1))

    found = [
        Aim(f"tiny, JSON, 64 connections: x {peer}", _ratio(rate(OURS, 64), rate(peer, 64)), bound,
            at_least=True)
        for peer, bound in (("fastapi", 9), ("mosec", 1.4), ("litserve", 30), ("bentoml", 30))
    ]  # fmt: skip
    eight = _ratio(rate(OURS, 8), rate("fastapi", 8))
    found.append(Aim("tiny, JSON, 8 connections: x fastapi", eight, 5, at_least=True))
    for label, above, ours, bound in (
        ("x fastapi", "fastapi", OURS, 1.6),
        ("x fastapi, with --poll 200us", "fastapi", "pilotage-poll", 2.5),
        ("x mosec", "mosec", OURS, 10),
    ):
        measure = f"tiny, JSON, 1 connection, median latency: {label}"
        found.append(Aim(measure, _ratio(p50(above), p50(ours)), bound, at_least=True))
    return found


def worker_and_rest_us(trials: list[Trial]) -> tuple[float, float] | None:
    """CPU a request of the busiest process and of all others together; medians over rounds."""
    if not trials:
        return None
    busiest = [max(trial.cpu_us.values(), default=0.0) for trial in trials]
    rest = [sum(trial.cpu_us.values()) - most for trial, most in zip(trials, busiest, strict=True)]
    return statistics.median(busiest), statistics.median(rest)


def _cpu(results: Results) -> list[Aim]:
    ours = worker_and_rest_us(of(results, OURS, "tiny", "json", 64))
    floor = worker_and_rest_us(of(results, "floor", "tiny", "json", 64))
    ratio = ours[0] / floor[0] if ours and floor else None
    measure = "CPU of one tiny request, 64 connections: worker x C floor"
    return [Aim(measure, ratio, 2.8, at_least=False)]


def _wide(results: Results) -> list[Aim]:
    def of_raw(encoding: str) -> float | None:
        rounds = [
            trial.rate / results.raw_rows[trial.round]
            for trial in of(results, OURS, "wide", encoding, 64)
            if trial.round < len(results.raw_rows)
        ]
        return statistics.median(rounds) if rounds else None

    mosec = _ratio(
        median_rate(of(results, OURS, "wide", "json", 64)),
        median_rate(of(results, "mosec", "wide", "json", 64)),
    )
    return [
        Aim("wide, binary, 64 connections: of raw ONNX Runtime", of_raw("binary"), 0.85,
            at_least=True),
        Aim("wide, JSON, 64 connections: of raw ONNX Runtime", of_raw("json"), 0.78,
            at_least=True),
        Aim("wide, JSON, 64 connections: x mosec", mosec, 1.1, at_least=True),
    ]  # fmt: skip


def _overload(results: Results) -> list[Aim]:
    found: list[Aim] = []
    for hang_up, callers in ((False, "callers wait on"), (True, "callers hang up")):
        ours = [f for f in results.floods if f.contender == OURS and f.hang_up == hang_up]
        flood = ours[0] if ours else None
        label = f"open loop at 2 x capacity, {callers}"
        growth = memory_growth(flood.memory_mb) if flood else None
        found += [
            Aim(f"{label}: goodput of capacity", flood.share if flood else None, 0.9,
                at_least=True),
            Aim(f"{label}: refusal, median", flood.refused_p50_ms if flood else None, 5,
                at_least=False, unit="ms"),
            Aim(f"{label}: memory, second half over first", growth, 1.05, at_least=False),
        ]  # fmt: skip
    return found


def memory_growth(memory_mb: list[float]) -> float | None:
    """Mean of the second half of the samples over the mean of the first; None below 4 samples."""
    half = len(memory_mb) // 2
    if half < 2:
        return None
    return statistics.fmean(memory_mb[half:]) / statistics.fmean(memory_mb[:half])


def _rest(results: Results) -> list[Aim]:
    cost = results.recording
    started = next((found for found in results.startups if found.contender == OURS), None)
    tail = cost.on_p999_ms - cost.off_p999_ms if cost else None
    return [
        Aim("recording: share of throughput", cost.lost if cost else None, 0.05, at_least=False,
            unit=""),
        Aim("recording: p99.9 on less off, beside a file copy", tail, 2, at_least=False,
            unit="ms"),
        Aim("process start to first answer", started.first_answer_s if started else None, 0.8,
            at_least=False, unit="s"),
        Aim("memory after load, all processes (PSS)", started.pss_mb if started else None, 130,
            at_least=False, unit="MB"),
    ]  # fmt: skip
