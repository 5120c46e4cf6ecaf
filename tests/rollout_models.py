"""Census models for rollouts, as ONNX files: a good one, and others that do one thing worse.

Each takes `person` FP32[n,16] (age, then codes) and gives `label` INT64[n] and `probabilities`
FP32[n,2]: does this person work? Boosted trees, trained with a seed on 2015's rows; what a version
does worse is built around them. Which requests it does worse is a function of their inputs, so a
request that is sent again goes the same way. Every version answers NaN, which no JSON answer can
hold, where the age is impossible: so a caller chooses the error rate that both arms share.
"""

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper, load_from_string, numpy_helper
from onnx.onnx_ml_pb2 import NodeProto

import census

COLUMNS: Final = (
    *("AGEP", "SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY"),
    *("DEAR", "DEYE", "DREM", "sex", "race"),
)
MODEL: Final = "census"
"""The endpoint's name in journeys and the demo."""
IMPOSSIBLE_AGE: Final = 999.0
OLDEST: Final = 150.0
TRAINED_ROWS: Final = 30_000
WIDTH: Final = 256
"""Of the square matrix that makes a version slower: one product takes 65,536 multiplications."""
LOST: Final = ("SCHL", "RELP", "DIS", "DREM", "MIG")
"""Without these columns 79.9 % of the labels of 2017 are right instead of 83.1 %."""
PRODUCTS: Final = 20
MORE_PRODUCTS: Final = 8
"""Of the heavy pair: enough that the engine's fixed time does not hide 30 % more."""
_CIRCLE: Final = 10_007
"""A prime: rows are hashed onto so many points."""

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Worse:
    """What a version does besides what its trees say.

    Attributes:
        seed: of the training rows and the trees.
        without: columns that it does not look at.
        fails: of all requests, the share that it answers with NaN.
        flips: the share whose label and probabilities it turns round.
        products: how many matrix products it calculates for nothing.
        name: of its input.
    """

    seed: int = 1
    without: tuple[str, ...] = ()
    fails: float = 0.0
    flips: float = 0.0
    products: int = 0
    name: str = "person"


@cache
def people() -> tuple[Floats, Integers]:
    """20,000 people of 2017 to ask about, and whether each works."""
    judged = census.census().judge
    return _numbers(judged), judged["employed"].to_numpy().astype(np.int64)


def baseline() -> bytes:
    return made(Worse())


def equal() -> bytes:
    """As good: the same kind of model, trained on other rows."""
    return made(Worse(seed=2))


def failing(share: float = 0.02) -> bytes:
    return made(Worse(seed=2, fails=share))


def less_accurate() -> bytes:
    """By three points: it lost columns on the way."""
    return made(Worse(seed=2, without=LOST))


def disagreeing(share: float = 0.1) -> bytes:
    """The trees of the baseline, and the other label for some of the people."""
    return made(Worse(flips=share))


def heavy() -> bytes:
    return made(Worse(products=PRODUCTS))


def slower() -> bytes:
    """The heavy one with 40 % more products: 30 % more engine time, whatever the batch."""
    return made(Worse(seed=2, products=PRODUCTS + MORE_PRODUCTS))


def other_signature() -> bytes:
    """It calls its input by another name."""
    return made(Worse(seed=2, name="features"))


def not_loading() -> bytes:
    """A right ONNX file with an operator that no engine knows."""
    model = load_from_string(equal())
    model.graph.node[0].op_type = "ForestOfAnotherWorld"
    return model.SerializeToString()


@cache
def made(worse: Worse) -> bytes:
    """The version as a file's bytes; the same every time."""
    trees = load_from_string(_trees(worse.seed, worse.without))
    (forest,) = trees.graph.node
    forest.input[0], forest.output[0], forest.output[1] = "seen", "said", "odds"
    built = _Built(worse)
    built.look_at_columns()
    built.nodes.append(forest)
    built.turn_round()
    built.answer_nothing()
    shape = [helper.make_tensor_value_info(worse.name, TensorProto.FLOAT, ["n", len(COLUMNS)])]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2]),
    ]
    weights = [numpy_helper.from_array(array, name) for name, array in built.weights.items()]
    graph = helper.make_graph(built.nodes, MODEL, shape, outputs, weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="tests")
    return model.SerializeToString()


class _Built:
    """The nodes around the trees, in order."""

    def __init__(self, worse: Worse) -> None:
        self._worse = worse
        self.nodes: list[NodeProto] = []
        self.weights: dict[str, npt.NDArray[Any]] = {}

    def look_at_columns(self) -> None:
        """`seen`: the input, with 0 in the columns that are lost."""
        kept = np.array([name not in self._worse.without for name in COLUMNS], np.float32)
        self._node("Mul", [self._worse.name, self._weight("kept", kept)], "seen")

    def turn_round(self) -> None:
        """`label` and `turned` from what the trees say."""
        hit = self._drawn("flips", self._worse.flips, factor=48_271)
        other = self._node("Sub", [self._weight("one", np.array(1, np.int64)), "said"], "other")
        flat = self._node("Squeeze", [hit, self._weight("last", np.array([1], np.int64))], "flat")
        self._node("Where", [flat, other, "said"], "label")
        order = self._weight("order", np.array([1, 0], np.int64))
        mirrored = self._node("Gather", ["odds", order], "mirrored", axis=1)
        self._node("Where", [hit, mirrored, "odds"], "turned")

    def answer_nothing(self) -> None:
        """`probabilities`: NaN for an impossible age and for what fails, and slow where asked."""
        first = self._weight("first", np.array([0], np.int64))
        age = self._node("Gather", [self._worse.name, first], "age", axis=1)
        oldest = self._weight("oldest", np.array(OLDEST, np.float32))
        impossible = self._node("Greater", [age, oldest], "impossible")
        hit = self._drawn("fails", self._worse.fails, factor=16_807)
        nothing = self._node("Or", [impossible, hit], "nothing")
        nan = self._weight("nan", np.array(np.nan, np.float32))
        answer = self._work("turned")
        self._node("Where", [nothing, nan, answer], "probabilities")

    def _work(self, answer: str) -> str:
        """The answer after as many matrix products as asked, which add 0 to it."""
        if not self._worse.products:
            return answer
        chance = np.random.default_rng(3)
        wide = chance.normal(size=(len(COLUMNS), WIDTH)).astype(np.float32) / 100
        square = chance.normal(size=(WIDTH, WIDTH)).astype(np.float32) / np.sqrt(WIDTH)
        at = self._node("MatMul", [self._worse.name, self._weight("wide", wide)], "work")
        square_name = self._weight("square", square.astype(np.float32))
        for number in range(self._worse.products):
            at = self._node("MatMul", [at, square_name], f"work_{number}")
        narrow = self._weight("narrow", np.zeros((WIDTH, 2), np.float32))
        return self._node("Add", [answer, self._node("MatMul", [at, narrow], "none")], "worked")

    def _drawn(self, name: str, share: float, *, factor: int) -> str:
        """BOOL[n,1]: whether a hash of the row, in whole numbers, falls into the share.

        Whole numbers, since sums of floats depend on the batch in which a row came.
        """
        powers = [pow(factor, place + 1, _CIRCLE) for place in range(len(COLUMNS))]
        whole = self._node("Cast", [self._worse.name], f"{name}_whole", to=TensorProto.INT64)
        spread = self._weight(f"{name}_powers", np.array(powers, np.int64))
        products = self._node("Mul", [whole, spread], f"{name}_products")
        axis = self._weight(f"{name}_axis", np.array([1], np.int64))
        total = self._node("ReduceSum", [products, axis], f"{name}_total", keepdims=1)
        circle = self._weight(f"{name}_circle", np.array(_CIRCLE, np.int64))
        place = self._node("Mod", [total, circle], f"{name}_place")
        end = self._weight(f"{name}_end", np.array(round(share * _CIRCLE), np.int64))
        return self._node("Less", [place, end], f"{name}_hit")

    def _weight(self, name: str, array: npt.NDArray[Any]) -> str:
        self.weights[name] = array
        return name

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


@cache
def _trees(seed: int, without: tuple[str, ...]) -> bytes:
    """Boosted trees of a sample of 2015's rows, as one ONNX node."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    rows, answers = _trained_on()
    rows = rows * np.array([name not in without for name in COLUMNS], np.float32)
    chosen = np.random.default_rng(seed).permutation(len(rows))[:TRAINED_ROWS]
    model = HistGradientBoostingClassifier(early_stopping=False, random_state=seed)
    with threadpool_limits(1):  # several that wait for each other are slow on a busy machine
        model.fit(rows[chosen], answers[chosen])
    opsets = {"": 17, "ai.onnx.ml": 3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # between two of the packages
        made_of: ModelProto = to_onnx(
            model, rows[:1], options={"zipmap": False}, target_opset=opsets
        )
    return made_of.SerializeToString()


@cache
def _trained_on() -> tuple[Floats, Integers]:
    train = census.census().train
    return _numbers(train), train["employed"].to_numpy().astype(np.int64)


def _numbers(table: Any) -> Floats:
    """The columns as numbers: codes as they are, words as their code, nothing as 0."""
    import polars as pl

    codes = {"sex": census.SEXES, "race": census.RACES}
    table = table.with_columns(
        pl.col(name).replace_strict({word: code for code, word in words.items()})
        for name, words in codes.items()
    )
    columns = [table[name].cast(pl.Float32).fill_null(0).to_numpy() for name in COLUMNS]
    return np.column_stack(columns).astype(np.float32)
