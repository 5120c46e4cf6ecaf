"""LightGBM models, saved as text, to ONNX by onnxmltools, with their proof."""

import re
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from pilotage.errors import PilotageError
from pilotage.isolation.adapters import onnx_graph
from pilotage.isolation.adapters.sklearn_fixes import rounded_down
from pilotage.isolation.conversion import Conversion, Converted
from pilotage.isolation.probes import Feature
from pilotage.isolation.trying import Candidate, convert_and_prove

INPUT: Final = "inputs"
OPSET: Final = 15

ZERO: Final = float(np.float32(1e-35))
"""LightGBM's kZeroThreshold."""

_CATEGORICAL, _DEFAULT_LEFT, _MISSING_BITS = 1, 2, 12
_BELOW_ZERO: Final = float(np.nextafter(np.float32(-ZERO), np.float32(-np.inf)))
_SERVED: Final = ("binary", "multiclass", "regression", "poisson", "gamma", "quantile", "huber")
_SERVED_TOO: Final = ("tweedie", "regression_l1")

Array = np.ndarray[Any, np.dtype[Any]]
Rows = list[Array]


def run(request: msgspec.Raw, folder: Path, tell: Callable[[str], None]) -> Converted:
    """The converted model, written into `folder`.

    Raises:
        PilotageError: it does not load, or is of a kind without a conversion.
    """
    asked = msgspec.msgpack.decode(request, type=Conversion)
    warnings.simplefilter("ignore")
    tell("loading the model in a host")
    task = _Task(Path(asked.source).read_text("utf-8"))
    return convert_and_prove(task, asked, folder, tell, [])


class _Task(Candidate):
    """One LightGBM model on its way to ONNX."""

    def __init__(self, text: str) -> None:
        lightgbm: Any = import_module("lightgbm")
        try:
            self.booster = lightgbm.Booster(model_str=text)
            self.rounded = lightgbm.Booster(model_str=with_exact_nodes(text))
        except lightgbm.basic.LightGBMError as error:
            raise PilotageError(
                f"LightGBM {lightgbm.__version__} does not load the model: {str(error)[:300]}"
            ) from error
        dump = self.booster.dump_model()
        self.objective = str(dump.get("objective", "none")).split()[0]
        if not self.objective.startswith(_SERVED + _SERVED_TOO):
            raise PilotageError(
                f"the model's objective is {self.objective}",
                expected="one of " + ", ".join(_SERVED + _SERVED_TOO),
            )
        self.kind = f"LightGBM {self.objective}"
        self.features = _features(dump)
        classes = max(2, int(dump["num_class"]))
        classifies = self.objective.startswith(("binary", "multiclass"))
        self.classes = tuple(range(classes)) if classifies else ()
        self.stored = None
        self.doubt = ""
        self.packages = ("lightgbm", "onnxmltools")

    def original(self, rows: Rows) -> dict[str, Array]:
        """What the model itself answers."""
        answer = np.asarray(self.booster.predict(np.stack(rows, axis=1).astype(np.float64)))
        if not self.classes:
            return {"value": answer}
        if answer.ndim == 1:
            answer = np.stack([1.0 - answer, answer], axis=1)
        return {"label": answer.argmax(axis=1), "probabilities": answer}

    def feeds(self, rows: Rows) -> dict[str, Array]:
        """The same rows as the converted model takes them."""
        return {INPUT: np.stack(rows, axis=1).astype(np.float32)}

    def convert(self, path: Path) -> None:
        """Writes the ONNX file."""
        onnxmltools: Any = import_module("onnxmltools")
        model = onnxmltools.convert_lightgbm(
            self.rounded,
            initial_types=onnx_graph.one_matrix(INPUT, len(self.features)),
            target_opset=OPSET,
            zipmap=False,
        )
        onnx_graph.save_trees(model, path, classifies=bool(self.classes))


def with_exact_nodes(text: str) -> str:
    """The model's text with thresholds and missing values as ONNX's float32 trees need them.

    Thresholds are rounded down to float32, which keeps the answer for every float32 input. Where
    training saw no missing value, LightGBM reads NaN as 0: such a node's default side becomes the
    side of 0. And it reads numbers up to `ZERO` as 0, which its own threshold -ZERO must not take
    in. Source: LightGBM's tree.h (`NumericalDecision`, `GetMissingType`).
    """
    # Without the sizes of the trees, which change, LightGBM reads them one after the other.
    text = re.sub(r"(?m)^tree_sizes=.*\n", "", text)
    trees = re.split(r"(?m)(?=^Tree=)", text)
    return "".join([trees[0], *(_with_exact_nodes(tree) for tree in trees[1:])])


def _with_exact_nodes(tree: str) -> str:
    found = {
        name: re.search(rf"(?m)^{name}=(.*)$", tree) for name in ("threshold", "decision_type")
    }
    thresholds, decisions = found["threshold"], found["decision_type"]
    if not thresholds or not decisions or not thresholds[1].strip():
        return tree
    values = np.array(thresholds[1].split(), np.float64)
    kinds = np.array(decisions[1].split(), np.int64)
    numeric = (kinds & _CATEGORICAL) == 0
    values = np.where(numeric, rounded_down(values), values)
    values = np.where(numeric & (values == -ZERO), _BELOW_ZERO, values)
    unseen = numeric & ((kinds & _MISSING_BITS) == 0)
    as_zero = np.where(values >= 0, kinds | _DEFAULT_LEFT, kinds & ~_DEFAULT_LEFT)
    kinds = np.where(unseen, as_zero, kinds)
    texts = [
        repr(float(value)) if number else old
        for value, number, old in zip(values, numeric, thresholds[1].split(), strict=True)
    ]
    tree = tree.replace(thresholds[0], f"threshold={' '.join(texts)}", 1)
    return tree.replace(decisions[0], f"decision_type={' '.join(map(str, kinds))}", 1)


def _features(dump: dict[str, Any]) -> list[Feature]:
    """The columns, with ranges from training and the points where trees split them."""
    names = [str(name) for name in dump["feature_names"]]
    points: list[list[float]] = [[] for _ in names]
    categories: list[set[int]] = [set() for _ in names]
    for tree in dump["tree_info"]:
        waiting = [tree["tree_structure"]]
        while waiting:
            node = waiting.pop()
            if "split_feature" not in node:
                continue
            column = int(node["split_feature"])
            if node["decision_type"] == "==":
                categories[column].update(int(c) for c in str(node["threshold"]).split("||"))
            else:
                points[column].append(float(node["threshold"]))
            waiting += [node["left_child"], node["right_child"]]
    infos: dict[str, Any] = dump.get("feature_infos", {})
    return [
        _feature(name, infos.get(name, {}), found, known)
        for name, found, known in zip(names, points, categories, strict=True)
    ]


def _feature(name: str, info: dict[str, Any], points: list[float], known: set[int]) -> Feature:
    values = [int(value) for value in info.get("values", []) if int(value) >= 0]
    if known:
        return Feature(name, categories=sorted({*known, *values}))
    low, high = float(info.get("min_value", 0.0)), float(info.get("max_value", 0.0))
    if low >= high:
        low, high = min(points, default=-1.0), max(points, default=1.0)
    return Feature(name, low=low, high=high, points=points)
