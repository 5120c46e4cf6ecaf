"""Every kind of report, by name: what a page and a screen have to be able to show."""

from simulators.comparisons import comparison
from simulators.reports import many_classes, regression, report, undecided, unfair, without_gates

SAMPLES = {
    "passed": report,
    "unfair": unfair,
    "undecided": undecided,
    "regression": regression,
    "many_classes": many_classes,
    "without_gates": without_gates,
    "compared": comparison,
}
