"""One observation a principal and block."""

import numpy as np
import pytest

from pilotage.statistics.sequential.principals import Principals

ANNA, BORIS = b"anna....", b"boris..."


def test_a_principal_counts_once_in_each_arm_and_block() -> None:
    principals = Principals()
    for _ in range(100):
        principals.observe(ANNA, "baseline", 1.0)
    principals.observe(BORIS, "baseline", 0.0)
    principals.observe(BORIS, "candidate", 1.0)
    principals.observe(BORIS, "candidate", 0.0)
    assert principals.active() == 2
    assert principals.take() == (2, 1.0, 1, 0.5)
    assert principals.take() == (0, 0.0, 0, 0.0)
    principals.observe(ANNA, "candidate", 1.0)
    assert principals.take() == (0, 0.0, 1, 1.0)


def test_a_saved_block_goes_on() -> None:
    rng = np.random.default_rng(51)
    straight, resumed = Principals(), Principals()
    for _ in range(200):
        who, value = int(rng.integers(9)).to_bytes(8, "big"), float(rng.random())
        for each in (straight, resumed):
            each.observe(who, "candidate" if value < 0.3 else "baseline", value)
        resumed = Principals.load(resumed.save())
    assert resumed.save() == straight.save()
    assert resumed.take() == straight.take()


def test_what_is_no_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Principals().observe(ANNA, "baseline", 2.0)
    with pytest.raises(ValueError, match="digest of 8"):
        Principals().observe(b"anna", "baseline", 0.0)
