import pytest
from msgspec import structs

from pilotage.cli.rollout_live import HAPPENINGS, live_lines
from pilotage.cli.spans import texts_of, width_of
from simulators.rollout_samples import DISAGREEMENT, ERRORS, EVERY, PROMOTED, RUNNING

PAGE = "http://127.0.0.1:8090"


def shown(view, *, width=80, height=20, page=PAGE):
    return texts_of(live_lines(view, width=width, height=height, page=page), colour=False)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("height", [0, 1, 2, 3, 5, 8, 12, 20, 40])
def test_a_screen_never_leaves_its_rows_and_columns(name, width, height):
    lines = live_lines(EVERY[name], width=width, height=height, page=PAGE)
    assert len(lines) <= height
    assert all(width_of(line) <= width for line in lines)


def test_80_columns_and_20_rows_hold_it_whole():
    assert shown(RUNNING) == [
        "── v2.onnx against v1.onnx on jobs ────────────────── running, 16 min of 24 h ──",
        "v2.onnx gets 5 % of the traffic; no harm found, 1 of 3 required guards passed,",
        "about 12 min to go.",
        "✓ shadow ── ▸ canary 5 % ── · canary 25 % ── · live",
        "━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━───────────────────  6 of 10 min, 412 of 500 units",
        "  baseline   ▅▆▆▆▆▇▇▇▇█████████████████▇▇▇▇▆▆▆▅▅▅▅▄▄▄▄▄▄▄    48.4/s   0.6 % fail",
        "  copies     ▂▂▂▂▂▂▃                                              –             ",
        "  candidate         ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁     2.5/s   0.8 % fail",
        "Guards                                ━●━ worse by (95 %)  ┊ tolerated  ┃ margin",
        "? undecided  error_rate not_worse_by 0.5pp           −0.21 to 0.64 pp  in 12 min",
        "             ──────────━━━┿━●━━━━╋━━───────────  harm ━───────  no harm ━━━━────",
        "✓ passed     disagreement at_most 5%                          1.2–3.4 %  decided",
        "             ───━━●━━───┃──────────────────────  harm ────────  no harm ━━━━━━━━",
        "? undecided  engine_time not_worse_by 20%                   −4 to 31 %  in 4 min",
        "             ────────────━━━┿●━━━╋━━━──────────  harm ━━──────  no harm ━━━─────",
        "? undecided  accuracy not_worse_by 1pp optional               –  no outcomes yet",
        "             ─────────────┊──────┃─────────────  harm ────────  no harm ────────",
        "  09:09:50  shown: disagreement at_most 5%",
        "  09:10:00  canary 5 % begins",
        "http://127.0.0.1:8090                pilotage rollout pause | promote | rollback",
    ]


def test_with_one_guard_there_is_room_for_its_numbers():
    view = structs.replace(RUNNING, guards=[ERRORS])
    assert shown(view)[9:12] == [
        "? undecided  error_rate not_worse_by 0.5pp             1,204 and 22,870 requests",
        "             worse by −0.21 to 0.64 pp, margin 0.5 pp                  in 12 min",
        "             ──────────━━━┿━●━━━━╋━━───────────  harm ━───────  no harm ━━━━────",
    ]
    wide = "\n".join(shown(view, width=100))
    assert "0.41 % against 0.30 %, worse by −0.21 to 0.64 pp, margin 0.5 pp" in wide


def test_of_pairs_it_tells_how_many_differ_and_of_a_verdict_what_it_showed():
    pairs = structs.replace(RUNNING, guards=[DISAGREEMENT])
    assert "different on 1.2–3.4 %, margin 5 %" in "\n".join(shown(pairs))
    failed = structs.replace(RUNNING, guards=[structs.replace(ERRORS, word="failed")])
    assert "worse by more than 0 pp, margin 0.5 pp" in "\n".join(shown(failed))


def test_with_few_rows_guards_come_before_traffic():
    lines = shown(RUNNING, height=12)
    assert not [line for line in lines if line.startswith("  baseline")]
    assert [line[13:23] for line in lines[6:10]] == [
        "error_rate",
        "disagreeme",
        "engine_tim",
        "accuracy n",
    ]
    assert all("┃" in line or "╋" in line for line in lines[6:10])


def test_where_not_all_guards_fit_the_worst_are_shown_and_the_rest_counted():
    passed = structs.replace(ERRORS, word="passed", name="passed one")
    failed = structs.replace(ERRORS, word="failed", name="failed one")
    view = structs.replace(RUNNING, guards=[passed] * 8 + [failed])
    lines = shown(view, height=11)
    guards = [line for line in lines if " one" in line]
    assert guards[0].startswith("✗ failed     failed one")
    assert f"and {9 - len(guards)} more guards" in lines


def test_a_high_screen_shows_more_news_and_no_empty_rows():
    lines = shown(RUNNING, height=40)
    assert sum(line.startswith("  09:") for line in lines) == min(3, HAPPENINGS)
    assert all(lines)


def test_the_track_of_many_stages_is_cut_before_the_present_one():
    stages = [
        structs.replace(RUNNING.stages[1], name=f"canary {at} %", when="done" if at < 9 else "now")
        for at in range(1, 10)
    ]
    track = shown(structs.replace(RUNNING, stages=stages), width=60)[3]
    assert track.startswith("… ✓ canary")
    assert track.endswith("▸ canary 9 %")


def test_what_is_live_has_no_exposure_left_and_can_be_taken_back():
    lines = shown(PROMOTED)
    assert lines[2] == "✓ shadow ── ✓ canary 5 % ── ✓ canary 25 % ── ▸ live"
    assert not lines[3].startswith("━")


def test_without_a_page_only_the_commands_are_told():
    assert shown(RUNNING, page="")[-1] == "pilotage rollout pause | promote | rollback"
