"""Who is taken in: an answer that cannot be ready in time is refused while it is cheap."""

import pytest

from pilotage.serving import admission
from pilotage.serving.cost import Cost

MS = 1_000_000
COST = Cost(4 * MS, 1 * MS)


@pytest.mark.parametrize(
    ("waiting", "running_ms", "budget_ms", "late"),
    [
        (1, 0, 50, False),
        (1, 0, 5 / admission.ADMIT_SHARE, False),
        (1, 0, 5 / admission.ADMIT_SHARE - 0.1, True),
        (32, 0, 50, False),
        (32, 20, 50, True),
        (64, 0, 50, True),
    ],
)
def test_three_quarters_of_a_deadline_may_be_spent_waiting_and_running(
    waiting: int, running_ms: float, budget_ms: float, late: bool
) -> None:
    expected = admission.expected_ns(waiting, 32, running_ms * MS, COST)
    assert admission.too_late(budget_ms * MS, expected) is late


def test_a_request_that_waited_is_given_up_when_its_batch_would_end_too_late() -> None:
    batch_ns = 10 * MS
    assert admission.hopeless(8 * MS, batch_ns)
    assert not admission.hopeless(9 * MS, batch_ns)


def test_a_refusal_tells_the_deadline_that_would_do_and_when_to_come_again() -> None:
    refusal = admission.overdue(30 * MS, 20 * MS)
    assert (refusal.status, refusal.reason) == (503, "deadline")
    assert refusal.expected == "a deadline above 40 ms at the present load"
    assert refusal.came == "20 ms"
    assert refusal.retry_after_s == 1.0


def test_a_full_queue_is_told_with_its_limit() -> None:
    refusal = admission.queue_full("waiting rows", 8192, "rows")
    assert (refusal.status, refusal.expected) == (503, "at most 8192 rows")
