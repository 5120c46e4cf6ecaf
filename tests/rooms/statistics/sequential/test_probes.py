"""Paired timing probes on the median ratio: exact, and as fast as the specification measured."""

from itertools import product

import numpy as np
import pytest

from pilotage.statistics.sequential.probes import LONGEST_S, Probes, ProbesConfiguration
from pilotage.statistics.verdict import Passed


def test_no_bet_on_the_median_grows_on_average_at_its_edge() -> None:
    ratios = np.array(list(product([0.5, 2.0], repeat=8)))
    probes = Probes(ProbesConfiguration(margin=0.2), (len(ratios),))
    probes.update(ratios, np.ones(8))
    probes.close_block()
    for logs in (probes.log_evidence_fail(), probes.log_evidence_pass()):
        assert np.exp(logs).mean() == pytest.approx(1.0, abs=1e-12)


def probes_until(ratio: float, probes: int = 300, runs: int = 1_000) -> tuple[np.ndarray, ...]:
    """Probes until each run passed and failed, looked at after each; slow periods, 1 % spikes."""
    rng = np.random.default_rng(1)
    procedure = Probes(ProbesConfiguration(margin=0.2), (runs,))
    passed, failed = np.full(runs, np.inf), np.full(runs, np.inf)
    for probe in range(1, probes + 1):
        noise = rng.lognormal(0, 0.05, (2, runs, 1)) * np.where(
            rng.random((2, runs, 1)) < 0.01, 3.0, 1.0
        )
        batch = rng.choice([0.004, 0.01, 0.02], (runs, 1))
        procedure.update(ratio * batch * noise[0], batch * noise[1])
        procedure.close_block()
        passed[procedure.passed() & np.isinf(passed)] = probe
        failed[procedure.failed() & np.isinf(failed)] = probe
    return passed, failed


def test_an_equal_candidate_never_fails_and_passes_after_8_probes() -> None:
    passed, failed = probes_until(1.0)
    assert np.median(passed) == 8
    assert np.isfinite(passed).all()
    assert np.isinf(failed).all()


@pytest.mark.parametrize(("ratio", "median", "late"), [(1.1, 40, 100), (1.2, 8, 15), (1.3, 8, 12)])
def test_a_slower_candidate_fails_within_what_was_measured(ratio, median, late) -> None:
    _, failed = probes_until(ratio)
    assert np.median(failed) <= median
    assert np.quantile(failed, 0.95) <= late


def test_times_that_a_coarse_clock_rounds_to_the_edge_say_nothing_false() -> None:
    # Most ratios are exactly at 1 + margin, the others above it: their median is at the margin.
    rng = np.random.default_rng(2)
    probes = Probes(ProbesConfiguration(margin=0.5), (2_000,))
    for _ in range(50):
        probes.update(np.where(rng.random((2_000, 4)) < 0.7, 1.5, 4.0), np.ones(4))
        probes.close_block()
    assert probes.passed().sum() < 150


def test_the_verdict_says_how_many_were_too_slow() -> None:
    probes = Probes(ProbesConfiguration())
    probes.update([0.01] * 36 + [0.03] * 4, [0.01] * 40)
    probes.close_block()
    verdict = probes.verdict()
    assert isinstance(verdict, Passed)
    assert verdict.evidence.estimate == 0.1
    assert verdict.evidence.observations == 40


def test_the_tolerance_is_a_quarter_of_the_margin_unless_given() -> None:
    assert ProbesConfiguration(margin=0.2).harm_tolerated() == 0.05
    assert ProbesConfiguration(margin=0.2, tolerated=0.0).harm_tolerated() == 0.0
    for margin, tolerated in ((-0.1, 0.0), (0.1, 0.2)):
        with pytest.raises(ValueError, match="needed"):
            ProbesConfiguration(margin, tolerated)


@pytest.mark.parametrize(
    ("candidate", "baseline"),
    [([0.0], [1.0]), ([np.nan], [1.0]), ([1.0], [2 * LONGEST_S]), ([1.0, 1.0], [1.0])],
)
def test_what_is_no_pair_of_times_is_refused(candidate, baseline) -> None:
    with pytest.raises(ValueError, match=r"observations|pairs"):
        Probes(ProbesConfiguration()).update(candidate, baseline)
