import msgspec
import pytest

from pilotage.evaluation.page.across import DRAWN_ACROSS, DRAWN_GROUPS
from pilotage.evaluation.page.figures import DRAWN_GATES, DRAWN_SLICES
from pilotage.evaluation.page.view import (
    LISTED_CLASSES,
    LISTED_GATES,
    LISTED_METRICS,
    LISTED_NOTES,
    page,
)
from pilotage.evaluation.report import GroupShown
from simulators.comparisons import accuracy, brier, by_race, comparison
from simulators.reports import METRICS, MODEL, claim_gate, many_classes, race_gate, report, sex_gate


def test_more_gates_than_fit_are_left_to_the_json():
    within = page(report(gates=(claim_gate(),) * LISTED_GATES))
    assert len(within.gates) == LISTED_GATES
    assert within.more_gates == ""
    beyond = page(report(gates=(claim_gate(),) * (LISTED_GATES + 1)))
    assert len(beyond.gates) == LISTED_GATES
    assert beyond.more_gates == "and 1 more gate in the JSON"


def test_the_picture_on_top_shows_as_many_gates_as_can_be_read():
    within = page(report(gates=(claim_gate(),) * DRAWN_GATES)).top
    assert len(within.table.rows) == DRAWN_GATES
    assert within.table.more == ""
    beyond = page(report(gates=(claim_gate(),) * (DRAWN_GATES + 2))).top
    assert len(beyond.table.rows) == DRAWN_GATES
    assert "And 2 more gates in the JSON" in beyond.caption


def test_what_failed_is_never_among_the_gates_that_are_left_out():
    gates = (claim_gate("passed"),) * (LISTED_GATES + 50) + (sex_gate("failed"),)
    assert page(report(gates=gates)).gates[0].look == "failed"


@pytest.mark.parametrize(
    ("most", "noun", "made"),
    [
        (DRAWN_SLICES, "slice", lambda n: report(slices=(report().slices[0],) * n)),
        (DRAWN_GROUPS, "group", lambda n: report(gates=(with_groups(n),))),
        (LISTED_METRICS, "metric", lambda n: report(metrics=(METRICS[1],) * n)),
        (LISTED_CLASSES, "class", lambda n: report(model=with_classes(n))),
    ],
)
def test_each_list_is_whole_up_to_its_limit_and_counts_the_rest_beyond(most, noun, made):
    assert f"more {noun}" not in repr(page(made(most)))
    assert f"1 more {noun} in the JSON" in repr(page(made(most + 1)))


def with_groups(many):
    return msgspec.structs.replace(race_gate(), groups=race_gate().groups[:1] * many)


def with_classes(many):
    return msgspec.structs.replace(MODEL, classes=("c",) * many)


def test_pictures_of_groups_end_at_their_limit():
    within = page(report(gates=(race_gate(),) * DRAWN_ACROSS))
    beyond = page(report(gates=(race_gate(),) * (DRAWN_ACROSS + 1)))
    for shown in (within, beyond):
        drawn = [figure for figure in shown.figures if figure.anchor.startswith("groups-")]
        assert len(drawn) == DRAWN_ACROSS
    assert "Groups" not in dict(within.absent)
    assert dict(beyond.absent)["Groups"] == "the groups of 1 more gate are in the JSON"


def test_notes_end_at_their_limit():
    notes = tuple(f"note {at:03d}" for at in range(LISTED_NOTES + 1))
    assert page(report(notes=notes)).notes == notes[:-1]


def test_a_picture_of_half_a_row_never_stands_beside_nothing():
    shapes = [figure.shape for figure in page(report(latency=None)).figures]
    assert shapes == ["whole"] * 4 + ["half", "half", "alone", "whole"]


def test_the_slices_are_drawn_beside_the_metric_that_they_are_about():
    text = repr(page(report(metrics=(METRICS[1], METRICS[0]))).figures)
    assert "Where it differs: Accuracy in slices" in text


def test_the_curve_of_the_model_comes_before_that_of_the_baseline():
    shown = page(report(curves=report().curves[::-1]))
    keys = [figure.key for figure in shown.figures if figure.anchor == "roc"]
    assert keys == [(("line", "employment-v7"), ("dashes", "employment-v6"))]


def by_chance():
    """One pair of many fails alone, and the gate stays undecided."""
    gate = race_gate("undecided", 120)
    failing = GroupShown("A against B", "failed", None, 90, 0.6, 0.5, 0.7, False)
    return msgspec.structs.replace(gate, groups=(failing, *gate.groups))


def groups_of(gate):
    figures = page(report(gates=(gate,))).figures
    return [figure for figure in figures if figure.anchor == "groups-1"]


def test_who_fails_alone_is_not_called_a_cause():
    (figure,) = groups_of(by_chance())
    assert figure.table.rows[0][1] == "failed alone"
    (figure,) = groups_of(sex_gate("failed"))
    assert figure.table.rows[0][1] == "failed (cause)"


@pytest.mark.parametrize(
    ("gate_shown", "said"),
    [
        (sex_gate("failed"), "Failed: F against M, 6.9–9.7"),
        (sex_gate(), "Passed: F against M"),
        (race_gate(), "2 of 6 are undecided, 1 of them with too few rows"),
        (race_gate("undecided", 120), "6 of 6 are undecided"),
        (by_chance(), "1 of 7 would fail alone, which may be chance among so many"),
    ],
)
def test_the_caption_of_groups_says_what_was_found(gate_shown, said):
    (figure,) = groups_of(gate_shown)
    assert figure.caption.startswith(said)


def test_of_few_classes_every_cell_is_in_the_table_of_many_the_worst_pairs():
    (few,) = [figure for figure in page(report()).figures if figure.anchor == "confusion"]
    assert [row[:3] for row in few.table.rows] == [
        ("no", "no", "9,120"),
        ("no", "yes", "1,730"),
        ("yes", "no", "1,710"),
        ("yes", "yes", "7,440"),
    ]
    (many,) = [figure for figure in page(many_classes()).figures if figure.anchor == "confusion"]
    assert all(truth != answer for truth, answer, *_ in many.table.rows)
    assert many.table.more.endswith("more errors in the JSON")


def caption(gate_shown):
    shown = page(comparison(accuracy(), gate_shown))
    return next(figure.caption for figure in shown.figures if figure.anchor == "groups-1")


def test_the_caption_of_compared_groups_says_where_it_is_better():
    open_ = by_race()
    assert caption(open_).startswith(
        "Not shown to differ in 2 of 4 groups, 1 of them with too few rows to say anything; the "
        "first: Pacific Islander, −18 to 20"
    )
    verdict = msgspec.structs.replace(open_.verdict, word="passed", because=None)
    better = msgspec.structs.replace(open_, groups=open_.groups[2:], verdict=verdict)
    assert caption(better).startswith("Better in 2 of 2 groups, the least in Black")
    assert caption(better).endswith("Right of the dotted line is better.")
    lower = msgspec.structs.replace(better, metric="brier_score")
    assert caption(lower).endswith("Left of the dotted line is better.")


def test_a_comparison_tells_how_often_its_words_are_wrong():
    (line,) = page(comparison(brier())).gates
    rate = dict(line.facts)["Error rate"]
    assert rate.startswith("near 5 % that it is called better and is not; near 5 %")
    assert "Undecided" not in dict(page(comparison()).facts)
