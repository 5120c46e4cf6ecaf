import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.control.ledger.lines import FIRST, Entry, Line, line_after, text_of
from pilotage.control.ledger.verifying import verify
from pilotage.errors import PilotageError


def _entry(number: int) -> Entry:
    what = {"number": number, "share": 0.1 * number, "text": "ü \n", "none": None, "list": [1, "a"]}
    return Entry(f"rollout/{number}", "stage", 1.75e9 + number / 7, "iris", "rollout", what)


def _lines(count: int) -> list[bytes]:
    before = FIRST
    texts = []
    for number in range(1, count + 1):
        line = line_after(number, before, _entry(number))
        before = line.digest
        texts.append(text_of(line))
    return texts


LINES = _lines(6)


def _faulty(lines) -> list[int]:
    return [fault.line for fault in verify(lines).faults]


def test_a_ledger_as_it_was_written_has_no_fault():
    found = verify(LINES)
    assert found.faults == ()
    assert found.lines == 6
    assert found.last == msgspec.json.decode(LINES[-1])["digest"]
    assert verify([]).lines == 0
    assert verify([]).last == ""


@settings(derandomize=True, max_examples=400)
@given(st.data())
def test_a_byte_that_is_changed_anywhere_is_found_in_its_line(data):
    index = data.draw(st.integers(0, 5))
    text = bytearray(LINES[index])
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.integers(0, 255).filter(lambda value: value != text[at]))
    assert index + 1 in _faulty([*LINES[:index], bytes(text), *LINES[index + 1 :]])


@settings(derandomize=True, max_examples=200)
@given(st.data())
def test_a_byte_that_is_added_or_removed_anywhere_is_found_in_its_line(data):
    index = data.draw(st.integers(0, 5))
    text = bytearray(LINES[index])
    at = data.draw(st.integers(0, len(text) - 1))
    if data.draw(st.booleans()):
        del text[at]
    else:
        text.insert(at, data.draw(st.integers(0, 255)))
        if bytes(text) == LINES[index]:
            return
    assert index + 1 in _faulty([*LINES[:index], bytes(text), *LINES[index + 1 :]])


@pytest.mark.parametrize("index", range(5))
def test_a_line_that_is_removed_is_found_where_it_was(index):
    assert _faulty(LINES[:index] + LINES[index + 1 :]) == [index + 1]


def test_the_first_lines_that_are_removed_are_found():
    assert _faulty(LINES[2:]) == [1]


@pytest.mark.parametrize("first", range(6))
@pytest.mark.parametrize("second", range(6))
def test_two_lines_that_changed_places_are_found(first, second):
    swapped = list(LINES)
    swapped[first], swapped[second] = LINES[second], LINES[first]
    found = _faulty(swapped)
    assert bool(found) == (first != second)
    if first != second:
        assert min(first, second) + 1 in found


@pytest.mark.parametrize("index", range(7))
@pytest.mark.parametrize("again", range(6))
def test_a_line_that_is_inserted_again_is_found(index, again):
    assert _faulty([*LINES[:index], LINES[again], *LINES[index:]])


@pytest.mark.parametrize("index", range(1, 6))
def test_a_line_of_somebody_else_breaks_the_chain_behind_it(index):
    before = msgspec.json.decode(LINES[index - 1])["digest"]
    forged = text_of(line_after(index + 1, before, _entry(99)))
    assert _faulty([*LINES[:index], forged, *LINES[index + 1 :]]) == [index + 2][: 5 - index]
    assert _faulty([*LINES[:index], forged, *LINES[index:]])[:1] == [index + 2]


def test_a_line_with_a_digest_that_was_made_anew_is_found_behind_it():
    line = msgspec.json.decode(LINES[2], type=Line)
    entry = msgspec.structs.replace(line.entry, at=0.0)
    forged = text_of(line_after(line.number, line.before, entry))
    assert _faulty([*LINES[:2], forged, *LINES[3:]]) == [4]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"no JSON\n", "no line of a ledger"),
        (b'{"format":1}\n', "no line of a ledger"),
        (b"\xff\xfe\n", "no line of a ledger"),
        (b"\n", "no line of a ledger"),
        (LINES[2].replace(b'"format":1', b'"format":2'), "format 2"),
        (LINES[2][:-1] + b" \n", "not spelled"),
        (LINES[2].replace(b'"kind":"stage"', b'"kind":"stage","new":1'), "not spelled"),
        (LINES[2].replace(b"stage", b"steer"), "its digest is not that of its content"),
    ],
)
def test_each_fault_is_named_with_its_line(text, says):
    (fault,) = verify([*LINES[:2], text, *LINES[3:]]).faults
    assert fault.line == 3
    assert says in fault.what


def test_a_last_line_that_is_cut_off_is_told():
    for cut in (1, 2, 40):
        (fault,) = verify([*LINES[:5], LINES[5][:-cut]]).faults
        assert fault.line == 6
        assert "cut off" in fault.what


def test_a_key_that_stands_in_two_lines_is_found():
    texts = _lines(2)
    before = msgspec.json.decode(texts[-1])["digest"]
    texts.append(text_of(line_after(3, before, _entry(1))))
    (fault,) = verify(texts).faults
    assert fault.line == 3
    assert "rollout/1" in fault.what


def test_an_end_that_was_cut_off_is_told_by_a_digest_that_was_kept():
    kept = verify(LINES).last
    assert verify(LINES, expect=kept).faults == ()
    assert verify(LINES, expect=kept[:16].upper()).faults == ()
    assert verify(_lines(9), expect=kept).faults == ()
    (fault,) = verify(LINES[:5], expect=kept).faults
    assert fault.line == 6
    assert "the end was cut off" in fault.what
    assert verify([], expect=kept).faults


def test_lines_that_were_all_made_anew_are_told_by_a_digest_that_was_kept():
    kept = verify(LINES).last
    before, anew = FIRST, []
    for text in LINES:
        line = msgspec.json.decode(text, type=Line)
        entry = msgspec.structs.replace(line.entry, at=line.entry.at + 1)
        line = line_after(line.number, before, entry)
        before = line.digest
        anew.append(text_of(line))
    assert verify(anew).faults == ()
    assert len(verify(anew, expect=kept).faults) == 1


@pytest.mark.parametrize("wrong", ["123", "g" * 64, "0" * 15, "0" * 65])
def test_what_is_no_digest_cannot_be_expected(wrong):
    with pytest.raises(PilotageError, match="not the digest"):
        verify(LINES, expect=wrong)
