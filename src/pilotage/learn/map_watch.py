"""Skills: what does it do out there, and is it still right? Pure."""

from typing import Final

from pilotage.learn.roles import AI, GOVERNANCE, INFRASTRUCTURE, ML, MLOPS, PRODUCT
from pilotage.learn.skills import NotYet, Reading, Skill, Theme

WATCH: Final = Theme(
    "watch",
    "What does it do out there, and is it still right?",
    (
        Skill(
            name="prediction-logging",
            title="Prediction logging",
            why="Without what was asked and answered, by which version, there is nothing to "
            "debug, to compare or to account for.",
            roles=(MLOPS, ML, AI, GOVERNANCE),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("tutorials/first-service.md#4-find-the-prediction-again",),
            command="pilotage record tail",
        ),
        Skill(
            name="delayed-labels",
            title="Joining delayed labels",
            why="Truth comes late, twice, corrected, or never. Joined to the prediction it was "
            "about, it is the only measure of quality in production.",
            roles=(ML, MLOPS),
            builds_on=("prediction-logging",),
            proven_by=Reading(),
            read=("reference/outcomes.md",),
            command="pilotage serve",
        ),
        Skill(
            name="service-metrics",
            title="Service metrics (Prometheus)",
            why="Rates, errors and durations tell that something is wrong before users do, and "
            "where to look first.",
            roles=(MLOPS, INFRASTRUCTURE, AI),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("how-to/operate.md#watch-it",),
            command="pilotage serve",
        ),
        Skill(
            name="distributed-tracing",
            title="Distributed tracing",
            why="One slow answer passes five services. A trace id that goes through all of them "
            "tells which one was slow.",
            roles=(MLOPS, INFRASTRUCTURE),
            builds_on=("service-metrics",),
            proven_by=Reading(),
            read=("how-to/operate.md#watch-it",),
            command="pilotage record find",
        ),
        Skill(
            name="drift-detection",
            title="Data drift, concept drift",
            why="The world moves away from the training data, slowly or overnight. Alarms that "
            "cry wolf are switched off, so their rate must be bounded.",
            roles=(ML, MLOPS, PRODUCT),
            builds_on=("prediction-logging", "sequential-testing"),
            proven_by=NotYet("monitors of a live version"),
            read=("explanation/statistics.md#monitors-one-pot-one-alarm-budget",),
        ),
        Skill(
            name="incident-response",
            title="Incident response, postmortems",
            why="An alarm is the start of work for people: who was told, what they did, and what "
            "keeps it from happening again.",
            roles=(MLOPS, GOVERNANCE, PRODUCT),
            builds_on=("drift-detection",),
            proven_by=NotYet("alarms and incidents"),
        ),
    ),
)
