"""Many guards, one rollout: their evidence averaged to fail it, their passes required to pass it.

The promise: P(the rollout ever fails | every guard's harm is tolerated) <= `error_rate_fail` over
all guards together, and P(it ever passes | a required guard's harm is at least its margin) is at
most that guard's `error_rate_pass`, however often one looks.

How. The weighted mean of e-values is an e-value whatever their dependence, so the rollout fails
when the sum of w_j E_j reaches 1/error_rate; with equal weights that is never later than
Bonferroni. A single guard shows its evidence and interval, but only the rollout fails; culprits are
named by their part of the sum. Passing needs each required guard and no correction
(intersection-union test).

Across stages (shadow, 1 %, 5 %, 25 %) evidence multiplies: a guard that goes on carries its own
state, and `log_product` joins guards of different kinds. Assumes that each guard's evidence is
valid given all that the others saw.

Source: Vovk & Wang, "E-values: calibration, combination and applications" (2021), Annals of
Statistics 49; Berger (1982), Technometrics 24, for passing.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.wealth import log_mixture, log_threshold
from pilotage.statistics.verdict import Evidence, Verdict, decide

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "guards/1"
METHOD = "mean of the guards' e-values"
LEAST_SHARE = 0.01
"""Of the evidence, for a guard to be named a culprit."""
STATE = ("evidence", "each_passed", "failed", "passed", "shares", "looks")
"""What is saved, in this order."""


@dataclass(frozen=True, slots=True)
class GuardsConfiguration:
    """The guards of one rollout.

    Attributes:
        names: one for each guard, in the order of their evidence.
        optional: names of guards that need not pass; they can fail the rollout all the same.
        weights: relative parts in the mean, fixed before the rollout; equal if empty.
        error_rate_fail: P(ever failed | every guard's harm is tolerated), at most.
    """

    names: tuple[str, ...]
    optional: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    error_rate_fail: float = 0.05

    def __post_init__(self) -> None:
        log_threshold(self.error_rate_fail)
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError("a rollout needs guards, each with a name of its own")
        if not set(self.optional) <= set(self.names):
            raise ValueError("an optional guard is one of the guards")
        if self.weights and (len(self.weights) != len(self.names) or min(self.weights) <= 0.0):
            raise ValueError("each guard needs a weight above 0")

    def parts(self) -> Array:
        """float64 (guards,): the weights, adding up to 1."""
        weights = np.asarray(self.weights or np.ones(len(self.names)), np.float64)
        return weights / weights.sum()


class Guards:
    """Failed, passed or undecided for a rollout of several guards.

    `update` gives what the guards say now, `close_block` looks at it.
    """

    def __init__(self, configuration: GuardsConfiguration, shape: tuple[int, ...] = ()) -> None:
        self._configuration = configuration
        self._shape = shape
        self._parts = configuration.parts()
        self._required = np.array([n not in configuration.optional for n in configuration.names])
        guards = len(configuration.names)
        self._evidence = np.zeros((*shape, guards))
        self._each_passed = np.zeros((*shape, guards), np.bool_)
        self._failed = np.zeros(shape, np.bool_)
        self._passed = np.zeros(shape, np.bool_)
        self._shares = np.zeros((*shape, guards))
        self._looks = np.zeros((), np.int64)

    def update(self, log_evidence_fail: ArrayLike, passed: ArrayLike) -> None:
        """What each guard says now, in the configuration's order.

        Args:
            log_evidence_fail: (*shape, guards): logs of the e-values, 0 for a guard without data.
            passed: bool (*shape, guards): whether each has passed at some look.

        Raises:
            ValueError: another shape, or evidence that is not finite.
        """
        evidence, each = np.asarray(log_evidence_fail, np.float64), np.asarray(passed, np.bool_)
        for given in (evidence, each):
            if given.shape != self._evidence.shape:
                raise ValueError(f"of shape {given.shape}, expected {self._evidence.shape}")
        if not np.isfinite(evidence).all():
            raise ValueError("the logarithm of evidence is a finite number")
        self._evidence = evidence.copy()
        self._each_passed |= each

    def close_block(self) -> None:
        """Look at what the guards said last. Harm found late overrides a pass."""
        total = self.log_evidence_fail()
        fails = total >= log_threshold(self._configuration.error_rate_fail)
        new = fails & ~self._failed
        self._shares = np.where(new[..., None], self._shares_now(), self._shares)
        self._failed |= fails
        if self._required.any():
            self._passed |= self._each_passed[..., self._required].all(axis=-1)
        self._looks += 1

    def log_evidence_fail(self) -> Array:
        """float64, the shape: log of the e-value against "every guard's harm is tolerated"."""
        return log_mixture(self._evidence, self._parts)

    def failed(self) -> Array:
        """bool, the shape: the guards' mean evidence was enough at some look so far."""
        return self._failed.copy()

    def passed(self) -> Array:
        """bool, the shape: every required guard had passed at some look so far.

        Where `failed` too, the verdict is failed. With no required guard, never: nothing is shown.
        """
        return self._passed.copy()

    def shares(self) -> Array:
        """float64 (*shape, guards): each one's part of the evidence at the look that failed.

        Before that, its part now.
        """
        return np.where(self._failed[..., None], self._shares, self._shares_now())

    def culprits(self) -> tuple[tuple[str, float], ...]:
        """The guards behind a failure with their parts, largest first; of shape ().

        Raises:
            ValueError: of another shape.
        """
        self._single()
        if not self._failed:
            return ()
        named = zip(self._configuration.names, self._shares.tolist(), strict=True)
        return tuple(sorted((p for p in named if p[1] >= LEAST_SHARE), key=lambda pair: -pair[1]))

    def verdict(self) -> Verdict:
        """The answer for a rollout of shape (); harm comes first.

        Raises:
            ValueError: of another shape.
        """
        self._single()
        names = self._configuration.names
        evidence = Evidence(
            estimate=None,
            interval=None,
            observations=int(self._looks),
            unit="look",
            rule=f"{len(names)} guards: each required one to pass, their mean evidence to fail",
            method=METHOD,
            error_rate=self._configuration.error_rate_fail,
            assumptions=("each guard's evidence is valid given what the others saw",),
        )
        return decide(bool(self._passed), bool(self._failed), evidence)

    def save(self) -> bytes:
        """The whole state, the open look included."""
        arrays = {name: getattr(self, f"_{name}") for name in STATE}
        return pack(FORMAT, self._configuration, arrays)

    @classmethod
    def load(cls, configuration: GuardsConfiguration, data: bytes) -> Self:
        """The guards as they were saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        loaded = cls(configuration, arrays["failed"].shape)
        for name in STATE:
            setattr(loaded, f"_{name}", arrays[name])
        return loaded

    def _shares_now(self) -> Array:
        return np.exp(self._evidence + np.log(self._parts) - self.log_evidence_fail()[..., None])

    def _single(self) -> None:
        if self._shape:
            raise ValueError(f"one answer for guards of shape {self._shape}; ask their arrays")


def log_product(*log_evidence: ArrayLike) -> Array:
    """float64: the evidence of stages that followed each other, as one e-value's logarithm.

    Valid where each stage's evidence is an e-value given all that came before.
    """
    return np.asarray(sum(np.asarray(each, np.float64) for each in log_evidence))
