"""Evidently's DataDriftPreset on simulated days: how many columns and data sets it calls drifted.

Usage: evidently_drift.py DAYS SEED. Prints JSON: case -> {days, columns, one, data_sets}.
"""

import json
import os
import sys
import warnings

os.environ["DO_NOT_TRACK"] = "1"
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from evidently import Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

COLUMNS = [f"feature {number}" for number in range(10)]
CASES = {
    "quiet": (5_000, 0.0),
    "quiet, 500 rows a day": (500, 0.0),
    "quiet, 200 rows a day": (200, 0.0),
    "0.1 sd in one feature": (5_000, 0.1),
    "0.25 sd in one feature": (5_000, 0.25),
    "0.5 sd in one feature": (5_000, 0.5),
}
REFERENCE_ROWS = 50_000


def drawn(chance: np.random.Generator, rows: int, shift: float = 0.0) -> pd.DataFrame:
    """Independent standard normal features, the first one shifted."""
    values = chance.standard_normal((rows, len(COLUMNS)))
    values[:, 0] += shift
    return pd.DataFrame(values, columns=COLUMNS)


def drifted(reference: pd.DataFrame, day: pd.DataFrame) -> tuple[list[bool], bool]:
    """Each column's answer, and the data set's."""
    metrics = Report([DataDriftPreset()]).run(day, reference).dict()["metrics"]
    share = metrics[0]["value"]["share"] >= metrics[0]["config"]["drift_share"]
    columns: list[bool] = []
    for metric in metrics[1:]:
        config = metric["config"]
        if config["method"].endswith("p_value"):
            columns.append(bool(metric["value"] < config["threshold"]))
        else:
            columns.append(bool(metric["value"] >= config["threshold"]))
    return columns, bool(share)


def main() -> None:
    days, seed = int(sys.argv[1]), int(sys.argv[2])
    chance = np.random.default_rng(seed)
    found: dict[str, dict[str, int]] = {}
    for case, (rows, shift) in CASES.items():
        reference = drawn(chance, REFERENCE_ROWS)
        answers = [drifted(reference, drawn(chance, rows, shift)) for _ in range(days)]
        found[case] = {
            "days": days,
            "columns": sum(sum(columns) for columns, _ in answers),
            "any": sum(any(columns) for columns, _ in answers),
            "first_column": sum(columns[0] for columns, _ in answers),
            "data_sets": sum(whole for _, whole in answers),
        }
    print(json.dumps(found))


main()
