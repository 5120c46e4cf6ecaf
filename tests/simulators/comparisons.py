"""A report on two models beside each other, told as `pilotage compare` tells it."""

import msgspec

from pilotage.evaluation.comparing import compared, headline
from pilotage.evaluation.report import GateShown, Report
from simulators.reports import BASELINE, METRICS, MODEL, gate, interval, pair, report

ASKED = "better than the baseline"
LOWER = "better (lower) than the baseline"


def question(name, measured, word, estimate, low, high, *, unit="pp", asked=ASKED, **rest):
    """A gate such as a comparison asks, in the words of an evaluation."""
    reason = f" ({rest.pop('reason', 'both are possible')})" if word == "undecided" else ""
    return gate(
        f"{name}: {asked}",
        f"{measured}: {asked}{' in every group' if rest.get('groups') else ''}, {word}{reason}.",
        {"kind": "better_than_baseline", "by_at_least": 0.0},
        word,
        estimate,
        interval(low, high, "Tango score interval, paired"),
        unit=unit,
        margin=0.0,
        observed="pair",
        because="straddles" if word == "undecided" else None,
        **rest,
    )


def accuracy(word="passed") -> GateShown:
    low, high = {
        "passed": (0.0127, 0.0203),
        "failed": (-0.0203, -0.0127),
        "undecided": (-0.0021, 0.0055),
    }[word]
    shown = f"{low * 100:.2f} to {high * 100:.2f}".replace("-", "−")
    return question(
        "Accuracy",
        f"Accuracy minus the baseline's is {shown} pp (each end about 95 %, 20,000 rows)",
        word,
        (low + high) / 2,
        low,
        high,
        needed=61_000 if word == "undecided" else None,
    )


def brier(word="passed") -> GateShown:
    return question(
        "Brier score",
        "Brier score minus the baseline's is −0.0072 to −0.0044 (each end 95 %, 20,000 rows)",
        word,
        -0.0058,
        -0.0072,
        -0.0044,
        unit="",
        asked=LOWER,
        metric="brier_score",
    )


def auc() -> GateShown:
    return question(
        "ROC AUC",
        "ROC AUC minus the baseline's is −0.0011 to 0.0031 (each end about 95 %, 20,000 rows)",
        "undecided",
        0.001,
        -0.0011,
        0.0031,
        unit="",
        metric="roc_auc",
        notes=("fails alone, but not among so many gates: one of them may fail so by chance",),
        reason="may be chance among so many gates",
    )


def by_sex() -> GateShown:
    return question(
        "Accuracy across sex",
        "Accuracy of F minus the baseline's is −1.9 to −0.5 pp (each end about 95 %, 9,600 rows)",
        "failed",
        -0.012,
        -0.019,
        -0.005,
        groups=[
            pair("F", "failed", -0.012, 0.007, 9_600, culprit=True),
            pair("M", "passed", 0.041, 0.006, 10_400),
        ],
    )


def by_race() -> GateShown:
    groups = [
        pair("Pacific Islander", "undecided", 0.01, 0.19, 40, because="too_few"),
        pair("Asian", "undecided", 0.004, 0.009, 1_400, because="straddles"),
        pair("Black", "passed", 0.021, 0.011, 1_600),
        pair("White", "passed", 0.018, 0.005, 14_000),
    ]
    return question(
        "Accuracy across race",
        "Accuracy of Pacific Islander minus the baseline's is −18 to 20 pp (each end about 95 %, "
        "40 rows)",
        "undecided",
        0.01,
        -0.18,
        0.2,
        groups=groups,
        reason="too few rows in a group",
        notes=("would fail alone, but may be chance among so many: Asian",),
    )


def _before(metric, baseline):
    return msgspec.structs.replace(metric, baseline_estimate=baseline)


def comparison(*gates: GateShown) -> Report:
    """Two models, no gate: what `pilotage compare` makes of these questions."""
    gates = gates or (accuracy(), auc(), brier(), by_sex(), by_race())
    asked = report(
        command="pilotage compare models/employment-v6.skops models/employment-v7.skops \\\n"
        "  --data census/2017.parquet --label employed --protected sex --protected race",
        undecided="warn",
        outcome="undecided",
        gates=gates,
        latency=None,
        notes=(),
        metrics=tuple(map(_before, METRICS, (0.8115, 0.891, 0.1262, 0.786))),
        model=MODEL,
        baseline=BASELINE,
    )
    return msgspec.structs.replace(
        asked,
        headline=headline(asked),
        gates=tuple(compared(each) for each in gates),
        outcome="compared",
    )
