"""One battery over many real models: converted and proven, or refused for what goes wrong.

The adapters run in this process here, since a host for each would take minutes; that they run in
a host is held by the tests of `formats`.
"""

import warnings
from functools import cache

import msgspec
import numpy as np
import pytest

from pilotage.errors import PilotageError
from pilotage.isolation.adapters import lightgbm as lightgbm_adapter
from pilotage.isolation.adapters import sklearn as sklearn_adapter
from pilotage.isolation.adapters import xgboost as xgboost_adapter
from pilotage.isolation.conversion import Conversion

sklearn = pytest.importorskip("sklearn")
pytest.importorskip("skl2onnx")
skops = pytest.importorskip("skops.io")
xgboost = pytest.importorskip("xgboost")
lightgbm = pytest.importorskip("lightgbm")
pytest.importorskip("onnxmltools")

import polars as pl  # noqa: E402
from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.ensemble import (  # noqa: E402
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.naive_bayes import GaussianNB  # noqa: E402
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler  # noqa: E402
from sklearn.svm import SVC, LinearSVC  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

chance = np.random.default_rng(0)
ROWS = 400
X = chance.normal(size=(ROWS, 4)) * [1, 5, 1, 2] + [0, 3, 0, 0]
VALUE = X[:, 0] * 3 + X[:, 1]
TWO = (X[:, 0] + X[:, 1] ** 2 / 9 + 0.3 * chance.normal(size=ROWS) > 1.8).astype(int)
THREE = np.digitize(VALUE, [-1, 4])
COUNTS = chance.poisson(np.exp(X[:, 0] / 2))
HOLES = np.where(chance.random(X.shape) < 0.1, np.nan, X)
ZEROS = np.where(chance.random(X.shape) < 0.5, 0.0, X)
GRID = np.round(X)
CITIES = chance.choice(["a", "b", "c", "d", "e"], (ROWS, 2))
MIXED = pl.DataFrame(
    {"city": CITIES[:, 0].tolist(), "job": CITIES[:, 1].tolist(), "age": X[:, 0], "pay": X[:, 1]}
)
MIXED_TWO = ((CITIES[:, 0] == "a") | (X[:, 0] > 0.5)).astype(int)
WORDS = ["good", "bad", "fine", "ugly", "nice", "day", "night", "the"]
TEXTS = [" ".join(chance.choice(WORDS, 6)) for _ in range(ROWS)]
MOOD = np.where(["good" in text for text in TEXTS], "glad", "sad")
MIXED_SETS = (np.isin(CITIES[:, 0], ["b", "d"]) | (X[:, 0] > 0.5)).astype(int)
CODES = np.column_stack([X[:, :3], chance.integers(0, 8, ROWS)])
CODES_TWO = ((CODES[:, 3] % 3 == 0) | (X[:, 0] > 1)).astype(int)


def on_columns(last, encoder=None):
    """A pipeline over two columns of text and two of numbers."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    chosen = ColumnTransformer(
        [
            ("text", encoder or OneHotEncoder(handle_unknown="ignore"), ["city", "job"]),
            ("numbers", numbers, ["age", "pay"]),
        ]
    )
    return make_pipeline(chosen, last)


def scaled(last):
    return make_pipeline(StandardScaler(), last)


SKLEARN = {
    "linear": (LinearRegression, X, VALUE),
    "linear of two values": (LinearRegression, X, X[:, :2]),
    "logistic": (lambda: scaled(LogisticRegression()), X, TWO),
    "logistic with text labels": (LogisticRegression, X, np.array(["u", "v", "w"])[THREE]),
    "neural network": (lambda: scaled(MLPClassifier((8,), max_iter=60, random_state=0)), X, TWO),
    "decision tree": (lambda: DecisionTreeClassifier(random_state=0), X, THREE),
    "forest": (lambda: RandomForestClassifier(20, random_state=0), X, TWO),
    "forest of values": (lambda: RandomForestRegressor(10, random_state=0), X, VALUE),
    "forest that saw missing values": (
        lambda: RandomForestClassifier(10, random_state=0),
        HOLES,
        TWO,
    ),
    "extra trees": (lambda: ExtraTreesClassifier(10, random_state=0), X, TWO),
    "gradient boosting": (
        lambda: GradientBoostingClassifier(n_estimators=20, random_state=0),
        X,
        TWO,
    ),
    "histogram boosting": (lambda: HistGradientBoostingClassifier(max_iter=20), X, TWO),
    "histogram boosting, missing": (
        lambda: HistGradientBoostingRegressor(max_iter=20),
        HOLES,
        VALUE,
    ),
    "histogram boosting, scaled": (
        lambda: scaled(HistGradientBoostingRegressor(max_iter=20)),
        X,
        VALUE,
    ),
    "support vectors": (lambda: scaled(SVC()), X, TWO),
    "support vectors of three": (lambda: scaled(SVC()), X, THREE),
    "linear support vectors": (lambda: scaled(LinearSVC()), X, TWO),
    "stacking": (
        lambda: StackingClassifier(
            [("one", LogisticRegression()), ("two", RandomForestClassifier(5, random_state=0))]
        ),
        X,
        TWO,
    ),
    "sigmoid calibration": (
        lambda: CalibratedClassifierCV(LogisticRegression(), method="sigmoid"),
        X,
        TWO,
    ),
    "naive bayes": (GaussianNB, X, TWO),
    "principal components": (
        lambda: make_pipeline(StandardScaler(), PCA(2), LogisticRegression()),
        X,
        TWO,
    ),
    "mixed columns": (lambda: on_columns(LogisticRegression()), MIXED, MIXED_TWO),
    "mixed columns, forest": (
        lambda: on_columns(RandomForestClassifier(10, random_state=0)),
        MIXED,
        MIXED_TWO,
    ),
    "mixed columns, boosting": (
        lambda: on_columns(HistGradientBoostingClassifier(max_iter=20)),
        MIXED,
        MIXED_TWO,
    ),
    "words": (lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXTS, MOOD),
    "words of other alphabets": (
        lambda: make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()),
        [
            text.replace("fine", "schön").replace("nice", "été").replace("day", "день")
            for text in TEXTS
        ],
        MOOD,
    ),
    "scaler alone": (StandardScaler, X, None),
}
TREES = {"n_estimators": 15, "max_depth": 4}
XGBOOST = {
    "classifier": (lambda: xgboost.XGBClassifier(**TREES), X, TWO),
    "classifier, missing": (lambda: xgboost.XGBClassifier(**TREES), HOLES, TWO),
    "three classes": (lambda: xgboost.XGBClassifier(**TREES), X, THREE),
    "regressor": (lambda: xgboost.XGBRegressor(**TREES), X, VALUE),
    "poisson": (lambda: xgboost.XGBRegressor(objective="count:poisson", **TREES), X, COUNTS),
    "gamma": (lambda: xgboost.XGBRegressor(objective="reg:gamma", **TREES), X, COUNTS + 1),
    "forest": (lambda: xgboost.XGBRFRegressor(n_estimators=10), X, VALUE),
}
LEAVES = {"n_estimators": 15, "verbose": -1, "min_child_samples": 5}
LIGHTGBM = {
    "classifier": ({}, X, TWO),
    "classifier, missing": ({}, HOLES, TWO),
    "classifier, zeros": ({}, ZEROS, TWO),
    "three classes": ({}, X, THREE),
    "dart": ({"boosting_type": "dart"}, X, TWO),
    "categories": ({"categorical_feature": [3]}, CODES, CODES_TWO),
    "regressor": ({"objective": "regression"}, X, VALUE),
    "poisson": ({"objective": "poisson"}, X, COUNTS),
}


def convert(adapter, source, kind, folder, **named):
    """What the adapter makes of the model file."""
    request = msgspec.Raw(msgspec.msgpack.encode(Conversion(str(source), kind, **named)))
    with warnings.catch_warnings():
        return adapter.run(request, folder, lambda _: None)


def convert_sklearn(model, data, target, folder, **named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = model.fit(data) if target is None else model.fit(data, target)
    skops.dump(model, folder / "model.skops")
    return convert(sklearn_adapter, folder / "model.skops", "skops", folder, **named)


@cache
def booster_of(name):
    parameters, data, target = LIGHTGBM[name]
    parameters = dict(LEAVES) | parameters
    categorical = parameters.pop("categorical_feature", "auto")
    values = parameters.get("objective", "") in ("regression", "poisson")
    kind = lightgbm.LGBMRegressor if values else lightgbm.LGBMClassifier
    return kind(**parameters).fit(data, target, categorical_feature=categorical).booster_


def assert_proven(converted, at_most=2e-4):
    proof = converted.proof
    assert proof.verdict == "proven", proof
    assert proof.rows >= 2000
    assert proof.outputs
    assert max(output.largest_difference for output in proof.outputs) <= at_most


@pytest.mark.parametrize("name", SKLEARN)
def test_a_model_of_scikit_learn_is_converted_and_proven(name, tmp_path):
    make, data, target = SKLEARN[name]
    assert_proven(convert_sklearn(make(), data, target, tmp_path))


@pytest.mark.parametrize("name", XGBOOST)
def test_a_model_of_xgboost_is_converted_and_proven(name, tmp_path):
    make, data, target = XGBOOST[name]
    make().fit(data, target).save_model(tmp_path / "model.json")
    assert_proven(convert(xgboost_adapter, tmp_path / "model.json", "xgboost-json", tmp_path), 2e-5)


def test_a_booster_whose_columns_have_names_is_proven(tmp_path):
    data = xgboost.DMatrix(X, TWO, feature_names=["age", "pay", "rent", "days"])
    booster = xgboost.train({"objective": "binary:logistic"}, data, 5)
    booster.save_model(tmp_path / "model.json")
    converted = convert(xgboost_adapter, tmp_path / "model.json", "xgboost-json", tmp_path)
    assert_proven(converted)
    assert [column.name for column in converted.columns] == ["age", "pay", "rent", "days"]


def test_a_booster_that_answers_labels_alone_is_proven_by_its_probabilities(tmp_path):
    parameters = {"objective": "multi:softmax", "num_class": 3}
    booster = xgboost.train(parameters, xgboost.DMatrix(X, THREE), 5)
    booster.save_model(tmp_path / "model.ubj")
    assert_proven(convert(xgboost_adapter, tmp_path / "model.ubj", "xgboost-ubj", tmp_path))


@pytest.mark.parametrize("name", LIGHTGBM)
def test_a_model_of_lightgbm_is_converted_and_proven(name, tmp_path):
    booster_of(name).save_model(tmp_path / "model.txt")
    assert_proven(convert(lightgbm_adapter, tmp_path / "model.txt", "lightgbm", tmp_path), 2e-5)


def grid_neighbours(kind):
    return kind(n_neighbors=4)


WRONG = {
    "histogram boosting on ordinal categories": (
        lambda: make_pipeline(
            ColumnTransformer(
                [("codes", OrdinalEncoder(), ["city", "job"])], remainder="passthrough"
            ),
            HistGradientBoostingClassifier(max_iter=30, categorical_features=[0, 1]),
        ),
        MIXED,
        MIXED_SETS,
    ),
    "isotonic calibration": (
        lambda: CalibratedClassifierCV(LogisticRegression(), method="isotonic"),
        X,
        TWO,
    ),
    "nearest neighbours": (lambda: grid_neighbours(KNeighborsClassifier), GRID, TWO),
    "values of nearest neighbours": (lambda: grid_neighbours(KNeighborsRegressor), GRID, VALUE),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_conversion_that_is_wrong_without_an_error_is_refused_by_the_proof(name, tmp_path):
    make, data, target = WRONG[name]
    proof = convert_sklearn(make(), data, target, tmp_path, trust=True).proof
    assert proof.verdict == "refused"
    assert max(output.largest_difference for output in proof.outputs) > 1e-2


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("histogram boosting on ordinal categories", MIXED_TWO, "sets of categories"),
        ("values of nearest neighbours", np.ones(ROWS), "other neighbours"),
    ],
)
def test_a_conversion_known_to_be_wrong_is_refused_even_where_no_probe_finds_it(
    name, target, said, tmp_path
):
    make, data, _ = WRONG[name]
    with pytest.raises(PilotageError, match=said):
        convert_sklearn(make(), data, target, tmp_path, trust=True)


def test_several_values_at_once_by_xgboost_are_refused_by_the_proof(tmp_path):
    model = xgboost.XGBRegressor(**TREES).fit(X, np.column_stack([VALUE, -10 * VALUE]))
    model.save_model(tmp_path / "model.json")
    proof = convert(xgboost_adapter, tmp_path / "model.json", "xgboost-json", tmp_path).proof
    assert proof.verdict == "refused"
    assert proof.outputs[0].largest_difference > 10


LOUD = {
    "dart": (lambda: xgboost.XGBClassifier(booster="dart", **TREES).fit(X, TWO), "booster is dart"),
    "linear": (lambda: xgboost.XGBClassifier(booster="gblinear").fit(X, TWO), "is gblinear"),
    "ranking": (
        lambda: xgboost.XGBRanker(**TREES).fit(X, TWO, group=[ROWS]),
        "objective is rank",
    ),
    "trees of several values": (
        lambda: xgboost.XGBRegressor(multi_strategy="multi_output_tree", **TREES).fit(X, X[:, :2]),
        "no conversion to ONNX",
    ),
}


@pytest.mark.parametrize("name", LOUD)
def test_an_xgboost_model_without_a_conversion_is_refused_by_name(name, tmp_path):
    make, said = LOUD[name]
    make().save_model(tmp_path / "model.json")
    with pytest.raises(PilotageError, match=said):
        convert(xgboost_adapter, tmp_path / "model.json", "xgboost-json", tmp_path)


@pytest.mark.parametrize(
    "parameters",
    [
        {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
        {"linear_tree": True},
        {"zero_as_missing": True},
    ],
)
def test_a_lightgbm_model_that_converts_wrongly_is_refused_by_the_proof(parameters, tmp_path):
    model = lightgbm.LGBMClassifier(**LEAVES, **parameters).fit(ZEROS, TWO)
    model.booster_.save_model(tmp_path / "model.txt")
    proof = convert(lightgbm_adapter, tmp_path / "model.txt", "lightgbm", tmp_path).proof
    assert proof.verdict == "refused"


def test_a_wrong_row_of_the_sample_is_found_and_told_to_be_the_samples(tmp_path):
    (tmp_path / "sample.csv").write_text("a,b,c,d\n1,2,3,4\n5,6,7,8\n")
    converted = convert_sklearn(
        LinearRegression(), X, VALUE, tmp_path, sample=str(tmp_path / "sample.csv")
    )
    assert converted.proof.sample_rows == 2
    assert converted.proof.rows == 4096 + 2


def test_a_model_of_texts_has_one_input_named_text(tmp_path):
    make, data, target = SKLEARN["words"]
    (column,) = convert_sklearn(make(), data, target, tmp_path).columns
    assert column.name == "text"


@pytest.mark.slow
def test_a_model_of_many_columns_is_compared_on_fewer_rows_but_never_too_few(tmp_path):
    wide = np.random.default_rng(1).normal(size=(20, 30_000))
    proof = convert_sklearn(LinearRegression(), wide, wide[:, 0], tmp_path).proof
    assert proof.verdict == "proven"
    assert 2000 <= proof.rows < 4096


def test_what_the_model_knows_of_its_columns_and_classes_is_told(tmp_path):
    converted = convert_sklearn(on_columns(LogisticRegression()), MIXED, MIXED_TWO, tmp_path)
    city, job, age, pay = converted.columns
    assert (city.name, city.categories) == ("city", ("a", "b", "c", "d", "e"))
    assert job.low is None
    assert age.low < X[:, 0].min()
    assert pay.high > X[:, 1].mean()
    assert converted.classes == ("0", "1")
