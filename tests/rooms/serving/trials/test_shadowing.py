"""How much of what waits one call of a candidate takes."""

from typing import Any, cast

import pytest

from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import Step, Version
from pilotage.serving.cost import Cost
from pilotage.serving.replica import Replica
from pilotage.serving.trials.shadowing import LONGEST_NS, rows_at_once

TENSORS = (Tensor("x", "FP32", ("n", 1)),)
VERSION = Version("v", "m", "d", Signature(TENSORS, TENSORS), (Step("fake", "a", "b"),))


@pytest.mark.parametrize(
    ("each_ns", "max_rows", "rows"),
    [
        (LONGEST_NS / 32, 32, 32),
        (LONGEST_NS / 31, 32, 16),
        (LONGEST_NS, 32, 1),
        (10 * LONGEST_NS, 32, 1),
        (1.0, 0, 1),
    ],
)
def test_a_call_takes_as_many_rows_as_are_soon_done_and_one_at_least(
    each_ns: float, max_rows: int, rows: int
) -> None:
    engine = cast(Any, object())
    assert rows_at_once(Replica(VERSION, engine, None, Cost(0.0, each_ns), max_rows)) == rows
