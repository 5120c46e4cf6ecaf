"""A share of one core's time: spent afterwards, kept in the long run."""

import pytest

from pilotage.serving.trials.budget import HELD_NS, Budget

MS = 1_000_000
TENTH = 100_000


def test_work_may_start_while_anything_is_left_and_waits_out_what_it_took_too_much() -> None:
    budget = Budget(TENTH, now_ns=0)
    assert budget.wait_ns(0) == 0
    budget.spend(99 * MS, 0)
    assert budget.wait_ns(0) == 0
    budget.spend(21 * MS, 0)  # 20 ms below empty, which a tenth fills in 200 ms
    assert budget.wait_ns(0) == pytest.approx(200 * MS, abs=10)
    assert budget.wait_ns(199 * MS) > 0
    assert budget.wait_ns(201 * MS) == 0


def test_a_long_pause_is_made_up_for_by_one_full_bucket_alone() -> None:
    budget = Budget(TENTH, now_ns=0)
    budget.spend(HELD_NS // 10, 3600 * HELD_NS)
    assert budget.wait_ns(3600 * HELD_NS) > 0


def test_the_share_holds_whatever_the_pieces_are() -> None:
    budget = Budget(TENTH, now_ns=0)
    now = took = 0
    for piece in [2000 * MS, 1 * MS, 50 * MS] * 20:
        now += budget.wait_ns(now) + piece
        budget.spend(piece, now)
        took += piece
    assert took / now == pytest.approx(0.1, rel=0.1)


def test_no_share_is_never() -> None:
    assert Budget(0, now_ns=0).wait_ns(HELD_NS) == HELD_NS
