"""Skills: what is it worth, and who says so? Pure."""

from typing import Final

from pilotage.learn.roles import AI, ARCHITECT, GOVERNANCE, POLICY, PRODUCT
from pilotage.learn.skills import NotYet, Reading, Skill, Theme

LEAD: Final = Theme(
    "lead",
    "What is it worth, and who says so?",
    (
        Skill(
            name="acceptance-criteria",
            title="Acceptance criteria for a model",
            why="'As good as possible' never ends and cannot fail. What a model must show, with "
            "margins, is written by those who bear the loss.",
            roles=(PRODUCT, GOVERNANCE, AI, POLICY),
            builds_on=("confidence-intervals",),
            proven_by=Reading(),
            read=("tutorials/is-it-good-enough.md#3-say-beforehand-what-it-must-show",),
            command="pilotage schema gates",
        ),
        Skill(
            name="deciding-under-uncertainty",
            title="Deciding under uncertainty",
            why="'Undecided' is an answer. What follows from it (wait, collect, take the risk) is "
            "a policy, and somebody's name stands under it.",
            roles=(PRODUCT, GOVERNANCE, POLICY, ARCHITECT),
            builds_on=("acceptance-criteria",),
            proven_by=Reading(),
            read=("explanation/statistics.md#passed-failed-undecided",),
            command="pilotage evaluate --gates",
        ),
        Skill(
            name="regulation-to-checks",
            title="From regulation to checks",
            why="A law says 'no undue difference'. A system can only answer a metric, groups and "
            "a margin; choosing them is the work.",
            roles=(POLICY, GOVERNANCE, PRODUCT),
            builds_on=("acceptance-criteria", "group-fairness"),
            proven_by=Reading(),
            read=("how-to/gates.md#fair-across-groups", "reference/gates.md#ways-to-ask"),
            command="pilotage schema gates",
        ),
        Skill(
            name="business-metrics",
            title="Business metrics, unit economics",
            why="A point of accuracy is worth what it changes: fewer calls, fewer losses, less "
            "time. Until that is measured, cost is the only number on the table.",
            roles=(PRODUCT, ARCHITECT, AI),
            builds_on=("custom-metrics", "delayed-labels"),
            proven_by=NotYet("goals and costs of an endpoint"),
        ),
    ),
)
