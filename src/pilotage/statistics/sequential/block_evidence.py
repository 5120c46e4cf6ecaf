"""How much one block of two arms speaks against a hypothesis about the difference of their rates.

Fix rates (a_B, a_C) outside the hypothesis *before* the block. With (o_B, o_C) the hypothesis' pair
hardest to tell from them (`projections`), the block's factor is the likelihood ratio

    log S = sum over arms of k log(a/o) + (n - k) log((1-a)/(1-o)).

E S <= 1 under the whole hypothesis. Proof: E S is a product of functions f_i(p_i), each linear and
1 at o; the sum of their logarithms is concave, and its gradient at o is minus that of the
divergence, which by minimality does not point into the hypothesis. The same proof lets rates drift
inside a block, shares of traffic change, and outcomes be any values in [0, 1]: only the
block's mean rates must satisfy the hypothesis, and outcomes be independent given the block.

Source: Turner, Ly & Grünwald, "Generic E-variables for exact sequential k-sample tests" (2024),
Journal of Statistical Planning and Inference, arXiv 2106.02693.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pilotage.statistics.sequential.projections import onto_difference, onto_ratio

Array = np.ndarray[Any, np.dtype[Any]]
Kind = Literal["absolute", "relative"]
SMALLEST_RATE = 1e-6
"""An alternative's rate is never nearer to 0 or 1, so that no single outcome ruins a bet."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """What separates a hypothesis from its opposite: a line in the square of the two rates.

    `absolute`: candidate - baseline = value; `relative`: candidate = (1 + value) * baseline.
    `side` is +1 for the hypothesis "at most", which harm contradicts, and -1 for "at least", which
    safety contradicts. Many values are as many hypotheses.
    """

    value: float | Array
    side: Literal[1, -1]
    kind: Kind = "absolute"

    def excess(self, baseline_rate: Array, candidate_rate: Array) -> Array:
        """float64: how far a pair of rates lies outside the hypothesis; 0 or less is inside."""
        if self.kind == "absolute":
            return self.side * (candidate_rate - baseline_rate - self.value)
        return self.side * (candidate_rate - (1.0 + self.value) * baseline_rate)


def alternatives(baseline_rate: Array, effects: Array, kind: Kind) -> tuple[Array, Array]:
    """float64: the pairs of rates to bet on, from the baseline's expected rate and the effects.

    `effects` are added to the rate, or, if relative, are parts of it (0.2: a fifth more).
    """
    baseline = np.clip(baseline_rate, SMALLEST_RATE, 1.0 - SMALLEST_RATE)
    candidate = baseline + effects * (1.0 if kind == "absolute" else baseline)
    return baseline, np.clip(candidate, SMALLEST_RATE, 1.0 - SMALLEST_RATE)


def log_block_evidence(
    counts: tuple[Array, Array, Array, Array],
    baseline_rate: Array,
    candidate_rate: Array,
    edge: Edge,
) -> Array:
    """float64: log S of a block; 0 if an arm is empty or the alternative is in the hypothesis.

    Args:
        counts: baseline's trials and harm, candidate's trials and harm; harm may be a sum of values
            in [0, 1].
        baseline_rate, candidate_rate: the alternative, each in (0, 1), fixed before the block.
        edge: of the hypothesis.

    All broadcast. The cost does not depend on the counts.
    """
    trials_b, harm_b, trials_c, harm_c = counts
    speaks = (trials_b > 0) & (trials_c > 0) & (edge.excess(baseline_rate, candidate_rate) > 0.0)
    pair = (np.maximum(trials_b, 1.0), np.maximum(trials_c, 1.0))
    if edge.kind == "absolute":
        null_b, null_c = onto_difference(baseline_rate, candidate_rate, *pair, edge.value)
    else:
        null_b, null_c = onto_ratio(baseline_rate, candidate_rate, *pair, 1.0 + edge.value)
    of_baseline = log_likelihood_ratio(trials_b, harm_b, baseline_rate, null_b)
    of_candidate = log_likelihood_ratio(trials_c, harm_c, candidate_rate, null_c)
    return np.where(speaks, of_baseline + of_candidate, 0.0)


def log_likelihood_ratio(trials: Array, harm: Array, rate: Array, null: Array) -> Array:
    """float64: log of how much likelier one arm's outcomes are at `rate` than at `null`."""
    change = rate - null
    return harm * np.log1p(change / null) + (trials - harm) * np.log1p(-change / (1.0 - null))
