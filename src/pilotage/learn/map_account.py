"""Skills: who decided this, on what grounds, and was it allowed? Pure."""

from typing import Final

from pilotage.learn.roles import AI, GOVERNANCE, ML, MLOPS, POLICY, PRODUCT
from pilotage.learn.skills import NotYet, Practice, Reading, Skill, Theme

ACCOUNT: Final = Theme(
    "account",
    "Who decided this, on what grounds, and was it allowed?",
    (
        Skill(
            name="traceability",
            title="Traceability of a single prediction",
            why="Somebody asks why they were refused last March. The input, the version and the "
            "answer must still be there, under one number.",
            roles=(GOVERNANCE, POLICY, MLOPS, AI),
            builds_on=("prediction-logging",),
            proven_by=Reading(),
            read=("tutorials/first-service.md#4-find-the-prediction-again",),
            command="pilotage record find",
        ),
        Skill(
            name="audit-trail",
            title="Tamper-evident audit trail",
            why="A log that its owner can rewrite proves nothing. Lines bound by digests show "
            "every change to whoever kept one digest.",
            roles=(GOVERNANCE, POLICY, MLOPS),
            builds_on=("automatic-rollback",),
            proven_by=Practice("catch-the-bad-release"),
            read=("explanation/a-rollout.md#computing-it-again",),
            command="pilotage ledger verify",
        ),
        Skill(
            name="reproducible-decisions",
            title="Reproducible decisions",
            why="A third party who can compute a decision again from the records need not believe "
            "anybody.",
            roles=(GOVERNANCE, POLICY, ML),
            builds_on=("audit-trail",),
            proven_by=Practice("catch-the-bad-release"),
            read=("explanation/a-rollout.md#computing-it-again", "tutorials/canary.md"),
            command="pilotage verdict recompute",
        ),
        Skill(
            name="evidence-limits",
            title="Stating assumptions and limits",
            why="Every verdict stands on something: independent rows, a draw, one unit. Who "
            "writes it beside the answer is believed the next time.",
            roles=(GOVERNANCE, POLICY, ML, PRODUCT),
            builds_on=("confidence-intervals",),
            proven_by=Reading(),
            read=(
                "explanation/statistics.md#what-each-verdict-assumes",
                "explanation/statistics.md#what-no-procedure-mends",
            ),
            command="pilotage verdict show",
        ),
        Skill(
            name="explainability",
            title="Explaining a single prediction",
            why="People have a right to the reasons of a decision about them, and developers find "
            "bugs in them.",
            roles=(GOVERNANCE, POLICY, ML, AI, PRODUCT),
            builds_on=("traceability",),
            proven_by=NotYet("explanations of predictions"),
        ),
        Skill(
            name="technical-documentation",
            title="Model cards, technical documentation",
            why="The EU AI Act wants the evidence on paper, kept up to date. Made by hand it is "
            "stale on the day of the release.",
            roles=(GOVERNANCE, POLICY, PRODUCT),
            builds_on=("audit-trail", "group-fairness"),
            proven_by=NotYet("a dossier made from the ledger"),
        ),
        Skill(
            name="human-oversight",
            title="Human oversight, approvals",
            why="Some releases need a second person's yes, by name, before they happen and not "
            "after.",
            roles=(GOVERNANCE, POLICY, PRODUCT),
            builds_on=("release-steering",),
            proven_by=NotYet("roles and approvals"),
        ),
    ),
)
