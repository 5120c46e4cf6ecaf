"""The band over all quantiles: the published numbers, its rivals, and what it promises."""

import math
from typing import Any, cast

import numpy as np
import pytest
from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

from pilotage.statistics.sequential.boundaries import quantile_radius, quantile_ranks, zeta
from vectors import cases


def test_it_meets_the_reference_cases() -> None:
    for case in cases("quantile_radius"):
        given = case["given"]
        found = quantile_radius(
            given["p"], given["t"], error_rate=given["alpha"], best_from=given["t_opt"]
        )
        assert found == pytest.approx(case["expect"], abs=case["tolerance"])


def cdf_band(observations: int, error_rate: float, from_: int, leading: float) -> float:
    """Howard & Ramdas (2022), theorem 2: one radius in probability for all quantiles."""

    def crossing(inner: float) -> float:
        def bound(stretch: float) -> float:
            growth = 2 / stretch * (leading - math.sqrt(2 * (stretch - 1) / inner)) ** 2
            if growth <= 1 or leading <= math.sqrt(2 * (stretch - 1) / inner):
                return math.inf
            tail = 1 + 1 / ((growth - 1) * math.log(stretch))
            return 4 * math.exp(-growth * inner) * tail

        stretches = 1 + np.geomspace(1e-4, 1, 400)
        best = min(stretches, key=bound)
        found: Any = optimize.minimize_scalar(  # pyright: ignore
            bound, bounds=(1 + (best - 1) / 1.05, 1 + (best - 1) * 1.05), options={"xatol": 1e-12}
        )
        return float(found.fun)

    def excess(inner: float) -> float:
        return math.log(crossing(inner) / error_rate)

    root = cast(float, optimize.brentq(excess, 5, 50, xtol=1e-12))  # pyright: ignore
    iterated = math.log(math.log(math.e * observations / from_))
    return leading * math.sqrt((iterated + root) / observations)


def test_the_flat_band_meets_its_reference_case_and_is_wider_at_a_p99() -> None:
    for case in cases("cdf_band_radius"):
        given = case["given"]
        flat = cdf_band(given["t"], given["alpha"], given["t_min"], given["A"])
        assert flat == pytest.approx(case["expect"], abs=case["tolerance"])
        ours = quantile_radius(0.99, given["t"], error_rate=given["alpha"]) / given["t"]
        assert ours < 0.5 * flat


def test_all_quantiles_stay_inside_at_every_look_as_often_as_stated() -> None:
    rng = np.random.default_rng(1)
    quantiles = (0.1, 0.5, 0.9, 0.99)
    missed = np.zeros(300, bool)
    below = np.zeros((300, len(quantiles)), np.int64)
    for look in range(1, 61):
        values = rng.random((300, 100, 1))
        below += (values < np.asarray(quantiles)).sum(axis=1)
        for place, quantile in enumerate(quantiles):
            first, last = quantile_ranks(quantile, 100 * look, error_rate=0.05)
            missed |= first is not None and below[:, place] < first
            missed |= last is not None and below[:, place] >= last
    # At 5 % of 300 runs, 37 or more come less than once in a million.
    assert missed.sum() < 37


def test_the_band_narrows_with_observations() -> None:
    radii = [quantile_radius(0.9, n, error_rate=0.05) / n for n in (100, 1_000, 10_000, 10**6)]
    assert radii == sorted(radii, reverse=True)


@pytest.mark.parametrize("observations", [1, 10])
def test_few_observations_bound_nothing(observations: int) -> None:
    assert quantile_ranks(0.99, observations, error_rate=0.05) == (None, None)


@pytest.mark.parametrize(
    ("quantile", "observations", "error_rate"),
    [(0.0, 10, 0.05), (1.0, 10, 0.05), (0.5, 0, 0.05), (0.5, 10, 0.0), (0.5, 10, 1.0)],
)
def test_what_has_no_band_is_refused(quantile: float, observations: int, error_rate: float) -> None:
    with pytest.raises(ValueError, match=r"quantile|observation"):
        quantile_radius(quantile, observations, error_rate=error_rate)


def test_zeta_is_known_where_it_has_a_closed_form() -> None:
    assert zeta(2.0) == pytest.approx(math.pi**2 / 6, abs=1e-13)
    assert zeta(4.0) == pytest.approx(math.pi**4 / 90, abs=1e-13)
