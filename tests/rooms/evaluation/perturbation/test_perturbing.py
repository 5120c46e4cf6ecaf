"""Perturbations of a data set: what is changed, what stays and is told."""

import numpy as np
import polars as pl
import pytest

import models
from pilotage.contracts.signature import Tensor
from pilotage.errors import PilotageError
from pilotage.evaluation.data.datasets import open_dataset
from pilotage.evaluation.perturbation.input_spreads import Spread
from pilotage.evaluation.perturbation.perturbing import Perturbing, targets_of
from pilotage.evaluation.scoring.encoding import Encoding, Feed
from pilotage.formats.opening import open_model
from pilotage.spec.gates import DataSettings, Perturbation


def _feed(name: str, datatype: str, *, categories=()) -> Feed:
    tensor = Tensor(name, datatype, ("n",), categories=categories)
    return Feed(tensor, "column", (name,), (), True)


def _spread(*values: float) -> Spread:
    spread = Spread(pooled=False)
    spread.add(np.array(values))
    return spread


ENCODING = Encoding(
    (
        _feed("age", "FP32"),
        _feed("children", "INT64"),
        _feed("sex", "BYTES"),
        _feed("owns", "BOOL"),
        _feed("state", "INT64", categories=("1", "2")),
    )
)
SPREADS = {0: _spread(1.0, 3.0), 1: _spread(0.0, 2.0), 4: _spread(1.0, 2.0)}


def _targets(**perturbation):
    notes: list[str] = []
    found = targets_of(Perturbation(**perturbation), ENCODING, SPREADS, notes)
    return {ENCODING.feeds[target.input].columns[0]: target for target in found}, notes


def test_floats_and_texts_go_missing_and_what_cannot_is_told():
    targets, notes = _targets(missing=0.05)
    assert {name: target.missing for name, target in targets.items()} == {"age": 0.05, "sex": 0.05}
    assert notes == ["whole numbers and booleans cannot be missing, and stayed:"
                     " children, owns, state"]  # fmt: skip


def test_numbers_get_noise_in_their_own_deviations_and_what_does_not_is_told():
    targets, notes = _targets(noise_sd=0.1)
    assert set(targets) == {"age", "children"}
    np.testing.assert_allclose(targets["age"].noise, 0.1 * np.sqrt(2))
    assert notes == ["text, booleans and categories got no noise: sex, owns, state"]


def test_only_named_columns_are_changed():
    targets, notes = _targets(missing=0.05, columns=("age",))
    assert set(targets) == {"age"}
    assert not notes


def test_a_column_that_is_no_input_is_refused_with_the_nearest():
    with pytest.raises(PilotageError, match="Did you mean age") as caught:
        _targets(missing=0.05, columns=("aeg",))
    assert "children" in caught.value.expected


@pytest.mark.parametrize(
    "perturbation",
    [{"missing": 0.1, "columns": ("children",)}, {"noise_sd": 0.1, "columns": ("sex",)}],
)
def test_a_perturbation_that_changes_nothing_is_refused(perturbation):
    with pytest.raises(PilotageError, match="changes no input"):
        _targets(**perturbation)


def test_columns_of_one_input_are_changed_one_by_one():
    tensor = Tensor("x", "FP32", ("n", 3))
    encoding = Encoding((Feed(tensor, "columns", ("a", "b", "c"), (3,), True),))
    (target,) = targets_of(Perturbation(missing=0.5, columns=("c", "a")), encoding, {}, [])
    assert target.positions == (0, 2)


@pytest.fixture
def learned(tmp_path):
    """A model of four columns, its data, and perturbations that have learned from them."""
    (tmp_path / "m.onnx").write_bytes(models.tripled())
    model = open_model(tmp_path / "m.onnx", artifacts=tmp_path / "artifacts")
    chance = np.random.default_rng(2)
    scales = {"a": 1, "b": 10, "c": 0, "d": 5, "y": 1}
    columns = {name: chance.normal(0, scale, 500) for name, scale in scales.items()}
    frame = pl.DataFrame(columns)
    frame.write_parquet(tmp_path / "rows.parquet")
    asked = (Perturbation(noise_sd=0.5), Perturbation(missing=0.2, columns=("b",)))
    perturbing = Perturbing(model.signature, asked, seed=4)
    dataset = open_dataset(str(tmp_path / "rows.parquet"))
    perturbing.learn(model, dataset, DataSettings(label="y"))
    return perturbing, frame.select(*"abcd").to_numpy().astype(np.float32)


def test_a_data_set_is_read_for_its_spreads_and_then_perturbed(learned):
    perturbing, values = learned
    noisy, holed = perturbing.functions()
    chance = np.random.default_rng(0)
    (made,) = noisy([values], chance, np.arange(500))
    np.testing.assert_allclose(
        (made - values).std(axis=0), 0.5 * values.std(axis=0), rtol=0.1, atol=1e-6
    )
    (made,) = holed([values], chance, np.arange(500))
    assert np.isnan(made).any(axis=0).tolist() == [False, True, False, False]


def test_batches_of_any_size_are_perturbed_alike(learned):
    perturbing, values = learned
    noisy = perturbing.functions()[0]
    (whole,) = noisy([values], np.random.default_rng(0), np.arange(500))
    parts = [
        noisy([values[start:stop]], np.random.default_rng(9), np.arange(start, stop))[0]
        for start, stop in ((0, 3), (3, 64), (64, 500))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
