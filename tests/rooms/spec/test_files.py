from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.errors import PilotageError
from pilotage.spec.files import FILE_BYTES, Mapping, read_yaml


def refused(data: bytes) -> PilotageError:
    with pytest.raises(PilotageError) as found:
        read_yaml(data, "serve.yaml")
    return found.value


def test_values_stay_the_text_that_was_written_with_their_places():
    tree = read_yaml(b"a: 010\nb: yes\nc:\n  - 1.50\n", "serve.yaml")
    values = {key.text: node for key, node in tree.items}
    assert values["a"].text == "010"
    assert values["b"].text == "yes"
    assert (values["c"].items[0].text, values["c"].items[0].line) == ("1.50", 4)


def test_an_empty_file_says_nothing():
    assert read_yaml(b"# only a comment\n", "serve.yaml").items == ()


def test_a_key_given_twice_names_both_lines_and_no_value():
    error = refused(b"key: hunter2\nkey: hunter3\n")
    assert error.where == "serve.yaml:2:1"
    assert "line 1" in error.what
    assert "hunter" not in str(error)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"a: [1\nb: 2", "serve.yaml:2:2"),
        (b"a: 1\n---\nb: 2\n", "serve.yaml:2:1"),
        (b"- 1\n", "serve.yaml:1:1"),
        (b"a: &x [*x]\n", "serve.yaml:1:4"),
        (b"? [a]\n: 1\n", "serve.yaml:1:3"),
        (b"a: 1\nb: \xff\n", "serve.yaml:2"),
        (b"a: \x00", "serve.yaml"),
    ],
)
def test_what_is_no_plain_mapping_is_refused_with_its_place(data, where):
    assert refused(data).where == where


def test_a_file_of_the_largest_size_is_read_and_a_byte_more_is_not():
    data = b"#" * (FILE_BYTES - 1) + b"\n"
    assert isinstance(read_yaml(data, "serve.yaml"), Mapping)
    assert "bytes" in refused(data + b"\n").what


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_mapping_or_a_pilotage_error(data):
    with suppress(PilotageError):
        assert isinstance(read_yaml(data, "serve.yaml"), Mapping)
