"""Models scored on data, row by row, and what happens when either is not as it should be."""

import numpy as np
import polars as pl
import pytest
from onnx import helper
from PIL import Image

from pilotage.errors import PilotageError, PilotageErrors
from pilotage.evaluation.data import rows
from pilotage.evaluation.data.datasets import open_dataset
from pilotage.evaluation.data.surveying import survey
from pilotage.evaluation.scoring import collecting, predicting, running
from pilotage.evaluation.scoring.predicting import score, score_perturbed
from pilotage.spec.gates import DataSettings
from scoring import labelled, opened, parquet, same, two_probabilities, unary, value


def scored(model, folder, columns, **settings):
    settings.setdefault("label", "t")
    dataset = open_dataset(parquet(folder, columns))
    return score(model, dataset, DataSettings(**settings), threads=1)


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z)))


TWO = {"a": [2.0, -1.0, 0.5, 0.0], "b": [0.0, 0.0, 1.0, 0.0], "t": [1, 0, 1, 0]}


def test_two_probabilities_give_answers_and_the_score_of_the_positive_class(tmp_path):
    made, notes = scored(two_probabilities(tmp_path), tmp_path, TWO)
    assert (made.task, made.classes, made.probabilities) == ("binary", ("0", "1"), True)
    assert made.truth.tolist() == [1, 0, 1, 0]
    assert made.answer.tolist() == [1, 0, 0, 0]
    assert (made.truth.dtype, made.answer.dtype, made.score.dtype) == ("int32", "int32", "float32")
    np.testing.assert_allclose(made.score, sigmoid([2, -1, -0.5, 0]), rtol=1e-6)
    assert any("file order: a, b" in note for note in notes)


def test_the_positive_class_turns_truth_answer_and_score(tmp_path):
    made, _ = scored(two_probabilities(tmp_path), tmp_path, TWO, positive="0")
    assert made.classes == ("1", "0")
    assert made.truth.tolist() == [0, 1, 0, 1]
    assert made.answer.tolist() == [0, 1, 1, 1]
    np.testing.assert_allclose(made.score, sigmoid([-2, 1, 0.5, 0]), rtol=1e-6)


@pytest.mark.parametrize(("threshold", "answers"), [(0.5, [1, 0, 0, 1]), (0.3, [1, 0, 1, 1])])
def test_a_threshold_answers_instead_of_the_model(tmp_path, threshold, answers):
    made, notes = scored(two_probabilities(tmp_path), tmp_path, TWO, threshold=threshold)
    assert made.answer.tolist() == answers
    assert any(f"{threshold:g} on" in note for note in notes)


def test_two_scores_that_are_no_probabilities_are_scored_by_their_difference(tmp_path, monkeypatch):
    monkeypatch.setattr(predicting, "ROWS_A_BATCH", 2)
    columns = {"a": [0.25, 0.5, 3.0, -1.0], "b": [0.75, 0.5, 4.0, -2.0], "t": [1, 1, 0, 0]}
    made, _ = scored(same(tmp_path, 2), tmp_path, columns)
    assert not made.probabilities
    assert made.score.tolist() == [0.5, 0.0, 1.0, -1.0]
    assert made.answer.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("values", "probabilities", "answers"),
    [([0.5, 0.4, 1.0], True, [1, 0, 1]), ([0.5, -0.1, 3.0], False, [1, 0, 1])],
)
def test_one_score_is_a_probability_where_all_lie_within_0_and_1(
    tmp_path, values, probabilities, answers
):
    made, _ = scored(same(tmp_path, 1), tmp_path, {"a": values, "t": [True, False, True]})
    assert (made.task, made.classes) == ("binary", ("False", "True"))
    assert made.probabilities is probabilities
    assert made.answer.tolist() == answers
    np.testing.assert_allclose(made.score, values)


def test_one_score_is_turned_for_the_other_class(tmp_path):
    columns = {"a": [0.75, 0.25], "t": [1, 0]}
    made, _ = scored(same(tmp_path, 1), tmp_path, columns, positive="0")
    assert made.classes == ("1", "0")
    assert made.score.tolist() == [0.25, 0.75]
    assert made.answer.tolist() == [0, 1]


def test_three_classes_keep_all_their_scores(tmp_path):
    columns = {"a": [0.5, 0.2], "b": [0.3, 0.2], "c": [0.2, 0.6], "t": [0, 1]}
    made, _ = scored(same(tmp_path, 3), tmp_path, columns)
    assert (made.task, made.classes, made.probabilities) == ("multiclass", ("0", "1", "2"), True)
    assert made.score.shape == (2, 3)
    assert made.answer.tolist() == [0, 2]
    assert made.truth.tolist() == [0, 1]


def test_a_number_is_compared_as_a_number(tmp_path):
    made, _ = scored(same(tmp_path, 1), tmp_path, {"a": [1.5, 2.0], "t": [1.0, 2.5]})
    assert (made.task, made.classes, made.score) == ("regression", (), None)
    assert made.truth.tolist() == [1.0, 2.5]
    assert made.answer.tolist() == [1.5, 2.0]
    assert (made.truth.dtype, made.answer.dtype) == ("float64", "float64")


def test_rows_that_are_ranked_keep_relevance_score_and_list(tmp_path):
    columns = {"a": [0.3, 0.9], "t": [2, 0], "q": [5, 5]}
    made, _ = scored(same(tmp_path, 1), tmp_path, columns, query_group="q")
    assert (made.task, made.query.tolist(), made.truth.tolist()) == ("ranking", [5, 5], [2.0, 0.0])


def test_the_models_own_label_is_its_answer(tmp_path):
    model = labelled(tmp_path, ["ann", "bob", "cid"])
    columns = {"a": [9.0, 0, 0], "b": [0.0, 9, 0], "c": [0.0, 0, 9], "t": ["bob", "bob", "ann"]}
    with pytest.raises(PilotageError, match="3 classes without names"):
        scored(model, tmp_path, columns)
    columns["t"] = ["bob", "cid", "ann"]
    made, notes = scored(model, tmp_path, columns)
    assert made.classes == ("ann", "bob", "cid")
    assert made.answer.tolist() == [0, 1, 2]
    assert made.truth.tolist() == [1, 2, 0]
    assert any("in this order" in note for note in notes)


def test_an_order_of_classes_that_was_guessed_wrong_is_noticed(tmp_path):
    model = labelled(tmp_path, ["cid", "ann", "bob"])
    columns = {"a": [9.0, 0, 0], "b": [0.0, 9, 0], "c": [0.0, 0, 9], "t": ["bob", "cid", "ann"]}
    with pytest.raises(PilotageError, match="not the classes with its largest scores"):
        scored(model, tmp_path, columns)


def test_labels_that_only_the_model_answers_become_classes(tmp_path):
    model = unary(tmp_path, "Identity", value("x", "s", ["n", 1]), value("y", "s", ["n", 1]))
    made, _ = scored(model, tmp_path, {"x": ["a", "b", "z"], "t": ["a", "b", "b"]})
    assert made.classes == ("a", "b", "z")
    assert (made.task, made.score) == ("multiclass", None)
    assert made.answer.tolist() == [0, 1, 2]


def test_a_third_label_leaves_no_positive_one_and_is_told(tmp_path):
    model = unary(tmp_path, "Identity", value("x", "s", ["n", 1]), value("y", "s", ["n", 1]))
    with pytest.raises(PilotageError, match="answers 3 labels") as told:
        scored(model, tmp_path, {"x": ["a", "b", "z"], "t": ["a", "b", "b"]}, positive="b")
    assert told.value.expected == "two: a, b"


@pytest.mark.parametrize(("limit", "kept"), [(24, True), (23, False)])
def test_scores_of_all_classes_are_kept_up_to_the_limit(tmp_path, monkeypatch, limit, kept):
    monkeypatch.setattr(collecting, "SCORE_BYTES", limit)
    columns = {"a": [0.5, 0.2], "b": [0.3, 0.2], "c": [0.2, 0.6], "t": [0, 1]}
    made, notes = scored(same(tmp_path, 3), tmp_path, columns)
    assert (made.score is not None) is kept
    assert any("too many to be kept" in note for note in notes) is not kept
    assert made.answer.tolist() == [0, 2]


def test_images_are_scored_by_the_folders_they_are_in(tmp_path):
    for label, colours in (("0", ("red", "red")), ("2", ("blue", "green"))):
        (tmp_path / "images" / label).mkdir(parents=True)
        for index, colour in enumerate(colours):
            Image.new("RGB", (9, 5), colour).save(tmp_path / "images" / label / f"{index}.png")
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["y"]),
    ]
    inputs, outputs = [value("x", "f", ["n", 3, 8, 8])], [value("y", "f", ["n", 3])]
    dataset = open_dataset(str(tmp_path / "images"))
    made, notes = score(
        opened(tmp_path, nodes, inputs, outputs), dataset, DataSettings(label="label")
    )
    assert made.truth.tolist() == [0, 0, 2, 2]
    assert made.answer.tolist() == [0, 0, 2, 1]
    assert any("8 × 8 pixels" in note for note in notes)


def test_groups_and_weights_come_along(tmp_path):
    columns = {**TWO, "sex": ["F", "M", "F", "M"], "w": [1.0, 2.0, 0.0, 1.0]}
    made, _ = scored(two_probabilities(tmp_path), tmp_path, columns, protected=("sex",), weight="w")
    assert made.groups["sex"].codes.tolist() == [0, 1, 0, 1]
    assert made.weight.tolist() == [1, 2, 0, 1]


def test_a_model_without_a_row_axis_is_run_row_by_row(tmp_path):
    model = unary(tmp_path, "Relu", value("x", "f", [1, 3]), value("y", "f", [1, 3]))
    assert model.signature.batch_axis is None
    columns = {"a": [1.0, 0.0], "b": [0.0, 5.0], "c": [0.5, 0.0], "t": [0, 2]}
    made, _ = scored(model, tmp_path, columns)
    assert made.answer.tolist() == [0, 1]


def test_a_model_of_one_vector_is_run_row_by_row(tmp_path):
    model = unary(tmp_path, "Relu", value("x", "f", [3]), value("y", "f", [3]))
    made, _ = scored(model, tmp_path, {"a": [1.0, 0], "b": [0.0, 5], "c": [0.5, 0], "t": [0, 2]})
    assert made.answer.tolist() == [0, 1]


def test_a_survey_serves_several_models(tmp_path):
    dataset = open_dataset(parquet(tmp_path, TWO))
    settings = DataSettings(label="t")
    known = survey(dataset, settings)
    told = []
    (tmp_path / "b").mkdir()
    for model in (two_probabilities(tmp_path), same(tmp_path / "b", 2)):
        made, _ = score(
            model, dataset, settings, surveyed=known, progress=lambda *done: told.append(done)
        )
        assert made.truth.tolist() == [1, 0, 1, 0]
    assert told == [(4, 4), (4, 4)]


def test_many_rows_give_the_same_in_small_batches_and_mapped_files(tmp_path, monkeypatch):
    chance = np.random.default_rng(1)
    columns = {"a": chance.normal(size=500), "b": chance.normal(size=500)}
    columns["t"] = (columns["a"] > 0).astype(int)
    model = two_probabilities(tmp_path)
    plain, _ = scored(model, tmp_path, columns)
    monkeypatch.setattr(rows, "ROWS_IN_MEMORY", 100)
    monkeypatch.setattr(rows, "CHUNK_ROWS", 70)
    monkeypatch.setattr(predicting, "ROWS_A_BATCH", 64)
    monkeypatch.setattr(running, "ENGINE_ROWS", 10)
    mapped, _ = scored(model, tmp_path, columns)
    assert isinstance(mapped.score, np.memmap)
    for name in ("truth", "answer", "score"):
        np.testing.assert_array_equal(getattr(mapped, name), getattr(plain, name))


def look_up(folder):
    """index INT64[n,1] -> FP32[n,1]: fails on every index above 9."""
    table = np.arange(10, dtype=np.float32)
    node = helper.make_node("Gather", ["table", "x"], ["y"], axis=0)
    inputs, outputs = [value("x", "i", ["n", 1])], [value("y", "f", ["n", 1])]
    return opened(folder, [node], inputs, outputs, {"table": table})


def test_rows_on_which_the_model_fails_are_counted_and_the_first_named(tmp_path):
    index = [1, 2, 99, 3, 77, 4, 5] * 20
    columns = {"x": index, "t": np.linspace(0, 1, len(index))}
    with pytest.raises(PilotageError) as caught:
        scored(look_up(tmp_path), tmp_path, columns)
    assert "fails on 40 rows: 3, 5, 10, 12, 17 and others" in caught.value.what


def test_one_row_on_which_the_model_fails_is_named(tmp_path):
    columns = {"x": [1, 2, 3, 50], "t": [0.1, 0.2, 0.3, 0.4]}
    with pytest.raises(PilotageError, match="fails on 1 row: 4;"):
        scored(look_up(tmp_path), tmp_path, columns)


def test_the_search_for_rows_that_fail_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "SEARCH_RUNS", 50)
    columns = {"x": [99] * 3000, "t": np.linspace(0, 1, 3000)}
    with pytest.raises(PilotageError, match=r"fails on at least .* rows: 1, 2, 3, 4, 5 and others"):
        scored(look_up(tmp_path), tmp_path, columns)


def test_rows_without_a_finite_answer_are_counted_and_the_first_named(tmp_path, monkeypatch):
    monkeypatch.setattr(predicting, "ROWS_A_BATCH", 4)
    model = unary(tmp_path, "Log", value("x", "f", ["n", 1]), value("y", "f", ["n", 1]))
    columns = {"a": [1.0, -1.0, 2.0, 0.0, 3.0, -2.0], "t": [0.5] * 6}
    with pytest.raises(PilotageError, match="gives NaN or an infinite number on 3 rows: 2, 4, 6"):
        scored(model, tmp_path, columns)


def test_labels_of_another_type_than_the_models_classes_are_refused(tmp_path):
    columns = {**TWO, "t": ["yes", "no", "yes", "no"]}
    with pytest.raises(PilotageError, match="2 classes without names"):
        scored(two_probabilities(tmp_path), tmp_path, columns)


def test_data_of_one_class_only_are_scored(tmp_path):
    made, _ = scored(two_probabilities(tmp_path), tmp_path, {**TWO, "t": [1, 1, 1, 1]})
    assert made.classes == ("0", "1")
    assert made.truth.tolist() == [1, 1, 1, 1]


def test_wrong_columns_are_told_before_a_row_is_read(tmp_path):
    columns = {"a": ["x", "y"], "b": [1.0, 2.0], "t": [0, 1]}
    with pytest.raises(PilotageErrors, match="takes 2 values"):
        scored(two_probabilities(tmp_path), tmp_path, columns)


def test_data_that_change_between_the_readings_are_refused(tmp_path):
    path = parquet(tmp_path, TWO)
    dataset = open_dataset(path)
    settings = DataSettings(label="t")
    known = survey(dataset, settings)
    pl.DataFrame({name: values[:3] for name, values in TWO.items()}).write_parquet(path)
    with pytest.raises(PilotageError, match="changed"):
        score(two_probabilities(tmp_path), dataset, settings, surveyed=known)


def perturbed(model, folder, columns, *perturbs, seed=0):
    dataset = open_dataset(parquet(folder, columns))
    settings = DataSettings(label="t")
    return score_perturbed(model, dataset, settings, perturbs, seed=seed, threads=1)


def test_perturbed_rows_are_scored_beside_the_plain_ones(tmp_path):
    seen = []

    def negated(inputs, _, numbers):
        seen.append(numbers.tolist())
        return [-inputs[0]]

    plain, (other,), _ = perturbed(two_probabilities(tmp_path), tmp_path, TWO, negated)
    np.testing.assert_allclose(other.score, 1 - plain.score, rtol=1e-5)
    assert seen == [[0, 1, 2, 3]]
    assert other.truth.tolist() == plain.truth.tolist()


def test_a_perturbation_has_the_same_chance_whatever_stands_beside_it(tmp_path):
    def noisy(inputs, chance, _):
        return [inputs[0] + chance.normal(size=inputs[0].shape).astype(np.float32)]

    def nothing(inputs, *_):
        return inputs

    model = two_probabilities(tmp_path)
    _, (alone,), _ = perturbed(model, tmp_path, TWO, noisy, seed=4)
    _, (again, same_rows), _ = perturbed(model, tmp_path, TWO, noisy, nothing, seed=4)
    _, (other,), _ = perturbed(model, tmp_path, TWO, noisy, seed=5)
    assert alone.score.tolist() == again.score.tolist()
    assert alone.score.tolist() != other.score.tolist()
    assert same_rows.score.tolist() != again.score.tolist()


def test_a_model_that_answers_nan_under_a_perturbation_is_told_there_alone(tmp_path):
    def gone(inputs, *_):
        return [np.full_like(inputs[0], np.nan)]

    plain, (error,), _ = perturbed(two_probabilities(tmp_path), tmp_path, TWO, gone)
    assert plain.rows == 4
    assert isinstance(error, PilotageError)
    assert "on 4 rows" in error.what
