"""What a fitted scikit-learn estimator tells of its input columns.

It walks pipelines, column transformers and meta-estimators, gathers thresholds, means, quantiles,
categories, vocabularies and stored rows, and takes them back through scalers to the columns that a
caller sends.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from pilotage.isolation.probes import Feature

WALKED_ESTIMATORS: Final = 300
"""Members of one ensemble that are looked at: its first."""

POINTS_A_COLUMN: Final = 4000
"""Points kept of one column, spread evenly over them."""

STORED_ROWS: Final = 20_000

Estimator = Any  # scikit-learn has no types
Array = np.ndarray[Any, np.dtype[Any]]

_INNER: Final = (
    *("estimator_", "best_estimator_", "regressor_", "classifier_", "base_estimator_"),
    "estimator",
)


class Found:
    """What was found, by column."""

    def __init__(self, columns: int) -> None:
        self.features = [Feature(f"column_{index}") for index in range(columns)]
        self.stored: Array | None = None

    def points(self, column: int, values: Any, *, range_too: bool = True) -> None:
        """Adds points of a column, and widens its range to hold them."""
        array: Array = np.asarray(values, np.float64).ravel()
        array = array[np.isfinite(array)]
        if not len(array):
            return
        feature = self.features[column]
        known = np.concatenate([np.asarray(feature.points, np.float64), array])
        feature.points = np.unique(known)
        if range_too:
            self.widen(column, float(array.min()), float(array.max()))

    def near(self, column: int, values: Array) -> None:
        """Adds points that are known up to rounding, and widens the range to hold them."""
        array = np.asarray(values, np.float64).ravel()
        array = array[np.isfinite(array)]
        if len(array):
            feature = self.features[column]
            feature.near = np.unique(np.concatenate([np.asarray(feature.near, float), array]))
            self.widen(column, float(array.min()), float(array.max()))

    def widen(self, column: int, low: float, high: float) -> None:
        """Widens the range of a column."""
        feature = self.features[column]
        feature.low = low if feature.low is None else min(feature.low, low)
        feature.high = high if feature.high is None else max(feature.high, high)

    def rows(self, rows: Any) -> None:
        """Adds rows that the model keeps from its training."""
        dense: Array = np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows, np.float64)
        self.stored = dense[:STORED_ROWS]
        for column in range(min(dense.shape[1], len(self.features))):
            self.widen(column, float(dense[:, column].min()), float(dense[:, column].max()))


def features_of(model: Estimator) -> tuple[list[Feature], Array | None]:
    """The columns of a fitted model, and rows it has stored (None where it stores none)."""
    found = Found(columns_of(model))
    _walk(model, found)
    names = getattr(model, "feature_names_in_", None)
    for index, feature in enumerate(found.features):
        if names is not None:
            feature.name = str(names[index])
        elif feature.words and len(found.features) == 1:
            feature.name = "text"
        feature.points = _thinned(feature.points)
        feature.near = _thinned(feature.near)
        if feature.low is not None and feature.high is not None:
            edge = 0.1 * (feature.high - feature.low) or abs(feature.high) or 1.0
            feature.low, feature.high = feature.low - edge, feature.high + edge
    return found.features, found.stored


def _thinned(points: Any) -> Array:
    """At most `POINTS_A_COLUMN` of the sorted points, spread evenly."""
    array = np.asarray(points, np.float64)
    if len(array) <= POINTS_A_COLUMN:
        return array
    return array[np.linspace(0, len(array) - 1, POINTS_A_COLUMN).astype(int)]


def columns_of(model: Estimator) -> int:
    """The number of columns that a model takes; 1 for a model of texts."""
    try:
        return int(model.n_features_in_)
    except AttributeError:
        return 1


def _walk(model: Estimator, found: Found) -> None:
    if hasattr(model, "steps"):
        _walk_steps([step for _, step in model.steps if step is not None], found)
    elif hasattr(model, "transformers_"):
        for name, part, _ in model.transformers_:
            columns = [int(index) for index in model._transformer_to_input_indices[name]]
            _merge(_inside(part, len(columns)), found, columns)
    else:
        _look_at(model, found)
        for part in _parts(model):
            if columns_of(part) == len(found.features):
                _merge(_inside(part, len(found.features)), found, range(len(found.features)))


def _walk_steps(steps: list[Estimator], found: Found) -> None:
    """The first step sees the columns themselves; what the rest sees is taken back through it."""
    steps = [step for step in steps if not isinstance(step, str)]
    if not steps:
        return
    _walk(steps[0], found)
    if len(steps) == 1:
        return
    try:
        width = columns_of(steps[1])
    except TypeError:
        return
    behind = Found(width)
    _walk_steps(steps[1:], behind)
    _take_back(steps[0], behind, found)


def _inside(part: Estimator, columns: int) -> Found:
    inner = Found(columns)
    if not isinstance(part, str):
        _walk(part, inner)
    return inner


def _parts(model: Estimator) -> list[Estimator]:
    """The estimators inside a meta-estimator that see its own columns."""
    parts: list[Estimator] = []
    for name in ("estimators_", "calibrated_classifiers_"):
        members = getattr(model, name, None)
        if members is not None:
            parts += list(np.asarray(members, dtype=object).ravel())[:WALKED_ESTIMATORS]
    for name in _INNER:
        inner = getattr(model, name, None)
        if inner is not None and hasattr(inner, "fit") and inner not in parts:
            parts.append(inner)
    transformers = getattr(model, "transformer_list", None)
    if transformers is not None:
        parts += [part for _, part in transformers]
    return [part for part in parts if not isinstance(part, str)]


def _merge(inner: Found, found: Found, columns: Iterable[int]) -> None:
    """Puts what was found for some columns in its place."""
    indices = list(columns)
    for feature, column in zip(inner.features, indices, strict=False):
        target = found.features[column]
        target.text = target.text or feature.text
        target.words = target.words or feature.words
        target.categories = target.categories if len(target.categories) else feature.categories
        found.points(column, feature.points, range_too=False)
        found.near(column, feature.near)
        if feature.low is not None and feature.high is not None:
            found.widen(column, feature.low, feature.high)
    if inner.stored is not None and len(indices) == len(found.features):
        found.stored = inner.stored


def _take_back(step: Estimator, behind: Found, found: Found) -> None:
    """Points and rows behind a step, as values in front of it, where the step can be undone."""
    if hasattr(step, "transformers_"):
        for name, part, _ in step.transformers_:
            columns = [int(index) for index in step._transformer_to_input_indices[name]]
            cut: slice[int, int, None] = step.output_indices_.get(name, slice(0, 0))
            features = list(behind.features)[slice(cut.start, cut.stop)]
            if len(features) == len(columns):
                inner = Found(len(columns))
                some = Found(len(columns))
                some.features = features
                _take_back(part, some, inner)
                _merge(inner, found, columns)
        return
    if len(behind.features) != len(found.features) or not behind.features:
        return
    columns = [_told(feature) for feature in behind.features]
    longest = max(len(values) for values in columns)
    if longest:
        table = np.zeros((longest, len(columns)))
        for column, values in enumerate(columns):
            if len(values):
                table[:, column] = np.resize(values, longest)
        undone, exact = _undone(step, table)
        for column, feature in enumerate(behind.features):
            if not found.features[column].text:
                back = undone[: len(columns[column]), column]
                ends = 0 if feature.low is None else 2
                _put_back(found, column, back, ends=ends, exact=exact)
    if behind.stored is not None:
        found.rows(_undone(step, behind.stored)[0])


def _told(feature: Feature) -> Array:
    """The ends of a column's range, where it has one, and then its points."""
    ends = [] if feature.low is None or feature.high is None else [feature.low, feature.high]
    return np.concatenate([np.array(ends, float), _thinned(feature.points), _thinned(feature.near)])


def _put_back(found: Found, column: int, values: Array, *, ends: int, exact: bool) -> None:
    """Adds values of `_told`, taken back through a step, to a column in front of it."""
    if ends and np.isfinite(values[:ends]).all():
        found.widen(column, float(values[:ends].min()), float(values[:ends].max()))
    if exact:
        found.points(column, values[ends:])
    else:
        found.near(column, values[ends:])


def _undone(step: Estimator, table: Array) -> tuple[Array, bool]:
    """The values in front of a step, and whether they are exactly the ones behind it."""
    try:
        undone = np.asarray(step.inverse_transform(table), np.float64)
    except Exception:  # no inverse, or not for these values: as good as the values themselves
        return table, isinstance(step, str) or hasattr(step, "statistics_")
    if undone.shape != table.shape:
        return table, False
    return undone, bool(np.array_equal(undone, table))


def _look_at(model: Estimator, found: Found) -> None:
    """One estimator that holds no others."""
    count = len(found.features)
    tree = getattr(model, "tree_", None)
    if tree is not None:
        for column in range(count):
            found.points(column, tree.threshold[tree.feature == column])
    for predictors in getattr(model, "_predictors", ()):
        for predictor in predictors:
            nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            for column in range(count):
                own = nodes[nodes["feature_idx"] == column]
                found.points(column, own["num_threshold"][own["is_categorical"] == 0])
    _look_at_categories(model, found)
    _look_at_scale(model, found)
    for name in ("support_vectors_", "_fit_X", "cluster_centers_", "theta_", "means_"):
        rows = getattr(model, name, None)
        if rows is not None and getattr(rows, "ndim", 0) == 2 and rows.shape[1] == count:
            found.rows(rows)


def _look_at_categories(model: Estimator, found: Found) -> None:
    known: list[Any] = list(getattr(model, "categories_", None) or ())
    for feature, values in zip(found.features, known, strict=False):
        kept: list[Any] = [value for value in values if value is not None and value == value]
        feature.text = any(isinstance(value, str) for value in kept)
        feature.categories = [str(value) for value in kept] if feature.text else kept
    vocabulary = getattr(model, "vocabulary_", None)
    if vocabulary is not None:
        found.features[0].text = True
        found.features[0].words = sorted(str(word) for word in vocabulary)
    mapper = getattr(model, "_preprocessor", None)
    if mapper is not None and getattr(model, "is_categorical_", None) is not None:
        for column in np.flatnonzero(model.is_categorical_):
            found.points(int(column), np.arange(0, 6))


def _look_at_scale(model: Estimator, found: Found) -> None:
    """Means and spreads of scalers, quantiles, bins and imputed values."""
    count = len(found.features)
    center = next(
        (v for v in (getattr(model, n, None) for n in ("mean_", "center_")) if v is not None), None
    )
    scale = getattr(model, "scale_", None)
    low, high = getattr(model, "data_min_", None), getattr(model, "data_max_", None)
    quantiles = getattr(model, "quantiles_", None)
    bins = getattr(model, "bin_edges_", None)
    filled = getattr(model, "statistics_", None)
    for column in range(count):
        if low is not None and high is not None:
            found.points(column, [low[column], high[column]])
        elif scale is not None and np.ndim(scale) == 1 and len(scale) == count:
            middle = float(center[column]) if center is not None else 0.0
            spread = 4.0 * float(scale[column])
            found.widen(column, middle - spread, middle + spread)
            found.points(column, [middle], range_too=False)
        if quantiles is not None and np.shape(quantiles)[-1:] == (count,):
            found.points(column, quantiles[:, column])
        if bins is not None and len(bins) == count:
            found.points(column, bins[column])
        if filled is not None and len(filled) == count:
            if isinstance(filled[column], str):
                found.features[column].text = True
            else:
                found.points(column, [filled[column]], range_too=False)
