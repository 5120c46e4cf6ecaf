from datetime import timedelta, timezone

import pytest
from msgspec import structs

from pilotage.cli.rollout_screen import HAPPENINGS, news_of, next_lines, status_lines
from pilotage.cli.spans import texts_of, width_of
from pilotage.control.rollouts.view import Happened, StageView
from simulators.rollout_samples import ERRORS, EVERY, PAUSED, PROMOTED, ROLLED_BACK, RUNNING

COLUMNS = 80


def shown(view, **options):
    lines = status_lines(view, width=COLUMNS, **options)
    return texts_of(lines, colour=False)


def typed(view, **options):
    return texts_of(next_lines(view, **options), colour=False)


def row_of(lines, name):
    return lines[next(at for at, line in enumerate(lines) if line.startswith(name)) + 1]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_report_fits_its_columns(name, width):
    assert max(map(width_of, status_lines(EVERY[name], width=width))) <= width


def test_a_report_begins_with_who_and_with_the_sentence():
    lines = shown(RUNNING)
    assert lines[0] == (
        "v2.onnx against v1.onnx on jobs                          running, 16 min of 24 h"
    )
    assert " ".join(lines[1:3]) == RUNNING.sentence


def test_stages_tell_what_is_over_under_way_and_to_come():
    assert [line for line in shown(RUNNING) if line.startswith("  ")][:4] == [
        "  ✓ shadow          done     10 min and 500 pairs",
        "  ▸ canary 5 %      now      6 of 10 min, 412 of 500 units of the candidate",
        "  · canary 25 %     next     10 min and 500 units of the candidate",
        "  · live            next",
    ]


def test_a_stage_in_which_it_was_rolled_back_is_told_from_those_never_begun():
    assert [line for line in shown(ROLLED_BACK) if line.startswith("  ")][1:4] == [
        "  ✗ canary 5 %      stopped  6 of 10 min, 412 of 500 units of the candidate",
        "  – canary 25 %     never",
        "  – live            never",
    ]


def test_a_guard_is_question_verdict_arms_interval_margin_and_time():
    lines = shown(RUNNING)
    title = next(line for line in lines if line.startswith("Guards"))
    assert title == "Guards        candidate  baseline      worse by (95 %)   margin  decides"
    assert (
        "error_rate not_worse_by 0.5pp                          1,204 and 22,870 requests" in lines
    )
    assert row_of(lines, "error_rate") == (
        "? undecided      0.41 %    0.30 %     −0.21 to 0.64 pp   0.5 pp  in 12 min"
    )
    assert row_of(lines, "disagreement") == (
        "✓ passed              –         –            1.2–3.4 %      5 %  decided"
    )
    assert row_of(lines, "accuracy").endswith("1 pp  no outcomes yet")


def test_a_guard_that_failed_says_so_without_colour():
    assert row_of(shown(ROLLED_BACK), "error_rate").startswith("✗ failed         2.10 %")


def test_guards_of_a_rollout_that_is_over_are_not_awaited():
    assert row_of(shown(ROLLED_BACK), "engine_time").endswith("20 %  –")
    assert row_of(shown(PAUSED), "engine_time").endswith("20 %  in 4 min")


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"because": "no_data"}, "no data yet"),
        ({"because": "horizon"}, "out of patience"),
        ({"expected_s": None}, "–"),
        ({"expected_s": 45.0}, "in 45 s"),
        ({"word": "passed"}, "decided"),
    ],
)
def test_when_a_guard_decides(changes, end):
    view = structs.replace(RUNNING, guards=[structs.replace(ERRORS, **changes)])
    assert row_of(shown(view), "error_rate").endswith(f"0.5 pp  {end}")


def test_a_guard_with_a_long_name_has_its_counts_below():
    name = "mean of satisfaction_with_the_answer between 1 and 5 not_worse_by 0.25"
    guard = structs.replace(
        ERRORS, name=name, metric="mean", unit="outcome", margin=0.25, low=-0.1, high=0.3
    )
    lines = shown(structs.replace(RUNNING, guards=[guard]))
    assert lines[lines.index(name) + 1].strip() == "1,204 and 22,870 outcomes"
    assert "−0.10 to 0.30     0.25" in lines[lines.index(name) + 2]


def test_traffic_has_a_row_for_each_arm_and_for_copies_that_there_were():
    text = "\n".join(shown(RUNNING))
    assert "48.4/s   0.6 % fail" in text
    assert "  copies " in text
    no_shadow = [structs.replace(each, shadow=0.0) for each in RUNNING.traffic]
    text = "\n".join(shown(structs.replace(RUNNING, traffic=no_shadow)))
    assert "  copies " not in text
    assert "  candidate " in text


def test_a_rollout_that_has_just_begun_shows_what_there_is():
    view = structs.replace(RUNNING, traffic=[], guards=[], happened=[], counts={})
    text = "\n".join(shown(view))
    assert not [title for title in ("Traffic", "Guards", "What happened") if title in text]


def test_the_newest_news_are_told_in_the_time_of_the_place():
    news = [Happened(1_785_574_800.0 + at, f"news {at}") for at in range(HAPPENINGS + 1)]
    lines = shown(structs.replace(RUNNING, happened=news), zone=timezone(timedelta(hours=2)))
    assert "  11:00:01  news 1" in lines
    assert "  11:00:00  news 0" not in lines


def test_what_else_was_counted_is_told_where_it_is_not_none():
    assert "Also counted: copies dropped 31" in shown(RUNNING)


def test_without_unicode_nothing_moves():
    lines = status_lines(RUNNING, width=COLUMNS)
    plain = texts_of(lines, colour=False, encoding="ascii")
    assert all(line.isascii() for line in plain)
    assert [len(line) for line in plain] == [len(line) for line in texts_of(lines, colour=False)]


@pytest.mark.parametrize(
    ("view", "verbs"),
    [
        (RUNNING, ["pause", "promote", "rollback"]),
        (PAUSED, ["resume", "promote", "rollback"]),
        (structs.replace(RUNNING, phase="held"), ["promote", "abort", "rollback"]),
        (PROMOTED, ["rollback"]),
        (ROLLED_BACK, []),
    ],
)
def test_what_to_type_next_is_what_the_phase_allows(view, verbs):
    lines = typed(view)
    assert [line.split("pilotage rollout ")[1] for line in lines if "rollout " in line] == verbs
    assert any("--anew" in line for line in lines) is (not verbs)


def test_what_to_type_next_names_endpoint_and_folder_where_they_were_named():
    assert typed(RUNNING, endpoint="jobs", options="--data /x")[0].endswith(
        "pilotage rollout pause jobs --data /x"
    )
    assert f"pilotage verdict recompute {PROMOTED.verdict}" in typed(PROMOTED)[1]


def test_of_a_long_id_the_first_digits_are_typed():
    view = structs.replace(PROMOTED, verdict="0123456789ab" + "c" * 52)
    assert typed(view, options="--data /x")[1].endswith(" recompute 0123456789ab --data /x")


def test_the_first_news_is_the_sentence_and_then_what_is_new():
    later = structs.replace(RUNNING, happened=[*RUNNING.happened, Happened(2.0, "something")])
    assert [each.text for each in news_of(None, RUNNING)] == [RUNNING.sentence]
    assert [each.text for each in news_of(RUNNING, later)] == ["something"]
    assert not list(news_of(later, later))


def test_another_rollout_begins_anew():
    other = structs.replace(RUNNING, rollout="other")
    assert [each.text for each in news_of(RUNNING, other)] == [RUNNING.sentence]


def test_a_stage_of_no_traffic_is_shown():
    stage = StageView("canary 5 %", "canary", 50_000, "now", 600.0, 500, 0.0, 0)
    assert any("0 of 500 units" in line for line in shown(structs.replace(RUNNING, stages=[stage])))


def test_a_stage_whose_time_is_over_waits_for_units_or_guards():
    stage = structs.replace(RUNNING.stages[1], seen_s=660.0)
    lines = shown(structs.replace(RUNNING, stages=[stage]))
    assert any("10 min met, 412 of 500 units" in line for line in lines)
