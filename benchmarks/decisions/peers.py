"""How other tools decide a canary, on the same counts: their documented rules and settings.

Each `Peer` sees every look and may roll back; all arrays are (runs,). The rules were read in their
documentation and sources; what is left out is said at each. Names of settings are theirs.
"""

from typing import Protocol

import numpy as np

from benchmarks.decisions.streams import LOOK_S, Array, Counts

MINUTE = 60 // LOOK_S
HOUR = 3600 // LOOK_S


class Peer(Protocol):
    name: str

    def start(self, runs: int) -> None: ...

    def see(self, look: int, counts: Counts) -> Array:
        """bool (runs,): this look rolls back."""
        ...


class Threshold:
    """Argo Rollouts and Flagger: the success rate of the last interval against a limit.

    Argo's analysis fails when failures exceed `failureLimit` (default 0); Flagger rolls back when
    failed checks reach `threshold` (default 1), and never forgives one. An interval without a
    request counts as no failure, as in both. With `promote_after`, so many checks that did not fail
    promote the candidate, and end the watch.
    """

    def __init__(
        self, name: str, *, every: int, success: float, failures: int, promote_after: int = 0
    ) -> None:
        self.name, self.every, self.success, self.failures = name, every, success, failures
        self.promote_after = promote_after

    def start(self, runs: int) -> None:
        self.requests, self.errors = np.zeros(runs), np.zeros(runs)
        self.failed = np.zeros(runs, dtype=np.int64)
        self.succeeded = np.zeros(runs, dtype=np.int64)

    def see(self, look: int, counts: Counts) -> Array:
        self.requests += counts.candidate
        self.errors += counts.candidate_errors
        if (look + 1) % self.every:
            return np.zeros(len(self.failed), dtype=bool)
        some = self.requests > 0
        rate = np.divide(self.errors, self.requests, out=np.zeros_like(self.errors), where=some)
        fails = some & (1 - rate < self.success)
        judged = np.ones_like(fails)
        if self.promote_after:
            judged = self.succeeded < self.promote_after
        self.failed += fails & judged
        self.succeeded += ~fails & judged
        self.requests[:], self.errors[:] = 0, 0
        return self.failed >= self.failures


class RepeatedTest:
    """A two-proportion z-test of all data so far at p < 0.05, asked again and again."""

    def __init__(self, name: str, *, every: int) -> None:
        self.name, self.every = name, every

    def start(self, runs: int) -> None:
        self.totals = np.zeros((4, runs))

    def see(self, look: int, counts: Counts) -> Array:
        _add(self.totals, counts)
        if (look + 1) % self.every:
            return np.zeros(self.totals.shape[1], dtype=bool)
        difference, variance = _difference(self.totals)
        return difference > 1.959964 * np.sqrt(variance)


class Msprt:
    """The mixture sequential test of Johari et al., two-sided 5 %, normal mixture of 0.5 points.

    The variance is that of the two estimated rates. With `pooled` it is the z-test's, from one rate
    for both arms: not the published form, and shown since arms of 5 and 95 % make it quite another
    test, which is faster where the small arm is the worse one.

    Johari, Koomen, Pekelis & Walsh (2022), Operations Research 70.
    """

    name: str = "mSPRT each 10 s"
    tau = 0.005

    def __init__(self, *, pooled: bool = False) -> None:
        self.pooled = pooled
        if pooled:
            self.name = "mSPRT each 10 s, pooled variance"

    def start(self, runs: int) -> None:
        self.totals = np.zeros((4, runs))

    def see(self, look: int, counts: Counts) -> Array:  # noqa: ARG002
        _add(self.totals, counts)
        n, k, m, j = self.totals
        difference, variance = _difference(self.totals)
        with np.errstate(divide="ignore", invalid="ignore"):
            if not self.pooled:
                variance = k / n * (1 - k / n) / n + j / m * (1 - j / m) / m
            spread = variance + self.tau**2
            log = 0.5 * np.log(variance / spread)
            log += self.tau**2 * difference**2 / (2 * variance * spread)
        # Nothing is known while an arm is empty or neither had an error.
        return (np.nan_to_num(log, nan=-np.inf) >= np.log(20)) & (difference > 0) & (variance > 0)


class Kayenta:
    """Kayenta's NetflixACAJudge, hourly: a Mann-Whitney interval at 98 % on 60 minutes' rates.

    The canary is compared with a second baseline of its own size. It fails when the interval of the
    Hodges-Lehmann shift lies beyond a quarter of the shift. Its removal of outliers is left out.
    """

    name: str = "Kayenta, hourly"
    points = 60

    def start(self, runs: int) -> None:
        self.rates = np.zeros((2, runs, self.points))
        self.sums = np.zeros((3, runs))

    def see(self, look: int, counts: Counts) -> Array:
        self.sums += np.stack([counts.candidate, counts.candidate_errors, counts.twin_errors])
        runs = self.sums.shape[1]
        if (look + 1) % MINUTE == 0:
            minute = (look // MINUTE) % self.points
            requests = np.maximum(self.sums[0], 1)
            self.rates[:, :, minute] = self.sums[1:] / requests
            self.sums[:] = 0
        if (look + 1) % HOUR:
            return np.zeros(runs, dtype=bool)
        return np.array([hodges_lehmann_fails(*self.rates[:, run]) for run in range(runs)])


def hodges_lehmann_fails(canary: Array, baseline: Array) -> bool:
    """Kayenta's rule on equally many points: a 98 % interval beyond a quarter of the shift."""
    points = len(canary)
    shifts: Array = np.sort((canary[:, None] - baseline[None]).ravel())
    half = 2.326348 * np.sqrt(points**2 * (2 * points + 1) / 12)
    first = max(0, round(points**2 / 2 - half))
    return bool(shifts[first] > 0.25 * abs(np.median(shifts)))


def _add(totals: Array, counts: Counts) -> None:
    totals += np.stack(
        [counts.baseline, counts.baseline_errors, counts.candidate, counts.candidate_errors]
    )


def _difference(totals: Array) -> tuple[Array, Array]:
    """Candidate minus baseline, and the variance of it under the pooled rate."""
    n, k, m, j = totals
    some = (n > 0) & (m > 0)
    n, m = np.where(some, n, 1), np.where(some, m, 1)
    pooled = (k + j) / (n + m)
    variance = pooled * (1 - pooled) * (1 / n + 1 / m)
    return np.where(some, j / m - k / n, 0.0), np.where(some, variance, np.inf)


def documented() -> list[Peer]:
    """Every peer: settings that its documentation shows, and Argo also with Flagger's 99 %."""
    return [
        Threshold(
            "Argo docs: 5 min, >= 95 %, failureLimit 3", every=5 * MINUTE, success=0.95, failures=4
        ),
        Threshold("Argo 1 min, >= 99 %, failureLimit 3", every=MINUTE, success=0.99, failures=4),
        Threshold(
            "Argo or Flagger default limit, 1 min, >= 99 %", every=MINUTE, success=0.99, failures=1
        ),
        Threshold(
            "Flagger docs: 1 min, >= 99 %, threshold 5", every=MINUTE, success=0.99, failures=5
        ),
        Threshold(
            "Flagger docs: 1 min, >= 99 %, threshold 10", every=MINUTE, success=0.99, failures=10
        ),
        Threshold(
            "Flagger docs: threshold 5, promoted after 10 checks",
            every=MINUTE,
            success=0.99,
            failures=5,
            promote_after=10,
        ),
        Kayenta(),
        RepeatedTest("z-test each 10 s", every=1),
        RepeatedTest("z-test each minute", every=MINUTE),
        RepeatedTest("z-test each hour", every=HOUR),
        RepeatedTest("z-test once at 24 h", every=24 * HOUR),
        Msprt(),
        Msprt(pooled=True),
    ]
