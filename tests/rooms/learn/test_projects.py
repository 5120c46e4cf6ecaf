from pathlib import Path

from pilotage.learn.projects import (
    CannotSee,
    Check,
    DoesNotHold,
    Holds,
    Project,
    first_open,
    is_solved,
    look_at,
)


class Bench:
    folder = scratch = Path()


def project(*findings) -> Project:
    """Checks a, b, c …, of which each needs the one before."""
    names = "abcdef"
    checks = tuple(
        Check(name, "?", lambda _, finding=finding: finding, "h", "s", (names[i - 1],) * (i > 0))
        for i, (name, finding) in enumerate(zip(names, findings, strict=False))
    )
    return Project("p", "P", 1, "", (), {}, checks)


def test_what_needs_a_check_that_does_not_hold_is_not_looked_at():
    found = look_at(project(Holds("yes"), DoesNotHold("no", "there"), Holds("yes")), Bench())
    assert [type(each.finding) for each in found] == [Holds, DoesNotHold, type(None)]
    assert not is_solved(found)
    assert first_open(found).name == "b"


def test_what_cannot_be_seen_does_not_hold():
    found = look_at(project(CannotSee("nothing", "start it")), Bench())
    assert not is_solved(found)


def test_a_project_is_solved_when_every_check_holds():
    found = look_at(project(Holds("yes"), Holds("yes")), Bench())
    assert is_solved(found)
    assert first_open(found) is None
