"""What is asked of an adapter that converts a model to ONNX, and what it answers."""

from typing import Literal

from msgspec import Struct

Verdict = Literal["proven", "refused"]


class Conversion(Struct, frozen=True):
    """One model to convert.

    Attributes:
        source: the model file.
        format: "skops", "joblib", "xgboost-json", "xgboost-ubj" or "lightgbm".
        trust: the user's word that code of the file may run (in the host).
        sample: a file of rows for the proof as well, or "".
    """

    source: str
    format: str
    trust: bool = False
    sample: str = ""


class Column(Struct, frozen=True):
    """What the model tells of one of its input columns.

    Attributes:
        name: as the model knows it, else "column_3".
        low, high: the range of numbers seen in training, where the model tells it.
        categories: known values, where it is categorical.
    """

    name: str
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()


class OutputProof(Struct, frozen=True):
    """How far one output of the converted model is from the original's.

    Attributes:
        largest_difference: over all rows and values, absolute; at `row`.
        original, converted: the two values there.
        allowed: what the tolerance allows there.
        outside_rows: rows with a difference outside the tolerance.
        forgiven_rows: labels that differ where the original's margin is within the difference.
    """

    name: str
    largest_difference: float
    row: int
    original: str
    converted: str
    allowed: float
    outside_rows: int
    forgiven_rows: int = 0


class Proof(Struct, frozen=True):
    """The evidence that a converted model answers as the original does.

    Attributes:
        rows: rows on which both ran; sample_rows of them came from the user's sample.
        absolute, relative: |difference| <= absolute + relative * |original| on each value.
        worst_row: the values of the row with the largest difference beyond its tolerance, or
            nearest to it; as text, one a column, at most 32.
        versions: of the packages on both sides.
    """

    verdict: Verdict
    rows: int
    sample_rows: int
    absolute: float
    relative: float
    outputs: tuple[OutputProof, ...]
    worst_row: tuple[str, ...]
    versions: dict[str, str]


class Converted(Struct, frozen=True):
    """The answer: an ONNX file in the host's folder, and its proof.

    Attributes:
        file: its name inside the folder.
        kind: what the original is ("LogisticRegression").
        classes: the labels of a classifier, as text, in the order of its probabilities.
        notes: what a person should know.
    """

    file: str
    kind: str
    columns: tuple[Column, ...]
    classes: tuple[str, ...]
    proof: Proof
    notes: tuple[str, ...] = ()
