"""What is wrong with a model, its data or its gates is told so that a person can mend it.

Each case goes through the whole command, as it is typed: exit code 2, a message, no traceback.
"""

import os

import numpy as np
import polars as pl
import pytest
from onnx import helper, numpy_helper

from pilotage.cli.app import main
from pilotage.evaluation.data.groups import GROUPS

ROWS = 400


def scorer(*nodes, weights=(), answers=1):
    """x FP32[n,2] -> p FP32[n,answers]."""
    graph = helper.make_graph(
        list(nodes),
        "scorer",
        [helper.make_tensor_value_info("x", 1, ["n", 2])],
        [helper.make_tensor_value_info("p", 1, ["n", answers])],
        [numpy_helper.from_array(array, name) for name, array in weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


WEIGHTS = ("w", np.array([[2.0], [0.1]], np.float32))
PRODUCT = helper.make_node("MatMul", ["x", "w"], ["m"])
GOOD = scorer(PRODUCT, helper.make_node("Sigmoid", ["m"], ["p"]), weights=[WEIGHTS])
ROOT = scorer(PRODUCT, helper.make_node("Sqrt", ["m"], ["p"]), weights=[WEIGHTS])
"""Gives NaN below zero."""
LOOK_UP = scorer(
    helper.make_node("Cast", ["x"], ["i"], to=7),
    helper.make_node("Gather", ["t", "i"], ["found"]),
    helper.make_node("ReduceMean", ["found"], ["p"], axes=[1], keepdims=1),
    weights=[("t", np.array([0.0, 1.0], np.float32))],
)
"""Fails from 2 on."""


THREE = scorer(
    helper.make_node("MatMul", ["x", "w"], ["m"]),
    helper.make_node("Softmax", ["m"], ["p"], axis=1),
    weights=[("w", np.array([[2.0, 0.0, 1.0], [0.1, 1.0, 0.0]], np.float32))],
    answers=3,
)
"""Chooses among three."""


def table(rows=ROWS, **columns):
    chance = np.random.default_rng(1)
    x = chance.normal(size=(rows, 2)).astype(np.float32)
    y = (x[:, 0] + chance.normal(size=rows) > 0).astype(np.int64)
    group = np.where(x[:, 1] > 0, "u", "v")
    made = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y, "g": group})
    return made.with_columns(**columns)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with a model, rows, and a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PILOTAGE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "good.onnx").write_bytes(GOOD)
    table().write_parquet("rows.parquet")
    return tmp_path


@pytest.fixture
def refused(desk, capsys):  # noqa: ARG001
    """Runs the command, which must be refused; what it said."""

    def run(*words):
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert code == 2, out + err
        assert err.startswith("error: ")
        assert "Traceback" not in err
        assert out == ""
        return " ".join(err.split())

    return run


PLAIN = ("evaluate", "good.onnx", "--data", "rows.parquet", "--label", "y", "--protected", "g")


def with_data(name):
    return ("evaluate", "good.onnx", "--data", name, "--label", "y", "--protected", "g")


def with_gates(text, desk):
    data = text if isinstance(text, bytes) else text.encode()
    (desk / "gates.yaml").write_bytes(data)
    return (*PLAIN, "--gates", "gates.yaml")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"y": pl.lit(None, dtype=pl.Int64)}, "the label 'y' is missing in 400 of 400 rows"),
        ({"y": pl.when(pl.col("a") > 1).then(1)}, "leave those rows out of the data yourself"),
        (
            {"y": pl.when(pl.col("a") > 0).then(pl.lit("yes")).otherwise(pl.lit("no"))},
            "nobody said of which label",
        ),
        ({"y": pl.concat_list("a", "b")}, "the label 'y' is of type List(Float32)"),
        ({"b": pl.lit("x")}, "mend what has another type: b (String)"),
    ],
)
def test_columns_that_do_not_fit_are_told_with_what_to_do(refused, changed, said):
    table(**changed).write_parquet("other.parquet")
    assert said in refused(*with_data("other.parquet"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--label", "employed"), "the data have no column 'employed' (the label)"),
        (("--protected", "sex", "--label", "y"), "the data have no column 'sex'"),
        ((), "Name it: --label COLUMN"),
    ],
)
def test_a_column_that_is_missing_is_named(refused, words, said):
    assert said in refused("evaluate", "good.onnx", "--data", "rows.parquet", *words)


def test_a_feature_that_is_missing_is_told(refused):
    table().drop("b").write_parquet("narrow.parquet")
    assert "Add what is missing" in refused(*with_data("narrow.parquet"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cut.parquet", None, "the data cannot be read: parquet"),
        ("quotes.csv", b'a,b,y,g\n1,2,"0,u\n3,4,1,v\n', "the data cannot be read"),
        ("shifted.csv", b"a,b,y,g\n1,2,0,u\n3,4,1,v,w\n", "a line has more values than"),
        ("broken.jsonl", b'{"a":1,"b":2,"y":1,"g":"u"}\n{"a":\n', "the data cannot be read"),
        ("bytes.csv", bytes(range(256)) * 9, "the data are a binary file"),
        ("empty.csv", b"", "the data are empty"),
        ("header.csv", b"a,b,y,g\n", "the data have no rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_the_reason(desk, refused, name, content, said):
    whole = (desk / "rows.parquet").read_bytes()
    (desk / name).write_bytes(whole[:-300] if content is None else content)
    told = refused(*with_data(name))
    assert said in told
    assert name in told


def test_a_folder_without_images_and_a_file_that_is_not_there_are_told(desk, refused):
    (desk / "folder").mkdir()
    assert "the folder holds no images" in refused(*with_data("folder"))
    assert "no such file" in refused(*with_data("nowhere.parquet"))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_without_permission_is_told(desk, refused):
    (desk / "rows.parquet").chmod(0)
    assert "Permission denied" in refused(*PLAIN)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LOOK_UP, "the model fails on 16 rows: 16, 17, 63"),
        (ROOT, "the model gives NaN or an infinite number on"),
    ],
)
def test_a_model_that_does_not_answer_every_row_is_refused_with_the_rows(
    desk, refused, model, said
):
    (desk / "bad.onnx").write_bytes(model)
    told = refused("evaluate", "bad.onnx", "--data", "rows.parquet", "--label", "y",
                   "--protected", "g")  # fmt: skip
    assert said in told
    assert "an answer for every row" in told


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (pl.when(pl.col("a") > 1).then(-1.0).otherwise(1.0), "is negative in row"),
        (pl.lit(float("nan")), "is missing in row 1"),
        (pl.lit("1"), "is of type String"),
        (pl.lit(0.0), "every weight in column 'w' is 0"),
    ],
)
def test_weights_that_cannot_be_are_told(desk, refused, weight, said):
    table(w=weight).write_parquet("rows.parquet")
    text = "data: {weight: w}\ngates: [{metric: accuracy, at_least: 10%}]"
    assert said in refused(*with_gates(text, desk))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gates: [{metric: acuracy, at_least: 10%}]", "Did you mean accuracy?"),
        ("gates: [{metric: accuracy, at_least: 10%\n", "not YAML"),
        (bytes(range(256)) * 9, "gates.yaml"),
        ("", "the file asks nothing"),
        ("gates: " + "[" * 300 + "]" * 300, "a list where keys belong"),
        ("gates:\n" + "- {metric: accuracy, at_least: 10%}\n" * 9_000, "at most 262144 bytes"),
        (
            "gates: [{metric: accuracy, not_worse_than: baseline, by_more_than: 1pp}]",
            "Name it: --baseline MODEL.",
        ),
        ("gates: [{metric: mean_absolute_error, at_most: 1}]", "is not defined for a model of"),
        ("gates: [{metric: accuracy, at_least: 10%, where: {g: z}}]", "no row has g = z"),
    ],
)
def test_gates_that_cannot_be_asked_are_told(desk, refused, text, said):
    assert said in refused(*with_gates(text, desk))


def test_gates_that_are_not_there_are_told(desk, refused):
    assert "No such file" in refused(*PLAIN, "--gates", "nowhere.yaml")
    (desk / "folder").mkdir()
    assert "Is a directory" in refused(*PLAIN, "--gates", "folder")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--confidence", "95"), "Write 95%"),
        (("--positive", "yes"), "the positive label is none of the labels"),
        (("--baseline", "nowhere.onnx"), "the model cannot be read"),
        (("--baseline", "rows.parquet"), "the format is not known"),
        (("--query", "select 1"), "a query needs a database"),
        (("--html", "no/where/report.html"), "mkdir -p no/where"),
        (("--html", "."), "it is a folder"),
    ],
)
def test_words_that_do_not_fit_are_told(refused, words, said):
    assert said in refused(*PLAIN, *words)


def test_a_database_without_a_query_is_told(refused):
    told = refused("evaluate", "good.onnx", "--data", "sqlite:///people.db", "--label", "y")
    assert "Add --query" in told


def test_a_baseline_that_answers_another_question_is_told(desk, refused):
    (desk / "three.onnx").write_bytes(THREE)
    told = refused(*PLAIN, "--baseline", "three.onnx")
    assert "the model and the baseline answer different questions" in told


@pytest.mark.slow
def test_a_column_with_too_many_groups_is_told(refused):
    rows = GROUPS + 1
    table(rows, g=pl.int_range(rows).cast(pl.String)).write_parquet("rows.parquet")
    assert f"more than {GROUPS:,} values" in refused(*PLAIN)


def test_one_class_alone_leaves_open_what_needs_both(desk, capsys):
    table(y=pl.lit(1)).write_parquet("rows.parquet")
    text = (
        "gates:\n- {metric: accuracy, at_least: 10%}\n- {metric: roc_auc, at_least: 0.5}\n"
        "- {metric: false_positive_rate, at_most: 50%}\n"
        "- {metric: false_positive_rate, across: g, difference_at_most: 5pp}\n"
    )
    assert main([*with_gates(text, desk)]) == 1
    out, err = capsys.readouterr()
    assert "3 of 4 gates are undecided" in out
    assert err == ""


@pytest.mark.usefixtures("desk")
def test_without_gates_metrics_are_shown_and_nothing_fails(capsys):
    assert main([*PLAIN]) == 0
    out, _ = capsys.readouterr()
    assert "NO GATE ASKED" in out
    assert "ROC AUC" in out
