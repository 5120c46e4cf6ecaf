"""Models of scikit-learn, converted as a user's are, scored on tables: the whole way."""

import numpy as np
import polars as pl
import pytest

from pilotage.errors import PilotageError, PilotageErrors
from pilotage.evaluation.data.datasets import open_dataset
from pilotage.evaluation.scoring.predicting import score
from pilotage.formats.opening import open_model
from pilotage.spec.gates import DataSettings

pytest.importorskip("skl2onnx")
skops = pytest.importorskip("skops.io")
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402

pytestmark = pytest.mark.slow  # each conversion starts a host and imports its framework

ROWS = 300


def table():
    chance = np.random.default_rng(5)
    age = chance.normal(40, 12, ROWS)
    city = chance.choice(["Bern", "Oslo"], ROWS)
    paid = np.where(age + 10 * (city == "Oslo") + chance.normal(0, 5, ROWS) > 45, "yes", "no")
    number = np.arange(ROWS)
    return pl.DataFrame({"number": number, "city": city, "paid": paid, "age": age})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("converted")


@pytest.fixture(scope="module")
def mixed(folder):
    """A model of text and numbers that chooses its columns by name."""
    chosen = ColumnTransformer(
        [("n", StandardScaler(), ["age"]), ("c", OneHotEncoder(handle_unknown="ignore"), ["city"])]
    )
    data = table()
    fitted = make_pipeline(chosen, LogisticRegression()).fit(
        data.select("age", "city"), data["paid"]
    )
    skops.dump(fitted, folder / "mixed.skops")
    return open_model(folder / "mixed.skops", artifacts=folder / "store"), fitted


@pytest.fixture(scope="module")
def nameless(folder):
    """A model of two numbers, trained on an array, that answers 0, 1 or 2."""
    chance = np.random.default_rng(6)
    values = chance.normal(size=(ROWS, 2))
    classes = (values[:, 0] > 0).astype(int) + (values[:, 1] > 0)
    fitted = LogisticRegression().fit(values, classes)
    skops.dump(fitted, folder / "nameless.skops")
    return open_model(folder / "nameless.skops", artifacts=folder / "store"), fitted, values


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_converted_model_finds_its_columns_and_answers_as_the_original(folder, mixed, ending):
    model, fitted = mixed
    data = table()
    path = folder / f"data.{ending}"
    {"parquet": data.write_parquet, "csv": data.write_csv, "jsonl": data.write_ndjson}[ending](path)
    made, _ = score(model, open_dataset(str(path)), DataSettings(label="paid", protected=("city",)))
    features = data.select("age", "city")
    assert (made.task, made.classes, made.probabilities) == ("binary", ("no", "yes"), True)
    assert made.answer.tolist() == (fitted.predict(features) == "yes").astype(int).tolist()
    assert made.truth.tolist() == (data["paid"].to_numpy() == "yes").astype(int).tolist()
    np.testing.assert_allclose(made.score, fitted.predict_proba(features)[:, 1], atol=1e-6)
    assert made.groups["city"].names == ("Bern", "Oslo")


def test_a_column_that_a_converted_model_misses_is_named_with_the_nearest(folder, mixed):
    path = folder / "renamed.parquet"
    table().rename({"age": "ages", "city": "town"}).write_parquet(path)
    with pytest.raises(PilotageErrors) as caught:
        score(mixed[0], open_dataset(str(path)), DataSettings(label="paid"))
    assert len(caught.value.errors) == 2
    assert any("Did you mean ages?" in error.fix for error in caught.value.errors)


def test_labels_of_another_type_than_a_converted_models_classes_are_refused(folder, mixed):
    path = folder / "numbers.parquet"
    table().with_columns(paid=(pl.col("paid") == "yes").cast(pl.Int8)).write_parquet(path)
    with pytest.raises(PilotageError, match="is a class of the model") as caught:
        score(mixed[0], open_dataset(str(path)), DataSettings(label="paid"))
    assert '"no", "yes"' in caught.value.expected


def test_a_converted_model_without_names_takes_columns_in_file_order(folder, nameless):
    model, fitted, values = nameless
    path = folder / "plain.parquet"
    answers = fitted.predict(values)
    data = pl.DataFrame({"id": range(ROWS), "left": values[:, 0], "right": values[:, 1]})
    data.with_columns(kind=pl.Series(answers)).write_parquet(path)
    made, notes = score(model, open_dataset(str(path)), DataSettings(label="kind"))
    assert (made.task, made.classes) == ("multiclass", ("0", "1", "2"))
    assert made.answer.tolist() == answers.tolist()
    np.testing.assert_allclose(made.score, fitted.predict_proba(values), atol=1e-6)
    assert "the model names no columns, and takes in file order: left, right" in notes
