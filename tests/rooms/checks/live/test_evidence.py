"""The whole evidence of a rollout: looks, numbers, words; saved and replayed bit for bit."""

import math

import numpy as np
import pytest

from pilotage.checks.live.evidence import Evidence, Looked
from pilotage.contracts.records import Entry
from pilotage.spec.rollouts import GuardSpec, RolloutSpec
from pilotage.statistics.procedure import StateError
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

DIFFERS = GuardSpec("disagreement", 0.05, 0.05, "disagreement at_most 5%")
BEYOND = GuardSpec("difference", 0.05, 0.05, "difference", beyond=0.1)
TIME = GuardSpec("engine_time", 0.2, 0.05, "engine_time not_worse_by 20%")
TAIL = GuardSpec("engine_time_tail", 0.01, 0.0, "engine_time_tail not_worse_by 1pp")
ACCURACY = GuardSpec("accuracy", 0.02, 0.0, "accuracy not_worse_by 2pp", of="label")
RATE = GuardSpec("rate", 0.02, 0.0, "rate of bought", of="bought")
MEAN = GuardSpec("mean", 0.5, 0.0, "mean of stars", of="stars", low=1.0, high=5.0)
EVERY = (ERRORS, DIFFERS, BEYOND, TIME, TAIL, ACCURACY, RATE, MEAN)
STAGES = (SHADOW, FIVE, QUARTER)


def evidence_of(spec: RolloutSpec) -> Evidence:
    return Evidence(spec, rollout=ROLLOUT, endpoint=ENDPOINT)


def look(evidence: Evidence, *frames: Frame, seconds: float = 10.0) -> Looked:
    for kind, payload in frames:
        evidence.observe(kind, payload)
    return evidence.close_block(seconds)


def judged(
    frames: Frames, arm: str, count: int, good: int, kind: str, values=(1, 0), stage=QUARTER
) -> list[Frame]:
    """Answers of one arm with label 1, and an outcome for each, of which so many are good."""
    entries: list[Entry] = [frames.entry() for _ in range(count)]
    told = [
        frames.outcome(values[0] if place < good else values[1], of=entry.id, kind=kind)
        for place, entry in enumerate(entries)
    ]
    return [frames.block(arm, entries, stage, outputs=labels(*[1] * count)), *told]


def test_harm_is_found_and_said_in_words() -> None:
    frames, evidence = Frames(), evidence_of(spec_of())
    answers = (frames.answers("baseline", 950, 3), frames.answers("candidate", 50, 2))
    assert not look(evidence, *answers).failed
    looked = look(evidence, *answers)
    assert looked.failed
    assert not looked.passed
    assert looked.harm == (
        "it fails 4.0 % of requests against 0.3 % (95 %, 100 candidate requests)"
    )
    (numbers,) = evidence.numbers()
    assert (numbers.word, numbers.unit, numbers.share) == ("failed", "request", 1.0)
    assert (numbers.baseline_count, numbers.candidate_count) == (1900, 100)
    assert numbers.estimate == pytest.approx(0.04 - 3 / 950)
    assert numbers.low is not None
    assert numbers.high is not None
    assert -0.01 < numbers.low < numbers.estimate < numbers.high < 1.0
    assert numbers.fail_evidence >= 1.0


def test_an_equal_candidate_passes_in_the_end_and_nothing_is_said() -> None:
    frames, evidence = Frames(), evidence_of(spec_of())
    answers = (frames.answers("baseline", 1500, 4), frames.answers("candidate", 500, 1, QUARTER))
    looked = look(evidence, *answers)
    assert (looked.failed, looked.passed) == (False, False)
    for _ in range(9):
        looked = look(
            evidence,
            frames.answers("baseline", 1500, 4, QUARTER),
            frames.answers("candidate", 500, 1, QUARTER),
        )
    assert (looked.failed, looked.passed, looked.harm) == (False, True, "")
    assert evidence.numbers()[0].word == "passed"


def test_nothing_seen_is_undecided_for_want_of_data_or_labels() -> None:
    evidence = evidence_of(spec_of(*EVERY, stages=STAGES))
    looked = look(evidence)
    assert (looked.units, looked.failed, looked.passed) == ({}, False, False)
    because = {each.name: each.because for each in evidence.numbers()}
    assert because.pop(ACCURACY.text) == because.pop(RATE.text) == because.pop(MEAN.text)
    assert set(because.values()) == {"no_data"}
    for each in evidence.numbers():
        assert (each.estimate, each.low, each.high, each.baseline) == (None, None, None, None)
        assert (each.fail_evidence, each.pass_evidence) == pytest.approx((0.0, 0.0))


def test_evidence_of_shadow_and_canary_multiplies() -> None:
    spec = spec_of(stages=STAGES)
    frames, both, shadow, canary = (Frames(), *[evidence_of(spec) for _ in range(3)])
    pairs = frames.pairs(*[("engine_error", "ok", None)] * 3, *[("ok", "ok", None)] * 97)
    answers = (frames.answers("baseline", 950, 3), frames.answers("candidate", 50, 1))
    look(both, pairs)
    look(both, *answers)
    look(shadow, pairs)
    look(canary, *answers)
    of_both, of_shadow, of_canary = (e.numbers()[0] for e in (both, shadow, canary))
    assert of_both.fail_evidence == pytest.approx(of_shadow.fail_evidence + of_canary.fail_evidence)
    assert of_both.pass_evidence == pytest.approx(of_shadow.pass_evidence + of_canary.pass_evidence)
    assert (of_shadow.unit, of_shadow.baseline, of_shadow.candidate) == ("pair", 0.0, 0.03)
    assert (of_both.unit, of_both.candidate_count) == ("request", 50)


def test_errors_in_shadow_are_found_and_said() -> None:
    frames, evidence = Frames(), evidence_of(spec_of(stages=STAGES))
    looked = look(
        evidence,
        frames.pairs(
            *[("engine_error", "ok", None)] * 20,
            ("engine_error", "engine_error", None),
            *[("ok", "ok", None)] * 179,
        ),
    )
    assert looked.harm == "it fails 10.5 % of copies against 0.5 % (95 %, 200 pairs)"


@pytest.mark.parametrize(
    ("guard", "comparison", "harm"),
    [
        (DIFFERS, (False, 0.0), "it disagrees on 20.0 % of 200 pairs"),
        (BEYOND, (True, 0.2), "it differs by more than 0.1 on 20.0 % of 200 pairs"),
    ],
)
def test_answers_that_differ_too_often_are_found(guard, comparison, harm: str) -> None:
    frames, evidence = Frames(), evidence_of(spec_of(guard, stages=STAGES))
    pairs = [("ok", "ok", comparison)] * 40 + [("ok", "ok", (True, 0.0))] * 160
    looked = look(evidence, frames.pairs(*pairs))
    assert looked.harm == f"{harm}, at most 5 % were accepted (95 %)"
    (numbers,) = evidence.numbers()
    assert (numbers.estimate, numbers.candidate_count) == (0.2, 200)
    assert numbers.low is not None
    assert numbers.low > 0.05


def test_a_slower_engine_is_found_with_its_median_ratio() -> None:
    frames, evidence = Frames(), evidence_of(spec_of(TIME))
    probes = [frames.probe(13.0, 10.0)] * 29 + [frames.probe(10.0, 10.0)] * 2
    looked = look(evidence, *probes)
    assert looked.harm == (
        "its engine takes more than 5 % longer in 29 of 31 timing probes, "
        "1.30 times as long in the median (95 %)"
    )
    (numbers,) = evidence.numbers()
    assert numbers.estimate == pytest.approx(0.3, abs=0.01)
    assert numbers.low is not None
    assert numbers.high is not None
    assert 0.05 < numbers.low < 0.3 < numbers.high


def test_an_equal_engine_passes() -> None:
    frames, evidence = Frames(), evidence_of(spec_of(TIME))
    looked = look(evidence, *[frames.probe(10.0, 10.0)] * 8)
    assert (looked.failed, looked.passed) == (False, True)


def test_a_tail_of_slow_batches_is_found() -> None:
    frames, evidence = Frames(), evidence_of(spec_of(TAIL))
    look(evidence, *[frames.probe(10.0, 10.0)] * 20)
    looked = look(evidence, *[frames.probe(50.0, 10.0)] * 20, *[frames.probe(10.0, 10.0)] * 180)
    assert looked.harm == (
        "its engine is slow in 10.0 points more of 200 timing probes than the baseline's, "
        "at most 0 were accepted (95 %)"
    )


@pytest.mark.parametrize(
    ("guard", "kind", "values", "harm"),
    [
        (ACCURACY, "label", (1, 0), "it is right in 60.0 % of outcomes against 90.0 %"),
        (RATE, "bought", (True, False), "its rate of “bought” is 60.0 % against 90.0 %"),
        (MEAN, "stars", (5, 1), "its mean “stars” is 3.4 against 4.6"),
    ],
)
def test_worse_outcomes_are_found_and_said(guard, kind: str, values, harm: str) -> None:
    frames, evidence = Frames(), evidence_of(spec_of(guard))
    for _ in range(5):
        looked = look(
            evidence,
            *judged(frames, "baseline", 150, 135, kind, values),
            *judged(frames, "candidate", 50, 30, kind, values),
        )
    assert looked.harm == f"{harm} (95 %, 250 candidate outcomes)"
    (numbers,) = evidence.numbers()
    assert numbers.estimate == pytest.approx(1.2 if guard is MEAN else 0.3)
    assert (numbers.unit, numbers.word) == ("outcome", "failed")


def test_a_better_candidate_has_negative_harm_and_passes() -> None:
    frames, evidence = Frames(), evidence_of(spec_of(ACCURACY))
    for _ in range(5):
        looked = look(
            evidence,
            *judged(frames, "baseline", 150, 120, "label"),
            *judged(frames, "candidate", 50, 48, "label"),
        )
    assert looked.passed
    (numbers,) = evidence.numbers()
    assert numbers.estimate == pytest.approx(0.8 - 0.96)
    assert (numbers.baseline, numbers.candidate) == (pytest.approx(0.8), pytest.approx(0.96))


def test_the_guard_behind_a_failure_is_named_and_one_without_a_part_is_not() -> None:
    frames, evidence = Frames(), evidence_of(spec_of(ERRORS, TIME))
    looked = look(
        evidence,
        frames.answers("baseline", 950, 3),
        frames.answers("candidate", 50, 1),
        *[frames.probe(20.0, 10.0)] * 60,
    )
    assert looked.harm.startswith("its engine takes")
    assert "fails" not in looked.harm
    assert sum(each.share for each in evidence.numbers()) == pytest.approx(1.0)


def test_one_guards_evidence_is_shared_among_all() -> None:
    frames = Frames()
    probes = [frames.probe(20.0, 10.0)] * 8
    alone = evidence_of(spec_of(TIME))
    among = evidence_of(
        spec_of(TIME, *[GuardSpec("rate", 0.1, 0.0, f"{i}", of="x") for i in "abc"])
    )
    assert (look(alone, *probes).failed, look(among, *probes).failed) == (True, False)
    assert among.numbers()[0].word == "failed"


def test_an_optional_guard_need_not_pass() -> None:
    frames = Frames()
    optional = GuardSpec("accuracy", 0.02, 0.0, "accuracy", of="label", required=False)
    evidence = evidence_of(spec_of(TIME, optional))
    assert look(evidence, *[frames.probe(10.0, 10.0)] * 8).passed
    assert [each.required for each in evidence.numbers()] == [True, False]


def test_a_required_guard_that_finds_harm_by_itself_holds_a_pass_back() -> None:
    frames = Frames()
    others = [GuardSpec("rate", 0.1, 0.0, each, of="x", required=False) for each in "abcdefgh"]
    evidence = evidence_of(spec_of(TIME, *others))
    assert look(evidence, *[frames.probe(10.0, 10.0)] * 8).passed
    looked = look(evidence, *[frames.probe(20.0, 10.0)] * 28)
    assert (looked.failed, looked.passed) == (False, False)


def test_harm_that_was_found_stays_found() -> None:
    frames, evidence = Frames(), evidence_of(spec_of(TIME))
    assert look(evidence, *[frames.probe(20.0, 10.0)] * 10).failed
    assert look(evidence, *[frames.probe(5.0, 10.0)] * 100).failed


def test_the_assumptions_name_the_unit_and_each_clause_once() -> None:
    sticky = evidence_of(spec_of(*EVERY, stages=STAGES, sticky_by="header:x-user-id"))
    clauses = sticky.assumptions()
    assert clauses[0] == (
        "each value of header:x-user-id counts once in the whole rollout: the mean of its first "
        "50 requests within 600 s"
    )
    assert "requests that could not be recorded are missing alike in both arms" in clauses
    assert "outcomes are as likely to be reported for either arm" in clauses
    assert len(set(clauses)) == len(clauses)
    assert evidence_of(spec_of()).assumptions()[0].startswith("each request counts once")
    assert evidence_of(spec_of(DIFFERS, stages=(SHADOW,))).assumptions()[0].startswith("each pair")


def test_the_interval_is_shown_from_the_first_block_on_and_narrows() -> None:
    frames, evidence = Frames(), evidence_of(spec_of(block_s=1.0))
    widths: list[float] = []
    for _ in range(130):
        answers = (frames.answers("baseline", 950, 3), frames.answers("candidate", 50, 0))
        look(evidence, *answers, seconds=1.0)
        (numbers,) = evidence.numbers()
        low, high = numbers.low, numbers.high
        widths.append(math.inf if low is None or high is None else high - low)
    assert widths[0] < 2.0
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.02


def every_kind_of_block(frames: Frames, rng: np.random.Generator, *, sticky: bool) -> list[Frame]:
    """A block with something for every guard, some outcomes early and some late."""
    out: list[Frame] = [frames.pairs(("ok", "ok", (bool(rng.random() > 0.05), 0.05)))]
    out += [frames.probe(10.0 + rng.random(), 10.0, int(rng.integers(1, 9))) for _ in range(3)]
    for stage in (FIVE, QUARTER) if rng.random() < 0.3 else (QUARTER,):
        for arm, count in (("baseline", 15), ("candidate", 5)):
            who = (
                [{"user": int(u)} for u in rng.integers(0, 200, count)] if sticky else [{}] * count
            )
            entries = [frames.entry(client_id=f"c{rng.integers(50)}", **each) for each in who]
            entries.append(frames.entry("engine_error", **who[0]))
            block = frames.block(arm, entries, stage, outputs=labels(*[1] * len(entries)))
            told = [frames.outcome(int(rng.random() < 0.8), of=e.id) for e in entries[:5]]
            told.append(frames.outcome(5, of=entries[0].id, kind="stars"))
            told.append(frames.outcome(True, of=rng.bytes(16), kind="bought"))
            told.append(frames.outcome(1, of=frames.next_id(40)))
            out += [*told[:3], block, *told[3:]]
    return out


@pytest.mark.parametrize("sticky_by", ["", "header:x-user-id"])
def test_saved_at_every_block_it_goes_on_bit_for_bit(sticky_by: str) -> None:
    spec = spec_of(*EVERY, stages=STAGES, sticky_by=sticky_by, window_s=25.0, window_requests=4)
    frames, rng = Frames(), np.random.default_rng(5)
    straight, resumed = evidence_of(spec), evidence_of(spec)
    for _ in range(15):
        block = every_kind_of_block(frames, rng, sticky=bool(sticky_by))
        for place, (kind, payload) in enumerate(block):
            straight.observe(kind, payload)
            resumed.observe(kind, payload)
            if place == len(block) // 2:
                resumed = Evidence.load(spec, resumed.save(), rollout=ROLLOUT, endpoint=ENDPOINT)
        assert straight.close_block(10.0) == resumed.close_block(10.0)
        saved = straight.save()
        assert resumed.save() == saved
        resumed = Evidence.load(spec, saved, rollout=ROLLOUT, endpoint=ENDPOINT)
        assert resumed.save() == saved
        assert resumed.numbers() == straight.numbers()
        assert resumed.counts() == straight.counts()
    assert {"outcomes early", "outcomes unknown"} <= set(straight.counts())
    assert sticky_by or straight.counts()["retries"] > 0
    assert all(each.candidate_count for each in straight.numbers() if each.metric != "rate")


def test_replayed_frames_give_equal_numbers_and_looks() -> None:
    spec = spec_of(*EVERY, stages=STAGES)
    frames, rng = Frames(), np.random.default_rng(6)
    blocks = [every_kind_of_block(frames, rng, sticky=False) for _ in range(8)]
    first, again = evidence_of(spec), evidence_of(spec)
    assert [look(first, *each) for each in blocks] == [look(again, *each) for each in blocks]
    assert first.numbers() == again.numbers()
    assert first.save() == again.save()


@pytest.mark.parametrize(
    "changed",
    [
        {"spec": spec_of(GuardSpec("error_rate", 0.01, 0.0, "error_rate not_worse_by 1pp"))},
        {"rollout": "rollout-2"},
        {"endpoint": "wine"},
        {"data": b""},
        {"data": b"\x05\x00\x00\x00hello"},
    ],
    ids=["spec", "rollout", "endpoint", "nothing", "foreign"],
)
def test_evidence_of_something_else_is_refused(changed: dict) -> None:
    given = {"rollout": ROLLOUT, "endpoint": ENDPOINT, "spec": spec_of()}
    given |= {"data": evidence_of(spec_of()).save()} | changed
    with pytest.raises(StateError):
        Evidence.load(given.pop("spec"), given.pop("data"), **given)


@pytest.mark.parametrize("cut", [1, 100, 1000])
def test_a_damaged_state_is_refused(cut: int) -> None:
    data = evidence_of(spec_of()).save()
    with pytest.raises(StateError):
        Evidence.load(spec_of(), data[:-cut], rollout=ROLLOUT, endpoint=ENDPOINT)


def test_on_which_line_a_guard_stood_says_nothing() -> None:
    moved = GuardSpec("error_rate", 0.005, 0.0, ERRORS.text, line=7)
    data = evidence_of(spec_of()).save()
    loaded = Evidence.load(spec_of(moved), data, rollout=ROLLOUT, endpoint=ENDPOINT)
    assert loaded.numbers() == evidence_of(spec_of()).numbers()
