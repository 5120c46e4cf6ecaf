import json
import shlex
import subprocess

import pytest

from pilotage.cli.examples import BODY_CHARACTERS, curl, example_inputs, example_value
from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Signature, Tensor

URL = "http://127.0.0.1:8080"


def signature(*inputs: Tensor) -> Signature:
    return Signature(inputs, (Tensor("y", "FP32", ("batch", 1)),))


def body_of(command: str) -> dict:
    """The body that the command sends: curl is replaced by what prints it."""
    shell = (
        "curl() { while [ $# -gt 0 ]; do "
        'case $1 in -d) printf %s "$2";; @-) cat;; esac; shift; done; }\n'
    )
    ran = subprocess.run(
        ["bash", "-c", shell + command], capture_output=True, text=True, check=True
    )
    return json.loads(ran.stdout)


@pytest.mark.parametrize("datatype", sorted(DATATYPES))
def test_every_datatype_gets_data_of_its_shape(datatype):
    (row,) = example_inputs(signature(Tensor("x", datatype, ("batch", 3))))
    assert row["shape"] == [1, 3]
    assert len(row["data"]) == 3


def test_a_value_lies_in_the_range_or_among_the_categories():
    assert 7.0001 <= example_value(Tensor("x", "FP32", (), low=7.0001, high=7.0002)) <= 7.0002
    assert example_value(Tensor("x", "INT64", (), low=5, high=9)) == 5
    assert example_value(Tensor("x", "BYTES", (), categories=("red", "blue"))) == "red"
    assert example_value(Tensor("x", "INT64", (), categories=("3", "4"))) == 3


def test_an_optional_input_is_left_out():
    inputs = example_inputs(
        signature(Tensor("x", "FP32", ("batch",)), Tensor("o", "FP32", (), optional=True))
    )
    assert [row["name"] for row in inputs] == ["x"]


def test_the_same_axis_has_the_same_length_and_known_lengths_win():
    pair = signature(
        Tensor("a", "INT64", ("batch", "sequence")), Tensor("b", "INT64", ("batch", "sequence"))
    )
    assert [row["shape"] for row in example_inputs(pair)] == [[1, 8], [1, 8]]
    assert [row["shape"] for row in example_inputs(pair, {"sequence": 3})] == [[1, 3], [1, 3]]


def test_a_short_body_is_written_out():
    command = curl(URL, "iris", signature(Tensor("x", "FP32", ("batch", 4))))
    assert body_of(command)["inputs"][0]["data"] == [0.5] * 4
    assert shlex.split(command)[2] == f"{URL}/v2/models/iris/infer"


def test_a_long_body_is_made_by_a_line_of_python():
    elements = BODY_CHARACTERS + 1
    command = curl(
        URL, "image", signature(Tensor("x", "BYTES", ("batch", elements), categories=("it's",)))
    )
    assert len(command) < 400
    assert body_of(command)["inputs"][0]["data"] == ["it's"] * elements


def test_hostile_names_stay_inside_their_quotes():
    name = "x'; touch /tmp/never; '\x1b[31m$(id)"
    command = curl(URL, "a b/c", signature(Tensor(name, "FP32", ("batch",))))
    assert "\x1b" not in command
    assert body_of(command)["inputs"][0]["name"] == name
    assert "a%20b%2Fc" in command


def test_the_key_is_an_expression_of_the_shell_and_no_secret():
    command = curl(URL, "m", signature(Tensor("x", "FP32", ("batch",))), key="$(cat key.txt)")
    assert '-H "Authorization: Bearer $(cat key.txt)"' in command
