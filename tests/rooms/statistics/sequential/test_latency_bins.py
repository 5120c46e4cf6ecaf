"""Log-spaced bins: where a duration falls, and what a quantile may be off by."""

import numpy as np
import pytest

from pilotage.statistics.sequential.latency_bins import LogBins

BINS = LogBins(1e-5, 1e3, 1.01)


def test_a_duration_on_an_edge_is_in_the_bin_below_it() -> None:
    edge = BINS.edges[700]
    assert BINS.places(np.array([edge, np.nextafter(edge, 1)])).tolist() == [700, 701]


def test_every_duration_has_a_bin() -> None:
    durations = np.array([0.0, 1e-5, 1.0, 1e3, 1e6])
    found = BINS.histograms(durations)
    assert found.shape == (BINS.size,)
    assert found.sum() == 5
    assert (found[0], found[-1]) == (2, 1)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_quantile_is_reported_at_most_a_bin_above_itself(share) -> None:
    durations = np.random.default_rng(1).lognormal(-2, 1, (4, 10_001))
    found = BINS.upper_quantile(BINS.histograms(durations), share)
    exact = np.quantile(durations, share, axis=-1, method="inverted_cdf")
    assert (found >= exact).all()
    assert (found <= exact * 1.01 * (1 + 1e-12)).all()


def test_an_empty_histogram_has_no_quantile() -> None:
    assert np.isnan(BINS.upper_quantile(BINS.histograms(np.empty((2, 0))), 0.5)).all()
