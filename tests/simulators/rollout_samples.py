"""Rollouts as they are shown, for tests of screens: one under way, and how it may end."""

import math

from msgspec import structs

from pilotage.control.rollouts.view import (
    GuardView,
    Happened,
    RolloutView,
    StageView,
    TrafficView,
)

STARTED = 1_785_574_800.0
"""2026-08-01 09:00:00 UTC."""
ERRORS = GuardView(
    name="error_rate not_worse_by 0.5pp",
    metric="error_rate",
    unit="request",
    word="undecided",
    because="straddles",
    margin=0.005,
    tolerated=0.0,
    estimate=0.0011,
    low=-0.0021,
    high=0.0064,
    baseline=0.003,
    candidate=0.0041,
    baseline_count=22_870,
    candidate_count=1_204,
    fail_evidence=0.2,
    pass_evidence=0.6,
    share=1 / 3,
    expected_s=700.0,
    required=True,
    history=[],
)
DISAGREEMENT = structs.replace(
    ERRORS,
    name="disagreement at_most 5%",
    metric="disagreement",
    unit="pair",
    word="passed",
    because="",
    margin=0.05,
    tolerated=0.05,
    estimate=0.021,
    low=0.012,
    high=0.034,
    baseline=None,
    candidate=None,
    baseline_count=512,
    candidate_count=512,
    fail_evidence=0.0,
    pass_evidence=1.3,
    expected_s=0.0,
)
TIME = structs.replace(
    ERRORS,
    name="engine_time not_worse_by 20%",
    metric="engine_time",
    unit="probe",
    margin=0.2,
    tolerated=0.05,
    estimate=0.08,
    low=-0.04,
    high=0.31,
    baseline=None,
    candidate=None,
    baseline_count=64,
    candidate_count=64,
    fail_evidence=0.3,
    pass_evidence=0.4,
    expected_s=240.0,
)
ACCURACY = structs.replace(
    ERRORS,
    name="accuracy not_worse_by 1pp optional",
    metric="accuracy",
    unit="outcome",
    because="no_labels",
    margin=0.01,
    estimate=None,
    low=None,
    high=None,
    baseline=None,
    candidate=None,
    baseline_count=0,
    candidate_count=0,
    fail_evidence=0.0,
    pass_evidence=0.0,
    expected_s=None,
    required=False,
)
RUNNING = RolloutView(
    rollout="3f9c2a7b1d04-1",
    endpoint="jobs",
    phase="running",
    because="",
    sentence=(
        "v2.onnx gets 5 % of the traffic; no harm found, 1 of 3 required guards passed, "
        "about 12 min to go."
    ),
    baseline="aaaaaaaaaaaa",
    candidate="bbbbbbbbbbbb",
    baseline_name="v1.onnx",
    candidate_name="v2.onnx",
    stages=[
        StageView("shadow", "shadow", 0, "done", 600.0, 500, 600.0, 512),
        StageView("canary 5 %", "canary", 50_000, "now", 600.0, 500, 372.0, 412),
        StageView("canary 25 %", "canary", 250_000, "next", 600.0, 500, 0.0, 0),
        StageView("live", "live", 1_000_000, "next", 0.0, 0, 0.0, 0),
    ],
    guards=[ERRORS, DISAGREEMENT, TIME, ACCURACY],
    traffic=[
        TrafficView(
            elapsed_s=10.0 * at,
            baseline=(wave := 90.0 + 40.0 * math.sin(at / 9.0)) * 0.95,
            candidate=0.05 * wave if at > 60 else 0.0,
            shadow=0.3 * wave if at <= 60 else 0.0,
            baseline_errors=0.3,
            candidate_errors=0.02,
        )
        for at in range(1, 98)
    ],
    happened=[
        Happened(STARTED, "shadow begins"),
        Happened(STARTED + 590.0, "shown: disagreement at_most 5%"),
        Happened(STARTED + 600.0, "canary 5 % begins"),
    ],
    confidence=0.95,
    promote_on="guards",
    then="hold",
    sticky_by="header:x-user-id",
    block_s=10.0,
    elapsed_s=972.0,
    patience_s=86_400.0,
    expected_s=700.0,
    assumptions=["requests of a block are independent of each other"],
    counts={"copies dropped": 31, "outcomes unknown": 0},
    verdict="",
    updated_at=STARTED + 972.0,
)


def over(phase: str, sentence: str, **changes) -> RolloutView:
    """The same rollout when it is over, in the stage where it was."""
    last = "now" if phase == "live" else "never"
    whens = {"shadow": "done", "canary 5 %": "never", "canary 25 %": "never", "live": last}
    if phase == "live":
        whens |= {"canary 5 %": "done", "canary 25 %": "done"}
    stages = [structs.replace(stage, when=whens[stage.name]) for stage in RUNNING.stages]
    news = Happened(STARTED + 980.0, sentence.rstrip("."))
    return structs.replace(
        RUNNING,
        phase=phase,
        sentence=sentence,
        stages=stages,
        happened=[*RUNNING.happened, news],
        expected_s=None,
        verdict="3f9c2a7b1d04-1/verdict/98",
        **changes,
    )


ROLLED_BACK = over(
    "rolled_back",
    "v2.onnx rolled back: it fails 2.1 % of requests against 0.3 % (95 %, 151 candidate requests).",
    because="it fails 2.1 % of requests against 0.3 % (95 %, 151 candidate requests)",
    guards=[
        structs.replace(
            ERRORS,
            word="failed",
            because="",
            estimate=0.018,
            low=0.004,
            high=0.052,
            candidate=0.021,
            candidate_count=151,
            fail_evidence=1.1,
            pass_evidence=0.0,
            expected_s=0.0,
        ),
        DISAGREEMENT,
        TIME,
        ACCURACY,
    ],
)
PROMOTED = over(
    "live",
    "v2.onnx promoted: every required guard passed.",
    because="every required guard passed",
)
PAUSED = structs.replace(
    RUNNING,
    phase="paused",
    because="asked for by ada (uid 1000)",
    sentence=(
        "Paused, asked for by ada (uid 1000): v2.onnx gets 5 % of the traffic; "
        "harm still rolls it back."
    ),
)
EVERY = {"running": RUNNING, "paused": PAUSED, "rolled back": ROLLED_BACK, "live": PROMOTED}
