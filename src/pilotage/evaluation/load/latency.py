"""Latency and memory of a model on the serving engine, at the loads that gates state.

The real `pilotage serve` runs as a child process; requests made of the data's own rows are sent to
it in an open loop, for 30 s a load after 2 s that do not count. What is measured is what a caller
on this machine sees: parsing, queueing, the engine and the answer.
"""

import http.client
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pilotage.checks.metrics import unit_of
from pilotage.checks.once.asking import Asked
from pilotage.errors import PilotageError
from pilotage.evaluation.data.columns import Dataset
from pilotage.evaluation.load.infer_requests import requests_of
from pilotage.evaluation.load.late_answers import USED_AS_HERE, Late, blocks_needed
from pilotage.evaluation.load.open_loop import Load, Outcome, run
from pilotage.evaluation.load.serving_child import Served, machine, serving
from pilotage.evaluation.report import LatencyShown
from pilotage.evaluation.scoring.feeding import Tally, inputs_of
from pilotage.evaluation.scoring.predicting import encoding_of
from pilotage.formats.opening import OpenedModel
from pilotage.spec.gate_words import METRICS
from pilotage.spec.gates import AtMost, DataSettings, Gate
from pilotage.statistics.interval import Guarantee, Interval
from pilotage.statistics.verdict import Evidence, Verdict, decide

QUANTILES: Final = {"latency_p50": 0.5, "latency_p90": 0.9, "latency_p99": 0.99}
SHOWN_QUANTILES: Final = (0.5, 0.9, 0.99)
SAMPLE_ROWS: Final = 4096
"""The data's first rows, among which the requests are chosen evenly."""
SAMPLE_REQUESTS: Final = 512
MEMORY_RATE_PER_S: Final = 20.0
"""The load of a memory gate that states none, where no other gate does."""
PATIENCE_S: Final = 5.0
"""How long beyond the longest limit the last answers are waited for."""
FIRST_S: Final = 60.0
"""How long the answer to the first request, which does not count, is waited for."""
BEHIND: Final = 0.05
"""The share of a run by which the sender may end too late."""

Array = np.ndarray[Any, np.dtype[Any]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How long each load lasts: the part that counts, and the part before it."""

    seconds: float = 30.0
    warm_up_s: float = 2.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """Gates on latency and memory as questions, what to show of the first load, and notes."""

    asked: tuple[Asked, ...] = ()
    shown: LatencyShown | None = None
    notes: tuple[str, ...] = ()


def measure(
    gates: Sequence[Gate],
    model: OpenedModel,
    dataset: Dataset,
    settings: DataSettings,
    *,
    confidence: float = 0.95,
    load: LoadSettings | None = None,
    progress: Progress | None = None,
) -> Measured:
    """The gates on latency and memory among `gates`, measured; nothing is started where there are
    none.

    Args:
        confidence: of the intervals that are shown.
        progress: told requests sent and requests in all, over all loads.

    Raises:
        PilotageError: the model cannot be served, refuses the data's rows, or the load cannot be
            made on this machine.
    """
    load = load or LoadSettings()
    loaded = [gate for gate in gates if _is_loaded(gate)]
    by_rate = loads_of(loaded)
    if not by_rate:
        return Measured()
    inputs = _sample(model, dataset, settings)
    asked: list[Asked] = []
    notes: list[str] = []
    shown: LatencyShown | None = None
    counts = {rate: max(1, round(rate * load.seconds)) for rate in by_rate}
    sent = 0
    with serving(model.path) as served:
        host = f"{served.host}:{served.port}"
        requests = requests_of(inputs, model.signature, served.path, host)
        _try(served, requests[0])
        for rate, mine in by_rate.items():
            before = sent
            outcome = run(
                Load(
                    requests,
                    rate,
                    counts[rate],
                    warm_up=round(rate * load.warm_up_s),
                    patience_s=_patience(mine),
                    seed=load.seed,
                ),
                served.host,
                served.port,
                look=served.memory_bytes,
                progress=_scaled(progress, before, counts[rate], sum(counts.values())),
            )
            sent += counts[rate]
            _kept_up(outcome, rate)
            asked += [_ask(gate, outcome, rate) for gate in mine]
            notes += notes_of(outcome, rate, mine, confidence)
            shown = shown or shown_of(outcome, rate, confidence, machine())
    return Measured(tuple(asked), shown, tuple(dict.fromkeys(notes)))


def _is_loaded(gate: Gate) -> bool:
    word = METRICS.get(gate.metric)
    return word is not None and "load" in word.needs


def loads_of(gates: Sequence[Gate]) -> dict[float, list[Gate]]:
    """The gates by their load; a memory gate without one joins the first load there is."""
    by_rate: dict[float, list[Gate]] = {}
    for gate in gates:
        if gate.rate_per_s is not None:
            by_rate.setdefault(gate.rate_per_s, []).append(gate)
    free = [gate for gate in gates if gate.rate_per_s is None]
    if free:
        by_rate.setdefault(next(iter(by_rate), MEMORY_RATE_PER_S), []).extend(free)
    return by_rate


def _ask(gate: Gate, outcome: Outcome, rate: float) -> Asked:
    word = METRICS[gate.metric]
    assert isinstance(gate.condition, AtMost)  # the reader lets nothing else through
    limit = gate.condition.value
    if gate.metric == "memory":
        question = memory_at_most(outcome.looks, limit)
    else:
        question = Late(outcome.times, QUANTILES[gate.metric], rate).at_most(limit)
    return Asked(gate, word, question, unit_of(word), limit)


def memory_at_most(looks: Sequence[int], limit: float) -> Callable[[float], Verdict]:
    """The question whether a worker took `limit` bytes at most: the largest of several looks.

    Raises:
        PilotageError: the system does not tell.
    """
    if not looks:
        raise PilotageError(
            "the memory of a process cannot be measured on this system",
            expected="Linux, with /proc/PID/smaps_rollup",
            fix="Leave the gate on memory out.",
        )
    largest = float(max(looks))

    def ask(confidence: float) -> Verdict:
        method = "the largest of several looks under load"
        evidence = Evidence(
            estimate=largest,
            interval=Interval(largest, largest, confidence, method, Guarantee.EXACT),
            observations=len(looks),
            unit="look",
            rule=f"at most {limit:g} bytes",
            method=method,
            error_rate=round(1 - confidence, 12),
            assumptions=(USED_AS_HERE,),
        )
        return decide(largest <= limit, largest > limit, evidence)

    return ask


def shown_of(outcome: Outcome, rate: float, confidence: float, on: str) -> LatencyShown:
    """Quantiles of one load with their intervals, in milliseconds."""
    whole = [Late(outcome.times, quantile, rate) for quantile in SHOWN_QUANTILES]
    # Each end at half of the error, so that the interval as a whole has the confidence.
    intervals = [each.interval((1 + confidence) / 2) for each in whole]
    return LatencyShown(
        rate_per_s=rate,
        seconds=round(outcome.seconds, 3),
        requests=len(outcome.times),
        quantiles=SHOWN_QUANTILES,
        estimates_ms=tuple(1000 * each.estimate for each in whole),
        lows_ms=tuple(1000 * interval.low for interval in intervals),
        highs_ms=tuple(1000 * interval.high for interval in intervals),
        memory_bytes=max(outcome.looks, default=None),
        machine=on,
    )


def notes_of(outcome: Outcome, rate: float, gates: Sequence[Gate], confidence: float) -> list[str]:
    """What a person should know of one load."""
    total = len(outcome.times)
    notes = [
        f"latency at {rate:g}/s: {total:,} requests in {outcome.seconds:.0f} s, sent from the"
        f" machine that served them ({machine()}); the sender was behind its schedule by"
        f" {1000 * float(np.quantile(outcome.behind, 0.99)):.1f} ms at its p99"
    ]
    wrong = {status: count for status, count in outcome.statuses.items() if status != 200}
    if wrong:
        names = {0: "broken connections", -1: "no answer in time"}
        each = ", ".join(f"{names.get(k, f'status {k}')} ({n:,})" for k, n in wrong.items())
        notes.append(f"at {rate:g}/s some requests failed, and count as late: {each}")
    for gate in gates:
        quantile = QUANTILES.get(gate.metric)
        needed = blocks_needed(quantile, confidence) if quantile else 0
        if total < needed:
            notes.append(
                f"{gate.metric} at {rate:g}/s cannot be shown by {total:,} requests: it takes"
                f" {needed:,}, and more if some are late"
            )
    return notes


def _sample(model: OpenedModel, dataset: Dataset, settings: DataSettings) -> list[Array | None]:
    """The inputs of some of the data's first rows."""
    encoding = encoding_of(model, dataset, settings)
    for batch in dataset.batches(encoding.columns, SAMPLE_ROWS):
        inputs = inputs_of(batch, encoding, Tally())
        step = max(1, batch.rows // SAMPLE_REQUESTS)
        return [None if array is None else array[::step][:SAMPLE_REQUESTS] for array in inputs]
    raise PilotageError("the data have no rows", where=dataset.source)


def _try(served: Served, request: bytes) -> None:
    """Sends one request, so that a model that refuses the rows is told before any load."""
    with socket.create_connection((served.host, served.port), PATIENCE_S) as connection:
        connection.settimeout(FIRST_S)
        connection.sendall(request)
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        body = response.read()
    if response.status != 200:
        said = body.decode("utf-8", "replace")[:300]
        raise PilotageError(
            f"the served model refuses the data's first row with status {response.status}: {said}",
            fix="Try `pilotage serve` with the same model and row.",
        )


def _patience(gates: Sequence[Gate]) -> float:
    limits = [
        gate.condition.value
        for gate in gates
        if isinstance(gate.condition, AtMost) and gate.metric in QUANTILES
    ]
    return max([0.0, *limits]) + PATIENCE_S


def _kept_up(outcome: Outcome, rate: float) -> None:
    """Nothing, where the load was what was asked for.

    Raises:
        PilotageError: the sender could not keep to its schedule.
    """
    behind = float(outcome.behind[-1])
    if behind > BEHIND * max(outcome.seconds, 1.0):
        made = len(outcome.times) / (outcome.seconds + behind)
        raise PilotageError(
            f"this machine cannot make {rate:g} requests a second beside serving them",
            expected=f"at most about {made:.0f}/s",
            fix="State a smaller load, or measure on a larger machine.",
        )


def _scaled(
    progress: Progress | None, before: int, mine: int, total: int
) -> Callable[[int, int], None] | None:
    """Progress of one load as progress over all."""
    if progress is None:
        return None
    return lambda done, of: progress(before + round(mine * done / of), total)
