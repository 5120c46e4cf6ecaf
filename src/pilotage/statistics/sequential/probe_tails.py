"""Is the candidate slow more often? Slow probes of the same batches, compared pair by pair.

The promise: P(ever failed | the candidate's share of slow probes is larger than the baseline's by
at most `tolerated`) <= error_rate_fail, and P(ever passed | it is larger by `margin` or more) <=
error_rate_pass, however often one looks.

When: beside `probes`, which judges the median and is blind to a tail. A version is slow in a probe
if it took more than `SLOW` times the baseline's median for that batch size in earlier blocks: fixed
before the probes that it judges. A batch size with fewer than `SEEN` earlier probes judges nothing.

How: D = 1{candidate slow} - 1{baseline slow}, on which `paired` bets, with its assumptions. Medians
are kept as histograms of 10 % bins, for batch sizes in steps of at most a half.

Source: as `paired`.

    >>> tails = ProbeTails(PairedConfiguration(margin=0.01, unit="probe"))
    >>> tails.update(candidate_s=[0.01] * 5, baseline_s=[0.01] * 5, rows=[8] * 5)
    >>> tails.close_block()
    >>> tails.update(candidate_s=[0.05, 0.01], baseline_s=[0.01, 0.01], rows=[8, 8])
    >>> tails.close_block()
    >>> float(tails.estimate())
    0.5
"""

import math
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.latency_bins import LogBins
from pilotage.statistics.sequential.paired import Paired, PairedConfiguration
from pilotage.statistics.sequential.probes import times
from pilotage.statistics.verdict import Verdict

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "probe_tails/1"
SLOW = 3.0
"""Times the baseline's median for the batch size."""
SEEN = 5
"""Probes of a batch size before its median judges."""
SIZES = np.sort(np.concatenate([[1], 2 ** np.arange(1, 13), 3 * 2 ** np.arange(11)]))
"""The most rows of each class of batch sizes, 1 to 4,096; one more class holds what is larger."""
BINS = LogBins(1e-6, 1e3, 1.1)


class ProbeTails:
    """Passed, failed or undecided on the difference in slow probes, valid at every look.

    State: that of `Paired`, and 25 histograms of 219 bins, 22 kB a run.
    """

    def __init__(self, configuration: PairedConfiguration, shape: tuple[int, ...] = ()) -> None:
        self._configuration = configuration
        self._shape = shape
        classes = SIZES.size + 1
        self._paired = Paired(configuration, shape)
        self._histograms = np.zeros((*shape, classes, BINS.size), np.int32)
        self._medians = np.full((*shape, classes), np.nan)
        self._touched = np.zeros((*shape, classes), np.bool_)

    def update(self, candidate_s: ArrayLike, baseline_s: ArrayLike, rows: ArrayLike) -> None:
        """Add probes to the open block.

        Args:
            candidate_s, baseline_s: engine times of the same batch in seconds, (*shape, n), or
                (n,), the same for every run.
            rows: of the batches, 1 or more, of the same shape.

        Raises:
            ValueError: shapes that differ from this or each other, a time or rows that are none.
        """
        candidate, baseline = times(candidate_s, baseline_s, self._shape)
        sizes = np.asarray(rows)
        if sizes.shape not in (candidate.shape, candidate.shape[-1:]):
            raise ValueError(f"rows of shape {sizes.shape}, expected {candidate.shape}")
        if sizes.size and sizes.min() < 1:
            raise ValueError("a batch has at least one row")
        classes = np.broadcast_to(np.searchsorted(SIZES, sizes, side="left"), candidate.shape)
        limits = SLOW * np.take_along_axis(self._medians, classes, axis=-1)
        judged = ~np.isnan(limits)
        # A comparison with NaN is false, so what is not judged is slow for neither.
        slow, was_slow = candidate > limits, baseline > limits
        worse = (slow & ~was_slow).sum(axis=-1)
        better = (was_slow & ~slow).sum(axis=-1)
        self._paired.update_counts(worse, judged.sum(axis=-1) - worse - better, better)
        self._remember(baseline, classes)

    def _remember(self, baseline: Array, classes: Array) -> None:
        runs = math.prod(self._shape)
        owners = (np.arange(runs)[:, None] * (SIZES.size + 1) + classes.reshape(runs, -1)).ravel()
        histograms = self._histograms.reshape(-1)
        np.add.at(histograms, owners * BINS.size + BINS.places(baseline).ravel(), 1)
        self._touched.reshape(-1)[owners] = True

    def close_block(self) -> None:
        """The open block counts from now on, is looked at, and moves the medians."""
        self._paired.close_block()
        touched = self._histograms[self._touched]
        # The middle of the bin, by ratio.
        medians = BINS.upper_quantile(touched, 0.5) / math.sqrt(BINS.ratio)
        self._medians[self._touched] = np.where(touched.sum(axis=-1) >= SEEN, medians, np.nan)
        self._touched[...] = False

    def log_evidence_fail(self) -> Array:
        """float64, the shape: log of the e-value against "larger by at most `tolerated`", now."""
        return self._paired.log_evidence_fail()

    def log_evidence_pass(self) -> Array:
        """float64, the shape: log of the e-value against "larger by `margin` or more", now."""
        return self._paired.log_evidence_pass()

    def passed(self) -> Array:
        """bool, the shape: "slow more often by `margin` or more" was rejected at some look."""
        return self._paired.passed()

    def failed(self) -> Array:
        """bool, the shape: "slow more often by at most `tolerated`" was rejected at some look."""
        return self._paired.failed()

    def estimate(self) -> Array:
        """float64, the shape: difference of the shares of slow probes; NaN before any."""
        return self._paired.estimate()

    def bounds(self) -> tuple[Array, Array]:
        """float64, the shape: lower and upper end for that difference, at every look."""
        return self._paired.bounds()

    def verdict(self) -> Verdict:
        """The answer of a procedure of shape (); harm comes first.

        Raises:
            ValueError: of another shape.
        """
        return self._paired.verdict()

    def save(self) -> bytes:
        """The whole state, the open block included."""
        arrays = {
            "histograms": self._histograms,
            "medians": self._medians,
            "touched": self._touched,
            "paired": np.frombuffer(self._paired.save(), np.uint8),
        }
        return pack(FORMAT, self._configuration, arrays)

    @classmethod
    def load(cls, configuration: PairedConfiguration, data: bytes) -> Self:
        """The procedure as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        tails = cls(configuration, arrays["medians"].shape[:-1])
        tails._paired = Paired.load(configuration, arrays["paired"].tobytes())
        tails._histograms = arrays["histograms"]
        tails._medians = arrays["medians"]
        tails._touched = arrays["touched"]
        return tails
