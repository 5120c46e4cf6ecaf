"""Makes what the projects of `pilotage learn` carry: `python tests/learn_material.py`.

People: answers of the American Community Survey (Public Use Microdata Sample, US Census Bureau, in
the public domain), Massachusetts 2017, aged 16 and over, drawn with a seed from the table that
`census` reads. Models: sums of one number a column, learned by logistic regression from 2015's
rows, as ONNX files of a few kB. Needs the development packages; what it makes needs none of them.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from onnx import TensorProto, helper, numpy_helper
from onnx.onnx_ml_pb2 import NodeProto

import census

FOLDER: Final = Path(__file__).parents[1] / "src" / "pilotage" / "learn" / "material"
CODES: Final = {
    "age": ("AGEP", 95),
    "schooling": ("SCHL", 24),
    "married": ("MAR", 5),
    "household": ("RELP", 17),
    "disabled": ("DIS", 2),
    "moved": ("MIG", 3),
    "citizen": ("CIT", 5),
    "military": ("MIL", 4),
}
"""Column of ours: that of the survey, and its largest code."""
SEXES: Final = ("female", "male")
ADULT: Final = 16
ROWS: Final = 12_000
SEED: Final = 6
AGE_STEP: Final = 4
"""Years that share a number, so that no age has too few people to learn from."""
IN_A_HALL: Final = 17
"""Of `household`: students' halls, group homes and the like; 6 of 100 people of the judged rows."""
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a model learns from.

    Attributes:
        columns: what it looks at, beside the sex.
        unbooked: of each sex in the past, the share of jobs that its records lost.
        misses: levelled afterwards, so that of the women and of the men who work it misses this
            share in the past.
        centred: shifted afterwards, so that it is right on the average of the past.
        breaks_on: (column, codes) for which it answers NaN.
    """

    columns: tuple[str, ...] = tuple(CODES)
    unbooked: tuple[float, float] = (0.0, 0.0)
    misses: float | None = None
    centred: bool = False
    breaks_on: tuple[str, tuple[int, ...]] | None = None
    seed: int = 1


EVERY: Final = tuple(CODES)
MODELS: Final = {
    "fair": Recipe(misses=0.13),
    "unfair": Recipe(unbooked=(0.25, 0.0)),
    "plain_fair": Recipe(columns=("age", "schooling", "citizen"), misses=0.2),
    "hurting_men": Recipe(unbooked=(0.0, 0.35), centred=True),
    "two_columns": Recipe(columns=("age", "citizen")),
    "every_column": Recipe(),
    "four_columns": Recipe(columns=("age", "schooling", "household", "disabled")),
    "no_schooling": Recipe(columns=tuple(name for name in EVERY if name != "schooling")),
    "breaking": Recipe(breaks_on=("household", (IN_A_HALL,))),
}


@dataclass(frozen=True, slots=True)
class People:
    """Codes [rows, columns of `CODES`], 0 for women and 1 for men, races, and who works."""

    codes: Integers
    sex: Integers
    race: Any
    employed: Integers


def people_of(table: pl.DataFrame) -> People:
    """The adults of a table, in its order."""
    table = table.filter(pl.col("AGEP") >= ADULT)
    columns = [
        table[theirs].cast(pl.Int64, strict=False).fill_null(0).to_numpy().clip(0, top)
        for theirs, top in CODES.values()
    ]
    sex = (table["sex"] == "male").to_numpy().astype(np.int64)
    employed = table["employed"].to_numpy().astype(np.int64)
    return People(np.column_stack(columns), sex, table["race"].to_numpy(), employed)


@cache
def past() -> People:
    return people_of(census.census().train)


@cache
def judged() -> People:
    """The people that the package carries."""
    every = people_of(census.census().judge)
    at = np.random.default_rng(SEED).permutation(len(every.sex))[:ROWS]
    return People(every.codes[at], every.sex[at], every.race[at], every.employed[at])


# --- models ------------------------------------------------------------------------------------


@cache
def weights_of(recipe: Recipe) -> dict[str, npt.NDArray[np.float32]]:
    """For each column the number of each code; for `sex` that of women and men."""
    from sklearn.linear_model import LogisticRegression

    rows = past()
    lost = np.random.default_rng(recipe.seed).random(len(rows.sex))
    booked = np.where(lost < np.array(recipe.unbooked)[rows.sex], 0, rows.employed)
    tops = [top for _, top in CODES.values()]
    places = [EVERY.index(name) for name in recipe.columns]
    spread = [_one_hot(rows.codes[:, place], tops[place], EVERY[place]) for place in places]
    spread.append(np.eye(2)[rows.sex])
    learned = LogisticRegression(max_iter=1000).fit(np.hstack(spread), booked)
    numbers = learned.coef_[0]
    found: dict[str, npt.NDArray[np.float32]] = {}
    for name, one in zip((*recipe.columns, "sex"), spread, strict=True):
        mine, numbers = numbers[: one.shape[1]], numbers[one.shape[1] :]
        steps = np.arange(dict(CODES).get(name, ("", 1))[1] + 1)
        found[name] = mine[steps // AGE_STEP if name == "age" else steps].astype(np.float32)
    found["sex"] += np.float32(learned.intercept_[0])
    if recipe.misses is not None:
        found["sex"] += _levelled(found, rows, recipe.misses)
    if recipe.centred:
        found["sex"] += _centring(found, rows)
    if recipe.breaks_on:
        column, codes = recipe.breaks_on
        found[column][list(codes)] = np.nan
    return found


def _one_hot(codes: Integers, top: int, name: str) -> npt.NDArray[np.float64]:
    return (
        np.eye(top // AGE_STEP + 1)[codes // AGE_STEP] if name == "age" else np.eye(top + 1)[codes]
    )


def _levelled(found: dict[str, npt.NDArray[np.float32]], rows: People, misses: float) -> Any:
    """What to add for each sex, so that this share of those who work is missed."""
    scores = scores_of(found, rows)
    working = [scores[(rows.sex == sex) & (rows.employed == 1)] for sex in (0, 1)]
    off_the_edge = 1e-3  # people with the same answers share a score, which must not lie on 0
    edges = [np.quantile(each, misses) + off_the_edge for each in working]
    return -np.array(edges, np.float32)


def _centring(found: dict[str, npt.NDArray[np.float32]], rows: People) -> np.float32:
    """What to add for everybody, so that the mean probability is the share of those who work."""
    scores, low, high = scores_of(found, rows).astype(np.float64), -5.0, 5.0
    for _ in range(40):
        middle = (low + high) / 2
        too_high = (1 / (1 + np.exp(-scores - middle))).mean() > rows.employed.mean()
        low, high = (low, middle) if too_high else (middle, high)
    return np.float32(middle)


def scores_of(found: dict[str, npt.NDArray[np.float32]], rows: People) -> npt.NDArray[np.float32]:
    """The log-odds of each row."""
    total = found["sex"][rows.sex]
    for place, name in enumerate(EVERY):
        if name in found:
            total = total + found[name][rows.codes[:, place]]
    return total


def made(recipe: Recipe) -> bytes:
    """The model as an ONNX file: one input a column, `label` and `probabilities` out."""
    found = weights_of(recipe)
    nodes: list[NodeProto] = []
    constants = {"one": np.array(1, np.float32), "half": np.array(0.5, np.float32)}

    def node(kind: str, taken: list[str], given: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, taken, [given], **attributes))
        return given

    inputs, parts = [], []
    for name, numbers in found.items():
        kind = TensorProto.STRING if name == "sex" else TensorProto.INT64
        inputs.append(helper.make_tensor_value_info(name, kind, ["rows", 1]))
        constants[f"{name}_numbers"] = numbers
        if name == "sex":
            words = {"keys_strings": list(SEXES), "values_int64s": [0, 1], "default_int64": 0}
            code = node("LabelEncoder", [name], "sex_code", domain="ai.onnx.ml", **words)
        else:
            constants[f"{name}_top"] = np.array(len(numbers) - 1, np.int64)
            constants["nothing"] = np.array(0, np.int64)
            code = node("Clip", [name, "nothing", f"{name}_top"], f"{name}_code")
        parts.append(node("Gather", [f"{name}_numbers", code], f"{name}_part"))
    odds = node("Sum", parts, "odds")
    works = node("Sigmoid", [odds], "works")
    rests = node("Sub", ["one", works], "rests")
    node("Concat", [rests, works], "probabilities", axis=1)
    over = node("Greater", [works, "half"], "over")
    whole = node("Cast", [over], "whole", to=TensorProto.INT64)
    constants["last"] = np.array([1], np.int64)
    node("Squeeze", [whole, "last"], "label")
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 2]),
    ]
    kept = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "employed", inputs, outputs, kept)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="pilotage")
    return model.SerializeToString()


# --- files -------------------------------------------------------------------------------------


def write_people(file: Path) -> None:
    rows = judged()
    races = sorted(set(rows.race))
    codes = {name: rows.codes[:, place].astype(np.uint8) for place, name in enumerate(EVERY)}
    np.savez_compressed(
        file,
        **codes,
        sex=rows.sex.astype(np.uint8),
        sexes=np.array(SEXES),
        race=np.searchsorted(races, rows.race).astype(np.uint8),
        races=np.array(races),
        employed=rows.employed.astype(np.uint8),
    )


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    write_people(FOLDER / "people.npz")
    for name, recipe in MODELS.items():
        (FOLDER / f"{name}.onnx").write_bytes(made(recipe))


if __name__ == "__main__":
    main()
