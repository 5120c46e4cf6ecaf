"""Skills: who may ask, and what can a hostile file or caller do? Pure."""

from typing import Final

from pilotage.learn.roles import AI, ARCHITECT, GOVERNANCE, INFRASTRUCTURE, ML, MLOPS, POLICY
from pilotage.learn.skills import NotYet, Reading, Skill, Theme

SECURE: Final = Theme(
    "secure",
    "Who may ask, and what can a hostile file or caller do?",
    (
        Skill(
            name="model-supply-chain",
            title="Model supply-chain security",
            why="A pickle is a program. Whoever opens a downloaded model runs it, unless the "
            "format carries no code or the process can do no harm.",
            roles=(ML, AI, MLOPS, ARCHITECT),
            builds_on=("model-conversion",),
            proven_by=Reading(),
            read=("decisions/0006-onnx-conversion-by-proof.md",),
            command="pilotage serve --trust",
        ),
        Skill(
            name="api-authentication",
            title="API keys, TLS, mutual TLS",
            why="An address without a key belongs to whoever finds it: your cost, your data, your "
            "model.",
            roles=(AI, MLOPS, INFRASTRUCTURE, ARCHITECT),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("how-to/operate.md#open-it-to-others",),
            command="pilotage serve --key",
        ),
        Skill(
            name="resource-limits",
            title="Resource limits, denial of service",
            why="One caller with one large request takes the machine from all others, by accident "
            "or not. Every limit is a number that somebody chose.",
            roles=(MLOPS, INFRASTRUCTURE, ARCHITECT),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("reference/limits.md",),
            command="pilotage serve --limit",
        ),
        Skill(
            name="data-minimisation",
            title="Data minimisation in logs",
            why="What was not written cannot leak. A digest still proves what was asked, without "
            "keeping it.",
            roles=(GOVERNANCE, POLICY, MLOPS),
            builds_on=("prediction-logging",),
            proven_by=Reading(),
            read=("reference/serve.md#recording",),
            command="pilotage serve --record-inputs",
        ),
        Skill(
            name="right-to-erasure",
            title="Retention, right to erasure",
            why="Data about people has an end: by the law, by contract, or on demand.",
            roles=(GOVERNANCE, POLICY),
            builds_on=("data-minimisation",),
            proven_by=NotYet("erasing and retiring records"),
        ),
    ),
)
