"""Skills: how does a new version come to users without harm? Pure."""

from typing import Final

from pilotage.learn.roles import AI, ARCHITECT, INFRASTRUCTURE, ML, MLOPS, PRODUCT, RESEARCH
from pilotage.learn.skills import Practice, Reading, Skill, Theme

ROLL_OUT: Final = Theme(
    "roll-out",
    "How does a new version come to users without harm?",
    (
        Skill(
            name="canary-releases",
            title="Canary releases",
            why="No test has met tomorrow's users. A candidate that answers five in a hundred of "
            "them can hurt five in a hundred, and no more.",
            roles=(MLOPS, ML, AI, PRODUCT, ARCHITECT),
            builds_on=("model-serving",),
            proven_by=Practice("catch-the-bad-release"),
            read=("tutorials/canary.md", "explanation/a-rollout.md"),
            command="pilotage serve --candidate",
        ),
        Skill(
            name="automatic-rollback",
            title="Automated rollback on guard metrics",
            why="At three in the morning nobody compares two curves. A guard does, with a stated "
            "chance of being wrong, and takes the candidate out by itself.",
            roles=(MLOPS, ML, ARCHITECT),
            builds_on=("canary-releases",),
            proven_by=Practice("catch-the-bad-release"),
            read=("reference/guards.md", "tutorials/canary.md#4-it-is-taken-out"),
            command="pilotage serve --guard",
        ),
        Skill(
            name="crash-recovery",
            title="Crash recovery of a release",
            why="A release takes hours, and machines die in between. What was decided and what "
            "was seen must be there when the process comes back.",
            roles=(MLOPS, INFRASTRUCTURE, ARCHITECT),
            builds_on=("canary-releases",),
            proven_by=Practice("catch-the-bad-release"),
            read=("how-to/operate.md#what-a-crash-loses", "explanation/a-rollout.md"),
            command="pilotage rollout status",
        ),
        Skill(
            name="shadow-testing",
            title="Shadow deployment",
            why="Before anybody sees a candidate's answer it can answer copies of real requests, "
            "and be compared with the version that is live.",
            roles=(MLOPS, ML, INFRASTRUCTURE),
            builds_on=("canary-releases",),
            proven_by=Reading(),
            read=("explanation/a-rollout.md",),
            command="pilotage serve --shadow",
        ),
        Skill(
            name="sequential-testing",
            title="Sequential testing (the peeking problem)",
            why="Who looks at a test every minute and stops when it looks good is wrong far more "
            "often than the 5 % on the label. Some procedures allow every look.",
            roles=(ML, RESEARCH, MLOPS, PRODUCT),
            builds_on=("confidence-intervals",),
            proven_by=Reading(),
            read=("explanation/statistics.md#why-peeking-lies",),
            command="pilotage rollout status",
        ),
        Skill(
            name="randomised-assignment",
            title="Randomised assignment, unit of analysis",
            why="Only a coin makes two groups alike. Where users come back, the user is the unit "
            "to draw, or a few of them decide for all.",
            roles=(ML, RESEARCH, MLOPS, PRODUCT),
            builds_on=("canary-releases",),
            proven_by=Reading(),
            read=("explanation/statistics.md#the-unit",),
            command="pilotage serve --sticky-by",
        ),
        Skill(
            name="non-inferiority",
            title="Non-inferiority margins",
            why="Most releases must not be better, only not worse by more than what matters. The "
            "margin says what matters, and is chosen before the test.",
            roles=(ML, RESEARCH, PRODUCT),
            builds_on=("canary-releases", "confidence-intervals"),
            proven_by=Reading(),
            read=("reference/guards.md#two-questions-two-error-rates",),
            command="pilotage serve --guard",
        ),
        Skill(
            name="release-planning",
            title="Planning the length of a release",
            why="How long a test takes follows from traffic and margin. Known beforehand it is a "
            "plan; found out afterwards it is an excuse.",
            roles=(MLOPS, PRODUCT),
            builds_on=("non-inferiority",),
            proven_by=Reading(),
            read=("explanation/statistics.md#how-long-a-decision-takes",),
            command="pilotage plan",
        ),
        Skill(
            name="release-steering",
            title="Steering a release by hand",
            why="People pause, stop and promote for reasons that no metric knows. It must be one "
            "command, and leave a trace of who did it.",
            roles=(MLOPS, PRODUCT),
            builds_on=("canary-releases",),
            proven_by=Reading(),
            read=("how-to/steer-a-rollout.md",),
            command="pilotage rollout pause",
        ),
    ),
)
