"""Simulations on all cores at once, with a line on stderr that says how far they are."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, Final, TypeVar

import numpy as np

SEED: Final = 20_261_124
CHUNK: Final = 1_500
"""Runs a task: fewer cost more a run, and more leave the processor's cache."""

Found = TypeVar("Found")


class Progress:
    """One line on stderr, rewritten in a terminal, and written at the end anywhere else."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total, self._done = name, total, 0
        self._began = time.monotonic()
        self._live = sys.stderr.isatty()
        self._show()

    def step(self) -> None:
        self._done += 1
        self._show()

    def _show(self) -> None:
        ended = self._done == self._total
        if self._live or ended:
            seconds = time.monotonic() - self._began
            text = f"{self._name}: {self._done} of {self._total}, {seconds:.0f} s"
            print(f"\r{text}" if self._live else text, end="\n" if ended else "", file=sys.stderr)
            sys.stderr.flush()


def together(
    name: str, function: Callable[..., Found], tasks: Sequence[tuple[Any, ...]]
) -> list[Found]:
    """`function(*task)` for each task, on all cores; answers in the order of tasks."""
    progress = Progress(name, len(tasks))
    found: dict[int, Found] = {}
    # Long tasks are started first by whoever lists them first.
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        futures = {pool.submit(function, *task): place for place, task in enumerate(tasks)}
        for future in as_completed(futures):
            found[futures[future]] = future.result()
            progress.step()
    return [found[place] for place in range(len(tasks))]


def chunks(runs: int, side_by_side: int = 1) -> list[int]:
    """So many runs of each of the truths that a task simulates side by side, in even parts."""
    parts = max(1, round(runs * side_by_side / CHUNK))
    return [len(part) for part in np.array_split(np.arange(runs), parts) if len(part)]
