"""Numbers in sentences about harm."""

import pytest

from pilotage.checks.live.words import percent


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
