"""Is the candidate slower than the baseline? The same batch through both, back to back.

The promise: P(ever failed | the median of T_candidate / T_baseline is at most 1 + tolerated) <=
error_rate_fail, and P(ever passed | it is 1 + margin or more) <= error_rate_pass, however often one
looks. It says nothing about tails: see `probe_tails`.

When: arms share an engine or a machine. Then what happens to serve them cannot be compared: the
smaller arm reaches a given batch size only while things are slow, so that even identical versions
differ. A probe is a sampled baseline batch, run through both versions with the same inputs, the
order by a coin; T are the engine's times.

How: bet on D = 1{T_candidate > (1 + tolerated) T_baseline}, whose mean is at most 1/2 if the
candidate is not too slow, with factors 1 + stake * (D - 1/2); for a pass on
D = 1{T_candidate < (1 + margin) T_baseline} in the same way. Equal times count against neither
statement, so the promise holds for clocks of any coarseness.

Assumes that probes are independent given the past, each with the same median or, within a block,
with that of the average chance.

Source: the sign test as a betting game, Shafer, JRSS A 2021 (arXiv 1903.06991).

Measured (5 % noise, 1 % spikes of 3 times, slow periods, a look after each probe): an equal
candidate never failed and passed after 8 probes at the median; 1.1 times as slow failed after 33,
1.2 and 1.3 times after 8.

    >>> probes = Probes(ProbesConfiguration(margin=0.2))
    >>> probes.update(candidate_s=[0.0101] * 8, baseline_s=[0.0100] * 8)
    >>> probes.close_block()
    >>> bool(probes.passed()), bool(probes.failed())
    (True, False)
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.answers import Answers
from pilotage.statistics.sequential.block_sums import bounded
from pilotage.statistics.sequential.wealth import log_mixture, log_threshold
from pilotage.statistics.verdict import Evidence, Verdict

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "probes/1"
METHOD = "paired timing probes"
UNIT = "probe"
STAKES = np.array([0.1, 0.2, 0.4, 0.8, 1.6])
LONGEST_S = 1e6
"""Durations are above 0 and at most this, in seconds."""
STATE = ("counts", "open")
"""What is saved besides the answers, in this order."""


@dataclass(frozen=True, slots=True)
class ProbesConfiguration:
    """What is asked of the median ratio of times, less 1, and how often a wrong answer is allowed.

    `margin` (delta): so much slower must not pass; `tolerated` (tau): so much slower must not fail,
    a quarter of the margin unless given.
    """

    margin: float = 0.2
    tolerated: float | None = None
    error_rate_pass: float = 0.05
    error_rate_fail: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 <= self.harm_tolerated() <= self.margin:
            raise ValueError("0 <= tolerated <= margin is needed")
        log_threshold(self.error_rate_pass)
        log_threshold(self.error_rate_fail)

    def harm_tolerated(self) -> float:
        """`tolerated`, given or derived."""
        return self.margin / 4.0 if self.tolerated is None else self.tolerated


class Probes:
    """Passed, failed or undecided on the median ratio of two versions' times, at every look.

    State: three counts and those of the open block, 50 bytes a run.
    """

    def __init__(self, configuration: ProbesConfiguration, shape: tuple[int, ...] = ()) -> None:
        self._configuration = configuration
        self._shape = shape
        self._counts = np.zeros((*shape, 3), np.int64)  # probes, too slow, fast enough
        self._open = np.zeros((*shape, 3), np.int64)
        self._answers = Answers(configuration, shape)

    def update(self, candidate_s: ArrayLike, baseline_s: ArrayLike) -> None:
        """Add probes to the open block.

        Args:
            candidate_s, baseline_s: engine times of the same batch in seconds, (*shape, n), or
                (n,), the same for every run.

        Raises:
            ValueError: shapes that differ from this or each other, or a time that is none.
        """
        candidate, baseline = times(candidate_s, baseline_s, self._shape)
        configuration = self._configuration
        too_slow = candidate > (1.0 + configuration.harm_tolerated()) * baseline
        fast_enough = candidate < (1.0 + configuration.margin) * baseline
        self._open[..., 0] += candidate.shape[-1]
        self._open[..., 1] += too_slow.sum(axis=-1)
        self._open[..., 2] += fast_enough.sum(axis=-1)

    def close_block(self) -> None:
        """The open block counts from now on, and is looked at."""
        self._counts += self._open
        self._open[...] = 0
        self._answers.look(self.log_evidence_fail(), self.log_evidence_pass())

    def log_evidence_fail(self) -> Array:
        """float64, the shape: log of the e-value against "slower by at most `tolerated`", now."""
        return log_evidence_of_hits(self._counts[..., 1], self._counts[..., 0])

    def log_evidence_pass(self) -> Array:
        """float64, the shape: log of the e-value against "slower by `margin` or more", now."""
        return log_evidence_of_hits(self._counts[..., 2], self._counts[..., 0])

    def passed(self) -> Array:
        """bool, the shape: "slower by `margin` or more" was rejected at some look so far."""
        return self._answers.passed()

    def failed(self) -> Array:
        """bool, the shape: "slower by at most `tolerated`" was rejected at some look so far."""
        return self._answers.failed()

    def verdict(self) -> Verdict:
        """The answer of a procedure of shape (); harm comes first.

        The estimate is the share of probes that were slower than tolerated; 1/2 is the limit.

        Raises:
            ValueError: of another shape.
        """
        self._answers.single()
        configuration = self._configuration
        probes, too_slow = int(self._counts[0]), int(self._counts[1])
        evidence = Evidence(
            estimate=too_slow / probes if probes else None,
            interval=None,
            observations=probes,
            unit=UNIT,
            rule=(
                f"median ratio of times below {1.0 + configuration.margin:g} to pass, "
                f"above {1.0 + configuration.harm_tolerated():g} to fail"
            ),
            method=METHOD,
            error_rate=self._answers.error_rate,
            assumptions=(
                "both versions ran the same batch, the order by a coin",
                "probes are independent of each other",
            ),
        )
        return self._answers.verdict(evidence)

    def save(self) -> bytes:
        """The whole state, the open block included."""
        arrays = {name: getattr(self, f"_{name}") for name in STATE}
        return pack(FORMAT, self._configuration, arrays | self._answers.arrays("passed"))

    @classmethod
    def load(cls, configuration: ProbesConfiguration, data: bytes) -> Self:
        """The procedure as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        probes = cls(configuration, arrays["failed"].shape)
        for name in STATE:
            setattr(probes, f"_{name}", arrays[name])
        probes._answers.restore(arrays)
        return probes


def times(
    candidate_s: ArrayLike, baseline_s: ArrayLike, shape: tuple[int, ...]
) -> tuple[Array, Array]:
    """float64 (*shape, n) twice: the times of the same probes.

    Raises:
        ValueError: shapes that differ from this or each other, or a time that is none.
    """
    smallest = float(np.nextafter(0.0, 1.0))
    candidate = bounded(candidate_s, shape, smallest, LONGEST_S)
    baseline = bounded(baseline_s, shape, smallest, LONGEST_S)
    if candidate.shape != baseline.shape:
        raise ValueError(f"{candidate.shape} and {baseline.shape} times, expected pairs")
    return candidate, baseline


def log_evidence_of_hits(hits: Array, probes: Array) -> Array:
    """The mixture's e-value against "the chance of a hit is at most 1/2", as a logarithm."""
    missed = probes - hits
    logs = hits[..., None] * np.log1p(STAKES / 2) + missed[..., None] * np.log1p(-STAKES / 2)
    return log_mixture(logs)
