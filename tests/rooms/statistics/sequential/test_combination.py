"""Many guards, one rollout."""

import numpy as np
import pytest

from pilotage.statistics.procedure import StateError
from pilotage.statistics.sequential.combination import Guards, GuardsConfiguration, log_product
from pilotage.statistics.sequential.two_arms import TwoArms, TwoArmsConfiguration
from pilotage.statistics.verdict import Failed, Passed, Undecided

RUNS, TOO_MANY = 2_000, 150
TWO = GuardsConfiguration(("errors", "latency"))


def look(guards: Guards, evidence: list[float], passed: list[bool] | None = None) -> None:
    guards.update(np.log(evidence), passed or [False] * len(evidence))
    guards.close_block()


def test_a_rollout_fails_on_the_mean_of_the_evidence() -> None:
    guards = Guards(TWO)
    look(guards, [39.0, 0.9])
    assert not guards.failed()
    look(guards, [39.0, 1.1])
    assert guards.failed()
    assert isinstance(guards.verdict(), Failed)


def test_weights_are_parts_of_the_mean() -> None:
    guards = Guards(GuardsConfiguration(("errors", "latency"), weights=(3.0, 1.0)))
    assert np.exp(guards.log_evidence_fail()) == pytest.approx(1.0)
    look(guards, [26.0, 1.0])
    assert np.exp(guards.log_evidence_fail()) == pytest.approx(19.75)
    assert not guards.failed()
    look(guards, [27.0, 1.0])
    assert guards.failed()


def test_culprits_are_named_by_their_share_when_it_failed() -> None:
    guards = Guards(GuardsConfiguration(("errors", "latency", "labels")))
    assert guards.culprits() == ()
    look(guards, [60.0, 20.0, 0.1])
    # What comes later names nobody else.
    look(guards, [1.0, 500.0, 1.0])
    (first, share), (second, rest) = guards.culprits()
    assert (first, second) == ("errors", "latency")
    assert share == pytest.approx(60 / 80.1)
    assert rest == pytest.approx(20 / 80.1)
    assert guards.shares().sum() == pytest.approx(1.0)


def test_passing_needs_each_required_guard() -> None:
    guards = Guards(GuardsConfiguration(("errors", "latency", "labels"), optional=("labels",)))
    look(guards, [1.0, 1.0, 1.0], [True, False, False])
    assert isinstance(guards.verdict(), Undecided)
    look(guards, [1.0, 1.0, 1.0], [False, True, False])
    assert isinstance(guards.verdict(), Passed)
    look(guards, [1.0, 1.0, 61.0])
    assert guards.passed()
    assert isinstance(guards.verdict(), Failed)


def test_a_rollout_that_requires_nothing_never_passes() -> None:
    guards = Guards(GuardsConfiguration(("errors",), optional=("errors",)))
    look(guards, [1.0], [True])
    assert not guards.passed()


def test_evidence_beyond_any_float_is_shared_all_the_same() -> None:
    guards = Guards(TWO)
    guards.update([5_000.0, 4_999.0], [False, False])
    guards.close_block()
    assert guards.shares() == pytest.approx([np.e / (1 + np.e), 1 / (1 + np.e)])


def test_stages_multiply() -> None:
    assert np.exp(log_product(np.log(4.0), np.log([5.0, 0.5]))) == pytest.approx([20.0, 2.0])


def test_equal_candidates_of_dependent_guards_are_rarely_failed() -> None:
    # Four guards, two of them on the very same requests, looked at after every block.
    rng = np.random.default_rng(61)
    each = TwoArms(TwoArmsConfiguration(margin=0.005), (RUNS, 4))
    guards = Guards(GuardsConfiguration(("a", "b", "c", "d")), (RUNS,))
    for _ in range(60):
        baseline, candidate = rng.binomial(950, 0.01, (RUNS, 4)), rng.binomial(50, 0.01, (RUNS, 4))
        baseline[:, 1], candidate[:, 1] = baseline[:, 0], candidate[:, 0]
        each.update(950, baseline, 50, candidate)
        each.close_block()
        guards.update(each.log_evidence_fail(), each.passed())
        guards.close_block()
    assert np.count_nonzero(guards.failed()) < TOO_MANY


def test_saved_guards_go_on_bit_for_bit() -> None:
    guards = Guards(TWO)
    look(guards, [39.0, 1.1], [True, False])
    guards.update([0.5, 0.1], [False, True])
    loaded = Guards.load(TWO, guards.save())
    for each in (guards, loaded):
        each.close_block()
    assert loaded.save() == guards.save()
    assert loaded.culprits() == guards.culprits()
    with pytest.raises(StateError):
        Guards.load(GuardsConfiguration(("errors", "labels")), guards.save())


def test_what_is_no_evidence_is_refused() -> None:
    guards = Guards(TWO)
    for evidence in ([np.nan, 0.0], [np.inf, 0.0]):
        with pytest.raises(ValueError, match="finite"):
            guards.update(evidence, [False, False])
    with pytest.raises(ValueError, match="shape"):
        guards.update([0.0], [False])
    with pytest.raises(ValueError, match="shape"):
        Guards(TWO, (3,)).verdict()


@pytest.mark.parametrize(
    "settings",
    [
        {"names": ()},
        {"names": ("a", "a")},
        {"names": ("a",), "optional": ("b",)},
        {"names": ("a", "b"), "weights": (1.0,)},
        {"names": ("a",), "weights": (0.0,)},
        {"names": ("a",), "error_rate_fail": 1.0},
    ],
)
def test_a_rollout_without_meaning_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"name|one of|weight|between"):
        GuardsConfiguration(**settings)  # type: ignore[arg-type]
