"""A probe warms both versions while that is worth it, and times them in the order of the coin."""

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from pilotage.serving.trials import probing
from pilotage.serving.trials.probing import WARM_ROUNDS, Due, Timed, time_both


class Told:
    """A replica that writes down its turns, and takes so long."""

    def __init__(self, name: str, turns: list[str], takes_s: float = 0.0) -> None:
        self.name = name
        self.turns = turns
        self.takes_s = takes_s

    def run(self, inputs: Sequence[Any], rows: int) -> list[Any]:
        del inputs, rows
        self.turns.append(self.name)
        time.sleep(self.takes_s)
        return []


def timed(turns: list[str], *, candidate_first: bool, takes_s: float = 0.0) -> Timed:
    sides = [
        SimpleNamespace(replica=Told("baseline", turns)),
        SimpleNamespace(replica=Told("candidate", turns, takes_s)),
    ]
    due = Due(*cast(Any, sides), cast(Any, None), [np.zeros((1, 1))], 1, b"")
    return time_both(due, candidate_first=candidate_first)


@pytest.mark.parametrize("candidate_first", [False, True])
def test_both_are_run_in_turns_in_the_order_of_the_coin(candidate_first: bool) -> None:
    turns: list[str] = []
    found = timed(turns, candidate_first=candidate_first, takes_s=0.001)
    order = ["candidate", "baseline"] if candidate_first else ["baseline", "candidate"]
    assert turns == order * (WARM_ROUNDS + 1)
    assert found.candidate_ns > found.baseline_ns
    assert found.candidate_first is candidate_first


def test_what_takes_long_is_warmed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "WARM_NS", 500_000)
    turns: list[str] = []
    timed(turns, candidate_first=False, takes_s=0.001)
    assert turns == ["baseline", "candidate"] * 2
