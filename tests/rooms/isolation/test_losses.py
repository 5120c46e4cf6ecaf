"""What a metric's function is given: labels as it compares them."""

import numpy as np
import pytest

from pilotage.isolation.losses import labels_of


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (("0", "1"), [0, 1]),
        (("-3", "12"), [-3, 12]),
        (("False", "True"), [False, True]),
        (("no", "yes"), ["no", "yes"]),
        (("1", "many"), ["1", "many"]),
        (("1", "9" * 30), ["1", "9" * 30]),
    ],
)
def test_labels_are_numbers_or_booleans_where_all_of_them_are(classes, labels):
    made = labels_of(classes)
    assert made.tolist() == labels
    assert made.dtype == np.array(labels).dtype


def test_numbers_have_no_labels():
    assert labels_of(()) is None
