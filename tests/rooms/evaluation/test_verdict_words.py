import pytest

from pilotage.evaluation.verdict_words import COMPARED, mark_shown, word_shown


@pytest.mark.parametrize(
    ("word", "outcome", "shown", "mark"),
    [
        ("passed", "passed", "passed", "✓"),
        ("failed", "failed", "failed", "✗"),
        ("undecided", "failed", "undecided", "?"),
        ("passed", COMPARED, "better", "+"),
        ("failed", COMPARED, "worse", "−"),
        ("undecided", COMPARED, "not shown", "?"),
        ("none", "none", "none", ""),
        (COMPARED, COMPARED, COMPARED, ""),
    ],
)
def test_a_verdict_is_told_by_what_was_asked(word, outcome, shown, mark):
    assert (word_shown(word, outcome), mark_shown(word, outcome)) == (shown, mark)
