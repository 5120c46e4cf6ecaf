import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotage.cli.spans import (
    Span,
    between,
    cells,
    cut,
    fitted,
    left,
    line_of,
    right,
    text_of,
    texts_of,
    width_of,
    wrapped,
)

ANY = st.text(st.characters(categories=("L", "N", "P", "S", "Mn", "Zs", "Cf", "Cc")), max_size=30)


def plain(line):
    return text_of(line, colour=False)


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("模型", 4), ("e\u0301", 1), ("", 0)])
def test_wide_characters_take_two_columns_and_combining_ones_none(text, columns):
    assert cells(text) == columns


@given(ANY, st.integers(0, 20))
def test_a_cut_text_never_takes_more_columns(text, width):
    assert cells(cut(text, width)) <= width
    assert cells(left(text, width)) == cells(right(text, width)) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("模型模型", 4, "模…"), ("abc", 0, "")],
)
def test_what_is_cut_says_so(text, width, shown):
    assert cut(text, width) == shown


@given(st.lists(ANY, max_size=4), ANY, st.integers(2, 40))
def test_start_and_end_share_a_row_without_leaving_it(parts, end, width):
    line = between(line_of(*parts), line_of(end), width)
    assert width_of(line) == width


def test_where_both_do_not_fit_the_start_is_cut():
    assert plain(between(line_of("a long name"), line_of("end"), 10)) == "a lon… end"


def test_a_line_is_cut_across_its_spans():
    line = fitted(line_of("abc", Span("def", "bold"), "ghi"), 5)
    assert plain(line) == "abcd…"
    assert line[1].style == "bold"


def test_words_are_wrapped_and_the_last_line_says_that_there_is_more():
    assert [plain(line) for line in wrapped("one two three four", 9)] == [
        "one two",
        "three",
        "four",
    ]
    assert [plain(line) for line in wrapped("one two three four", 9, at_most=2)] == [
        "one two",
        "three fo…",
    ]


def test_styles_become_colours_only_where_they_are_wanted():
    line = line_of("a ", Span("b", "good"))
    assert text_of(line, colour=True) == "a \x1b[32mb\x1b[0m"
    assert text_of(line, colour=False) == "a b"


def test_what_could_steer_a_terminal_is_written_out():
    assert plain(line_of("a\x1b[2Jb\rc\u202ed")) == "a\\x1b[2Jb\\rc\\u202ed"


def test_a_narrow_space_is_a_plain_one():
    assert plain(line_of("5\u202f%")) == "5 %"


def test_every_sign_has_a_plain_one_where_the_encoding_lacks_it():
    signs = "▁▂▃▄▅▆▇█─━●┊┃┿╋✓✗▸·–−…∞"
    shown = text_of(line_of(signs), colour=False, encoding="ascii")
    assert len(shown) == len(signs)
    assert shown.isascii()


def test_lines_are_plain_together():
    assert texts_of([line_of("✓"), line_of("ü")], colour=False, encoding="latin-1") == [
        "+",
        "\\xfc",
    ]
    assert texts_of([line_of("ü")], colour=False, encoding="latin-1") == ["ü"]


def test_an_unknown_encoding_gets_plain_signs():
    assert text_of(line_of("✓"), colour=False, encoding="nonsense") == "+"
