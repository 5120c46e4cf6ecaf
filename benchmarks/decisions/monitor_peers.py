"""Other drift detectors on days like those of `monitors`: fewer, in environments of their own."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.contenders import Contender
from benchmarks.decisions.lengths import Length
from benchmarks.decisions.tables import Part, Table, middle_and_late, percent
from benchmarks.decisions.tasks import SEED, Progress
from benchmarks.environments import prepare
from benchmarks.places import HERE
from pilotage.errors import PilotageError

EVIDENTLY = Contender(
    "evidently",
    {},
    "DataDriftPreset, defaults",
    # It imports only beside pandas below 3, and asks for any.
    packages=("evidently==0.7.23", "pandas<3"),
    environment={"DO_NOT_TRACK": "1"},
)
NANNYML = Contender(
    "nannyml",
    {},
    "UnivariateDriftCalculator, CBPE, PerformanceCalculator, defaults, a chunk a day",
    # It needs statsmodels, and does not say so; it reports its use unless told not to.
    packages=("nannyml==0.13.1", "statsmodels"),
    environment={"NML_DISABLE_USAGE_LOGGING": "1"},
)
RIVER = Contender("river", {}, "ADWIN, defaults, one a feature", packages=("river==0.26.1",))
DETECTORS = (EVIDENTLY, NANNYML, RIVER)
SLOW = 10
"""Evidently gets so many times fewer days: a report takes seconds."""
TIME_LIMIT_S = 1_500
DAYS_A_YEAR = 365

Cases = dict[str, dict[str, Any]]


def run(length: Length) -> Part:
    """All three at once; what does not install or run is a row that says so."""
    progress = Progress("other drift detectors", len(DETECTORS))

    def one(detector: Contender) -> Cases | str:
        try:
            return _run(detector, length.peer_days)
        except PilotageError as error:
            return f"{error.what}: {error.where}"
        finally:
            progress.step()

    with ThreadPoolExecutor(len(DETECTORS)) as pool:
        answers = dict(zip(DETECTORS_BY_NAME, pool.map(one, DETECTORS), strict=True))
    rows: list[list[str]] = []
    for name, answer in answers.items():
        if isinstance(answer, str):
            rows.append([name, "did not run", answer[:80], "", ""])
        else:
            rows += [[name, case, *_cells(found)] for case, found in answer.items()]
    columns = ["detector", "what happens", "days", "columns drifted a year", "how often or soon"]
    note = (
        "Ten independent normal features; 5,000 rows a day unless said; reference of 50,000 rows "
        f"(NannyML: ten days). {'; '.join(f'{d.name}: {d.settings}' for d in DETECTORS)}. Columns "
        "drifted are those called so, per 365 days, over ten features; for ADWIN median / 95th "
        "percentile of days until the first alarm."
    )
    return Part("monitor_peers", [Table("Monitors: other drift detectors", columns, rows, note)])


DETECTORS_BY_NAME = tuple(detector.name for detector in DETECTORS)


def _run(detector: Contender, days: int) -> Cases:
    prepare(detector)
    if detector is EVIDENTLY:
        days = max(2, days // SLOW)
    program = HERE / "decisions" / "programs" / f"{detector.name}_drift.py"
    done = subprocess.run(
        [str(detector.python), str(program), str(days), str(SEED % 2**31)],
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
        check=False,
        env={**os.environ, **detector.environment, "OMP_NUM_THREADS": "1"},
    )
    if done.returncode != 0:
        raise PilotageError(f"{detector.name} does not run", where=done.stderr.strip()[-300:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def _cells(found: dict[str, Any]) -> list[str]:
    """Days, columns called drifted a year, and what happened on them, in words."""
    if "delays" in found:
        delays = [np.inf if delay is None else delay for delay in found["delays"]]
        return [f"{found['runs']} runs", "", f"after {middle_and_late(delays, 2)} days"]
    days = found["days"]
    if "estimated" in found:
        estimated, realized = found["estimated"] / days, found["realized"] / days
        words = f"estimated {percent(estimated)}, realized {percent(realized)} of days"
        return [str(days), "", words]
    if "alarms" in found:
        return [str(days), f"{found['alarms'] / days * DAYS_A_YEAR:.0f}", ""]
    words = f"any {percent(found['any'] / days)}, first {percent(found['first_column'] / days)}"
    if "data_sets" in found:
        words += f", data set {percent(found['data_sets'] / days)}"
    return [str(days), f"{found['columns'] / days * DAYS_A_YEAR:.0f}", f"{words} of days"]
