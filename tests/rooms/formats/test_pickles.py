"""What a scan finds in a pickle, of every protocol and compression, without running it."""

import builtins
import collections
import os
import pickle
import subprocess

import pytest

from pilotage.formats.pickles import is_dangerous, scan
from simulators.hostile_pickles import Runs

joblib = pytest.importorskip("joblib")
sklearn_linear = pytest.importorskip("sklearn.linear_model")


class Calls:
    """Pickles into a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def honest():
    return sklearn_linear.LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])


def said(path, severity):
    return " ".join(finding.what for finding in scan(path) if finding.severity == severity)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("made", "name"),
    [
        (Calls(os.system, "true"), f"{os.system.__module__}.system"),
        (Calls(subprocess.check_output, ["true"]), "subprocess.check_output"),
        (Calls(builtins.eval, "1"), "eval"),
        (Runs("raise SystemExit"), "exec"),
    ],
)
def test_a_dangerous_call_is_found(tmp_path, protocol, made, name):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"model": [made]}, protocol=protocol))
    assert name in said(path, "danger")


@pytest.mark.parametrize("compress", [0, "zlib", "gzip", "bz2", "xz", "lzma"])
def test_a_dangerous_call_behind_arrays_is_found_in_every_compression(tmp_path, compress):
    import numpy as np

    path = tmp_path / "model.joblib"
    arrays = [np.arange(1000.0), np.array(["a", None], dtype=object), np.array([], int)]
    joblib.dump([honest(), *arrays, Calls(os.system, "true")], path, compress=compress)
    assert f"{os.system.__module__}.system" in said(path, "danger")
    assert said(path, "warning") == ""


@pytest.mark.parametrize("compress", [0, "zlib"])
def test_an_honest_model_is_scanned_whole_with_nothing_but_notes(tmp_path, compress):
    path = tmp_path / "model.joblib"
    joblib.dump(honest(), path, compress=compress)
    assert {finding.severity for finding in scan(path)} == {"note"}
    assert "sklearn.linear_model._base.LinearRegression" in said(path, "note")


def test_a_forest_with_structured_arrays_is_scanned_whole(tmp_path):
    ensemble = pytest.importorskip("sklearn.ensemble")
    model = ensemble.RandomForestClassifier(3).fit([[0.0], [1.0]], ["a", "b"])
    joblib.dump(model, tmp_path / "model.joblib")
    assert {finding.severity for finding in scan(tmp_path / "model.joblib")} == {"note"}


def test_foreign_code_is_a_warning(tmp_path):
    import decimal

    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(decimal.Decimal(1)))
    assert "decimal.Decimal" in said(path, "warning")


def test_a_cut_pickle_is_told_to_be_scanned_in_part(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(honest())[:-40])
    assert "the scan is not whole" in said(path, "warning")


def test_scanning_runs_nothing(tmp_path):
    ran = tmp_path / "ran"
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Runs(f"open({str(ran)!r}, 'w')")))
    scan(path)
    assert not ran.exists()


@pytest.mark.parametrize(
    ("name", "dangerous"),
    [
        ("os.system", True),
        ("posix.system", True),
        ("builtins.eval", True),
        ("builtins.getattr", True),
        ("builtins.set", False),
        ("functools.partial", False),
        ("functools.reduce", True),
        ("osgeo.read", False),
        ("sklearn.svm.SVC", False),
    ],
)
def test_names_are_dangerous_by_their_module_but_for_plain_data(name, dangerous):
    assert is_dangerous(name) == dangerous


def test_ordered_data_is_no_warning(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(collections.OrderedDict(a=1)))
    assert said(path, "warning") == said(path, "danger") == ""
