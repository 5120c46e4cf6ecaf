"""Reports such as an evaluation makes: realistic numbers, made by formula, always the same."""

from math import exp

import msgspec

from pilotage.evaluation.report import (
    FORMAT,
    Confusion,
    DataShown,
    GateShown,
    GroupShown,
    IntervalShown,
    LatencyShown,
    MemberShown,
    MetricShown,
    ModelShown,
    Report,
    VerdictShown,
)
from simulators.report_pictures import calibration, roc, share_interval, slices

DIGEST = "9f2c41d07be83a5566c0d9e1f4a7b2380c5d6e7f8091a2b3c4d5e6f708192a3b"


def interval(low: float, high: float, method: str, guarantee: str = "approximate", side="two"):
    return IntervalShown(low, high, 0.95, method, guarantee, side)


def gate(
    title,
    sentence,
    condition,
    word,
    estimate,
    ends,
    *,
    unit="%",
    margin,
    metric="accuracy",
    because=None,
    rows=20_000,
    groups=(),
    needed=None,
    notes=(),
    claim=None,
    line=0,
    assumptions=("rows are independent",),
    observed="row",
    members=(),
) -> GateShown:
    return GateShown(
        title=title,
        sentence=sentence,
        metric=metric,
        condition=condition,
        claim=claim,
        line=line,
        unit=unit,
        margin=margin,
        groups=tuple(groups),
        rows_needed=needed,
        notes=tuple(notes),
        members=tuple(members),
        member_unit="%",
        verdict=VerdictShown(
            word=word,
            because=because,
            estimate=estimate,
            interval=ends,
            observations=rows,
            unit=observed,
            rule=title,
            method=ends.method if ends else "none",
            error_rate=0.05,
            assumptions=tuple(assumptions),
        ),
    )


def auc_gate(word="passed") -> GateShown:
    ends = interval(0.8871, 0.8968, "DeLong, logit")
    return gate(
        "ROC AUC: at least 0.85",
        f"ROC AUC is 0.8871–0.8968 (95 %, 20,000 rows): at least 0.85, {word}.",
        {"kind": "at_least", "value": 0.85},
        word,
        0.892,
        ends,
        unit="",
        margin=0.85,
        metric="roc_auc",
        line=3,
    )


def paired_gate(word="passed", estimate=-0.001, low=-0.0052, high=0.0033) -> GateShown:
    return gate(
        "Accuracy: not worse than the baseline by more than 1 pp",
        f"Accuracy minus the baseline's is {_signed(low)} to {_signed(high)} pp (95 %, 20k pairs)"
        f": not worse than the baseline by more than 1 pp, {word}.",
        {"kind": "not_worse_than_baseline", "by_more_than": 0.01},
        word,
        estimate,
        interval(low, high, "Tango score interval, paired"),
        unit="pp",
        margin=0.01,
        line=4,
        observed="pair",
        assumptions=("rows are independent", "both models saw the same rows"),
    )


def _signed(value: float) -> str:
    return f"{value * 100:.2f}".replace("-", "−")


def pair(group, word, estimate, half, rows, *, culprit=False, because=None) -> GroupShown:
    return GroupShown(
        group, word, because, rows, estimate, estimate - half, estimate + half, culprit
    )


def member(group, rows, share) -> MemberShown:
    ends = share_interval(share, rows)
    return MemberShown(group, rows, share, ends.low, ends.high)


def sex_gate(word="passed") -> GateShown:
    groups = [pair("F against M", "passed", 0.012, 0.009, 20_000)]
    low, high, said = 0.003, 0.021, "0.3–2.1"
    if word == "failed":
        groups = [pair("F against M", "failed", 0.083, 0.014, 20_000, culprit=True)]
        low, high, said = 0.069, 0.097, "6.9–9.7"
    return gate(
        "False-positive rate across sex: differs by at most 5 pp",
        f"False-positive rate differs by {said} pp between F and M (95 %, 20,000 rows): "
        f"differs by at most 5 pp, {word}.",
        {"kind": "difference_at_most", "at_most": 0.05},
        word,
        (low + high) / 2,
        interval(low, high, "Newcombe 10, score"),
        unit="pp",
        margin=0.05,
        groups=groups,
        members=(member("M", 10_400, 0.101), member("F", 9_600, 0.113 + 0.071 * (low > 0.05))),
        metric="false_positive_rate",
        line=5,
    )


def _why(half: float, few: bool) -> str | None:
    return "too_few" if half > 0.3 else "straddles" if half > 0.1 or few else None


def race_gate(word="passed", rows=20_000) -> GateShown:
    names = ("Black", "Asian", "Hispanic", "Two or more", "Native American", "Pacific Islander")
    few = word == "undecided"
    ratios = (0.93, 0.97, 0.91, 0.95, 0.9, 0.88)
    halves = (0.05, 0.04, 0.06, 0.08, 0.16, 0.4)
    groups = [
        GroupShown(
            f"{name} against White",
            "undecided" if half > 0.1 or few else "passed",
            _why(half, few),
            max(round(rows * 0.02 / half), 4),
            ratio,
            max(ratio - half * (4 if few else 1), 0),
            ratio + half * (4 if few else 1),
            False,
        )
        for ratio, half, name in sorted(zip(ratios, halves, names, strict=True))
    ]
    members = [
        member(name, max(round(rows * 0.02 / half), 4), 0.44 * ratio)
        for ratio, half, name in sorted(zip(ratios, halves, names, strict=True))
    ]
    low = 0.13 if few else 0.82
    return gate(
        "Selection rate across race: ratio at least 0.8",
        f"Selection rate of {groups[-1].group} is {low:.2f}–1.05 times as high (95 %, {rows} rows)"
        f": ratio at least 0.8, {word}.",
        {"kind": "ratio_at_least", "at_least": 0.8},
        word,
        0.88,
        interval(low, 1.05, "Katz score, ratio"),
        unit="ratio",
        margin=0.8,
        groups=groups,
        members=[member("White", round(rows * 0.7), 0.44), *members],
        metric="selection_rate",
        because="straddles" if few else None,
        rows=rows,
        line=6,
        needed=18_400 if few else None,
        notes=("2 groups have fewer than 200 rows and are undecided.",),
    )


def calibration_gate() -> GateShown:
    return gate(
        "Calibration in the large: within 2 pp of 0",
        "Calibration in the large is −0.41 to 0.63 pp (95 %, 20k rows): within 2 pp of 0, passed.",
        {"kind": "within", "value": 0.02},
        "passed",
        0.0011,
        interval(-0.0041, 0.0063, "hedged capital", "exact"),
        unit="pp",
        margin=0.02,
        line=7,
        metric="calibration_in_the_large",
    )


def robust_gate(word="passed") -> GateShown:
    return gate(
        "Accuracy: drops by at most 3 pp with 5 % of values missing and noise of 0.1 sd",
        f"Accuracy changes by −2.4 to −1.1 pp with 5 % of values missing, noise of 0.1 sd (95 %, "
        f"20,000 pairs): drops by at most 3 pp, {word}.",
        {
            "kind": "drop_at_most",
            "perturbation": {"missing": 0.05, "noise_sd": 0.1},
            "at_most": 0.03,
        },
        word,
        -0.0175,
        interval(-0.024, -0.011, "Tango score interval, paired"),
        unit="pp",
        margin=0.03,
        line=8,
        observed="pair",
    )


def claim_gate(word="undecided") -> GateShown:
    return gate(
        "Accuracy: 83 %, within 1 pp",
        f"Accuracy is 82.1–84.5 % (95 %, 20,000 rows): claimed 83 %, within 1 pp (paper, "
        f"table 2), {word} (both are possible).",
        {"kind": "equals", "value": 0.83, "within": 0.01},
        word,
        0.833,
        interval(0.821, 0.845, "Clopper-Pearson", "exact"),
        margin=0.83,
        line=9,
        claim="paper, table 2",
        because="straddles",
        needed=31_000,
    )


def latency_gate() -> GateShown:
    return gate(
        "Latency p99: at most 20 ms",
        "p99 latency is at most 13.4 ms at 200 requests/s (95 %, 12,000 requests): "
        "at most 20 ms, passed.",
        {"kind": "at_most", "value": 0.02},
        "passed",
        0.0127,
        interval(None, 0.0134, "order statistics", "exact", "upper"),
        unit="ms",
        margin=0.02,
        metric="latency_p99",
        rows=12_000,
        line=10,
        observed="request",
        assumptions=("requests arrive as in the stated load",),
    )


METRICS = (
    MetricShown("accuracy", "Accuracy", "%", 0.828, share_interval(0.828, 20_000), 0.829),
    MetricShown("roc_auc", "ROC AUC", "", 0.892, interval(0.8871, 0.8968, "DeLong"), 0.884),
    MetricShown("brier", "Brier score", "", 0.1204, interval(0.1177, 0.1232, "hedged"), 0.1262),
    MetricShown(
        "f1",
        "F1",
        "",
        0.8012,
        interval(0.794, 0.8081, "BCa", "asymptotic"),
        0.798,
        "BCa bootstrap: can fall short of its confidence with few rows",
    ),
)

LATENCY = LatencyShown(
    200,
    60,
    12_000,
    (0.5, 0.9, 0.99, 0.999),
    (2.31, 4.92, 12.7, 24.8),
    (2.27, 4.80, 12.1, 20.3),
    (2.36, 5.05, 13.4, 37.9),
    34_600_000,
    "2 cores, x86-64, ONNX Runtime 1.24, one thread",
)

MODEL = ModelShown(
    "employment-v7", "models/employment-v7.skops", "skops", DIGEST, "binary", ("no", "yes")
)
BASELINE = ModelShown(
    "employment-v6", "models/employment-v6.skops", "skops", DIGEST[::-1], "binary", ("no", "yes")
)


def report(**changed) -> Report:
    """Everything passed, with every picture."""
    whole = Report(
        format=FORMAT,
        made_at="2026-03-02T09:41:07Z",
        pilotage="0.4.0",
        command="pilotage evaluate models/employment-v7.skops --data census/2017.parquet \\\n"
        "  --label employed --gates gates.yaml --baseline models/employment-v6.skops",
        model=MODEL,
        baseline=BASELINE,
        data=DataShown(
            "census/2017.parquet", DIGEST[8:] + DIGEST[:8], 20_000, "employed", ("sex", "race")
        ),
        confidence=0.95,
        undecided="fail",
        outcome="passed",
        headline="All 7 gates passed: the candidate is good enough on these 20,000 rows.",
        gates=(
            auc_gate(),
            paired_gate(),
            sex_gate(),
            race_gate(),
            calibration_gate(),
            robust_gate(),
            latency_gate(),
        ),
        metrics=METRICS,
        slices=slices(),
        curves=(
            roc("employment-v7", 1.75),
            roc("employment-v6", 1.62),
            calibration("employment-v7", 0.03),
            calibration("employment-v6", 0.24),
        ),
        confusion=Confusion(("no", "yes"), ((9120, 1730), (1710, 7440))),
        latency=LATENCY,
        notes=(
            "This is the 3rd version on this data set: the chance that any bad "
            "one of them passed is at most 15 %.",
        ),
        seconds=8.31,
    )
    return msgspec.structs.replace(whole, **changed)


def unfair() -> Report:
    """One gate failed: a group is hurt."""
    return report(
        outcome="failed",
        headline="The false-positive rate differs by 6.9–9.7 pp between F and M, more than the "
        "5 pp allowed: 1 of 8 gates failed.",
        gates=(
            auc_gate(),
            paired_gate(),
            sex_gate("failed"),
            race_gate(),
            calibration_gate(),
            robust_gate(),
            claim_gate(),
            latency_gate(),
        ),
        slices=slices(gap=0.021),
    )


def undecided() -> Report:
    """So few rows that nothing can be said."""
    few = tuple(
        gate(
            f"{name}: at least {floor * 100:.0f} %",
            f"{name} is {ends.low * 100:.0f}–{ends.high * 100:.0f} % (95 %, 120 rows): at least "
            f"{floor * 100:.0f} %, undecided (both are possible).",
            {"kind": "at_least", "value": floor},
            "undecided",
            share,
            ends,
            margin=floor,
            because="straddles",
            rows=120,
            needed=needed,
        )
        for name, floor, share, needed in (
            ("Accuracy", 0.8, 0.83, 1_240),
            ("Recall", 0.75, 0.77, 8_900),
            ("Precision", 0.7, 0.69, None),
        )
        for ends in (share_interval(share, 120),)
    )
    nothing = gate(
        "False-positive rate across race: differs by at most 5 pp",
        "False-positive rate cannot be compared: every group but one has fewer than 20 rows, "
        "undecided.",
        {"kind": "difference_at_most", "at_most": 0.05},
        "undecided",
        None,
        None,
        unit="pp",
        margin=0.05,
        because="too_few",
        rows=120,
        groups=[
            GroupShown(f"{name} against White", "undecided", "too_few", n, None, None, None, False)
            for name, n in (("Black", 14), ("Asian", 6))
        ],
    )
    return report(
        outcome="undecided",
        headline="Nothing is decided yet: 120 rows are too few for any of the 5 gates.",
        gates=(*few, race_gate("undecided", 120), nothing),
        latency=None,
        baseline=None,
        metrics=(MetricShown("accuracy", "Accuracy", "%", 0.83, share_interval(0.83, 120)),),
        slices=slices(120),
        curves=(roc("employment-v7", 1.75, 20), calibration("employment-v7", 0.03, 120)),
        confusion=Confusion(("denied", "granted"), ((12, 9), (11, 88))),
        notes=(),
        data=DataShown(
            "postgresql://reader@db/hmda?table=decisions", DIGEST, 120, "granted", ("race",)
        ),
    )


def regression() -> Report:
    """A number is predicted: no classes, no curves."""
    error = gate(
        "Mean absolute error: at most 2.2",
        "Mean absolute error is 1.92–2.04 (95 %, 9,800 rows): at most 2.2, passed.",
        {"kind": "at_most", "value": 2.2},
        "passed",
        1.98,
        interval(1.92, 2.04, "hedged capital", "exact"),
        unit="",
        margin=2.2,
        metric="mean_absolute_error",
        rows=9_800,
    )
    better = gate(
        "Mean absolute error: better than the baseline by at least 0.05",
        "Mean absolute error minus the "
        "baseline's is −0.19 to −0.11 (95 %, 9,800 pairs): better than the baseline by at "
        "least 0.05, passed.",
        {"kind": "better_than_baseline", "by_at_least": 0.05},
        "passed",
        -0.15,
        interval(-0.19, -0.11, "paired, normal", "asymptotic"),
        unit="",
        margin=0.05,
        metric="mean_absolute_error",
        rows=9_800,
    )
    return report(
        headline="Both gates passed on 9,800 rows.",
        gates=(error, better),
        curves=(),
        confusion=None,
        latency=None,
        slices=(),
        notes=(),
        model=msgspec.structs.replace(MODEL, name="demand-v2", task="regression", classes=()),
        metrics=(
            MetricShown(
                "mean_absolute_error",
                "Mean absolute error",
                "",
                1.98,
                interval(1.92, 2.04, "hedged"),
                2.13,
            ),
            MetricShown("r2", "R²", "", 0.812, interval(0.801, 0.823, "BCa"), 0.79),
        ),
    )


def many_classes(classes: int = 30) -> Report:
    """A model with many classes; neighbours are taken for each other."""
    names = tuple(f"species {at + 1:02d}" for at in range(classes))
    counts = tuple(
        tuple(
            300 + 7 * (row % 5)
            if row == column
            else round(40 * exp(-abs(row - column)) * (1 + (row * 7 + column) % 4))
            for column in range(classes)
        )
        for row in range(classes)
    )
    macro = gate(
        "Macro recall: at least 80 %",
        "Macro recall is 81.9–83.6 % (95 %, 11,200 rows): at least 80 %, passed.",
        {"kind": "at_least", "value": 0.8},
        "passed",
        0.828,
        interval(0.819, 0.836, "BCa", "asymptotic"),
        margin=0.8,
        metric="macro_recall",
        rows=11_200,
    )
    return report(
        headline="The one gate passed on 11,200 rows.",
        gates=(macro,),
        curves=(),
        latency=None,
        confusion=Confusion(names, counts),
        notes=(),
        baseline=None,
        slices=(),
        model=msgspec.structs.replace(MODEL, name="birds", task="multiclass", classes=names),
        metrics=(
            MetricShown("macro_recall", "Macro recall", "%", 0.828, interval(0.819, 0.836, "BCa")),
        ),
    )


def without_gates() -> Report:
    """Only metrics were asked for."""
    return report(
        outcome="none",
        gates=(),
        latency=None,
        notes=(),
        slices=(),
        curves=(),
        headline="Accuracy is 82.3–83.3 % on 20,000 rows; no gate was asked.",
    )
