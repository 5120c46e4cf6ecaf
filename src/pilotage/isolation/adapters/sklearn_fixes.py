"""Two places where skl2onnx 1.20 loses what scikit-learn's trees know, put right during conversion.

- Trees keep on which side a missing value goes; the conversion of trees and forests drops it.
- Gradient boosting by histograms compares with float64 thresholds; rounding one up to float32
  sends a value that equals the rounded threshold to the other side. Rounding down keeps the
  answer for every float32 input.

The proof found both. A later skl2onnx that has them right is not changed by this.
"""

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Final

import numpy as np

_CONVERTERS: Final = ("decision_tree", "random_forest", "gradient_boosting", "isolation_forest")
_PLAIN: Final = "add_tree_to_attribute_pairs"
_HISTOGRAM: Final = "add_tree_to_attribute_pairs_hist_gradient_boosting"
_TRACKS: Final = "nodes_missing_value_tracks_true"

Array = np.ndarray[Any, np.dtype[Any]]


def rounded_down(values: Array) -> Array:
    """The largest float32 not above each value, as float64."""
    wide = np.asarray(values, np.float64)
    near = wide.astype(np.float32)
    lower = np.nextafter(near, np.float32(-np.inf))
    return np.where(near.astype(np.float64) > wide, lower, near).astype(np.float64)


@contextmanager
def mended() -> Generator[None]:
    """Inside, skl2onnx converts trees with their missing values and exact thresholds."""
    modules: list[Any] = [
        import_module(f"skl2onnx.operator_converters.{name}") for name in _CONVERTERS
    ]
    replaced: list[tuple[Any, str, Any]] = []
    for module in modules:
        for name, mend in ((_PLAIN, _with_missing), (_HISTOGRAM, _with_exact_thresholds)):
            original = getattr(module, name, None)
            if original is not None:
                replaced.append((module, name, original))
                setattr(module, name, mend(original))
    try:
        yield
    finally:
        for module, name, original in replaced:
            setattr(module, name, original)


def _with_missing(original: Any) -> Any:
    def add_tree(attributes: Any, is_classifier: bool, tree: Any, *rest: Any, **named: Any) -> None:
        start = len(attributes[_TRACKS])
        original(attributes, is_classifier, tree, *rest, **named)
        left = getattr(tree, "missing_go_to_left", None)
        if left is not None and len(attributes[_TRACKS]) == start + len(left):
            attributes[_TRACKS][start:] = [int(side) for side in left]

    return add_tree


def _with_exact_thresholds(original: Any) -> Any:
    def add_tree(attributes: Any, is_classifier: bool, tree: Any, *rest: Any, **named: Any) -> None:
        nodes = tree.nodes.copy()
        nodes["num_threshold"] = rounded_down(nodes["num_threshold"])
        original(attributes, is_classifier, SimpleNamespace(nodes=nodes), *rest, **named)

    return add_tree
