"""Every state of a rollout that its page must show, the odd ones too."""

from msgspec import structs

from pilotage.control.rollouts.view import GuardView, Happened, RolloutView
from simulators.rollout_samples import (
    ACCURACY,
    DISAGREEMENT,
    ERRORS,
    PAUSED,
    PROMOTED,
    ROLLED_BACK,
    RUNNING,
    STARTED,
    TIME,
    over,
)

MARKUP = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"


def closing_in(guard: GuardView, looks: int = 97) -> GuardView:
    """With a history in which the interval, wide at first, closes in on where it is now."""
    low, mid, high = guard.low, guard.estimate, guard.high
    if low is None or mid is None or high is None:
        return guard
    history = [
        (10.0 * at, mid - (mid - low) * (looks / at) ** 0.5, mid, mid + (high - mid) * (looks / at))
        for at in range(3, looks + 1)
    ]
    return structs.replace(guard, history=[(5.0, None, None, None), *history])


def nothing_of(guard: GuardView) -> GuardView:
    return structs.replace(
        guard,
        word="undecided",
        because="no_data",
        estimate=None,
        low=None,
        high=None,
        baseline=None,
        candidate=None,
        baseline_count=0,
        candidate_count=0,
        fail_evidence=0.0,
        pass_evidence=-0.4,
        expected_s=None,
    )


GUARDS = [closing_in(each) for each in (ERRORS, DISAGREEMENT, TIME)] + [ACCURACY]
RUNNING_ON = structs.replace(RUNNING, guards=GUARDS)
EMPTY = structs.replace(
    RUNNING,
    sentence="v2.onnx gets 5 % of the traffic; undecided, since there is no data yet.",
    guards=[nothing_of(each) for each in RUNNING.guards],
    traffic=[],
    happened=[],
    assumptions=[],
    counts={},
    elapsed_s=0.0,
    expected_s=None,
)
HELD = structs.replace(
    RUNNING_ON,
    phase="held",
    sentence="Held: undecided when its patience of 24 h was over. Promote it or roll it back.",
    expected_s=None,
)
ABORTED = over("aborted", "v2.onnx taken out: asked for by ada (uid 1000).")
ONE_SIDED = structs.replace(ERRORS, low=None, high=0.004, estimate=None)
TINY = structs.replace(
    closing_in(
        structs.replace(ERRORS, margin=1e-6, low=-2e-7, estimate=1e-7, high=9e-7), looks=400
    ),
    name="error_rate not_worse_by 0.0001pp",
    baseline=0.0,
    candidate=0.0,
    candidate_count=1,
)
DECIDED = [
    structs.replace(ERRORS, name=f"error_rate {word}", word=word, because="")
    for word in ("failed", "passed")
]
"""Decided before the interval has left the edge behind."""
TWELVE = structs.replace(
    RUNNING,
    guards=[
        structs.replace(closing_in(guard), name=f"{guard.name} {'x' * (12 * number)}")
        for number in range(3)
        for guard in (ERRORS, DISAGREEMENT, TIME, ACCURACY)
    ],
)
HOSTILE = structs.replace(
    RUNNING,
    sentence=f"{MARKUP} gets 5 % of the traffic.",
    endpoint=MARKUP,
    candidate_name=MARKUP,
    baseline_name="y" * 300,
    sticky_by=f"header:{MARKUP}",
    guards=[structs.replace(ERRORS, name=MARKUP, metric="rate"), TINY, ONE_SIDED, *DECIDED],
    happened=[Happened(STARTED + at, f"{at} {MARKUP}") for at in range(40)],
    assumptions=[MARKUP, ""],
    counts={MARKUP: 3},
    verdict=MARKUP,
)
VIEWS: dict[str, RolloutView] = {
    "running": RUNNING_ON,
    "empty": EMPTY,
    "paused": PAUSED,
    "held": HELD,
    "live": structs.replace(PROMOTED, guards=GUARDS),
    "rolled back": ROLLED_BACK,
    "aborted": ABORTED,
    "twelve guards": TWELVE,
    "hostile": HOSTILE,
}
