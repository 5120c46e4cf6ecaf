"""Models of other frameworks, opened as a user does: in a host, with a proof, kept."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from pilotage.errors import PilotageError
from pilotage.formats import converting
from pilotage.formats.opening import open_model
from pilotage.isolation.conversion import Proof
from pilotage.isolation.limits import HostLimits
from simulators.hostile_pickles import Runs

pytest.importorskip("skl2onnx")
joblib = pytest.importorskip("joblib")
skops = pytest.importorskip("skops.io")
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.neighbors import KNeighborsRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402

chance = np.random.default_rng(0)
X = chance.normal(size=(200, 3))
VALUE = X[:, 0] * 3 + X[:, 1]
LABEL = np.where(VALUE > 0, "yes", "no")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def linear(base):
    """A scikit-learn model of numbers, saved by skops, and opened."""
    skops.dump(
        make_pipeline(StandardScaler(), LogisticRegression()).fit(X, LABEL), base / "m.skops"
    )
    told = []
    return open_model(base / "m.skops", artifacts=base / "store", progress=told.append), told


def run(model, **feeds):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model.path), providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def test_a_skops_file_is_served_as_onnx_with_its_proof(linear):
    model, told = linear
    assert model.format == "skops"
    assert model.signature.batch_axis == "batch"
    (inputs,) = model.signature.inputs
    assert (inputs.name, inputs.datatype, inputs.shape) == ("inputs", "FP32", ("batch", 3))
    label, probabilities = model.signature.outputs
    assert (label.name, label.datatype, label.categories) == ("label", "BYTES", ("no", "yes"))
    assert (probabilities.name, probabilities.shape) == ("probabilities", ("batch", 2))
    assert model.proof.verdict == "proven"
    assert model.proof.rows >= 2000
    assert {"scikit-learn", "skl2onnx", "onnxruntime"} <= set(model.proof.versions)
    assert any("converting" in text for text in told)


def test_the_served_model_answers_as_the_original(linear):
    model, _ = linear
    label, _ = run(model, inputs=X.astype(np.float32))
    assert (label == LABEL).mean() > 0.9


def test_the_proof_lies_beside_the_artifact(linear):
    import msgspec

    model, _ = linear
    kept = msgspec.json.decode((model.path.parent / "proof.json").read_bytes(), type=Proof)
    assert kept == model.proof


def test_a_second_opening_starts_no_host(linear, base, monkeypatch):
    monkeypatch.setattr(converting, "run_in_host", None)
    assert open_model(base / "m.skops", artifacts=base / "store") == linear[0]


def test_a_sample_is_compared_as_well_and_makes_another_proof(linear, base):
    (base / "rows.csv").write_text("a,b,c\n1,2,3\n4,5,6\n7,8,9\n")
    model = open_model(base / "m.skops", artifacts=base / "store", sample=base / "rows.csv")
    assert model.proof.sample_rows == 3
    assert model.digest == linear[0].digest


@pytest.mark.usefixtures("linear")
def test_a_sample_that_is_not_there_is_told_before_anything_is_done(base):
    with pytest.raises(PilotageError, match="sample cannot be read"):
        open_model(base / "m.skops", artifacts=base / "store", sample=base / "absent.csv")


def test_text_and_number_columns_are_inputs_of_their_own(base):
    pl = pytest.importorskip("polars")
    city = chance.choice(["Bern", "Oslo"], 200)
    data = pl.DataFrame({"city": city.tolist(), "age": X[:, 0]})
    chosen = ColumnTransformer(
        [("c", OneHotEncoder(handle_unknown="ignore"), ["city"]), ("n", StandardScaler(), ["age"])]
    )
    skops.dump(make_pipeline(chosen, LinearRegression()).fit(data, VALUE), base / "mixed.skops")
    model = open_model(base / "mixed.skops", artifacts=base / "store")
    city_input, age_input = model.signature.inputs
    assert (city_input.datatype, city_input.shape) == ("BYTES", ("batch", 1))
    assert city_input.categories == ("Bern", "Oslo")
    assert (age_input.datatype, age_input.shape) == ("FP32", ("batch", 1))
    assert age_input.low < 0 < age_input.high
    assert [(tensor.name, tensor.shape[0]) for tensor in model.signature.outputs] == [
        ("value", "batch")
    ]


def test_a_conversion_that_is_wrong_is_refused_with_its_numbers_and_leaves_nothing(base):
    grid = np.round(X)
    skops.dump(KNeighborsRegressor(4).fit(grid, VALUE), base / "knn.skops")
    with pytest.raises(PilotageError) as caught:
        open_model(base / "knn.skops", artifacts=base / "fresh")
    error = caught.value
    assert "value differs on" in error.what
    assert "should be" in error.what
    assert "0.0001 + 0.001 * |original|" in error.expected
    assert list((base / "fresh").iterdir()) == []


def test_xgboost_and_lightgbm_files_are_served(base):
    xgboost = pytest.importorskip("xgboost")
    lightgbm = pytest.importorskip("lightgbm")
    xgboost.XGBRegressor(n_estimators=5).fit(X, VALUE).save_model(base / "x.ubj")
    lightgbm.LGBMRegressor(n_estimators=5, verbose=-1).fit(X, VALUE).booster_.save_model(
        base / "l.txt"
    )
    for name, kind in (("x.ubj", "xgboost-ubj"), ("l.txt", "lightgbm")):
        model = open_model(base / name, artifacts=base / "store")
        assert model.format == kind
        assert model.proof.verdict == "proven"
        assert model.signature.batch_axis == "batch"
        assert [tensor.name for tensor in model.signature.outputs] == ["value"]


@pytest.mark.parametrize("save", [joblib.dump, lambda model, path: path.write_bytes(model)])
def test_a_pickle_is_refused_without_trust_with_what_the_scan_found(base, save):
    made = LinearRegression().fit(X, VALUE)
    made = made if save is joblib.dump else pickle.dumps(made)
    save(made, base / "m.joblib")
    with pytest.raises(PilotageError, match="runs code when it is opened") as caught:
        open_model(base / "m.joblib", artifacts=base / "store")
    assert "LinearRegression" in caught.value.what
    assert "--trust" in caught.value.fix


def test_a_pickle_is_served_with_trust_and_its_findings_are_shown(base):
    joblib.dump(LinearRegression().fit(X, VALUE), base / "trusted.joblib")
    model = open_model(base / "trusted.joblib", artifacts=base / "store", trust=True)
    assert model.format == "joblib"
    assert any("the pickle imports" in finding.what for finding in model.findings)
    with pytest.raises(PilotageError, match="runs code"):
        open_model(base / "trusted.joblib", artifacts=base / "store")


def test_a_hostile_pickle_is_refused_without_trust_and_contained_with_it(base):
    ran = base / "ran"
    (base / "evil.pkl").write_bytes(pickle.dumps(Runs(f"open({str(ran)!r}, 'w')")))
    with pytest.raises(PilotageError, match=r"danger: the pickle calls builtins\.exec"):
        open_model(base / "evil.pkl", artifacts=base / "store")
    try:
        open_model(base / "evil.pkl", artifacts=base / "store", trust=True)
    except PilotageError as error:
        if "PermissionError" not in error.what:
            pytest.skip("this kernel does not allow the protection of files")
    assert not ran.exists()


def test_a_link_that_a_host_leaves_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("precious")
    (tmp_path / "model.onnx").symlink_to(tmp_path / "secret")
    with pytest.raises(PilotageError, match="left no ONNX file"):
        converting.made_by_host(tmp_path)


def test_a_host_that_needs_more_than_its_limits_is_told(base):
    joblib.dump(LinearRegression().fit(X, -VALUE), base / "slow.joblib")
    with pytest.raises(PilotageError, match=r"took longer than 0\.1 s"):
        converting.convert(
            base / "slow.joblib",
            "joblib",
            base / "store",
            trust=True,
            sample=None,
            progress=None,
            limits=HostLimits(wall_s=0.1),
        )


PROGRAM = """
import json, sys
from pathlib import Path
from pilotage.formats.opening import open_model
open_model(Path(sys.argv[1]), artifacts=Path(sys.argv[2]))
print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))
"""


@pytest.mark.usefixtures("linear")
def test_the_serving_process_never_loads_a_framework(base):
    for store in ("store", "other"):
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(base / "m.skops"), str(base / store)],
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = set(json.loads(ran.stdout))
        assert loaded.isdisjoint(
            {"onnx", "sklearn", "skl2onnx", "skops", "xgboost", "lightgbm", "pandas", "scipy"}
        )
