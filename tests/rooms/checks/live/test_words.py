"""Numbers in sentences about harm."""

from dataclasses import replace

import pytest

from pilotage.checks.live.numbers import GuardNumbers
from pilotage.checks.live.words import harm_of, percent
from pilotage.spec.guards import read_guard


@pytest.mark.parametrize(
    ("value", "beside", "text"),
    [
        (0.0213, 0.003, "2.1 %"),
        (0.003, 0.0213, "0.3 %"),
        (0.781, 0.814, "78.1 %"),
        (0.9, 0.6, "90.0 %"),
        (0.81425, 0.81375, "81.425 %"),
        (0.0, 0.0, "0.0 %"),
        (0.102, None, "10.2 %"),
        (None, 0.5, "an unknown part"),
    ],
)
def test_a_share_is_shown_to_where_it_differs(
    value: float | None, beside: float | None, text: str
) -> None:
    assert percent(value, beside) == text


def test_a_culprit_that_would_not_have_failed_by_itself_is_not_called_as_sure() -> None:
    guard = read_guard("engine_time_tail not_worse_by 1pp")
    seen = GuardNumbers(
        *(guard.text, guard.metric, "probe", "failed", "", guard.margin, guard.tolerated),
        *(0.03, 0.01, 0.05, None, None, 900, 900, 1.2, -2.0, 0.8, True, "", "", 0.05, ()),
    )
    beside = replace(seen, word="undecided", fail_evidence=0.7)
    first, second = harm_of([(seen, guard), (beside, guard)], 0.95).split("; ")
    assert first.endswith("(95 %)")
    assert second.endswith("(not 95 % by itself)")
