import pytest

from pilotage.evaluation.page.confusing import (
    SHOWN_CLASSES,
    SHOWN_CLASSES_NARROW,
    SHOWN_PAIRS,
    cells,
    most_confused,
)
from pilotage.evaluation.report import Confusion
from simulators.reports import many_classes

SMALL = Confusion(("a", "b", "c"), ((8, 2, 0), (1, 9, 0), (0, 0, 0)))


def test_a_small_table_is_shown_as_it_is():
    found = cells(SMALL, 3)
    assert found.names == SMALL.classes
    assert found.counts == SMALL.counts
    assert found.shares[0] == (0.8, 0.2, 0.0)
    assert found.shares[2] == (None, None, None), "no row is truly c"
    assert found.merged == 0


@pytest.mark.parametrize("most", [SHOWN_CLASSES_NARROW, SHOWN_CLASSES])
def test_of_many_classes_the_others_are_added_up_and_no_row_is_lost(most):
    table = many_classes(most + 1).confusion
    assert cells(many_classes(most).confusion, most).merged == 0
    found = cells(table, most)
    assert found.merged == 1
    assert found.names[-1] == "1 other"
    assert sum(map(sum, found.counts)) == sum(map(sum, table.counts))


def test_what_was_confused_among_the_others_is_not_shown_as_right():
    assert cells(many_classes(30).confusion, 12).shares[-1][-1] is None


def test_the_classes_with_most_errors_keep_their_row():
    table = Confusion(("a", "b", "c"), ((9, 0, 0), (0, 5, 4), (0, 3, 6)))
    assert cells(table, 2).names == ("b", "c", "1 other")


def test_the_pairs_that_are_confused_most_come_first():
    first, second = most_confused(SMALL)
    assert (first.truth, first.answer, first.count, first.share) == ("a", "b", 2, 0.2)
    assert second.truth == "b"
    assert len(most_confused(many_classes().confusion)) == SHOWN_PAIRS
