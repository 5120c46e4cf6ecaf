"""One budget of false alarms, shared by all monitors of an endpoint.

The promise: while every monitored quantity stays inside its tolerance, the expected number of
alarms in the first T years is at most T times `alarms_per_year`, so there are no more than that a
year on average; in a later year by itself, what was in the pot at its beginning (less than one
alarm) may come on top. P(any alarm in the first year) is at most `alarms_per_year`: for 5 % make it
0.05.

How. Monitor j bets each tick on harm with G stakes, each with factor L of expectation at most 1
inside the tolerance. M <- L (M + c), with c = budget * weight / (ticks a year * G). When the sum of
all M reaches 1: alarm, and every M is 0 again. The sum of M plus past alarms less what was put in
is a supermartingale, and each alarm takes away at least 1. Monitors that tick at different clocks
differ in c alone. Averaging is never later than Bonferroni over the same monitors and stakes.

When: as long as a version is live. Assumes that each tick's factor has expectation at most 1 given
the past; what that needs is said where the factors are made (`drift`, `floors`).

Source: Shin, Ramdas & Rinaldo, "E-detectors", New England Journal of Statistics in Data Science
2023, doi 10.51387/23-nejsds51 (arXiv 2203.03532), rescaled so that all monitors share one pot.

    >>> import math
    >>> pot = AlarmBudget(AlarmBudgetConfiguration((Monitor("errors", 365.0, stakes=1),), 1.0))
    >>> pot.update("errors", [math.log(3.0)])
    >>> pot.close_block()
    >>> round(float(pot.level()), 6)
    0.008219
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.verdict import Evidence, Verdict, decide

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "alarm_budget/1"
STAKES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
LARGEST_SHARE = 0.95
"""Of what a bet may lose: a stake is at most this over the mean it bets against."""
TICK = "tick"
STATE = ("log_levels", "open", "ticking", "held", "shares", "alarms", "ticks")
"""What is saved, in this order."""


def stakes_against(mean: float) -> Array:
    """float64 (6,): the stakes for a bet against "the mean of X in [0, 1] is at most `mean`".

    Raises:
        ValueError: a mean outside (0, 1].
    """
    if not 0.0 < mean <= 1.0:
        raise ValueError("a monitored mean lies above 0 and is at most 1")
    return np.minimum(np.asarray(STAKES), LARGEST_SHARE / mean)


@dataclass(frozen=True, slots=True)
class Monitor:
    """One quantity with its clock: how often it ticks a year, how many stakes it bets with.

    `weight` is its part of the budget, relative to the other monitors' weights.
    """

    name: str
    ticks_per_year: float
    stakes: int = len(STAKES)
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.ticks_per_year <= 0 or self.stakes < 1 or self.weight <= 0:
            raise ValueError("a monitor needs ticks, stakes and a weight above 0")


@dataclass(frozen=True, slots=True)
class AlarmBudgetConfiguration:
    """The monitors of one endpoint, and how many false alarms a year they may raise together."""

    monitors: tuple[Monitor, ...]
    alarms_per_year: float = 1.0

    def __post_init__(self) -> None:
        names = [monitor.name for monitor in self.monitors]
        if not names or len(set(names)) != len(names):
            raise ValueError("an alarm budget needs monitors, each with a name of its own")
        if self.alarms_per_year <= 0:
            raise ValueError("an alarm budget is above 0")

    def injections(self) -> Array:
        """float64 (monitors,): what each stake of a monitor gets at each of its ticks."""
        total = sum(monitor.weight for monitor in self.monitors)
        return np.array(
            [
                self.alarms_per_year * m.weight / total / (m.ticks_per_year * m.stakes)
                for m in self.monitors
            ]
        )


class AlarmBudget:
    """At most the budgeted number of false alarms a year on average, over all monitors.

    `update` gives a monitor's factors for its open tick, `close_block` lets them count: once for
    each monitor that was updated, so a monitor whose clock did not tick is left alone. An alarm is
    held until `acknowledge`; the pot goes on meanwhile, and if it fills again, the held alarm
    names the newer culprits.
    """

    def __init__(
        self, configuration: AlarmBudgetConfiguration, shape: tuple[int, ...] = ()
    ) -> None:
        self._configuration = configuration
        self._shape = shape
        sizes = [monitor.stakes for monitor in configuration.monitors]
        ends = np.cumsum(sizes)
        self._parts = {
            monitor.name: slice(int(end) - size, int(end))
            for monitor, size, end in zip(configuration.monitors, sizes, ends, strict=True)
        }
        self._owner = np.repeat(np.arange(len(sizes)), sizes)
        self._log_injection = np.log(configuration.injections())[self._owner]
        stakes = int(ends[-1])
        self._log_levels = np.full((*shape, stakes), -np.inf)
        self._open = np.zeros((*shape, stakes))
        self._ticking = np.zeros(len(sizes), np.bool_)
        self._held = np.zeros(shape, np.bool_)
        self._shares = np.zeros((*shape, len(sizes)))
        self._alarms = np.zeros(shape, np.int64)
        self._ticks = np.zeros((), np.int64)

    def update(self, monitor: str, log_factors: ArrayLike) -> None:
        """Multiply factors into a monitor's open tick.

        Args:
            monitor: its name.
            log_factors: (*shape, stakes), or what broadcasts to it: natural logarithms.

        Raises:
            ValueError: no such monitor, another shape, or a factor that is no number.
        """
        part = self._part(monitor)
        logs = np.asarray(log_factors, np.float64)
        wanted = self._open[..., part].shape
        try:
            logs = np.broadcast_to(logs, wanted)
        except ValueError:
            raise ValueError(f"factors of shape {logs.shape}, expected {wanted}") from None
        if np.isnan(logs).any() or np.isposinf(logs).any():
            raise ValueError("a factor is a finite number of 0 or more")
        self._open[..., part] += logs
        self._ticking[list(self._parts).index(monitor)] = True

    def close_block(self) -> None:
        """End the tick of every monitor updated since its last one; alarm if the pot is full."""
        if not self._ticking.any():
            return
        ticking = self._ticking[self._owner]
        grown = np.logaddexp(self._log_levels, self._log_injection) + self._open
        self._log_levels = np.where(ticking, grown, self._log_levels)
        self._open[...] = 0.0
        self._ticking[...] = False
        self._ticks += 1
        self._raise_alarms()

    def _raise_alarms(self) -> None:
        highest = self._log_levels.max(axis=-1, keepdims=True)
        # A pot far above 1 must not overflow: shares are taken relative to its largest part.
        relative = np.exp(self._log_levels - np.where(np.isfinite(highest), highest, 0.0))
        total = relative.sum(axis=-1)
        with np.errstate(divide="ignore"):
            full = highest[..., 0] + np.log(total) >= 0.0
        if not full.any():
            return
        shares = np.stack(
            [relative[..., part].sum(axis=-1) for part in self._parts.values()], axis=-1
        )
        shares = shares / np.where(total > 0.0, total, 1.0)[..., None]
        self._shares = np.where(full[..., None], shares, self._shares)
        self._alarms += full & ~self._held
        self._held |= full
        self._log_levels = np.where(full[..., None], -np.inf, self._log_levels)

    def level(self) -> Array:
        """float64, the shape: how full the pot is, between 0 and 1 (the alarm)."""
        return np.exp(self._log_levels).sum(axis=-1)

    def alarmed(self) -> Array:
        """bool, the shape: an alarm waits to be acknowledged."""
        return self._held.copy()

    def alarms(self) -> Array:
        """int64, the shape: alarms so far, those acknowledged included."""
        return self._alarms.copy()

    def shares(self) -> Array:
        """float64 (*shape, monitors): the culprits' parts of the last alarm's evidence."""
        return self._shares.copy()

    def culprits(self) -> tuple[tuple[str, float], ...]:
        """The monitors behind the held alarm and their shares, largest first; a pot of shape ().

        Raises:
            ValueError: of another shape.
        """
        self._single()
        if not self._held:
            return ()
        named = zip(self._parts, self._shares.tolist(), strict=True)
        return tuple(sorted(((n, s) for n, s in named if s > 0.0), key=lambda pair: -pair[1]))

    def acknowledge(self, which: ArrayLike = True) -> None:
        """Somebody has seen the alarm; the next one is a new one. `which`: bool, the shape."""
        seen = np.broadcast_to(np.asarray(which, np.bool_), self._shape)
        self._held &= ~seen

    def forget(self, monitor: str) -> None:
        """Drop a monitor's evidence, as its reference was replaced.

        Raises:
            ValueError: no such monitor.
        """
        part = self._part(monitor)
        self._log_levels[..., part] = -np.inf
        self._open[..., part] = 0.0
        self._ticking[list(self._parts).index(monitor)] = False

    def passed(self) -> Array:
        """bool, the shape: never. A monitor looks for harm; that none was found is no proof."""
        return np.zeros(self._shape, np.bool_)

    def failed(self) -> Array:
        """bool, the shape: there was an alarm at some tick so far."""
        return self._alarms > 0

    def verdict(self) -> Verdict:
        """Failed while an alarm is held, else undecided; a pot of shape ().

        Raises:
            ValueError: of another shape.
        """
        self._single()
        budget = self._configuration.alarms_per_year
        evidence = Evidence(
            estimate=None,
            interval=None,
            observations=int(self._ticks),
            unit=TICK,
            rule=f"at most {budget:g} false alarms a year over {len(self._parts)} monitors",
            method="e-detectors that share one alarm budget",
            error_rate=min(1.0, budget),
            assumptions=("each tick is judged by references that were fixed before it",),
        )
        return decide(False, bool(self._held), evidence)

    def save(self) -> bytes:
        """The whole state, the open tick included."""
        arrays = {name: getattr(self, f"_{name}") for name in STATE}
        return pack(FORMAT, self._configuration, arrays)

    @classmethod
    def load(cls, configuration: AlarmBudgetConfiguration, data: bytes) -> Self:
        """The pot as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        arrays = unpack(FORMAT, configuration, data)
        pot = cls(configuration, arrays["held"].shape)
        for name in STATE:
            setattr(pot, f"_{name}", arrays[name])
        return pot

    def _part(self, monitor: str) -> slice:
        if monitor not in self._parts:
            raise ValueError("no monitor of this budget has that name")
        return self._parts[monitor]

    def _single(self) -> None:
        if self._shape:
            raise ValueError(f"one answer for a pot of shape {self._shape}; ask its arrays")
