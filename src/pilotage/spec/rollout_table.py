"""The settings of a rollout: their rows of the table. Pure.

In the file they stand under `rollout:`, with the names of their flags; guards as `guards`.
"""

from typing import Final

from pilotage.spec import kinds, shares
from pilotage.spec.kinds import Kind
from pilotage.spec.setting import HOUR, MS, S, Setting, setting

GROUP: Final = "Rollout"

DAY: Final = 24 * HOUR
STAGE_HIGH: Final = 30 * DAY
"""The longest exposure of one stage."""
PATIENCE_HIGH: Final = 90 * DAY
BLOCK_LOW: Final = 100 * MS
"""Looks that are nearer would cost more than they tell."""
WINDOW_REQUESTS_HIGH: Final = 10_000
UNITS_HIGH: Final = 10**9


def _row(
    name: str,
    kind: Kind,
    help: str,
    default: str,
    example: str,
    *,
    many: bool = False,
    key: str = "",
) -> Setting:
    return setting(
        *(name, kind, GROUP, help, default, example), many=many, in_file=f"rollout.{key or name}"
    )


ROLLOUT_SETTINGS: Final[tuple[Setting, ...]] = (
    _row(
        "candidate",
        kinds.PATH,
        "A model file on trial beside the only model: it gets a share of the traffic, its guards "
        "compare it with the model, and it goes live or is rolled back.",
        "",
        "v2.onnx",
    ),
    _row(
        "shadow",
        kinds.duration(1 * S, STAGE_HIGH, off="none", example="10m"),
        "A first stage of this length, in which the candidate answers copies that no caller sees.",
        "none",
        "10m",
    ),
    _row(
        "canary",
        shares.portions(),
        "The candidate's share of the traffic, a stage each, separated by commas; none where the "
        "shadow is the only stage.",
        "5%,25%",
        "1%,10%,50%",
        many=True,
    ),
    _row(
        "sticky_by",
        kinds.STICKY,
        "Keeps every value of this header on one version, and judges by its values in place of "
        "requests.",
        "none: each request by itself",
        "header:x-user-id",
    ),
    _row(
        "guard",
        kinds.TEXT,
        "What must not get worse, and by how much, on one line. In the variable, separated by "
        "commas.",
        "error_rate not_worse_by 0.5pp",
        "accuracy not_worse_by 1pp",
        many=True,
        key="guards",
    ),
    _row(
        "confidence",
        shares.confidence(),
        "How sure a guard is: it is wrong, either way, in at most what is left to 100 % of "
        "rollouts.",
        "95%",
        "99%",
    ),
    _row(
        "exposure",
        kinds.duration(BLOCK_LOW, STAGE_HIGH, example="10m"),
        "How long a canary stage lasts at least.",
        "10m",
        "1h",
    ),
    _row(
        "exposure_units",
        kinds.whole(1, UNITS_HIGH),
        "How many candidate units (requests, or values of sticky_by; in the shadow, copies) a "
        "stage sees at least.",
        "500",
        "2000",
    ),
    _row(
        "promote_on",
        kinds.choice("guards", "exposure"),
        "What the candidate needs to go live after its last stage: guards, every one passed; or "
        "exposure, none failed.",
        "guards",
        "exposure",
    ),
    _row(
        "patience",
        kinds.duration(1 * S, PATIENCE_HIGH, example="24h"),
        "How long the whole rollout may take.",
        "24h",
        "72h",
    ),
    _row(
        "then",
        kinds.choice("hold", "promote", "rollback"),
        "What follows when patience ends and the guards are undecided.",
        "hold",
        "rollback",
    ),
    _row(
        "streams",
        kinds.choice("drain", "cut"),
        "What becomes of a rolled-back candidate's open streams: drain lets them end.",
        "drain",
        "cut",
    ),
    _row(
        "block",
        kinds.duration(BLOCK_LOW, HOUR, example="10s"),
        "The time between two looks at the guards.",
        "10s",
        "1s",
    ),
    _row(
        "window",
        kinds.duration(BLOCK_LOW, DAY, example="10m"),
        "How long each value of sticky_by is watched from its first request on.",
        "10m",
        "1h",
    ),
    _row(
        "window_requests",
        kinds.whole(1, WINDOW_REQUESTS_HIGH),
        "After how many requests of a value its window ends, if it is not over before.",
        "50",
        "20",
    ),
    _row(
        "anew",
        kinds.SWITCH,
        "Start the rollout again, where the same one was begun before; else it is resumed.",
        "no",
        "true",
    ),
    _row(
        "live",
        kinds.SWITCH,
        "Draw the rollout on the terminal; --no-live writes a line where something happens.",
        "on a terminal",
        "false",
    ),
    _row(
        "control_port",
        kinds.whole(0, 65535, noun="a port", metavar="PORT"),
        "The port of the rollout's page, on 127.0.0.1; 0 takes any free one.",
        "8090",
        "8091",
    ),
)
"""Every setting of a rollout, in the order of the help."""
