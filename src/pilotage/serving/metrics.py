"""What a worker counts.

Every worker publishes its numbers into a slot of memory that all workers share, once a second, so
that whichever worker is scraped tells of all of them; a worker that starts again takes over the
numbers of its slot, so that nothing ever counts backwards. Counting costs once a batch.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

SLOT_BYTES: Final = 256 * 1024
"""One worker's published numbers, in bytes; about 300 series of histograms."""

_BEAT_BYTES: Final = 8
_HEAD_BYTES: Final = 16

_LATENCY_S: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01),
    *(0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
_ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

Labels = tuple[tuple[str, str], ...]


class Family(Struct, frozen=True):
    """One metric: its name, kind and meaning; the bounds of its buckets where it has some."""

    name: str
    kind: str
    meaning: str
    bounds: tuple[float, ...] = ()


_TABLE: Final = (
    ("requests_total", "counter", "Predictions asked for, by how they ended.", ()),
    ("rows_total", "counter", "Rows answered.", ()),
    ("batches_total", "counter", "Engine calls.", ()),
    ("batch_rows", "histogram", "Rows of an engine call.", _ROWS),
    ("refusals_total", "counter", "Requests refused, by reason.", ()),
    ("recorded_total", "counter", "Predictions, by whether they are recorded.", ()),
    ("outcomes_total", "counter", "Outcomes, by whether they are recorded.", ()),
    ("latency_seconds", "histogram", "From a request's last byte to its outputs.", _LATENCY_S),
    ("queue_seconds", "histogram", "From a request's last byte to its engine call.", _LATENCY_S),
    ("engine_seconds", "histogram", "An engine call.", _LATENCY_S),
    ("encode_seconds", "histogram", "Making and recording the answers of a call.", _LATENCY_S),
    ("shadow_copies_total", "counter", "Copies for a candidate, by how they ended.", ()),
    ("probes_total", "counter", "Timing probes of a candidate, by how they ended.", ()),
    ("queue_rows", "gauge", "Rows waiting now.", ()),
    ("connections", "gauge", "Open connections now.", ()),
    ("inflight_bytes", "gauge", "Bytes of request bodies held now.", ()),
    ("streams", "gauge", "Streams being answered now.", ()),
    ("snapshot_revision", "gauge", "The oldest snapshot revision that is served.", ()),
    ("workers", "gauge", "Workers that publish numbers.", ()),
    ("recorder_full", "gauge", "1 while records cannot be written.", ()),
)

FAMILIES: Final = {
    f"pilotage_{name}": Family(f"pilotage_{name}", kind, meaning, bounds)
    for name, kind, meaning, bounds in _TABLE
}


class Histogram:
    """Counts by bucket, with their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float, times: int = 1) -> None:
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times


class Published(Struct, array_like=True):
    """One worker's numbers, as its slot holds them."""

    counters: dict[str, dict[Labels, float]]
    gauges: dict[str, dict[Labels, float]]
    histograms: dict[str, dict[Labels, tuple[list[int], float]]]


class Series:
    """All numbers of one worker. `counter` and `histogram` give cells to keep and bump."""

    def __init__(self) -> None:
        self._counters: dict[str, dict[Labels, list[float]]] = {}
        self._gauges: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, dict[Labels, Histogram]] = {}

    def counter(self, name: str, **labels: str) -> list[float]:
        """A cell `[value]`; bump it with `cell[0] += n`."""
        return self._counters.setdefault(name, {}).setdefault(_key(labels), [0.0])

    def histogram(self, name: str, **labels: str) -> Histogram:
        family = self._histograms.setdefault(name, {})
        key = _key(labels)
        if key not in family:
            family[key] = Histogram(FAMILIES[name].bounds)
        return family[key]

    def gauge(self, name: str, value: float, **labels: str) -> None:
        self._gauges.setdefault(name, {})[_key(labels)] = value

    def begin_gauges(self) -> None:
        """Forgets the gauges: they tell of now, and what is gone has no now."""
        self._gauges.clear()

    def forget(self, endpoint: str, version: str) -> None:
        """Drops all that carries both labels; cells that somebody keeps count for nothing."""
        gone = {("endpoint", endpoint), ("version", version)}
        for family in (*self._counters.values(), *self._histograms.values()):
            for key in [key for key in family if gone <= set(key)]:
                del family[key]

    def publish(self) -> Published:
        return Published(
            {
                name: {key: cell[0] for key, cell in cells.items()}
                for name, cells in self._counters.items()
            },
            {name: dict(values) for name, values in self._gauges.items()},
            {
                name: {key: (list(h.counts), h.total) for key, h in cells.items()}
                for name, cells in self._histograms.items()
            },
        )

    def take_over(self, published: Published) -> None:
        """Goes on from the numbers of a worker that died. Gauges tell of now and start afresh."""
        for name, values in published.counters.items():
            for key, value in values.items():
                self.counter(name, **dict(key))[0] += value
        for name, cells in published.histograms.items():
            if name not in FAMILIES:
                continue
            for key, (counts, total) in cells.items():
                histogram = self.histogram(name, **dict(key))
                if len(counts) == len(histogram.counts):
                    histogram.counts = [
                        mine + its for mine, its in zip(histogram.counts, counts, strict=True)
                    ]
                    histogram.total += total


def _key(labels: dict[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Published)


class Slots:
    """The shared memory: one slot a worker, each `beat u64 | length u32 | crc32 u32 | payload`.

    A reader that meets a slot being written sees a wrong sum and leaves it out of that scrape.
    The beat changes as long as the worker's loop turns.
    """

    def __init__(self, memory: memoryview, workers: int) -> None:
        self._memory = memory
        self.workers = workers

    @staticmethod
    def bytes_for(workers: int) -> int:
        return workers * SLOT_BYTES

    def beat(self, worker: int, now_ns: int) -> None:
        """The worker's loop turned at this moment."""
        start = worker * SLOT_BYTES
        self._memory[start : start + _BEAT_BYTES] = now_ns.to_bytes(_BEAT_BYTES, "little")

    def last_beat(self, worker: int) -> int:
        """The moment of its last turn; 0 before the first."""
        start = worker * SLOT_BYTES
        return int.from_bytes(self._memory[start : start + _BEAT_BYTES], "little")

    def write(self, worker: int, published: Published) -> bool:
        """False when the numbers are too many for the slot; the last ones then stay."""
        payload = _encoder.encode(published)
        if len(payload) + _HEAD_BYTES > SLOT_BYTES:
            return False
        start = worker * SLOT_BYTES + _BEAT_BYTES
        head = len(payload).to_bytes(4, "little") + zlib.crc32(payload).to_bytes(4, "little")
        self._memory[start + 8 : start + 8 + len(payload)] = payload
        self._memory[start : start + 8] = head
        return True

    def read(self, worker: int) -> Published | None:
        start = worker * SLOT_BYTES + _BEAT_BYTES
        length = int.from_bytes(self._memory[start : start + 4], "little")
        if not 0 < length <= SLOT_BYTES - _HEAD_BYTES:
            return None
        payload = bytes(self._memory[start + 8 : start + 8 + length])
        if zlib.crc32(payload) != int.from_bytes(self._memory[start + 4 : start + 8], "little"):
            return None
        return _decoder.decode(payload)


def pairs_of(published: Published) -> set[tuple[str, str]]:
    """Every endpoint with each of its versions that these numbers tell of."""
    labels = [
        dict(key)
        for family in (*published.counters.values(), *published.histograms.values())
        for key in family
    ]
    return {(each["endpoint"], each["version"]) for each in labels if "version" in each}


def merge(every: Iterable[Published]) -> Published:
    """The sum over workers; the revision is the lowest one that any worker serves."""
    counters: dict[str, dict[Labels, float]] = {}
    gauges: dict[str, dict[Labels, float]] = {}
    histograms: dict[str, dict[Labels, tuple[list[int], float]]] = {}
    for one in every:
        for name, values in one.counters.items():
            into = counters.setdefault(name, {})
            for key, value in values.items():
                into[key] = into.get(key, 0.0) + value
        for name, values in one.gauges.items():
            into = gauges.setdefault(name, {})
            choose = _GAUGE_MERGE.get(name, float.__add__)
            for key, value in values.items():
                into[key] = choose(into[key], float(value)) if key in into else float(value)
        for name, cells in one.histograms.items():
            sums = histograms.setdefault(name, {})
            for key, (counts, total) in cells.items():
                have, so_far = sums.get(key, ([0] * len(counts), 0.0))
                sums[key] = ([a + b for a, b in zip(have, counts, strict=True)], so_far + total)
    return Published(counters, gauges, histograms)


_GAUGE_MERGE = {"pilotage_snapshot_revision": min, "pilotage_recorder_full": max}
