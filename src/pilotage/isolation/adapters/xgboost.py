"""XGBoost models, saved as JSON or UBJ, to ONNX by onnxmltools, with their proof."""

import json
import math
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from pilotage.errors import PilotageError
from pilotage.isolation.adapters import onnx_graph
from pilotage.isolation.conversion import Conversion, Converted
from pilotage.isolation.probes import Feature
from pilotage.isolation.trying import Candidate, convert_and_prove

INPUT: Final = "inputs"
OPSET: Final = 15
"""The newest ai.onnx opset that onnxmltools knows for trees."""

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
    task = _Task(asked.source)
    return convert_and_prove(task, asked, folder, tell, [])


class _Task(Candidate):
    """One XGBoost model on its way to ONNX."""

    def __init__(self, source: str) -> None:
        xgboost: Any = import_module("xgboost")
        data = bytearray(Path(source).read_bytes())
        try:
            booster = xgboost.Booster(model_file=data)
        except xgboost.core.XGBoostError as error:
            raise PilotageError(
                f"XGBoost {xgboost.__version__} does not load the model: "
                f"{str(error).strip().splitlines()[-1][:300]}"
            ) from error
        learner = json.loads(booster.save_config())["learner"]
        self.objective = str(learner["objective"]["name"])
        _refuse_unknown(learner)
        classifies = self.objective.startswith(("binary:", "multi:"))
        self.model = (xgboost.XGBClassifier if classifies else xgboost.XGBRegressor)()
        self.model.load_model(data)
        self.booster = self.model.get_booster()
        if self.objective == "multi:softmax":
            # The same trees; the converter takes its labels from the probabilities, right alone.
            self.model.set_params(objective="multi:softprob")
            self.booster.set_param({"objective": "multi:softprob"})
        self.kind = f"XGBoost {self.objective}"
        self.features = _features(self.booster)
        # The converter knows columns by number alone.
        self.booster.feature_names = None
        self.booster.feature_types = None
        self.classes = tuple(range(int(self.model.n_classes_))) if classifies else ()
        self.stored = None
        self.doubt = ""
        self.packages = ("xgboost-cpu" if _has("xgboost-cpu") else "xgboost", "onnxmltools")

    def original(self, rows: Rows) -> dict[str, Array]:
        """What the model itself answers."""
        data = np.stack(rows, axis=1).astype(np.float32)
        if not self.classes:
            return {"value": np.asarray(self.model.predict(data))}
        return {
            "label": np.asarray(self.model.predict(data)),
            "probabilities": np.asarray(self.model.predict_proba(data)),
        }

    def feeds(self, rows: Rows) -> dict[str, Array]:
        """The same rows as the converted model takes them."""
        return {INPUT: np.stack(rows, axis=1).astype(np.float32)}

    def convert(self, path: Path) -> None:
        """Writes the ONNX file."""
        onnxmltools: Any = import_module("onnxmltools")
        model = onnxmltools.convert_xgboost(
            self.model,
            initial_types=onnx_graph.one_matrix(INPUT, len(self.features)),
            target_opset=OPSET,
        )
        onnx_graph.save_trees(model, path, classifies=bool(self.classes))


def _refuse_unknown(learner: dict[str, Any]) -> None:
    """Refuses the kinds that have no conversion, by name."""
    trees = str(learner["gradient_booster"]["name"])
    if trees != "gbtree":
        raise PilotageError(
            f"the model's booster is {trees}",
            expected="gbtree",
            fix="Train with booster='gbtree': dart and gblinear have no conversion to ONNX.",
        )
    objective = str(learner["objective"]["name"])
    if not objective.startswith(("binary:logi", "multi:", "reg:", "count:")):
        raise PilotageError(
            f"the model's objective is {objective}",
            expected="a binary:logistic, multi:, reg: or count: objective",
        )


def _features(booster: Any) -> list[Feature]:
    """The columns, with the points where trees split them."""
    kinds: list[str] = booster.feature_types or []
    if "c" in kinds:
        raise PilotageError(
            "the model has categorical columns, which have no conversion to ONNX",
            fix="Train it on one-hot columns, or on numbers.",
        )
    count = int(booster.num_features())
    names = booster.feature_names or [f"column_{index}" for index in range(count)]
    booster.feature_names = [f"f{index}" for index in range(count)]
    points: list[list[float]] = [[] for _ in range(count)]
    for text in booster.get_dump(dump_format="json"):
        _gather(json.loads(text), points)
    features: list[Feature] = []
    for name, found in zip(names, points, strict=True):
        low = min(found, default=-1.0)
        high = max(found, default=1.0)
        edge = 0.1 * (high - low) or max(abs(high), 1.0)
        features.append(Feature(str(name), low=low - edge, high=high + edge, points=found))
    return features


def _gather(node: dict[str, Any], points: list[list[float]]) -> None:
    """The split points of a tree, by column; without recursion, since trees may be deep."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        if "split" in at and math.isfinite(float(at["split_condition"])):
            points[int(str(at["split"]).lstrip("f"))].append(float(at["split_condition"]))
        waiting += at.get("children", [])


def _has(package: str) -> bool:
    metadata = import_module("importlib.metadata")
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
