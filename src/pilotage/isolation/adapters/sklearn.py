"""scikit-learn models, saved by skops, joblib or pickle, to ONNX by skl2onnx, with their proof."""

import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from pilotage.errors import PilotageError
from pilotage.isolation.adapters import onnx_graph
from pilotage.isolation.adapters.sklearn_columns import features_of
from pilotage.isolation.adapters.sklearn_doubts import doubt_of
from pilotage.isolation.adapters.sklearn_fixes import mended
from pilotage.isolation.conversion import Conversion, Converted
from pilotage.isolation.trying import Candidate, convert_and_prove

Estimator = Any  # neither scikit-learn nor skl2onnx has types
Array = np.ndarray[Any, np.dtype[Any]]
Rows = list[Array]

INPUT: Final = "inputs"
LOCALE: Final = "C.UTF-8"
"""skl2onnx would take "en_US", which slim systems lack: the session would not start there."""

SKLEARN_WORDS: Final = r"(?u)\b\w\w+\b"
RE2_WORDS: Final = r"[\p{L}\p{N}_]{2,}"
"""The same words for ONNX Runtime, whose \\w knows ASCII letters alone."""

SCORES: Final = ("probabilities", "scores")


def run(request: msgspec.Raw, folder: Path, tell: Callable[[str], None]) -> Converted:
    """The converted model, written into `folder`.

    Raises:
        PilotageError: it does not load, is not trusted, or has no conversion.
    """
    asked = msgspec.msgpack.decode(request, type=Conversion)
    tell("loading the model in a host")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = _load(asked)
    notes = [
        "it was saved by another version of scikit-learn than the one that loaded it"
        for warning in caught
        if "InconsistentVersion" in warning.category.__name__
    ][:1]
    warnings.simplefilter("ignore")
    model = _served_part(model)
    task = _Task(model)
    return convert_and_prove(task, asked, folder, tell, notes)


def _load(asked: Conversion) -> Estimator:
    source = asked.source
    if asked.format == "joblib":
        if not asked.trust:
            raise PilotageError("a pickle runs code when it is opened, and it is not trusted")
        joblib: Any = import_module("joblib")
        return joblib.load(source)
    skops: Any = import_module("skops.io")
    unknown = [
        name
        for name in skops.get_untrusted_types(file=source)
        if not name.startswith(("sklearn.", "numpy."))
    ]
    if unknown and not asked.trust:
        raise PilotageError(
            f"the file holds types that are not known to be safe: {', '.join(unknown[:20])}",
            fix="If you trust whoever made it, say --trust; they are then loaded in a host.",
        )
    return skops.load(source, trusted=skops.get_untrusted_types(file=source))


def _served_part(model: Estimator) -> Estimator:
    """The estimator that predicts: a search gives its best one."""
    kind = type(model).__name__
    if not hasattr(model, "predict") and not hasattr(model, "transform"):
        raise PilotageError(f"the file holds {kind}, which neither predicts nor transforms")
    root = type(model).__module__.split(".")[0]
    if root in ("xgboost", "lightgbm", "catboost"):
        raise PilotageError(
            f"the file holds {kind} of {root}",
            expected="an estimator of scikit-learn",
            fix="Save it in its own format (model.save_model, or booster_.save_model) and serve"
            " that: it carries no code.",
        )
    return getattr(model, "best_estimator_", model)


class _Task(Candidate):
    """One scikit-learn model on its way to ONNX."""

    def __init__(self, model: Estimator) -> None:
        self.model = model
        self.last = model.steps[-1][1] if hasattr(model, "steps") else model
        self.kind = type(self.last).__name__
        self.features, self.stored = features_of(model)
        first = model.steps[0][1] if hasattr(model, "steps") else model
        self.chooses = hasattr(first, "transformers_")
        self.named = self.chooses and _by_name(first)
        if self.named:
            dropped = _dropped(first)
            self.features = [f for i, f in enumerate(self.features) if i not in dropped]
        self.separate = self.named or any(feature.text for feature in self.features)
        self.frame = _frame_maker() if self.named else None
        self.classes = self._classes()
        self.doubt = doubt_of(model)
        self.packages = ("scikit-learn", "skl2onnx")

    def _classes(self) -> tuple[Any, ...]:
        classes = getattr(self.model, "classes_", None)
        if classes is None:
            return ()
        if isinstance(classes, list) or not hasattr(self.model, "predict"):
            raise PilotageError(f"{self.kind} predicts several labels at once")
        return tuple(classes.tolist())

    def original(self, rows: Rows) -> dict[str, Array]:
        """What the model itself answers."""
        data = self._data(rows)
        if not hasattr(self.model, "predict"):
            values = self.model.transform(data)
            return {"values": values.toarray() if hasattr(values, "toarray") else values}
        if not self.classes:
            return {"value": np.asarray(self.model.predict(data))}
        answer = {"label": np.asarray(self.model.predict(data))}
        if hasattr(self.model, "predict_proba"):
            answer["probabilities"] = np.asarray(self.model.predict_proba(data))
        else:
            scores = np.asarray(self.model.decision_function(data))
            answer["scores"] = np.stack([-scores, scores], 1) if scores.ndim == 1 else scores
        return answer

    def feeds(self, rows: Rows) -> dict[str, Array]:
        """The same rows as the converted model takes them."""
        if not self.separate:
            return {INPUT: np.stack(rows, axis=1)}
        return {
            feature.name: column.reshape(-1, 1)
            for feature, column in zip(self.features, rows, strict=True)
        }

    def convert(self, path: Path) -> None:
        """Writes the ONNX file."""
        skl2onnx: Any = import_module("skl2onnx")
        types: Any = import_module("skl2onnx.common.data_types")
        if self.separate:
            initial = [
                (f.name, (types.StringTensorType if f.text else types.FloatTensorType)([None, 1]))
                for f in self.features
            ]
        else:
            initial = [(INPUT, types.FloatTensorType([None, len(self.features)]))]
        scores = not hasattr(self.model, "predict_proba")
        error: Exception | None = None
        for wanted in _option_sets(classifier=bool(self.classes), scores=scores):
            options = self._options(wanted)
            try:
                with mended():
                    model = skl2onnx.convert_sklearn(
                        self.model,
                        initial_types=initial,
                        options=options,
                        target_opset=onnx_graph.OPSET,
                    )
                break
            except NameError as unknown_option:  # this estimator knows fewer options
                if "Option" not in str(unknown_option):
                    raise
                error = unknown_option
        else:
            raise error or RuntimeError("no options were tried")
        self._finish(model, path)

    def _options(self, wanted: dict[str, bool]) -> dict[int, dict[str, Any]]:
        options: dict[int, dict[str, Any]] = {}
        if wanted:
            options[id(self.model)] = dict(wanted)
            options[id(self.last)] = dict(wanted)
        for part in _vectorizers(self.model):
            options[id(part)] = {"locale": LOCALE}
            if part.analyzer == "word" and part.token_pattern == SKLEARN_WORDS:
                options[id(part)]["tokenexp"] = RE2_WORDS
        return options

    def _finish(self, model: Any, path: Path) -> None:
        made = [output.name for output in model.graph.output]
        names = dict(zip(made, self.output_names(), strict=False))
        onnx_graph.rename_outputs(model, names)
        onnx_graph.name_rows(model)
        onnx_graph.save(model, path)

    def output_names(self) -> list[str]:
        """Names of the outputs, in the converted model's order."""
        if not hasattr(self.model, "predict"):
            return ["values"]
        if not self.classes:
            return ["value"]
        return ["label", SCORES[0] if hasattr(self.model, "predict_proba") else SCORES[1]]

    def _data(self, rows: Rows) -> Any:
        """The rows as the original takes them: float64, or columns with names."""
        if self.frame is not None:
            return self.frame([feature.name for feature in self.features], rows)
        if not self.chooses and len(rows) == 1 and self.features[0].text:
            return list(rows[0])
        if any(feature.text for feature in self.features):
            return np.stack([column.astype(object) for column in rows], axis=1)
        return np.stack(rows, axis=1).astype(np.float64)


def _by_name(chooser: Estimator) -> bool:
    """Whether a column transformer chooses any column by its name."""
    chosen: list[Any] = [columns for _, part, columns in chooser.transformers_ if part != "drop"]
    return any(
        isinstance(column, str)
        for columns in chosen
        for column in (columns if isinstance(columns, list) else [columns])  # pyright: ignore[reportUnknownVariableType]
    )


def _dropped(chooser: Estimator) -> set[int]:
    """Columns that a column transformer gives to nobody."""
    used = {
        int(index)
        for name, part, _ in chooser.transformers_
        if not (isinstance(part, str) and part == "drop")
        for index in chooser._transformer_to_input_indices[name]
    }
    return set(range(int(chooser.n_features_in_))) - used


def _option_sets(*, classifier: bool, scores: bool) -> list[dict[str, bool]]:
    """Options to try, most wanted first: converters refuse names they do not know."""
    if not classifier:
        return [{}]
    if scores:
        return [{"zipmap": False, "raw_scores": True}, {"raw_scores": True}, {"zipmap": False}, {}]
    return [{"zipmap": False}, {}]


def _vectorizers(model: Estimator) -> list[Estimator]:
    """Every text vectorizer inside the model."""
    parts: list[Estimator] = []
    if hasattr(model, "steps"):
        parts = [part for _, part in model.steps]
    elif hasattr(model, "transformers_"):
        parts = [part for _, part, _ in model.transformers_]
    elif hasattr(model, "transformer_list"):
        parts = [part for _, part in model.transformer_list]
    elif hasattr(model, "vocabulary_"):
        return [model]
    return [found for part in parts if not isinstance(part, str) for found in _vectorizers(part)]


def _frame_maker() -> Callable[[list[str], Rows], Any]:
    """Makes a data frame of whichever library is installed."""
    for package in ("pandas", "polars"):
        try:
            library: Any = import_module(package)
        except ModuleNotFoundError:
            continue
        return lambda names, rows: library.DataFrame(
            {
                name: column.tolist() if column.dtype == object else column.astype(np.float64)
                for name, column in zip(names, rows, strict=True)
            }
        )
    raise PilotageError(
        "the model chooses its columns by name, which scikit-learn does on data frames alone",
        fix="Install Polars: pip install 'pilotage[export]'.",
    )
