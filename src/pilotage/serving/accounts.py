"""What a worker counts of its answers, once a batch."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

from pilotage.contracts.records import Status
from pilotage.serving.calls import Batch, Call
from pilotage.serving.metrics import Histogram, Series
from pilotage.serving.plan import RoutePlan


class _RouteCells:
    """The cells of one route, looked up once."""

    __slots__ = (
        "batch_rows",
        "batches",
        "encode",
        "endpoint",
        "engine",
        "latency",
        "ok",
        "queue",
        "rows",
    )

    def __init__(self, series: Series, route: RoutePlan) -> None:
        labels = {"endpoint": route.endpoint, "version": route.version}
        self.endpoint = labels
        self.ok = series.counter("pilotage_requests_total", status="ok", **labels)
        self.rows = series.counter("pilotage_rows_total", **labels)
        self.batches = series.counter("pilotage_batches_total", **labels)
        self.batch_rows = series.histogram("pilotage_batch_rows", **labels)
        self.latency = series.histogram("pilotage_latency_seconds", **labels)
        self.queue = series.histogram("pilotage_queue_seconds", **labels)
        self.encode = series.histogram("pilotage_encode_seconds", **labels)
        self.engine = series.histogram("pilotage_engine_seconds", **labels)


RETIRED_S: Final = 300.0
"""How long the numbers of a version that is gone are told, so that the last of them are scraped."""

Pair = tuple[str, str]
"""An endpoint and a version that it leads to."""


class Accounts:
    """Counts for metrics and protocol statistics."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self._cells: dict[tuple[str, str], _RouteCells] = {}
        self._retired_s: dict[Pair, float] = {}
        self._refusals: dict[str, list[float]] = {}
        self._recorded = series.counter("pilotage_recorded_total", recorded="yes")
        self._unrecorded = series.counter("pilotage_recorded_total", recorded="no")

    def refused(self, reason: str) -> None:
        cell = self._refusals.get(reason)
        if cell is None:
            cell = self.series.counter("pilotage_refusals_total", reason=reason)
            self._refusals[reason] = cell
        cell[0] += 1

    def recorded(self, times: int, *, recorded: bool) -> None:
        (self._recorded if recorded else self._unrecorded)[0] += times

    def reported(self, times: int, *, recorded: bool) -> None:
        """Outcomes that callers sent."""
        words = "yes" if recorded else "no"
        self.series.counter("pilotage_outcomes_total", recorded=words)[0] += times

    def answered(
        self,
        route: RoutePlan,
        batch: Batch,
        calls: list[Call],
        statuses: list[Status] | None,
        encode_ns: int,
    ) -> None:
        """A batch was answered; `statuses` where not all of it is ok."""
        cells = self._of(route)
        cells.encode.add(encode_ns * 1e-9)
        self._ended(cells, statuses, len(calls))
        self._timed(cells, batch, calls)

    def failed(self, route: RoutePlan, batch: Batch, calls: list[Call], status: Status) -> None:
        """An engine call came to nothing, or its answers may not be given."""
        cells = self._of(route)
        statuses: list[Status] = [status] * len(calls)
        self._ended(cells, statuses, len(calls))
        self._timed(cells, batch, calls)

    def ended(self, route: RoutePlan, status: Status) -> None:
        """A stream, or a request that was never run."""
        self._ended(self._of(route), (status,), 1)

    def tried(self, name: str, candidate: RoutePlan, ended: str, times: int = 1) -> None:
        """Copies or probes of a candidate, beside the answers."""
        labels = {"endpoint": candidate.endpoint, "version": candidate.version}
        self.series.counter(name, ended=ended, **labels)[0] += times

    def swapped(self, before: Iterable[Pair], after: Iterable[Pair], *, now_s: float) -> None:
        """What was served and is not any more is forgotten in `RETIRED_S`; what is back is not."""
        for pair in after:
            self._retired_s.pop(pair, None)
        for pair in set(before) - set(after):
            self._retired_s[pair] = now_s

    def forget_retired(self, *, now_s: float) -> None:
        """Drops the series of what retired long enough ago."""
        for pair, since_s in list(self._retired_s.items()):
            if now_s - since_s >= RETIRED_S:
                del self._retired_s[pair]
                self._cells.pop(pair, None)
                self.series.forget(*pair)

    def _of(self, route: RoutePlan) -> _RouteCells:
        key = (route.endpoint, route.version)
        cells = self._cells.get(key)
        if cells is None:
            cells = self._cells[key] = _RouteCells(self.series, route)
        return cells

    def _ended(self, cells: _RouteCells, statuses: Sequence[Status] | None, count: int) -> None:
        if statuses is None:
            cells.ok[0] += count
            return
        for status in statuses:
            self.series.counter("pilotage_requests_total", status=status, **cells.endpoint)[0] += 1

    def _timed(self, cells: _RouteCells, batch: Batch, calls: list[Call]) -> None:
        cells.rows[0] += batch.rows
        cells.batches[0] += 1
        cells.batch_rows.add(batch.rows)
        cells.engine.add((batch.ended_ns - batch.started_ns) * 1e-9)
        received_ns = sorted([call.received_ns for call in calls])
        _add_since(cells.queue, batch.started_ns, received_ns)
        _add_since(cells.latency, batch.ended_ns, received_ns)


def _add_since(histogram: Histogram, until_ns: int, received_ns: list[int]) -> None:
    """Adds `until - received` of every call; `received_ns` goes up.

    The calls of a batch fall into few buckets, so the places where one ends are looked up instead
    of each call's bucket (0.5 -> 0.1 us a request at 32).
    """
    bounds = histogram.bounds
    if len(received_ns) == 1:
        histogram.add((until_ns - received_ns[0]) * 1e-9)
        return
    lowest = bisect_left(bounds, (until_ns - received_ns[-1]) * 1e-9)
    highest = bisect_left(bounds, (until_ns - received_ns[0]) * 1e-9)
    end = len(received_ns)
    for bucket in range(lowest, highest):
        start = bisect_left(received_ns, until_ns - int(bounds[bucket] * 1e9))
        histogram.counts[bucket] += end - start
        end = start
    histogram.counts[highest] += end
    histogram.total += (until_ns * len(received_ns) - sum(received_ns)) * 1e-9
