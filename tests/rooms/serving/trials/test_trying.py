"""A candidate beside the traffic: pairs and timings are recorded, and callers never notice."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from pilotage.contracts.limits import Limits
from pilotage.contracts.records import digest_unit
from pilotage.contracts.snapshot import PPM, Route, Trial
from pilotage.serving.engines.engine import EngineFailureError
from pilotage.serving.trials.probing import WARM_ROUNDS
from pilotage.serving.trials.trying import TURN_NS
from simulators.clients import post
from simulators.data_plane import CANDIDATE, PATH, VERSION, DataPlane, infer, until

TRIAL = Trial(CANDIDATE, "r1", "shadow", shadow_budget_ppm=PPM, probe_every=0)
PROBED = structs.replace(TRIAL, probe_every=1, probe_budget_ppm=PPM, stage="canary")


class Multiplying:
    """Multiplies; may be held up at a gate, fails on 13, and writes down what it was run on."""

    concurrent = True

    def __init__(self, factor: float = 2.0) -> None:
        self.factor = factor
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[list[float]] = []
        self.threads: list[str] = []

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        self.batches.append(inputs[0].ravel().tolist())
        self.threads.append(threading.current_thread().name)
        self.gate.wait(20)
        if 13.0 in inputs[0]:
            raise EngineFailureError("thirteen")
        return [(inputs[0] * self.factor).astype(np.float32)]

    def close(self) -> None:
        return


class Alone(Multiplying):
    """The same, and one thread at a time may call it."""

    concurrent = False


class Wider(Multiplying):
    """Gives two columns where one was promised."""

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        return [np.repeat(super().run(inputs)[0], 2, axis=1)]


def shadowing(candidate: Any = None, trial: Trial = TRIAL, **options: Any) -> DataPlane:
    engine = options.pop("engine", None) or Multiplying()
    return DataPlane(
        engine, candidate=candidate or Multiplying(), trial=trial, shadow=True, **options
    )


async def ask(plane: DataPlane, *bodies: bytes) -> list[int]:
    """The statuses of requests that come together."""
    client = plane.client()
    for body in bodies:
        client.send(body)
    await until(lambda: len(client.statuses()) == len(bodies))
    return client.statuses()


def copies(plane: DataPlane, ended: str) -> float:
    return plane.counted("pilotage_shadow_copies_total", version=CANDIDATE, ended=ended)


def probes(plane: DataPlane, ended: str) -> float:
    return plane.counted("pilotage_probes_total", version=CANDIDATE, ended=ended)


async def test_a_copy_is_recorded_as_the_pair_of_its_prediction() -> None:
    plane = shadowing(Multiplying(2.5))
    assert await ask(plane, infer(1.0), infer(-4.0)) == [200, 200]
    await until(lambda: len(plane.recording.copies) == 2)
    ours = [entry for _, entry in plane.recording.arms if not entry.pair_id]
    (origin, first), (_, second) = plane.recording.copies
    assert (origin.version, origin.arm, origin.propensity_ppm) == (CANDIDATE, "candidate", PPM)
    assert (origin.rollout, origin.stage) == ("r1", "shadow")
    assert [first.pair_id, second.pair_id] == [entry.id for entry in ours]
    assert [first.comparison, second.comparison] == [(True, 0.5), (True, 2.0)]
    assert (first.status, first.pair_status, first.rows) == ("ok", "ok", 1)
    assert first.received_ns == ours[0].received_ns
    assert first.unit == digest_unit(ours[0].id)
    assert first.id not in {entry.id for entry in ours}
    assert copies(plane, "answered") == 2


async def test_copies_that_waited_are_answered_together_in_a_thread_of_their_own() -> None:
    candidate = Multiplying()
    plane = shadowing(candidate)
    candidate.gate.clear()
    await ask(plane, infer(1.0))
    await until(lambda: candidate.batches)
    for value in (2.0, 3.0, 4.0, 5.0, 6.0):
        await ask(plane, infer(value))
    candidate.gate.set()
    await until(lambda: copies(plane, "answered") == 6)
    assert candidate.batches == [[1.0], [2.0, 3.0, 4.0, 5.0], [6.0]]
    assert set(candidate.threads) == {"beside"}


async def test_copies_beyond_the_queue_are_dropped_and_counted() -> None:
    candidate = Multiplying()
    plane = shadowing(candidate, structs.replace(TRIAL, queue_requests=2))
    candidate.gate.clear()
    await ask(plane, infer(0.0))
    await until(lambda: candidate.batches)
    assert await ask(plane, *[infer(1.0)] * 2) == [200] * 2
    assert copies(plane, "dropped") == 0
    assert await ask(plane, infer(1.0)) == [200]
    assert copies(plane, "dropped") == 1
    candidate.gate.set()
    await until(lambda: copies(plane, "answered") == 3)


async def test_copies_are_dropped_while_records_cannot_be_written() -> None:
    plane = shadowing()
    plane.recording.full = True
    await ask(plane, infer(1.0))
    assert copies(plane, "dropped") == 1


async def test_a_budget_that_is_used_up_leaves_copies_waiting() -> None:
    candidate = Multiplying()
    plane = shadowing(candidate, structs.replace(TRIAL, shadow_budget_ppm=0))
    assert await ask(plane, infer(1.0)) == [200]
    await asyncio.sleep(0.02)
    assert candidate.batches == []


async def test_copies_wait_while_the_baseline_has_work() -> None:
    baseline, candidate = Multiplying(), Multiplying()
    plane = shadowing(candidate, engine=baseline, cost_ns=1e9)
    await ask(plane, infer(1.0))
    baseline.gate.clear()
    client = plane.client()
    client.send(infer(2.0))
    await until(lambda: len(baseline.batches) == 2)
    await asyncio.sleep(0.02)
    assert candidate.batches == []
    baseline.gate.set()
    await until(lambda: copies(plane, "answered") == 2)


async def test_copies_wait_while_the_loop_has_no_time_to_spare() -> None:
    candidate = Multiplying()
    plane = shadowing(candidate)
    loop, turns, spinning = asyncio.get_running_loop(), 0, True

    def spin() -> None:
        nonlocal turns
        turns += 1
        end_ns = time.monotonic_ns() + 2 * TURN_NS
        while time.monotonic_ns() < end_ns:
            pass
        if spinning:
            loop.call_soon(spin)

    spin()
    await ask(plane, infer(1.0))
    before = turns
    await until(lambda: turns > before + 50)
    assert candidate.batches == []
    spinning = False
    await until(lambda: copies(plane, "answered") == 1)


async def test_a_candidate_that_hangs_for_good_holds_up_no_later_trial() -> None:
    candidate = Multiplying()
    plane = shadowing(candidate)
    candidate.gate.clear()
    await ask(plane, infer(1.0))
    await until(lambda: candidate.batches)
    plane.swap(structs.replace(plane.endpoint, trial=None, shadow=""))
    again = structs.replace(TRIAL, candidate=VERSION, stage="again")
    plane.swap(structs.replace(plane.endpoint, trial=again, shadow=VERSION))
    await ask(plane, infer(2.0))
    await until(lambda: plane.recording.copies)
    assert plane.trials.uses(plane.schedulers[CANDIDATE])
    candidate.gate.set()
    await until(lambda: len(plane.recording.copies) == 2)
    assert [origin.stage for origin, _ in plane.recording.copies] == ["again", "shadow"]


async def test_a_candidate_that_fails_on_one_request_fails_on_that_one_alone() -> None:
    candidate = Multiplying()
    plane = shadowing(candidate, engine=Multiplying())
    bodies = [infer(1.0), infer(13.0), infer(2.0)]
    assert await ask(plane, *bodies) == [200, 500, 200]  # the baseline fails on it too
    await until(lambda: len(plane.recording.copies) == 3)
    by_pair = {entry.pair_status: entry for _, entry in plane.recording.copies}
    failed = by_pair["engine_error"]
    assert (failed.status, failed.comparison) == ("engine_error", None)
    assert by_pair["ok"].comparison == (True, 0.0)
    assert (copies(plane, "answered"), copies(plane, "failed")) == (2, 1)


async def test_only_the_candidates_failure_is_told_where_the_baseline_answered() -> None:
    class Superstitious(Multiplying):
        def run(self, inputs: Sequence[Any]) -> list[Any]:
            if 7.0 in inputs[0]:
                raise ValueError("a bug of the engine's own")
            return super().run(inputs)

    plane = shadowing(Superstitious())
    assert await ask(plane, infer(7.0), infer(1.0)) == [200, 200]
    await until(lambda: len(plane.recording.copies) == 2)
    ended = {entry.status: entry.pair_status for _, entry in plane.recording.copies}
    assert ended == {"engine_error": "ok", "ok": "ok"}


async def test_an_output_that_no_answer_can_carry_is_an_invalid_one() -> None:
    plane = shadowing(Multiplying(float("nan")))
    assert await ask(plane, infer(1.0)) == [200]
    await until(lambda: plane.recording.copies)
    (_, entry), *_ = plane.recording.copies
    assert (entry.status, entry.comparison) == ("invalid_output", (True, float("inf")))
    assert copies(plane, "failed") == 1


async def test_a_candidate_of_another_shape_differs_without_bound() -> None:
    plane = shadowing(Wider())
    assert await ask(plane, infer(1.0)) == [200]
    await until(lambda: plane.recording.copies)
    (_, entry), *_ = plane.recording.copies
    assert entry.comparison == (False, float("inf"))


async def test_a_request_larger_than_a_batch_is_copied_whole() -> None:
    candidate = Multiplying()
    plane = shadowing(candidate)
    assert await ask(plane, infer(1.0, 2.0, 3.0, 4.0, 5.0)) == [200]
    await until(lambda: plane.recording.copies)
    (_, entry), *_ = plane.recording.copies
    assert (entry.rows, entry.comparison) == (5, (True, 0.0))
    assert candidate.batches == [[1.0, 2.0, 3.0, 4.0], [5.0]]


async def test_what_names_a_version_and_what_the_candidate_answers_is_not_copied() -> None:
    plane = shadowing(weight_ppm=PPM)
    tensor = b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[1]}]}'
    named = PATH.replace(b"/infer", b"/versions/%b/infer" % VERSION.encode())
    assert await ask(plane, infer(1.0), post(named, tensor)) == [200, 200]
    await asyncio.sleep(0.02)
    assert plane.recording.copies == []
    assert [origin.rollout for origin, _ in plane.recording.arms] == ["", ""]


async def test_an_engine_for_one_thread_answers_copies_only_while_no_route_leads_to_it() -> None:
    plane = shadowing(Alone())
    await ask(plane, infer(1.0))
    await until(lambda: copies(plane, "answered") == 1)
    both = shadowing(Alone(), weight_ppm=1)
    await ask(both, infer(1.0))
    await until(lambda: copies(both, "dropped") == 1)


async def test_what_waits_is_dropped_when_the_trial_ends_and_what_runs_is_recorded() -> None:
    candidate = Multiplying()
    plane = shadowing(candidate)
    candidate.gate.clear()
    await ask(plane, infer(1.0))
    await until(lambda: candidate.batches)
    await ask(plane, infer(2.0))
    plane.swap(structs.replace(plane.endpoint, trial=None, shadow=""))
    assert copies(plane, "dropped") == 1
    assert plane.trials.uses(plane.schedulers[CANDIDATE])
    candidate.gate.set()
    await until(lambda: copies(plane, "answered") == 1)
    assert not plane.trials.uses(plane.schedulers[CANDIDATE])
    await ask(plane, infer(3.0))
    await asyncio.sleep(0.02)
    assert len(plane.recording.copies) == 1


async def test_another_stage_keeps_what_waits_under_the_stage_it_was_copied_in() -> None:
    candidate = Multiplying()
    plane = shadowing(candidate)
    candidate.gate.clear()
    await ask(plane, infer(1.0))
    await until(lambda: candidate.batches)
    await ask(plane, infer(2.0))
    later = structs.replace(TRIAL, stage="later")
    plane.swap(structs.replace(plane.endpoint, trial=later))
    await ask(plane, infer(3.0))
    candidate.gate.set()
    await until(lambda: copies(plane, "answered") == 3)
    stages = [origin.stage for origin, _ in plane.recording.copies]
    assert stages == ["shadow", "shadow", "later"]


async def test_a_probe_runs_a_batch_of_the_baseline_through_both() -> None:
    baseline, candidate = Multiplying(), Multiplying()
    plane = DataPlane(baseline, candidate=candidate, trial=PROBED)
    assert await ask(plane, infer(1.0), infer(2.0)) == [200, 200]
    await until(lambda: plane.recording.probes)
    (probe,) = plane.recording.probes
    assert (probe.endpoint, probe.baseline, probe.candidate) == ("double", VERSION, CANDIDATE)
    assert (probe.rollout, probe.stage, probe.rows) == ("r1", "canary", 2)
    assert probe.pair_id == plane.recording.entries[0].id
    assert min(probe.baseline_ns, probe.candidate_ns) > 0
    # Once for the caller; then beside: some rounds to warm both, one by the clock.
    assert candidate.batches == [[1.0, 2.0]] * (WARM_ROUNDS + 1)
    assert baseline.batches == [[1.0, 2.0]] * (1 + WARM_ROUNDS + 1)


async def test_one_batch_in_so_many_is_timed_and_the_order_is_a_coin() -> None:
    plane = DataPlane(
        Multiplying(), candidate=Multiplying(), trial=structs.replace(PROBED, probe_every=2)
    )
    for number in range(40):
        await ask(plane, infer(1.0))
        await until(lambda due=(number + 1) // 2: probes(plane, "timed") >= due)
    assert probes(plane, "timed") == 20
    firsts = sum(probe.candidate_first for probe in plane.recording.probes)
    assert 5 <= firsts <= 15


async def test_a_probe_on_which_an_engine_fails_is_none() -> None:
    class Unable(Multiplying):
        def run(self, inputs: Sequence[Any]) -> list[Any]:
            raise EngineFailureError(f"never on {len(inputs)} inputs")

    plane = DataPlane(Multiplying(), candidate=Unable(), trial=PROBED)
    assert await ask(plane, infer(1.0)) == [200]
    await until(lambda: probes(plane, "failed") == 1)
    assert plane.recording.probes == []


@pytest.mark.parametrize("engines", [(Alone, Multiplying), (Multiplying, Alone)])
async def test_an_engine_for_one_thread_that_serves_is_never_timed(engines: Any) -> None:
    baseline, candidate = (engine() for engine in engines)
    plane = DataPlane(baseline, candidate=candidate, weight_ppm=1, trial=PROBED)
    assert await ask(plane, infer(1.0)) == [200]
    await until(lambda: probes(plane, "dropped") == 1)


async def test_a_probe_that_finds_no_quiet_moment_gives_way_to_the_next() -> None:
    baseline = Multiplying()
    plane = DataPlane(
        baseline,
        candidate=Multiplying(),
        trial=structs.replace(PROBED, probe_budget_ppm=0),
        limits=Limits(),
    )
    await ask(plane, infer(1.0))
    await ask(plane, infer(2.0))
    assert probes(plane, "dropped") == 1
    assert plane.recording.probes == []


async def test_one_version_on_both_sides_is_tried_against_itself() -> None:
    plane = shadowing()
    routes = (Route(VERSION, PPM // 2), Route(VERSION, PPM // 2, "candidate", "r1", "canary"))
    trial = structs.replace(PROBED, candidate=VERSION)
    plane.swap(structs.replace(plane.endpoint, routes=routes, trial=trial, shadow=VERSION))
    assert await ask(plane, *[infer(1.0)] * 20) == [200] * 20
    await until(lambda: plane.recording.copies and plane.recording.probes)
    (probe, *_) = plane.recording.probes
    assert (probe.baseline, probe.candidate) == (VERSION, VERSION)
    arms = {entry.pair_id: entry.status for _, entry in plane.recording.copies}
    ours = {entry.id for origin, entry in plane.recording.arms if origin.arm == "baseline"}
    assert set(arms) <= ours
