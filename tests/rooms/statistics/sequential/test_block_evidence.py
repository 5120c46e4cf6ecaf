"""A block's factor against a hypothesis: its reference values, and that it cannot grow for free."""

import numpy as np
import pytest
from scipy.special import gammaln

from pilotage.statistics.sequential.block_evidence import (
    Edge,
    alternatives,
    log_block_evidence,
)
from vectors import cases

EFFECTS = np.array([-0.4, -0.1, -0.02, 0.02, 0.05, 0.1, 0.3, 0.6])
GRID = np.array([0.0, 1e-4, 0.003, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.99, 1.0])


@pytest.mark.parametrize("case", cases("block_log_e"), ids=lambda case: case["id"])
def test_the_reference_blocks_are_met(case) -> None:
    given = case["given"]
    counts = tuple(np.array(float(given[n])) for n in ("n_live", "k_live", "n_cand", "k_cand"))
    edge = Edge(given["d"], given["side"])
    found = log_block_evidence(counts, np.array(given["t_live"]), np.array(given["t_cand"]), edge)
    assert found == pytest.approx(case["expect"], abs=case["tolerance"])


def probabilities(trials, rates):
    """float (rates, trials + 1): the binomial distribution."""
    k = np.arange(trials + 1.0)
    log_ways = gammaln(trials + 1) - gammaln(k + 1) - gammaln(trials - k + 1)
    rates = rates[:, None]
    return np.exp(log_ways) * rates**k * (1 - rates) ** (trials - k)


def largest_expectation(trials_b, trials_c, baseline_rate, edge, effects):
    """The most that E S is, over all outcomes of a block, on a grid of the hypothesis and its edge.

    The second is whether a bet can win, where the alternatives allow one: else 1 says nothing.
    """
    k_b, k_c = np.arange(trials_b + 1.0)[:, None, None], np.arange(trials_c + 1.0)[:, None]
    rate_b, rate_c = alternatives(np.array(baseline_rate), effects, edge.kind)
    counts = (np.array(float(trials_b)), k_b, np.array(float(trials_c)), k_c)
    factor = np.exp(log_block_evidence(counts, rate_b, rate_c, edge))
    p_b, p_c = (each.ravel() for each in np.meshgrid(GRID, GRID, indexing="ij"))
    on_edge = GRID + edge.value if edge.kind == "absolute" else GRID * (1 + edge.value)
    possible = (on_edge >= 0) & (on_edge <= 1)
    p_b, p_c = np.r_[p_b, GRID[possible]], np.r_[p_c, on_edge[possible]]
    inside = edge.excess(p_b, p_c) <= 1e-15
    joint = np.einsum(
        "gi,gj->gij", probabilities(trials_b, p_b[inside]), probabilities(trials_c, p_c[inside])
    )
    can_win = bool((factor > 1).any()) or not (edge.excess(rate_b, rate_c) > 0).any()
    return np.einsum("gij,ijs->gs", joint, factor).max(), can_win


@pytest.mark.parametrize("baseline_rate", [0.003, 0.1, 0.6])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("d", [-0.3, -0.05, -0.005, 0.0, 0.005, 0.05, 0.3])
def test_no_bet_on_a_difference_grows_on_average_under_its_hypothesis(
    d, side, baseline_rate
) -> None:
    won: list[bool] = []
    for trials in [(1, 1), (9, 2), (3, 12), (20, 20)]:
        expected, can_win = largest_expectation(*trials, baseline_rate, Edge(d, side), d + EFFECTS)
        assert expected <= 1 + 1e-9
        won.append(can_win)
    assert any(won)


@pytest.mark.parametrize("baseline_rate", [0.003, 0.1, 0.6])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("excess", [-0.5, -0.1, 0.0, 0.1, 1.0])
def test_no_bet_on_a_ratio_grows_on_average_under_its_hypothesis(
    excess, side, baseline_rate
) -> None:
    won: list[bool] = []
    for trials in [(1, 1), (9, 2), (3, 12), (20, 20)]:
        expected, can_win = largest_expectation(
            *trials, baseline_rate, Edge(excess, side, "relative"), excess + EFFECTS
        )
        assert expected <= 1 + 1e-9
        won.append(can_win)
    assert any(won)


def test_rates_that_differ_inside_a_block_give_no_bet_an_advantage() -> None:
    # Two outcomes an arm with rates far apart, their means on the edge: all 16 outcomes summed.
    edge, k = Edge(0.0, 1), np.array([0.0, 1.0])
    rate_b, rate_c = alternatives(np.array(0.1), np.array([0.05, 0.4]), "absolute")
    b1, b2, c1, c2 = np.meshgrid(k, k, k, k, indexing="ij")
    counts = (np.array(2.0), (b1 + b2)[..., None], np.array(2.0), (c1 + c2)[..., None])
    factor = np.exp(log_block_evidence(counts, rate_b, rate_c, edge))
    for rates in [(0.0, 0.4, 0.2, 0.2), (0.3, 0.1, 0.4, 0.0), (0.9, 0.1, 0.5, 0.5)]:
        chances = [np.array([1 - p, p]) for p in rates]
        expected = np.einsum("abcds,a,b,c,d->s", factor, *chances)
        assert np.all(expected <= 1 + 1e-12)


def test_an_empty_arm_is_no_evidence() -> None:
    edge, zero, ten = Edge(0.0, 1), np.array(0.0), np.array(10.0)
    for counts in [(zero, zero, ten, ten), (ten, zero, zero, zero), (zero, zero, zero, zero)]:
        assert log_block_evidence(counts, np.array(0.01), np.array(0.5), edge) == 0.0


def test_an_alternative_inside_the_hypothesis_is_no_evidence() -> None:
    counts = tuple(np.array(n) for n in (100.0, 1.0, 100.0, 90.0))
    assert log_block_evidence(counts, np.array(0.3), np.array(0.2), Edge(0.0, 1)) == 0.0
    assert log_block_evidence(counts, np.array(0.1), np.array(0.2), Edge(0.1, 1)) == 0.0
