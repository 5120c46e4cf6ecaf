"""Curves and slices such as an evaluation finds, by formula: always the same.

Intervals are Wilson's or normal ones: a picture needs plausible ends, not exact ones.
"""

from math import erf, exp, sqrt

from pilotage.evaluation.report import Curve, IntervalShown, SliceShown

Z = 1.959964


def share_interval(share: float, rows: int, method: str = "Clopper-Pearson") -> IntervalShown:
    """Wilson's interval."""
    centre = (share + Z * Z / (2 * rows)) / (1 + Z * Z / rows)
    half = Z * sqrt(share * (1 - share) / rows + Z * Z / (4 * rows * rows)) / (1 + Z * Z / rows)
    return IntervalShown(max(centre - half, 0), min(centre + half, 1), 0.95, method, "exact", "two")


def normal(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2)))


def roc(model: str, separation: float, points: int = 201) -> Curve:
    """Two normal distributions that far apart."""
    cuts = [4.5 - 8 * at / (points - 1) for at in range(points)]
    x = [0.0] + [1 - normal(cut) for cut in cuts] + [1.0]
    y = [0.0] + [1 - normal(cut - separation) for cut in cuts] + [1.0]
    half = [0.018 * sqrt(max(4 * each * (1 - each), 0)) for each in y]
    low = [max(each - h, 0) for each, h in zip(y, half, strict=True)]
    high = [min(each + h, 1) for each, h in zip(y, half, strict=True)]
    return Curve("roc", model, tuple(x), tuple(y), tuple(low), tuple(high))


def calibration(model: str, bend: float, rows: int = 20_000) -> Curve:
    x = [0.03, 0.12, 0.23, 0.34, 0.45, 0.55, 0.66, 0.77, 0.88, 0.96]
    y = [min(max(each + bend * (each - 0.5) * (1 - abs(2 * each - 1)), 0), 1) for each in x]
    counts = [round(rows * 0.22 * exp(-3 * each * (1 - each) * 2)) for each in x]
    ends = [share_interval(each, n) for each, n in zip(y, counts, strict=True)]
    return Curve(
        "calibration",
        model,
        tuple(x),
        tuple(y),
        tuple(e.low for e in ends),
        tuple(e.high for e in ends),
        tuple(counts),
    )


def slices(rows: int = 20_000, *, gap: float = 0.0) -> tuple[SliceShown, ...]:
    named = [
        ("sex = F", 0.48, -gap),
        ("age = 16 to 24", 0.11, -0.019),
        ("race = Asian", 0.07, 0.012),
        ("education = no diploma", 0.09, -0.011),
        ("sex = M", 0.52, gap * 0.9),
        ("race = Black", 0.08, -0.007),
        ("marital status = never married", 0.31, 0.004),
        ("age = 65 and over", 0.19, 0.006),
        ("sex × race = F × Black", 0.043, -0.013),
        ("disability = yes", 0.13, -0.003),
        ("citizenship = naturalised", 0.06, 0.005),
        ("military service = (missing)", 0.03, 0.009),
        ("race = Native American", 0.002, -0.06),
        (
            "relationship = a name as long as a survey's question may be, with all its words",
            0.05,
            0,
        ),
    ]
    found = []
    for name, part, shift in named:
        n = max(round(rows * part), 5)
        ends = share_interval(0.828 + shift, n)
        z = abs(shift) / sqrt(0.828 * 0.172 / n)
        p = min(2 * (1 - normal(z)) * len(named), 1.0)
        found.append(SliceShown(name, n, 0.828 + shift, ends.low, ends.high, shift, p))
    return tuple(sorted(found, key=lambda each: (each.p_value, each.rows)))
