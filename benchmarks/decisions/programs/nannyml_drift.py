"""NannyML's univariate drift and estimated performance on simulated days, default settings.

Usage: nannyml_drift.py DAYS SEED. Prints JSON: case -> {days, columns, any, first_column}, and for
performance {days, estimated, realized}. Usage reports are switched off.
"""

import json
import os
import sys
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")

import nannyml  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

COLUMNS = [f"feature {number}" for number in range(10)]
REFERENCE_DAYS = 10
DRIFT = {
    "quiet": (5_000, 0.0),
    "quiet, 500 rows a day": (500, 0.0),
    "0.1 sd in one feature": (5_000, 0.1),
    "0.25 sd in one feature": (5_000, 0.25),
    "0.5 sd in one feature": (5_000, 0.5),
}
ACCURACIES = (0.85, 0.83, 0.80, 0.75)
LABELS_A_DAY = 5_000


def drawn(chance: np.random.Generator, rows: int, shift: float = 0.0) -> pd.DataFrame:
    """Independent standard normal features, the first one shifted."""
    values = chance.standard_normal((rows, len(COLUMNS)))
    values[:, 0] += shift
    return pd.DataFrame(values, columns=COLUMNS)


def alerts_of(result: object, key: tuple[str, ...]) -> np.ndarray:
    frame = result.filter(period="analysis").to_df()  # type: ignore[attr-defined]
    return frame[(*key, "alert")].to_numpy(bool)


def drift(chance: np.random.Generator, days: int, rows: int, shift: float) -> dict[str, int]:
    reference = drawn(chance, REFERENCE_DAYS * rows)
    calculator = nannyml.UnivariateDriftCalculator(column_names=COLUMNS, chunk_size=rows)
    result = calculator.fit(reference).calculate(drawn(chance, days * rows, shift))
    alerts = np.stack([alerts_of(result, (name, "jensen_shannon")) for name in COLUMNS])
    return {
        "days": days,
        "columns": int(alerts.sum()),
        "any": int(alerts.any(axis=0).sum()),
        "first_column": int(alerts[0].sum()),
    }


def scored(chance: np.random.Generator, rows: int, accuracy: float) -> pd.DataFrame:
    """Calibrated scores of a model that is right in 85 %; a part of the labels turned over.

    A concept change: inputs and scores stay as they were, accuracy falls.
    """
    score = np.where(chance.random(rows) < 0.5, 0.85, 0.15) + 0.1 * (chance.random(rows) - 0.5)
    label = chance.random(rows) < score
    turned = (0.85 - accuracy) / (2 * 0.85 - 1)
    label = label ^ (chance.random(rows) < turned)
    return pd.DataFrame(
        {"score": score, "answer": (score > 0.5).astype(int), "label": label.astype(int)}
    )


def performance(chance: np.random.Generator, days: int, accuracy: float) -> dict[str, int]:
    reference = scored(chance, REFERENCE_DAYS * LABELS_A_DAY, ACCURACIES[0])
    analysed = scored(chance, days * LABELS_A_DAY, accuracy)
    settings = {
        "y_pred_proba": "score",
        "y_pred": "answer",
        "y_true": "label",
        "metrics": ["accuracy"],
        "problem_type": "classification_binary",
        "chunk_size": LABELS_A_DAY,
    }
    estimated = nannyml.CBPE(**settings).fit(reference).estimate(analysed)
    realized = nannyml.PerformanceCalculator(**settings).fit(reference).calculate(analysed)
    return {
        "days": days,
        "estimated": int(alerts_of(estimated, ("accuracy",)).sum()),
        "realized": int(alerts_of(realized, ("accuracy",)).sum()),
    }


def main() -> None:
    days, seed = int(sys.argv[1]), int(sys.argv[2])
    chance = np.random.default_rng(seed)
    found = {case: drift(chance, days, rows, shift) for case, (rows, shift) in DRIFT.items()}
    for accuracy in ACCURACIES:
        found[f"accuracy {100 * accuracy:g} %"] = performance(chance, days, accuracy)
    print(json.dumps(found))


main()
