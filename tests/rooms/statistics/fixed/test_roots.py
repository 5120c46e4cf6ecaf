"""The roots that turn a test into an interval."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.statistics.fixed.roots import falling_roots


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    # Multiples of a millionth: the ninth power of less underflows, and is a root itself.
    st.lists(st.integers(0, 10**6).map(lambda n: n / 10**6), min_size=1, max_size=5),
    st.sampled_from([0.2, 1, 3, 9]),
)
def test_each_root_lies_between_two_near_points(roots: list[float], power: float) -> None:
    sought = np.array(roots)

    def function(x: np.ndarray) -> np.ndarray:
        return np.sign(sought - x) * np.abs(sought - x) ** power

    below, above = falling_roots(
        function, np.zeros_like(sought), np.ones_like(sought), resolution=1e-9
    )
    assert (below <= sought).all()
    assert (above >= sought).all()
    assert (above - below <= 1e-9).all()


def test_a_score_of_evaluations_find_twelve_digits() -> None:
    calls = 0

    def function(x: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        return 0.3 - x - x**3

    falling_roots(function, np.zeros(1), np.ones(1), resolution=1e-12)
    assert calls <= 20


def test_without_a_root_the_bracket_closes_in_on_the_end_where_it_would_lie() -> None:
    below, above = falling_roots(lambda x: x * 0 - 1.0, np.zeros(1), np.ones(1), 1e-9)
    assert below == 0.0
    assert above <= 1e-9
    below, above = falling_roots(lambda x: x * 0 + 1.0, np.zeros(1), np.ones(1), 1e-9)
    assert above == 1.0
    assert below >= 1 - 1e-9
