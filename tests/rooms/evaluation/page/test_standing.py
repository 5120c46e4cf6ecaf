import pytest

from pilotage.evaluation.page.standing import Target, standing, target
from simulators.reports import gate, interval


def asked(condition, low, high, *, metric="accuracy", margin=None, side="two", estimate=0.0):
    ends = interval(low, high, "any", side=side)
    return gate("t", "s", condition, "passed", estimate, ends, margin=margin, metric=metric)


@pytest.mark.parametrize(
    ("condition", "metric", "margin", "wanted"),
    [
        ({"kind": "at_least", "value": 0.8}, "accuracy", 0.8, Target("above", 0.8)),
        ({"kind": "at_most", "value": 0.02}, "latency_p99", 0.02, Target("below", 0.02)),
        ({"kind": "ratio_at_least", "at_least": 0.8}, "accuracy", 0.8, Target("above", 0.8)),
        ({"kind": "difference_at_most"}, "accuracy", 0.05, Target("near", 0.0, 0.05)),
        ({"kind": "within", "value": 0.02}, "accuracy", 0.02, Target("near", 0.0, 0.02)),
        ({"kind": "equals", "value": 0.83, "within": 0.01}, "accuracy", 0.83,
         Target("near", 0.83, 0.01)),
        ({"kind": "not_worse_than_baseline"}, "accuracy", 0.01, Target("above", -0.01)),
        ({"kind": "not_worse_than_baseline"}, "log_loss", 0.01, Target("below", 0.01)),
        ({"kind": "better_than_baseline"}, "accuracy", 0.01, Target("above", 0.01)),
        ({"kind": "better_than_baseline"}, "log_loss", 0.01, Target("below", -0.01)),
        ({"kind": "drop_at_most"}, "accuracy", 0.03, Target("above", -0.03)),
        ({"kind": "drop_at_most"}, "log_loss", 0.03, Target("below", 0.03)),
        ({"kind": "at_least"}, "accuracy", None, None),
        ({"kind": "equals"}, "accuracy", None, None),
    ],
)  # fmt: skip
def test_every_condition_has_a_good_side(condition, metric, margin, wanted):
    assert target(asked(condition, 0, 1, metric=metric, margin=margin)) == wanted


def test_right_of_the_margin_is_good_whichever_way_the_metric_runs():
    more = standing(asked({"kind": "at_least"}, 0.82, 0.84, margin=0.8, estimate=0.83))
    less = standing(asked({"kind": "at_most"}, 0.16, 0.18, margin=0.2, estimate=0.17))
    for found in (more, less):
        assert (found.low, found.estimate, found.high) == pytest.approx((0.5, 0.75, 1.0))


def test_an_interval_that_misses_its_margin_lies_left():
    found = standing(asked({"kind": "at_least"}, 0.76, 0.78, margin=0.8, estimate=0.77))
    assert (found.low, found.high) == pytest.approx((-1.0, -0.5))


def test_the_room_that_is_left_of_an_equivalence_is_drawn():
    whole = {"kind": "equals", "value": 0.83, "within": 0.01}
    beyond = standing(asked(whole, 0.825, 0.85, margin=0.83, estimate=0.835))
    assert beyond.low == pytest.approx(-1.0), "the far end is a hundredth too far"
    assert beyond.high == pytest.approx(1.0), "the value itself lies in the interval"
    inside = standing(asked(whole, 0.832, 0.834, margin=0.83, estimate=0.833))
    assert 0 < inside.low < inside.estimate < inside.high


def test_an_open_end_goes_to_the_edge_and_is_told():
    below = standing(asked({"kind": "at_most"}, None, 0.1, margin=0.2, side="upper", estimate=0.09))
    assert below.high == 1.0
    assert below.open_high
    assert not below.open_low
    above = standing(asked({"kind": "at_least"}, 0.1, 1.0, margin=0.2, side="lower", estimate=0.15))
    assert above.open_high, "the end of a one-sided interval is no bound"


def test_an_interval_without_a_bound_is_not_drawn():
    assert standing(asked({"kind": "at_least"}, None, None, margin=0.2)) is None


def test_an_estimate_alone_is_drawn_as_a_point():
    only = gate("t", "s", {"kind": "at_least"}, "failed", 0.7, None, margin=0.8)
    found = standing(only)
    assert found.low == found.estimate == found.high == -1.0
    nothing = gate("t", "s", {"kind": "at_least"}, "undecided", None, None, margin=0.8)
    assert standing(nothing) is None
