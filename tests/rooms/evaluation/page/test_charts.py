"""What a picture is made of: where its marks stand, and that it is drawn for every theme."""

import re

import msgspec
import pytest

from pilotage.evaluation.page import charts, intervals
from pilotage.evaluation.page.confusing import cells
from pilotage.evaluation.page.drawing import CONFIG, drawn
from pilotage.evaluation.page.forest import shortened
from pilotage.evaluation.page.shapes import HALF, NARROW, WIDE
from pilotage.evaluation.report import Confusion, GroupShown
from simulators.reports import LATENCY, auc_gate, many_classes, race_gate, report, sex_gate, unfair

PICTURES = {
    "gates": lambda width: intervals.gates(list(unfair().gates), width, outcome="failed"),
    "groups": lambda width: intervals.groups(
        race_gate(), list(race_gate().groups), width, outcome="failed"
    ),
    "slices": lambda width: intervals.slices(list(report().slices), 0.83, "%", 0.05, width),
    "latency": lambda width: intervals.latency(LATENCY, width),
    "roc": lambda width: charts.roc(list(report().curves[:2]), width),
    "calibration": lambda width: charts.calibration(list(report().curves[2:]), width),
    "confusion": lambda width: charts.confusion(cells(many_classes().confusion, 12), width),
}


def rows(spec):
    return spec["data"]["values"]


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_names_its_colours_and_leaves_their_values_to_the_page(picture):
    svg = drawn(PICTURES[picture](WIDE))
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
    assert colours
    assert {c for c in colours if not c.startswith("var(--")} <= {"none", "transparent"}
    assert "id=" not in svg
    assert "http" not in svg
    assert "aria" not in svg


@pytest.mark.parametrize("width", [WIDE, HALF, NARROW])
@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_as_wide_as_it_was_asked_to_be(picture, width):
    found = re.match(r'<svg[^>]* width="([\d.]+)"', drawn(PICTURES[picture](width)))
    assert float(found[1]) == width


def test_a_verdict_is_told_by_word_and_shape_and_not_by_colour_alone():
    looks = {row["verdict"]: (row["shape"], row["fill"]) for row in rows(PICTURES["gates"](WIDE))}
    assert looks["failed"][0] == "diamond"
    assert looks["passed"][0] == "circle"
    assert looks["undecided"] == ("circle", "var(--card)"), "a ring"


def test_a_title_is_split_into_what_is_judged_and_what_is_asked():
    (row,) = rows(intervals.gates([auc_gate()], WIDE, outcome="failed"))
    assert (row["name"], row["under_name"]) == ("ROC AUC", "at least 0.85")
    assert intervals.in_two("no condition") == ("no condition", "")
    assert intervals.in_two("a: b: c") == ("a: b", "c")


def test_names_stand_above_the_plot_where_there_is_no_room_beside_it():
    wide, narrow = (rows(PICTURES["gates"](width))[0] for width in (WIDE, NARROW))
    assert wide["y_name"] < wide["y"] < wide["y_under_name"] + 20
    assert narrow["y_name"] < narrow["y_under_name"] < narrow["y_verdict"] < narrow["y"]


def test_a_name_that_is_too_long_keeps_its_beginning_and_its_end():
    assert shortened("sex = F", 7) == "sex = F"
    assert shortened("region is the north 12", 14) == "region is…h 12"
    assert len(shortened("x" * 500, 40)) == 40


def squeezed(high, estimate=1.0):
    """Seven pairs of groups that can be told apart, and a tiny one."""
    pairs = [GroupShown(f"{n}", "passed", None, 900, 1.0, 0.85, 1.15, False) for n in range(7)]
    tiny = GroupShown("tiny", "undecided", "too_few", 3, estimate, 0.0, high, False)
    return rows(intervals.groups(race_gate(), [*pairs, tiny], WIDE, outcome="failed"))


def test_an_interval_that_reaches_far_beyond_the_others_goes_on_past_the_picture():
    *others, tiny = squeezed(52.0)
    assert (tiny["low"], tiny["beyond_low"]) == (0.0, False), "the middle reach is 0.35"
    assert tiny["high"] == pytest.approx(0.8 + 5 * 0.35 + 0.08 * 2.55)
    assert tiny["beyond_high"]
    assert tiny["numbers"] == "0–52"
    assert not any(row["beyond_low"] or row["beyond_high"] for row in others)
    assert not squeezed(2.5)[-1]["beyond_high"]


def test_an_estimate_beyond_the_picture_is_not_drawn_at_its_edge():
    assert squeezed(52.0, estimate=1.2)[-1]["estimate"] == 1.2
    assert squeezed(52.0, estimate=9.0)[-1]["estimate"] is None


def test_what_user_strings_say_is_data_and_not_part_of_a_picture():
    evil = "</text><script>1</script>&\"'"
    gate = msgspec.structs.replace(auc_gate(), title=evil)
    svg = drawn(intervals.gates([gate], WIDE, outcome="failed"))
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg


def test_a_second_margin_is_drawn_only_where_an_interval_comes_near_it():
    def rules(group):
        spec = intervals.groups(sex_gate(), [group], WIDE, outcome="failed")
        found = [
            layer for layer in spec["layer"] if layer.get("mark", {}).get("strokeDash") == [2, 3]
        ]
        return len(found[0]["data"]["values"])

    assert rules(GroupShown("a", "passed", None, 10, 0.02, 0.01, 0.03, False)) == 1
    assert rules(GroupShown("a", "failed", None, 10, -0.06, -0.09, -0.03, False)) == 2


def test_a_group_of_which_nothing_is_known_keeps_its_line():
    group = GroupShown("tiny", "undecided", "too_few", 3, None, None, None, False)
    spec = intervals.groups(sex_gate(), [group], WIDE, outcome="failed")
    assert rows(spec)[0]["low"] is None
    assert "tiny" in drawn(spec)


def test_a_curve_is_thinned_and_keeps_its_ends():
    points = [layer["data"]["values"] for layer in PICTURES["roc"](WIDE)["layer"]]
    assert max(map(len, points)) == charts.CURVE_POINTS
    first, last = points[1][0], points[1][-1]
    assert (first["x"], first["y"], last["x"], last["y"]) == (0, 0, 1, 1)


def test_only_a_slice_shown_to_differ_is_marked():
    shapes = [row["shape"] for row in rows(PICTURES["slices"](WIDE))]
    assert "diamond" not in shapes
    spec = intervals.slices(list(unfair().slices), 0.83, "%", 0.05, WIDE)
    assert [row["name"] for row in rows(spec) if row["shape"] == "diamond"] == [
        "sex = F",
        "sex = M",
    ]


def test_a_cell_tells_count_and_share_and_nothing_is_quiet():
    table = Confusion(("a", "b"), ((12_345, 0), (3, 1)))
    spec = charts.confusion(cells(table, 12), HALF)
    assert [row["count"] for row in rows(spec)] == ["12.3k", "0", "3", "1"]
    assert [row["percent"] for row in rows(spec)] == ["100 %", "", "75 %", "25 %"]
    assert [row["nothing"] for row in rows(spec)] == [False, True, False, False]


def test_the_drawing_itself_says_nothing_to_a_screen_reader():
    assert CONFIG["aria"] is False
