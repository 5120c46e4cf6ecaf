"""river's ADWIN with default settings, one a feature, on simulated days; and on right or wrong.

Usage: river_drift.py DAYS SEED. Prints JSON: case -> {days, alarms}, or {runs, delays}, in days.
"""

import json
import sys

import numpy as np
from river.drift import ADWIN

FEATURES, ROWS_A_DAY = 10, 5_000
SHIFTS = (0.1, 0.25, 0.5)
ACCURACIES = (0.83, 0.80, 0.75)
QUIET_DAYS, RUNS, WATCHED_DAYS = 20, 10, 20


def alarms(values: np.ndarray) -> int:
    detector, found = ADWIN(), 0
    for value in values.tolist():
        detector.update(value)
        found += detector.drift_detected
    return found


def delay(before: np.ndarray, after: np.ndarray) -> float | None:
    """Days until the first alarm after the change; None for none."""
    detector = ADWIN()
    for value in before.tolist():
        detector.update(value)
    for row, value in enumerate(after.tolist(), start=1):
        detector.update(value)
        if detector.drift_detected:
            return row / ROWS_A_DAY
    return None


def main() -> None:
    days, seed = int(sys.argv[1]), int(sys.argv[2])
    chance = np.random.default_rng(seed)
    rows = days * ROWS_A_DAY
    found: dict[str, dict[str, object]] = {
        "quiet": {
            "days": days,
            "alarms": sum(alarms(chance.standard_normal(rows)) for _ in range(FEATURES)),
        },
        "accuracy 85 %": {"days": days, "alarms": alarms((chance.random(rows) < 0.15) * 1.0)},
    }
    before, after = QUIET_DAYS * ROWS_A_DAY, WATCHED_DAYS * ROWS_A_DAY
    runs = max(1, min(RUNS, days // 10))
    for shift in SHIFTS:
        delays = [
            delay(chance.standard_normal(before), shift + chance.standard_normal(after))
            for _ in range(runs)
        ]
        found[f"{shift:g} sd in one feature"] = {"runs": runs, "delays": delays}
    for accuracy in ACCURACIES:
        delays = [
            delay((chance.random(before) < 0.15) * 1.0, (chance.random(after) < 1 - accuracy) * 1.0)
            for _ in range(runs)
        ]
        found[f"accuracy {100 * accuracy:g} %"] = {"runs": runs, "delays": delays}
    print(json.dumps(found))


main()
