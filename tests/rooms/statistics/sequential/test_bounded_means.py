"""A bounded mean at every look: the promise by simulation, and its rivals."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pilotage.statistics.interval import Guarantee
from pilotage.statistics.sequential.bounded_means import BoundedMean, BoundedMeanConfiguration
from pilotage.statistics.verdict import Failed, Passed, Undecided
from vectors import cases

Vector = NDArray[np.float64]
Ends = tuple[float, float]


def interval_alone(alpha: float) -> BoundedMean:
    half = alpha / 2
    return BoundedMean(BoundedMeanConfiguration(error_rate_pass=half, error_rate_fail=half))


def ours(values: Vector, alpha: float = 0.05) -> Ends:
    """Both ends at alpha/2, as the rivals have it."""
    procedure = interval_alone(alpha)
    procedure.update(values)
    procedure.close_block()
    low, high = procedure.bounds()
    return float(low), float(high)


# The promise, by simulation: see also the battery.

Draw = Callable[[np.random.Generator, tuple[int, int]], NDArray[Any]]
DRAWS: dict[str, tuple[Draw, float]] = {
    "rare ones": (lambda rng, shape: (rng.random(shape) < 0.01) * 1.0, 0.01),
    "many ones": (lambda rng, shape: (rng.random(shape) < 0.7) * 1.0, 0.7),
    "two points": (lambda rng, shape: np.where(rng.random(shape) < 0.02, 1.0, 0.01), 0.0298),
    "narrow": (lambda rng, shape: rng.beta(20, 30, shape), 0.4),
}


@pytest.mark.parametrize("name", DRAWS)
def test_no_end_ever_misses_the_mean_more_often_than_stated(name: str) -> None:
    # An end misses the mean at a look exactly if the test of that mean rejects there.
    draw, mean = DRAWS[name]
    rng = np.random.default_rng(1)
    procedure = BoundedMean(BoundedMeanConfiguration(at_most=mean), (2_000,))
    for size in [1, 1, 2, 5, 10] + [25] * 45:
        procedure.update(draw(rng, (2_000, size)))
        procedure.close_block()
    below, above = int(procedure.passed().sum()), int(procedure.failed().sum())
    print(f"{name}: {below} below, {above} above of 2000")
    # At a nominal 5 %, 150 come less than once in a million.
    assert max(below, above) < 150


def test_means_may_drift_while_blocks_average_to_the_limit() -> None:
    rng = np.random.default_rng(2)
    procedure = BoundedMean(BoundedMeanConfiguration(at_most=0.1), (2_000,))
    cycle = 0.1 + 0.08 * np.sin(np.linspace(0, 2 * np.pi, 50, endpoint=False))
    for _ in range(30):
        procedure.update((rng.random((2_000, 50)) < cycle) * 1.0)
        procedure.close_block()
    assert max(int(procedure.passed().sum()), int(procedure.failed().sum())) < 150


# Rivals, each of which meets its own reference case first.


def hedged_capital(values: Vector, alpha: float, loss: float) -> Ends:
    """Waudby-Smith & Ramdas (2024), predictable stakes, running intersection."""

    def low_end(x: Vector) -> float:
        times = np.arange(1, len(x) + 1)
        means = (0.5 + np.cumsum(x)) / (times + 1)
        spread = (0.25 + np.cumsum((x - means) ** 2)) / (times + 1)
        before = np.concatenate([[0.25], spread[:-1]])
        stakes = np.sqrt(2 * np.log(2 / alpha) / (before * times * np.log(1 + times)))
        low, high = 0.0, 1.0
        for _ in range(30):
            mean = (low + high) / 2
            path = np.cumsum(np.log1p(np.minimum(stakes, loss / mean) * (x - mean)))
            low, high = (mean, high) if path.max() >= math.log(2 / alpha) else (low, mean)
        return low

    return low_end(values), 1 - low_end(1 - values)


def empirical_bernstein(values: Vector, alpha: float, largest: float) -> Ends:
    """Waudby-Smith & Ramdas (2024), theorem 2, running intersection."""

    def low_end(x: Vector) -> float:
        times = np.arange(1, len(x) + 1)
        means = np.cumsum(x) / times
        drawn_in = (0.5 + np.cumsum(x)) / (times + 1)
        spread = (0.25 + np.cumsum((x - drawn_in) ** 2)) / (times + 1)
        before = np.concatenate([[0.25], spread[:-1]])
        stakes = np.sqrt(2 * np.log(2 / alpha) / (before * times * np.log(1 + times)))
        stakes = np.minimum(stakes, largest)
        surprise = (x - np.concatenate([[0.0], means[:-1]])) ** 2
        cost = np.cumsum(surprise * (-np.log1p(-stakes) - stakes))
        total = np.cumsum(stakes)
        ends = np.cumsum(stakes * x) / total - (np.log(2 / alpha) + cost) / total
        return max(0.0, float(ends.max()))

    return low_end(values), 1 - low_end(1 - values)


def mixture_ends(k: int, n: int, threshold: float, prior: Callable[[float], Ends]) -> Ends:
    """The rates at which a beta mixture of likelihood ratios stays below the threshold."""

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    def rich(rate: float) -> bool:
        a, b = prior(rate)
        null = k * math.log(rate) + (n - k) * math.log1p(-rate)
        return log_beta(a + k, b + n - k) - log_beta(a, b) - null >= threshold

    ends: list[float] = []
    for outside in (0.0, 1.0):
        refuted, kept = outside, k / n
        for _ in range(60 if kept != outside else 0):
            middle = (refuted + kept) / 2
            refuted, kept = (middle, kept) if rich(middle) else (refuted, middle)
        ends.append(refuted)
    return ends[0], ends[1]


def jeffreys(given: dict[str, Any]) -> Ends:
    threshold = math.log(2 / given["alpha"])
    return mixture_ends(given["k"], given["n"], threshold, lambda _: (0.5, 0.5))


def tuned(variance: float, alpha: float) -> float:
    """The mixing variance that is best at one intrinsic time (Howard et al. 2021, section 3)."""
    return variance / (2 * math.log(1 / alpha) + math.log(1 + 2 * math.log(1 / alpha)))


def howard_bernoulli(given: dict[str, Any]) -> Ends:
    """Howard et al. (2021), the two-sided beta-binomial mixture."""

    def prior(rate: float) -> Ends:
        variance = rate * (1 - rate)
        weight = max(tuned(variance * given["t_opt"], 0.05) - variance, 1e-3 * variance)
        return weight / (1 - rate), weight / rate

    return mixture_ends(given["k"], given["n"], math.log(1 / given["alpha"]), prior)


def normal_mixture(variance: float, alpha: float, best_at: float) -> float:
    weight = tuned(best_at, 0.05)
    grown = variance + weight
    return math.sqrt(grown * (math.log(grown / weight) + 2 * math.log(1 / alpha)))


@pytest.mark.parametrize(
    ("kind", "rival", "setting"),
    [
        ("hedged_capital_cs", hedged_capital, "c"),
        ("empirical_bernstein_cs", empirical_bernstein, "truncation"),
    ],
)
def test_sequences_of_bounded_means_meet_their_reference_cases_and_ours_is_near(
    kind: str, rival: Callable[..., Ends], setting: str
) -> None:
    for case in cases(kind):
        given, expect = case["given"], case["expect"]
        values = np.array(given["sequence"], float)
        for place, low, high in zip(given["at"], expect["lower"], expect["upper"], strict=True):
            found = rival(values[:place], given["alpha"], given[setting])
            assert found == pytest.approx((low, high), abs=case["tolerance"])
            mine = ours(values[:place], given["alpha"])
            assert mine[1] - mine[0] < 1.25 * (high - low)


@pytest.mark.parametrize(
    ("kind", "rival"),
    [
        ("jeffreys_mixture_cs", jeffreys),
        ("howard_bernoulli_cs", howard_bernoulli),
    ],
)
def test_mixtures_for_a_proportion_meet_their_reference_cases_and_ours_is_near(
    kind: str, rival: Callable[[dict[str, Any]], Ends]
) -> None:
    for case in cases(kind):
        given, expect = case["given"], case["expect"]
        assert rival(given) == pytest.approx(expect, abs=case["tolerance"])
        procedure = interval_alone(given["alpha"])
        procedure.update_counts(given["k"], given["n"] - given["k"])
        procedure.close_block()
        low, high = procedure.bounds()
        assert high - low < 1.15 * (expect[1] - expect[0])


def test_the_normal_mixture_meets_its_reference_case_and_is_wider_for_rare_ones() -> None:
    for case in cases("normal_mixture_radius"):
        given = case["given"]
        found = normal_mixture(given["v"], given["alpha"], given["v_opt"])
        assert found == pytest.approx(case["expect"], abs=case["tolerance"])
    values = np.zeros(10_000)
    values[::100] = 1
    low, high = ours(values)
    assert high - low < 0.3 * 2 * normal_mixture(2_500, 0.05, 2_500) / 10_000


@pytest.mark.parametrize(
    ("shape", "size", "most"),
    [((2, 5), 10_000, 1.05), ((0.3, 10), 1_000, 1.0), ((1, 1), 100, 1.35)],
)
def test_ours_is_no_wider_than_the_hedged_capital_sequence(
    shape: Ends, size: int, most: float
) -> None:
    values = np.random.default_rng(3).beta(*shape, size)
    mine, other = ours(values), hedged_capital(values, 0.05, 0.5)
    assert mine[1] - mine[0] < most * (other[1] - other[0])


# Edges.


def test_bounds_are_the_dual_of_the_verdict() -> None:
    procedure = BoundedMean(BoundedMeanConfiguration())
    procedure.update(np.random.default_rng(4).beta(2, 6, 500))
    procedure.close_block()
    low, high = (float(end) for end in procedure.bounds())
    for limit, fails, passes in ((low - 1e-6, True, False), (low + 1e-6, False, False)):
        there = BoundedMean(BoundedMeanConfiguration(at_most=limit))
        there.update(np.random.default_rng(4).beta(2, 6, 500))
        there.close_block()
        assert (bool(there.failed()), bool(there.passed())) == (fails, passes)
    for limit, passes in ((high - 1e-6, False), (high + 1e-6, True)):
        there = BoundedMean(BoundedMeanConfiguration(at_most=limit))
        there.update(np.random.default_rng(4).beta(2, 6, 500))
        there.close_block()
        assert bool(there.passed()) == passes


def test_at_least_is_the_mirror_image_of_at_most() -> None:
    values = np.random.default_rng(5).beta(2, 6, (20, 300))
    most = BoundedMean(BoundedMeanConfiguration(at_most=0.27, fails_beyond=0.22), (20,))
    least = BoundedMean(BoundedMeanConfiguration(at_least=0.73, fails_beyond=0.78), (20,))
    for procedure, given in ((most, values), (least, 1 - values)):
        procedure.update(given)
        procedure.close_block()
    assert np.array_equal(most.passed(), least.passed())
    assert np.array_equal(most.failed(), least.failed())
    assert least.bounds()[0] == pytest.approx(1 - most.bounds()[1])
    assert 0 < most.failed().sum() < 20


def test_values_on_another_range_are_judged_there() -> None:
    values = np.random.default_rng(6).random(400)
    unit = BoundedMean(BoundedMeanConfiguration(at_most=0.6))
    there = BoundedMean(BoundedMeanConfiguration(at_most=1.6, low=-2, high=4))
    unit.update(values)
    there.update(6 * values - 2)
    for each in (unit, there):
        each.close_block()
    low, high = unit.bounds()
    assert there.bounds() == pytest.approx((6 * low - 2, 6 * high - 2))
    assert there.estimate() == pytest.approx(6 * values.mean() - 2, abs=1e-8)
    assert there.passed() == unit.passed()


def test_bounds_keep_to_what_an_earlier_look_decided() -> None:
    procedure = BoundedMean(BoundedMeanConfiguration(at_most=0.5))
    procedure.update_counts(0, 100)
    procedure.close_block()
    assert procedure.passed()
    procedure.update_counts(100, 0)
    procedure.close_block()
    assert procedure.bounds()[1] <= 0.5


def test_a_verdict_says_what_it_stands_on() -> None:
    procedure = BoundedMean(BoundedMeanConfiguration(at_least=0.8, unit="rating"))
    assert isinstance(procedure.verdict(), Undecided)
    procedure.update_counts(970, 30)
    procedure.close_block()
    verdict = procedure.verdict()
    assert isinstance(verdict, Passed)
    evidence = verdict.evidence
    assert evidence.interval is not None
    assert evidence.interval.guarantee is Guarantee.ANYTIME
    assert evidence.interval.confidence == 0.9
    assert (evidence.observations, evidence.unit) == (1000, "rating")
    assert evidence.estimate == pytest.approx(0.97)
    assert evidence.rule == "mean at least 0.8, to fail beyond 0.8"


def test_without_a_limit_there_is_an_interval_and_no_answer() -> None:
    procedure = BoundedMean(BoundedMeanConfiguration())
    procedure.update_counts(0, 1000)
    procedure.close_block()
    assert isinstance(procedure.verdict(), Undecided)
    assert procedure.bounds()[1] < 0.01


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_equal_values_close_in_on_themselves(value: float) -> None:
    low, high = ours(np.full(1000, value))
    assert low <= value <= high
    assert high - low < 0.02


def test_a_single_value_proves_nothing() -> None:
    procedure = BoundedMean(BoundedMeanConfiguration(at_most=0.06))
    procedure.update([1.0])
    procedure.close_block()
    assert not isinstance(procedure.verdict(), Failed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_most": 0.1, "at_least": 0.2},
        {"at_most": 0.0},
        {"at_least": 1.0},
        {"at_most": 0.2, "fails_beyond": 0.3},
        {"at_least": 0.2, "fails_beyond": 0.1},
        {"low": 1.0, "high": 1.0},
        {"error_rate_pass": 0.0},
    ],
)
def test_a_question_without_a_right_answer_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"at_most|limit|at once|between"):
        BoundedMeanConfiguration(**wrong)


@pytest.mark.parametrize("values", [[1.1], [-0.1], [math.nan]])
def test_values_out_of_range_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="outside"):
        BoundedMean(BoundedMeanConfiguration()).update(values)
