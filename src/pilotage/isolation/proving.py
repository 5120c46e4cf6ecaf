"""The proof that a converted model answers as the original does: what is compared, and the verdict.

Pure. The rule, for each value of each row: |difference| <= 1e-4 + 1e-3 * |original|; labels are
equal, except where the original's two best scores are closer than the two models differ on them.
Missing answers (NaN) must be missing on both sides.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from pilotage.isolation.conversion import OutputProof, Proof

ABSOLUTE: Final = 1e-4
RELATIVE: Final = 1e-3
LEAST_ROWS: Final = 2000
SHOWN_VALUES: Final = 32
"""Values of the worst row that are kept."""

Array = np.ndarray[Any, np.dtype[Any]]
Outputs = Mapping[str, Array]

LABEL: Final = "label"


def prove(
    original: Outputs,
    converted: Outputs,
    rows: Sequence[Array],
    *,
    sample_rows: int,
    versions: dict[str, str],
) -> Proof:
    """The comparison of both models' outputs on the same rows.

    Args:
        original, converted: by output name; `label` holds labels, all others hold numbers with
            one row a probe. The first other output decides ties of the labels.
        rows: the probes, one array a column.
    """
    scores = next((name for name in original if name != LABEL), None)
    outputs: list[OutputProof] = []
    for name, values in original.items():
        if name == LABEL:
            pair = (original[scores], converted[scores]) if scores is not None else None
            outputs.append(_labels(values, converted[name], pair))
        else:
            outputs.append(_numbers(name, values, converted[name]))
    worst = max(outputs, key=lambda output: (output.outside_rows > 0, _excess(output)))
    count = len(rows[0])
    enough = count >= LEAST_ROWS
    proven = enough and not any(output.outside_rows for output in outputs)
    return Proof(
        verdict="proven" if proven else "refused",
        rows=count,
        sample_rows=sample_rows,
        absolute=ABSOLUTE,
        relative=RELATIVE,
        outputs=tuple(outputs),
        worst_row=tuple(str(column[worst.row]) for column in rows[:SHOWN_VALUES]),
        versions=versions,
    )


def _excess(output: OutputProof) -> float:
    return output.largest_difference - output.allowed


def _numbers(name: str, original: Array, converted: Array) -> OutputProof:
    """Numbers: the place where the difference is largest against what is allowed."""
    one = _flat(original)
    two = _flat(converted)
    if one.shape != two.shape:
        return OutputProof(
            name, float("inf"), 0, f"shape {one.shape}", f"shape {two.shape}", 0.0, len(one)
        )
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(one - two)
        allowed = ABSOLUTE + RELATIVE * np.abs(one)
    same = (one == two) | (np.isnan(one) & np.isnan(two))
    difference[same] = 0.0
    difference[np.isnan(difference)] = np.inf
    allowed[~np.isfinite(allowed)] = 0.0
    excess = difference - allowed
    row, column = np.unravel_index(int(np.argmax(excess)), excess.shape)
    return OutputProof(
        name=name,
        largest_difference=float(difference.max()),
        row=int(row),
        original=f"{one[row, column]:.9g}",
        converted=f"{two[row, column]:.9g}",
        allowed=float(allowed[row, column]),
        outside_rows=int((excess > 0).any(axis=1).sum()),
    )


def _labels(original: Array, converted: Array, scores: tuple[Array, Array] | None) -> OutputProof:
    """Labels: equal, or so close that the difference of the scores explains it."""
    one = np.asarray(original).ravel().astype(str)
    two = np.asarray(converted).ravel().astype(str)
    differ = one != two
    forgiven = np.zeros(len(one), bool)
    if scores is not None and differ.any():
        forgiven = differ & _is_tie(*(_flat(side) for side in scores))
    outside = differ & ~forgiven
    row = int(np.argmax(outside)) if outside.any() else int(np.argmax(differ))
    return OutputProof(
        name=LABEL,
        largest_difference=float(outside.any()),
        row=row,
        original=str(one[row])[:100],
        converted=str(two[row])[:100],
        allowed=0.0,
        outside_rows=int(outside.sum()),
        forgiven_rows=int(forgiven.sum()),
    )


def _is_tie(original: Array, converted: Array) -> Array:
    """Rows whose two best scores are no further apart than the two models are on them."""
    if original.shape != converted.shape or original.shape[1] < 2:
        return np.zeros(len(original), bool)
    best = np.argsort(original, axis=1)[:, -2:]
    top = np.take_along_axis(original, best, axis=1)
    apart = np.abs(top - np.take_along_axis(converted, best, axis=1)).sum(axis=1)
    rounding = float(np.finfo(np.float32).eps) * np.abs(top).max(axis=1)
    return (top[:, 1] - top[:, 0]) <= apart + rounding


def _flat(values: Array) -> Array:
    """float64[rows, values]."""
    array = np.asarray(values, np.float64)
    return array.reshape(len(array), -1)
