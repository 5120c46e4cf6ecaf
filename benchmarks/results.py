"""Everything that one run found, as it is written to `results/`."""

import msgspec

from benchmarks.budget import Budget
from benchmarks.machine import Machine
from benchmarks.mixed import Mixed
from benchmarks.open_loop import Flood
from benchmarks.recording_cost import RecordingCost
from benchmarks.startup import Startup
from benchmarks.trials import Trial


class Results(msgspec.Struct):
    """One run.

    Attributes:
        settings: what makes each contender as fast as it gets.
        failed: contenders that did not install, start or answer rightly, with the reason.
        raw_rows: raw ONNX Runtime on `wide`, rows a second, one number a round.
    """

    date: str
    machine: Machine
    settings: dict[str, str]
    failed: dict[str, str]
    trials: list[Trial]
    raw_rows: list[float]
    floods: list[Flood]
    recording: RecordingCost | None = None
    startups: list[Startup] = msgspec.field(default_factory=list[Startup])
    mixed: Mixed | None = None
    budget: Budget | None = None
