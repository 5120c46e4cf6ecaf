"""The guard on two proportions: its error rates while looking after every block, power, edges."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from pilotage.statistics.interval import Guarantee, Interval
from pilotage.statistics.procedure import StateError
from pilotage.statistics.sequential.block_evidence import Kind
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration
from pilotage.statistics.verdict import Because, Failed, Passed, Undecided

RUNS = 2_000
BLOCKS = 210
TOO_MANY = 150
"""False ones of 2,000 at a nominal 5 %: a correct procedure reaches it once in a million times."""
DELTA = 0.005
HALF_A_POINT = TwoArmsConfiguration(margin=DELTA)

Rate = Callable[[int], float]
"""The baseline's rate in a block."""
Traffic = Callable[[int], tuple[int, int]]
"""Requests of the baseline and the candidate in a block."""


def simulate(
    configuration: TwoArmsConfiguration,
    rate: Rate,
    traffic: Traffic,
    *,
    harm: float,
    blocks: int,
    seed: int,
) -> TwoArms:
    rng = np.random.default_rng(seed)
    guard = TwoArms(configuration, (RUNS,))
    for block in range(blocks):
        baseline, candidate = traffic(block)
        worse = rate(block) + harm
        guard.update(
            baseline,
            rng.binomial(baseline, rate(block), RUNS),
            candidate,
            rng.binomial(candidate, worse, RUNS),
        )
        guard.close_block()
    return guard


def drifting(block: int) -> float:
    """A day's cycle between 0.2 and 1.8 %, with an outage of both arms now and then."""
    return 0.3 if block % 97 == 96 else 0.01 + 0.008 * np.sin(block / 40)


def growing(block: int) -> tuple[int, int]:
    """The share goes from 5 to 25 to 50 %."""
    candidate = (50, 250, 500)[min(block // 70, 2)]
    return 1000 - candidate, candidate


SITUATIONS: dict[str, tuple[Rate, Traffic]] = {
    "0.1 %": (lambda _: 0.001, lambda _: (950, 50)),
    "0.3 %": (lambda _: 0.003, lambda _: (950, 50)),
    "1 %, half and half": (lambda _: 0.01, lambda _: (500, 500)),
    "10 %": (lambda _: 0.1, lambda _: (950, 50)),
    "10 %, much traffic": (lambda _: 0.1, lambda _: (57_000, 3_000)),
    "1 %, little traffic": (lambda _: 0.01, lambda block: (47, 2 + block % 2)),
    "drifting, outages": (drifting, lambda _: (950, 50)),
    "the share grows as the rate rises": (lambda block: 0.003 + 0.00005 * block, growing),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_an_equal_candidate_is_rarely_failed(situation: str) -> None:
    rate, traffic = SITUATIONS[situation]
    guard = simulate(HALF_A_POINT, rate, traffic, harm=0.0, blocks=BLOCKS, seed=1)
    assert np.count_nonzero(guard.failed()) < TOO_MANY


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_candidate_at_the_margin_is_rarely_passed(situation: str) -> None:
    rate, traffic = SITUATIONS[situation]
    guard = simulate(HALF_A_POINT, rate, traffic, harm=DELTA, blocks=BLOCKS, seed=2)
    assert np.count_nonzero(guard.passed()) < TOO_MANY


def test_a_relative_guard_keeps_both_error_rates() -> None:
    configuration = TwoArmsConfiguration(margin=0.5, kind="relative")
    equal = simulate(configuration, drifting, growing, harm=0.0, blocks=BLOCKS, seed=3)
    assert np.count_nonzero(equal.failed()) < TOO_MANY
    rng = np.random.default_rng(4)
    guard = TwoArms(configuration, (RUNS,))
    for block in range(BLOCKS):
        baseline, candidate = growing(block)
        rate = drifting(block)
        guard.update(
            baseline,
            rng.binomial(baseline, rate, RUNS),
            candidate,
            rng.binomial(candidate, 1.5 * rate, RUNS),
        )
        guard.close_block()
    assert np.count_nonzero(guard.passed()) < TOO_MANY
    assert np.count_nonzero(guard.failed()) > RUNS // 2


def test_tolerated_harm_is_rarely_failed() -> None:
    configuration = TwoArmsConfiguration(margin=0.01, tolerated=0.005)
    guard = simulate(
        configuration, lambda _: 0.01, lambda _: (950, 50), harm=0.005, blocks=BLOCKS, seed=5
    )
    assert np.count_nonzero(guard.failed()) < TOO_MANY


def in_clusters(cluster: int) -> TwoArms:
    """An equal candidate whose errors come five at a time, inside an arm."""
    rng = np.random.default_rng(6)
    guard = TwoArms(TwoArmsConfiguration(margin=DELTA, cluster=cluster), (RUNS,))
    for _ in range(BLOCKS):
        errors_b = 5 * rng.binomial(190, 0.01, RUNS)
        guard.update(950, errors_b, 50, 5 * rng.binomial(10, 0.01, RUNS))
        guard.close_block()
    return guard


def test_errors_in_clusters_need_tempering_and_tempering_is_enough() -> None:
    assert np.count_nonzero(in_clusters(1).failed()) > 2 * TOO_MANY
    assert np.count_nonzero(in_clusters(5).failed()) < TOO_MANY


@pytest.mark.parametrize(
    ("rate", "harm", "at_most"),
    [(0.003, 0.005, 1_400), (0.01, 0.005, 3_100), (0.003, 0.02, 220), (0.01, 0.02, 380)],
)
def test_harm_is_found_within_the_planned_requests(rate: float, harm: float, at_most: int) -> None:
    blocks = at_most // 50
    guard = simulate(
        HALF_A_POINT, lambda _: rate, lambda _: (950, 50), harm=harm, blocks=blocks, seed=7
    )
    assert np.count_nonzero(guard.failed()) > RUNS / 2


@pytest.mark.parametrize(("rate", "at_most"), [(0.003, 1_600), (0.01, 3_200)])
def test_an_equal_candidate_is_passed_within_the_planned_requests(
    rate: float, at_most: int
) -> None:
    guard = simulate(
        HALF_A_POINT, lambda _: rate, lambda _: (950, 50), harm=0.0, blocks=at_most // 50, seed=8
    )
    assert np.count_nonzero(guard.passed()) > RUNS / 2


def test_a_wrong_start_costs_time_and_no_error_rate() -> None:
    configuration = TwoArmsConfiguration(margin=DELTA, baseline_rate=0.2, baseline_weight=5_000.0)
    equal = simulate(
        configuration, lambda _: 0.01, lambda _: (950, 50), harm=0, blocks=BLOCKS, seed=9
    )
    assert np.count_nonzero(equal.failed()) < TOO_MANY
    worse = simulate(
        configuration, lambda _: 0.01, lambda _: (950, 50), harm=0.02, blocks=BLOCKS, seed=9
    )
    assert np.count_nonzero(worse.failed()) > RUNS / 2


def binomial(trials: int, rate: float) -> np.ndarray:
    k = np.arange(trials + 1)
    ways = np.array([math.comb(trials, each) for each in k], np.float64)
    return ways * rate**k * (1 - rate) ** (trials - k)


@pytest.mark.parametrize("weight", [0.05, 50.0], ids=["a bold block", "a block within bounds"])
@pytest.mark.parametrize("kind", ["absolute", "relative"])
def test_no_evidence_grows_on_average_over_all_outcomes_of_a_block(
    kind: Kind, weight: float
) -> None:
    configuration = TwoArmsConfiguration(
        margin=0.1, tolerated=0.02, kind=kind, baseline_rate=0.2, baseline_weight=weight
    )
    trials_b, trials_c = 12, 7
    errors_b, errors_c = np.meshgrid(np.arange(13), np.arange(8), indexing="ij")
    # Every outcome of the second block is a run; the first block is the same for all.
    guard = TwoArms(configuration, errors_b.shape)
    guard.update(10, 2, 5, 3)
    guard.close_block()
    before = guard.log_evidence_fail(), guard.log_evidence_pass()
    guard.update(trials_b, errors_b, trials_c, errors_c)
    guard.close_block()
    fail = np.exp(guard.log_evidence_fail() - before[0])
    pass_ = np.exp(guard.log_evidence_pass() - before[1])
    assert fail.max() > 1
    assert pass_.max() > 1
    for baseline in (0.0, 0.01, 0.05, 0.2, 0.4, 0.6, 0.85):
        for harm in (0.0, 0.02, 0.1, 0.15):
            candidate = baseline + harm * (1.0 if kind == "absolute" else baseline)
            chance = np.outer(binomial(trials_b, baseline), binomial(trials_c, candidate))
            if harm <= 0.02:
                assert (chance * fail).sum() <= 1 + 1e-9
            if harm >= 0.1:
                assert (chance * pass_).sum() <= 1 + 1e-9


def guard_of(*blocks: tuple[float, float, float, float], **settings: object) -> TwoArms:
    guard = TwoArms(TwoArmsConfiguration(**{"margin": DELTA, **settings}))  # type: ignore[arg-type]
    for block in blocks:
        guard.update(*block)
        guard.close_block()
    return guard


def test_many_runs_at_once_are_as_many_single_ones() -> None:
    rng = np.random.default_rng(10)
    blocks = [(950, rng.binomial(950, 0.01, 4), 50, rng.binomial(50, 0.02, 4)) for _ in range(30)]
    together = TwoArms(HALF_A_POINT, (2, 2))
    for baseline, errors_b, candidate, errors_c in blocks:
        together.update(baseline, errors_b.reshape(2, 2), candidate, errors_c.reshape(2, 2))
        together.close_block()
    for run in range(4):
        alone = guard_of(*((b, kb[run], c, kc[run]) for b, kb, c, kc in blocks))
        assert alone.log_evidence_fail() == pytest.approx(
            together.log_evidence_fail().ravel()[run], abs=1e-12
        )
        assert alone.passed() == together.passed().ravel()[run]


def test_cuts_inside_a_block_change_nothing() -> None:
    whole = guard_of((1_000, 30, 100, 4), (500, 2.5, 60, 1.25))
    cut = TwoArms(HALF_A_POINT)
    for part in [(400, 30, 0, 0), (600, 0, 100, 4)]:
        cut.update(*part)
    cut.close_block()
    for part in [(0, 0, 10, 1.25), (500, 2.5, 50, 0), (0, 0, 0, 0)]:
        cut.update(*part)
    cut.close_block()
    assert cut.save() == whole.save()


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_a_saved_state_goes_on_bit_for_bit(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(11)
    guard = TwoArms(HALF_A_POINT, shape)
    for _ in range(20):
        guard.update(950, rng.binomial(950, 0.01, shape), 50, rng.binomial(50, 0.02, shape))
        guard.close_block()
    guard.update(10, 1, 5, 0)
    loaded = TwoArms.load(HALF_A_POINT, guard.save())
    assert loaded.save() == guard.save()
    for each in (guard, loaded):
        each.update(950, 9, 50, 2)
        each.close_block()
    assert loaded.save() == guard.save()


def test_a_state_takes_less_than_a_kilobyte() -> None:
    assert len(guard_of((950, 3, 50, 1)).save()) < 1_000


def test_a_state_of_another_configuration_is_refused() -> None:
    data = guard_of((950, 3, 50, 1)).save()
    with pytest.raises(StateError, match="another configuration"):
        TwoArms.load(TwoArmsConfiguration(margin=0.01), data)
    with pytest.raises(StateError):
        TwoArms.load(HALF_A_POINT, data[:-1])


def test_an_empty_arm_is_no_evidence_but_teaches_the_baselines_rate() -> None:
    guard = guard_of((10_000, 500, 0, 0))
    evidence = guard.log_evidence_fail(), guard.log_evidence_pass()
    assert evidence == pytest.approx((0.0, 0.0), abs=1e-12)
    assert guard.expected_baseline_rate() == pytest.approx(0.05, abs=1e-3)
    verdict = guard.verdict()
    assert isinstance(verdict, Undecided)
    assert verdict.because is Because.NO_DATA
    assert verdict.evidence.estimate is None


def test_a_block_of_nothing_changes_nothing() -> None:
    guard = guard_of((950, 3, 50, 1))
    before = guard.save()
    guard.close_block()
    assert guard.save() == before


@pytest.mark.parametrize(
    "block",
    [(100, 0, 100, 0), (100, 100, 100, 100), (100, 0, 100, 100), (100, 100, 100, 0)],
    ids=["none", "all", "candidate alone", "baseline alone"],
)
def test_extreme_counts_keep_the_evidence_finite(block: tuple[int, int, int, int]) -> None:
    guard = guard_of(*[block] * 50)
    assert np.isfinite(guard.log_evidence_fail())
    assert np.isfinite(guard.log_evidence_pass())
    assert bool(guard.failed()) == (block[3] > block[1])


def test_a_billion_requests_are_decided() -> None:
    start = (10**6, 10_000, 10**6, 10_000)
    assert guard_of(start, (10**9, 10**7, 10**9, 10**7)).passed()
    worse = guard_of(start, (10**9, 10**7, 10**9, 2 * 10**7))
    assert worse.failed()
    assert worse.difference() == pytest.approx(0.01, abs=1e-4)


def test_the_estimate_is_not_fooled_by_a_changing_share() -> None:
    # Equal arms: the share goes to one half as the rate goes from 0 to 10 %.
    guard = guard_of((9_500, 0, 500, 0), (5_000, 500, 5_000, 500))
    assert guard.difference() == 0.0
    assert not guard.failed()
    relative = guard_of((9_500, 0, 500, 0), (5_000, 500, 5_000, 750), kind="relative")
    assert relative.difference() == pytest.approx(0.5)


def test_events_that_are_good_are_turned_around() -> None:
    harm = guard_of((950, 10, 50, 5))
    good = guard_of((950, 940, 50, 45), larger_is_better=True)
    assert good.log_evidence_fail() == harm.log_evidence_fail()
    assert good.difference() == harm.difference() > 0


def test_harm_found_late_overrides_a_pass() -> None:
    guard = guard_of(*[(950, 3, 50, 0)] * 80)
    assert isinstance(guard.verdict(), Passed)
    for _ in range(200):
        guard.update(950, 3, 50, 10)
        guard.close_block()
    assert guard.passed()
    assert isinstance(guard.verdict(), Failed)


def test_both_at_once_is_failed() -> None:
    # Worse by half the margin, and the sample so large that both hypotheses fall.
    start = (10**5, 1_000, 10**5, 1_000)
    guard = guard_of(start, (10**8, 10**6, 10**8, 10**6 + 250_000))
    assert guard.passed()
    assert guard.failed()
    assert isinstance(guard.verdict(), Failed)


def test_a_verdict_states_its_numbers() -> None:
    interval = Interval(-0.001, 0.01, 0.9, "inverted", Guarantee.ANYTIME)
    verdict = guard_of((950, 3, 50, 1), cluster=5).verdict(interval)
    assert isinstance(verdict, Undecided)
    assert verdict.because is Because.STRADDLES
    evidence = verdict.evidence
    assert evidence.estimate == pytest.approx(1 / 50 - 3 / 950)
    assert (evidence.observations, evidence.unit, evidence.error_rate) == (1_000, "request", 0.05)
    assert evidence.interval is interval
    assert "at most 5" in evidence.assumptions[1]
    with pytest.raises(ValueError, match="shape"):
        TwoArms(HALF_A_POINT, (2,)).verdict()


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ((10, 11, 10, 0), "between 0 and its trials"),
        ((10, -1, 10, 0), "between 0 and its trials"),
        ((10, float("nan"), 10, 0), "between 0 and its trials"),
        ((10.5, 1, 10, 0), "whole numbers"),
        ((2**53, 1, 10, 0), "whole numbers"),
        (([1, 2], 1, 10, 0), "shape"),
    ],
)
def test_what_are_no_counts_is_refused(block: tuple[object, ...], said: str) -> None:
    guard = TwoArms(HALF_A_POINT)
    before = guard.save()
    with pytest.raises(ValueError, match=said):
        guard.update(*block)  # type: ignore[arg-type]
    assert guard.save() == before


@pytest.mark.parametrize(
    "settings",
    [
        {"tolerated": 0.006},
        {"tolerated": -0.001},
        {"margin": 1.0},
        {"error_rate_pass": 0.0},
        {"error_rate_fail": 1.0},
        {"cluster": 0},
        {"baseline_rate": 0.0},
        {"baseline_weight": 0.0},
    ],
)
def test_a_question_without_meaning_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"needed|below 1|at least one|lies between"):
        TwoArmsConfiguration(**{"margin": DELTA, **settings})  # type: ignore[arg-type]


def test_without_a_margin_a_better_candidate_passes_and_a_worse_one_fails() -> None:
    better = guard_of(*[(950, 19, 50, 0)] * 100, margin=0.0)
    worse = guard_of(*[(950, 19, 50, 3)] * 100, margin=0.0)
    assert isinstance(better.verdict(), Passed)
    assert isinstance(worse.verdict(), Failed)


def test_the_rates_are_weighted_over_blocks_as_their_difference_is() -> None:
    guard = TwoArms(HALF_A_POINT)
    assert np.isnan(guard.rates()).all()
    for counts in ((900, 9, 100, 2), (500, 50, 500, 50), (100, 1, 0, 0)):
        guard.update(*counts)
        guard.close_block()
    baseline, candidate = guard.rates()
    # Weights n_B n_C / n are 90 and 250; a block with an empty arm has none.
    assert baseline == pytest.approx((90 * 0.01 + 250 * 0.1) / 340)
    assert candidate == pytest.approx((90 * 0.02 + 250 * 0.1) / 340)
    assert candidate - baseline == pytest.approx(guard.difference())
