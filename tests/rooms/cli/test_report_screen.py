import io

import msgspec
import pytest
from rich.console import Console

from pilotage.cli.report_screen import (
    LISTED_GATES,
    LISTED_MEMBERS,
    LISTED_METRICS,
    LISTED_NOTES,
    LISTED_SLICES,
    hints,
    render,
)
from simulators.comparisons import accuracy, comparison
from simulators.every_report import SAMPLES
from simulators.reports import (
    METRICS,
    claim_gate,
    paired_gate,
    race_gate,
    regression,
    report,
    sex_gate,
    undecided,
    unfair,
    without_gates,
)

COLUMNS = 80


def screen(shown, *, encoding="utf-8", **options):
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    render(shown, Console(file=out, width=COLUMNS, **options))
    out.flush()
    return out.buffer.getvalue().decode(encoding)


def one_line(text):
    return " ".join(text.split())


def test_the_outcome_and_the_headline_come_first():
    lines = screen(unfair()).strip().splitlines()
    assert lines[0] == "✗ FAILED"
    assert lines[1].startswith("The false-positive rate differs by 6.9–9.7 pp")


def test_a_gate_is_one_entry_with_mark_word_sentence_and_margin():
    text = screen(unfair())
    assert "✗ failed     False-positive rate differs by 6.9–9.7 pp between F and M    5 pp" in text
    assert "✓ passed     ROC AUC is 0.8871–0.8968 (95 %, 20,000 rows): at least       0.85" in text
    assert "? undecided  Accuracy is 82.1–84.5 %" in text
    assert "Cause: F against M." in text
    assert text.index("✗ failed") < text.index("? undecided") < text.index("✓ passed")


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_is_wider_than_eighty_columns_and_a_file_gets_no_colour(sample):
    text = screen(SAMPLES[sample]())
    assert max(len(line) for line in text.splitlines()) <= COLUMNS
    assert "\x1b" not in text


def test_a_terminal_gets_colour_unless_the_user_wants_none(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    red = "31m"
    assert red in screen(unfair(), force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert red not in screen(unfair(), force_terminal=True)


def test_a_terminal_without_our_signs_gets_plain_ones():
    text = screen(unfair(), encoding="ascii")
    assert "x failed     False-positive rate differs by 6.9-9.7 pp" in text
    assert "+ passed" in text


def test_names_cannot_steer_the_terminal_nor_be_taken_for_markup():
    evil = "[red]\x1b[31m\u202e[/nothing]"
    gate = msgspec.structs.replace(sex_gate(), sentence=evil)
    slices = (msgspec.structs.replace(report().slices[0], slice=evil),)
    text = screen(report(headline=evil, gates=(gate,), slices=slices, notes=(evil,)))
    assert text.count("[red]\\x1b[31m\\u202e[/nothing]") == 4
    assert "\x1b" not in text


def test_what_is_too_much_is_counted():
    gates = (claim_gate(),) * LISTED_GATES
    assert "more in the JSON" not in screen(report(gates=gates, slices=()))
    assert "and 1 more in the JSON" in screen(report(gates=(*gates, sex_gate()), slices=()))
    metrics = (METRICS[0],) * (LISTED_METRICS + 2)
    assert "and 2 more in the JSON" in screen(report(metrics=metrics, slices=()))
    slices = report().slices[:1] * (LISTED_SLICES + 3)
    assert "and 3 more in the JSON" in screen(report(slices=slices))
    assert "more in the JSON" not in screen(report(slices=slices[:LISTED_SLICES]))
    notes = tuple(f"n{at:02d}" for at in range(LISTED_NOTES + 1))
    text = screen(report(notes=notes))
    assert notes[-2] in text
    assert notes[-1] not in text


def test_without_gates_metrics_are_told_and_what_to_do():
    text = screen(without_gates())
    assert "NO GATE ASKED" in text
    assert "Gates" not in text
    assert "82.3–83.3 %" in text
    assert "pilotage schema gates" in text


def test_what_is_not_there_takes_no_room():
    text = screen(report(gates=(), metrics=(), slices=(), notes=()))
    assert not {"Gates", "Metrics", "Slices", "Note:"} & set(text.split())


def test_the_hints_fit_what_was_found():
    assert any("--plan" in hint and "18,400" in hint for hint in hints(undecided()))
    assert not any("--plan" in hint for hint in hints(report()))
    assert any("--html" in hint for hint in hints(report()))
    assert not any("--html" in hint for hint in hints(report(), page=True))
    assert any("pilotage schema gates" in hint for hint in hints(without_gates()))


def test_a_comparison_is_called_one_and_hints_at_nothing_that_only_gates_have():
    compared = msgspec.structs.replace(undecided(), outcome="compared")
    assert screen(compared).strip().splitlines()[0] == "COMPARED"
    assert not any("--plan" in hint for hint in hints(compared))


def test_nothing_passes_or_fails_in_a_comparison():
    text = screen(comparison())
    assert "− worse      Accuracy of F minus the baseline's is −1.9 to −0.5 pp" in text
    assert "? not shown  ROC AUC minus" in text
    assert "+ better     Accuracy minus" in text
    assert "Worse in F." in text
    for word in ("passed", "failed", "undecided", "Margin", "Gates", "gate"):
        assert word not in text
    assert "About 61,000 rows would tell." in screen(comparison(accuracy("undecided")))
    assert "- worse" in screen(comparison(), encoding="ascii")


def test_where_groups_are_compared_each_is_told_in_one_line():
    assert (
        "Each group: F 18.4 %, M 10.1 %\n"
        in "\n".join(f"{line.strip()}" for line in screen(unfair()).splitlines()) + "\n"
    )
    members = race_gate().members[:1] * (LISTED_MEMBERS + 2)
    within, beyond = (
        one_line(screen(report(gates=(msgspec.structs.replace(race_gate(), members=some),))))
        for some in (members[:LISTED_MEMBERS], members)
    )
    assert within.count("White 44.0 %") == beyond.count("White 44.0 %") == LISTED_MEMBERS
    assert "White 44.0 % and 2 more" in beyond
    assert "White 44.0 % and" not in within


def test_who_lost_to_the_baseline_is_told_how_to_see_where():
    worse = report(gates=(paired_gate("failed", -0.03, -0.034, -0.026),))
    typed = "pilotage compare models/employment-v6.skops models/employment-v7.skops --data FILE"
    assert any(typed in hint for hint in hints(worse))
    assert not any("pilotage compare" in hint for hint in hints(unfair()))
    assert not any("pilotage compare" in hint for hint in hints(regression()))
