"""A fault of our own is told by kind and place, and does not flood the log."""

from typing import Any

import pytest

from pilotage.serving.faults import LOGGED_EVERY_S, Faults, place_of


def raised() -> Exception:
    try:
        raise KeyError("what a caller sent")
    except KeyError as error:
        return error


@pytest.mark.parametrize(("later_s", "lines"), [(LOGGED_EVERY_S - 0.01, 1), (LOGGED_EVERY_S, 2)])
def test_one_place_is_logged_once_a_second_with_what_came_between(
    later_s: float, lines: int
) -> None:
    logged: list[dict[str, Any]] = []
    clock = [100.0]
    faults = Faults(
        lambda event, **fields: logged.append({"event": event, **fields}), lambda: clock[0]
    )
    for at_s in (100.0, 100.1, 100.0 + later_s):
        clock[0] = at_s
        faults.note("testing", raised())
    assert [each["times"] for each in logged] == [1, 2][:lines]
    assert logged[0] == {
        "event": "fault",
        "doing": "testing",
        "kind": "KeyError",
        "at": place_of(raised()),
        "times": 1,
    }


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert place_of(ValueError()) == ""
