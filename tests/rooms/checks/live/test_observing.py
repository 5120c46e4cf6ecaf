"""What counts of a block's frames, and what is left out and told."""

import pytest

from pilotage.checks.live.numbers import Traffic
from pilotage.checks.live.observing import Observing, Pairs, Seen
from pilotage.checks.live.tallies import OfStage
from pilotage.contracts.records import digest_unit
from pilotage.contracts.segments import BLOCK, OUTCOME, POSITION, PROBE, SEAL
from pilotage.spec.rollouts import GuardSpec
from pilotage.statistics.sequential.arm_observations import ArmObservations
from simulators.rollout_frames import (
    ENDPOINT,
    ERRORS,
    FIVE,
    QUARTER,
    ROLLOUT,
    SHADOW,
    Frame,
    Frames,
    labels,
    spec_of,
)

DIFFERS = GuardSpec("disagreement", 0.05, 0.02, "disagreement at_most 5%")
BEYOND = GuardSpec("difference", 0.05, 0.02, "difference", beyond=0.1)
ACCURACY = GuardSpec("accuracy", 0.01, 0.0, "accuracy not_worse_by 1pp", of="label")
ALL = spec_of(ERRORS, DIFFERS, BEYOND, ACCURACY, stages=(SHADOW, FIVE, QUARTER))
OK, FAILED, WRONG = "ok", "engine_error", "invalid_output"


class Watch:
    """Frames into one block, and what it came to."""

    def __init__(self, spec=ALL) -> None:
        self.frames = Frames()
        self.observing = Observing(spec, rollout=ROLLOUT, endpoint=ENDPOINT)

    def answered(self, arm: str, *statuses: str, **fields) -> None:
        block = {n: fields.pop(n) for n in ("phase", "propensity_ppm", "stage") if n in fields}
        entries = [self.frames.entry(each, **fields) for each in statuses]
        self.take(self.frames.block(arm, entries, **block))

    def take(self, *frames: Frame) -> None:
        for kind, payload in frames:
            self.observing.observe(kind, payload)

    def close(self, seconds: float = 10.0) -> Seen:
        return self.observing.close_block(seconds)

    @property
    def counts(self) -> dict[str, int]:
        return self.observing.counts()


def arms(*numbers: float, stage: int = 1) -> list[OfStage]:
    return [OfStage(stage, ArmObservations(*numbers))]


def test_both_kinds_of_failure_are_harm_and_an_answer_is_none() -> None:
    watch = Watch()
    watch.answered("baseline", OK, FAILED)
    watch.answered("candidate", WRONG, OK, OK)
    seen = watch.close()
    assert seen.errors == arms(2, 1.0, 3, 1.0)
    assert seen.units == {"canary 5 %": 3}
    assert watch.counts == {}


@pytest.mark.parametrize("status", ["client_error", "refused", "expired", "cancelled"])
def test_a_status_that_says_nothing_of_the_version_is_left_out(status: str) -> None:
    watch = Watch()
    watch.answered("candidate", OK, status)
    assert watch.close().errors == arms(0, 0.0, 1, 0.0)
    assert watch.counts == {"left out": 1}


def test_a_pinned_version_was_not_drawn() -> None:
    watch = Watch()
    watch.answered("candidate", OK, FAILED, propensity_ppm=1_000_000)
    assert watch.close().errors == []
    assert watch.counts == {"pinned": 2}


def test_baseline_answers_of_a_shadow_stage_are_traffic_alone() -> None:
    watch = Watch()
    watch.answered("baseline", OK, FAILED, stage=SHADOW, propensity_ppm=1_000_000)
    seen = watch.close()
    assert seen.errors == []
    assert seen.traffic == Traffic(10.0, baseline=2, baseline_errors=1)
    assert watch.counts == {}


def test_a_stream_counts_once_when_it_is_closed() -> None:
    watch = Watch()
    watch.answered("candidate", OK, phase="opened")
    watch.answered("candidate", FAILED, phase="closed")
    assert watch.close().errors == arms(0, 0.0, 1, 1.0)


@pytest.mark.parametrize("other", [{"rollout": "rollout-2"}, {"endpoint": "wine"}])
def test_another_rollout_or_endpoint_is_passed_over(other: dict) -> None:
    watch = Watch()
    watch.take(watch.frames.block("candidate", [watch.frames.entry()], **other))
    watch.take(watch.frames.probe(1.0, 1.0, **other))
    seen = watch.close()
    assert (seen.errors, seen.probed.rows, seen.traffic) == ([], [], Traffic(10.0))


@pytest.mark.parametrize(("waits", "counted"), [(60.0, 1), (60.1, 2)])
def test_a_retry_within_a_minute_is_the_request_it_repeats(waits: float, counted: int) -> None:
    watch = Watch()
    watch.answered("candidate", FAILED, client_id="order-1")
    requests = watch.close(waits).errors[0].observations.candidate_trials
    watch.answered("candidate", FAILED, client_id="order-1")
    for each in watch.close().errors:
        requests += each.observations.candidate_trials
    assert requests == counted
    assert watch.counts == ({"retries": 1} if counted == 1 else {})


def test_an_id_is_its_callers_own() -> None:
    watch = Watch()
    watch.answered("candidate", OK, client_id="1", principal="ann")
    watch.answered("candidate", OK, client_id="1", principal="bob")
    assert watch.close().errors == arms(0, 0.0, 2, 0.0)


def test_a_request_that_says_nothing_is_no_first_one() -> None:
    watch = Watch()
    watch.answered("candidate", "refused", OK, client_id="order-1")
    assert watch.close().errors == arms(0, 0.0, 1, 0.0)


def test_two_stages_of_a_block_are_blocks_of_their_own() -> None:
    watch = Watch()
    watch.answered("candidate", OK, stage=QUARTER)
    watch.answered("candidate", FAILED, stage=FIVE)
    watch.answered("baseline", OK, stage=FIVE)
    seen = watch.close()
    assert seen.errors == [*arms(1, 0.0, 1, 1.0), *arms(0, 0.0, 1, 0.0, stage=2)]
    assert seen.units == {"canary 5 %": 1, "canary 25 %": 1}


def test_a_pair_is_worse_alike_or_better() -> None:
    watch = Watch()
    same = (True, 0.0)
    watch.take(
        watch.frames.pairs(
            *[(FAILED, OK, None), (OK, WRONG, None), (FAILED, FAILED, None), (OK, OK, same)]
        )
    )
    seen = watch.close()
    assert (seen.error_pairs, seen.both_failed) == (Pairs(worse=1, same=2, better=1), 1)
    assert seen.compared == [Pairs(same=1), Pairs(same=1)]
    assert seen.units == {"shadow": 4}
    assert seen.errors == []


@pytest.mark.parametrize(
    ("comparison", "labels_differ", "numbers_differ"),
    [
        ((True, 0.1), 0, 0),
        ((True, 0.11), 0, 1),
        ((False, 0.0), 1, 0),
        ((False, float("nan")), 1, 1),
        ((True, float("inf")), 0, 1),
    ],
)
def test_answers_differ_by_label_or_by_more_than_allowed(
    comparison: tuple[bool, float], labels_differ: int, numbers_differ: int
) -> None:
    watch = Watch()
    watch.take(watch.frames.pairs((OK, OK, comparison)))
    assert watch.close().compared == [
        Pairs(worse=labels_differ, same=1 - labels_differ),
        Pairs(worse=numbers_differ, same=1 - numbers_differ),
    ]


def test_copies_that_cannot_be_judged_are_told() -> None:
    watch = Watch()
    watch.take(watch.frames.pairs(("cancelled", OK, None), (OK, "refused", None), (OK, OK, None)))
    seen = watch.close()
    assert (seen.error_pairs, seen.compared) == (Pairs(same=1), [Pairs(), Pairs()])
    assert seen.traffic == Traffic(10.0, shadow=3)
    assert watch.counts == {"copies left out": 2, "copies not compared": 1}


@pytest.mark.parametrize(("sticky_by", "pairs"), [("", 1), ("header:x-user-id", 2)])
def test_the_copy_of_a_retry_is_no_new_pair_where_copies_name_their_request(
    sticky_by: str, pairs: int
) -> None:
    watch = Watch(spec_of(DIFFERS, stages=(SHADOW,), sticky_by=sticky_by))
    for _ in range(2):
        watch.take(watch.frames.pairs((OK, OK, (True, 0.0)), unit=digest_unit(b"order-1")))
    assert watch.close().units == {"shadow": pairs}
    assert watch.counts == ({} if sticky_by else {"retries": 1})


def test_a_probe_gives_both_times() -> None:
    watch = Watch()
    watch.take(watch.frames.probe(12.0, 10.0, 8), watch.frames.probe(1.0, 1.0, 0))
    probed = watch.close().probed
    assert probed.candidate_s == pytest.approx([0.012, 0.001])
    assert probed.baseline_s == pytest.approx([0.010, 0.001])
    assert probed.rows == [8, 1]


@pytest.mark.parametrize(
    ("candidate_ms", "baseline_ms"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (1e10, 1.0)]
)
def test_a_time_that_is_none_makes_no_probe(candidate_ms: float, baseline_ms: float) -> None:
    watch = Watch()
    watch.take(watch.frames.probe(candidate_ms, baseline_ms))
    assert watch.close().probed.rows == []
    assert watch.counts == {"probes unusable": 1}


def test_an_outcome_counts_in_the_arm_and_stage_of_its_prediction() -> None:
    watch = Watch()
    made = [watch.frames.entry(), watch.frames.entry(client_id="order-1")]
    watch.take(watch.frames.block("candidate", made, QUARTER, outputs=labels(1, 0)))
    watch.close()
    watch.take(watch.frames.outcome(1, of=made[0].id), watch.frames.outcome(1, key="order-1"))
    assert watch.close().outcomes == [arms(0, 0.0, 2, 1.0, stage=2)]


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (FAILED, {}),
        (OK, {"propensity_ppm": 1_000_000}),
        (OK, {"rollout": "rollout-2"}),
        (OK, {"phase": "opened"}),
    ],
)
def test_an_outcome_needs_an_answer_that_was_drawn_in_this_rollout(status: str, fields) -> None:
    watch = Watch()
    entry = watch.frames.entry(status)
    watch.take(watch.frames.block("candidate", [entry], outputs=labels(1), **fields))
    watch.take(watch.frames.outcome(1, of=entry.id))
    for _ in range(8):
        assert watch.close().outcomes == [[]]
    assert watch.counts["outcomes unknown"] == 1


@pytest.mark.parametrize(("endpoint", "counts"), [("", True), (ENDPOINT, True), ("wine", False)])
def test_an_outcome_may_be_for_one_endpoint(endpoint: str, counts: bool) -> None:
    watch = Watch()
    entry = watch.frames.entry()
    watch.take(watch.frames.block("candidate", [entry], outputs=labels(1)))
    watch.take(watch.frames.outcome(1, of=entry.id, at=endpoint))
    assert bool(watch.close().outcomes[0]) == counts


def test_a_sticky_unit_counts_when_its_window_ends() -> None:
    watch = Watch(spec_of(ERRORS, sticky_by="header:x-user-id", window_s=20.0))
    watch.answered("candidate", OK, FAILED, user="ann")
    watch.answered("candidate", OK)
    assert watch.close().errors == []
    seen = watch.close()
    assert seen.errors == arms(0, 0.0, 2, 0.5, stage=0)
    assert seen.units == {"canary 5 %": 2}


def test_damaged_frames_are_told_and_others_passed_over() -> None:
    watch = Watch()
    for kind in (BLOCK, OUTCOME, PROBE):
        watch.take((kind, b"\xc1"))
    watch.take((POSITION, b"\xc1"), (SEAL, b"\xc1"), (99, b""))
    watch.close()
    assert watch.counts == {"unreadable frames": 3}


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_block_lasts_some_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="lasts 0 seconds or more"):
        Watch().close(seconds)


def test_a_block_of_no_time_is_one_all_the_same() -> None:
    watch = Watch()
    watch.answered("candidate", OK)
    assert watch.close(0.0).errors == arms(0, 0.0, 1, 0.0)
