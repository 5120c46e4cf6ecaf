"""Skills: is it good enough, is it fair, is it better? Pure."""

from typing import Final

from pilotage.learn.roles import AI, GOVERNANCE, ML, MLOPS, POLICY, PRODUCT, RESEARCH
from pilotage.learn.skills import NotYet, Practice, Reading, Skill, Theme

DECIDE: Final = Theme(
    "decide",
    "Is it good enough, is it fair, is it better?",
    (
        Skill(
            name="confidence-intervals",
            title="Confidence intervals, error rates",
            why="A score on a test set is one draw of luck. An interval says what else the same "
            "rows allow, and an error rate how often the answer is wrong.",
            roles=(ML, RESEARCH, AI, PRODUCT, GOVERNANCE),
            builds_on=(),
            proven_by=Reading(),
            read=("tutorials/is-it-good-enough.md", "explanation/statistics.md"),
            command="pilotage evaluate",
        ),
        Skill(
            name="quality-gates",
            title="Quality gates in CI",
            why="A release is stopped by what was written down before anybody saw the numbers, "
            "or by whoever is still awake. Gates are the first kind.",
            roles=(ML, MLOPS, AI, PRODUCT, GOVERNANCE),
            builds_on=("confidence-intervals",),
            proven_by=Practice("stop-the-unfair-model"),
            read=("how-to/gates.md", "how-to/gates.md#in-ci"),
            command="pilotage evaluate --gates",
        ),
        Skill(
            name="group-fairness",
            title="Group fairness (equal opportunity)",
            why="A model can be right on the average and wrong for one group. Which error hurts "
            "whom decides which metric to compare, and the law asks for it.",
            roles=(ML, AI, GOVERNANCE, PRODUCT, POLICY),
            builds_on=("quality-gates",),
            proven_by=Practice("stop-the-unfair-model"),
            read=("how-to/gates.md#fair-across-groups", "tutorials/is-it-good-enough.md"),
            command="pilotage evaluate --protected",
        ),
        Skill(
            name="sample-size",
            title="Power analysis, sample size",
            why="Labels cost money. How many of them a question needs is known beforehand, and "
            "asking with fewer buys the answer 'undecided'.",
            roles=(ML, RESEARCH, PRODUCT),
            builds_on=("confidence-intervals",),
            proven_by=Practice("is-it-really-better"),
            read=("tutorials/is-it-good-enough.md#4-how-many-rows-will-it-take",),
            command="pilotage evaluate --plan",
        ),
        Skill(
            name="paired-comparison",
            title="Paired model comparison",
            why="Two models on the same rows differ on few of them, and only those count. Two "
            "separate scores hide what a pair shows with a third of the labels.",
            roles=(ML, RESEARCH, PRODUCT),
            builds_on=("confidence-intervals",),
            proven_by=Practice("is-it-really-better"),
            read=("how-to/gates.md#not-worse-than-what-you-have",),
            command="pilotage compare",
        ),
        Skill(
            name="calibration",
            title="Probability calibration",
            why="Who acts on '80 % sure' needs it to come true in 80 of 100 cases. Accuracy says "
            "nothing about that.",
            roles=(ML, RESEARCH, PRODUCT),
            builds_on=("confidence-intervals",),
            proven_by=Reading(),
            read=("how-to/gates.md#probabilities-that-mean-what-they-say",),
            command="pilotage evaluate --gates",
        ),
        Skill(
            name="robustness",
            title="Robustness testing",
            why="Real inputs have holes and noise that a test set does not. What is lost under "
            "them is measured before users find out.",
            roles=(ML, MLOPS, GOVERNANCE),
            builds_on=("quality-gates",),
            proven_by=Reading(),
            read=("how-to/gates.md#bad-inputs",),
            command="pilotage evaluate --gates",
        ),
        Skill(
            name="custom-metrics",
            title="Cost-sensitive metrics",
            why="A loan refused in vain and a loan lost cost different money. A metric in the "
            "unit of the business lets the business decide.",
            roles=(ML, PRODUCT),
            builds_on=("quality-gates",),
            proven_by=Reading(),
            read=("how-to/gates.md#a-metric-of-your-own", "reference/gates.md#metrics-of-your-own"),
            command="pilotage evaluate --gates",
        ),
        Skill(
            name="reproducing-claims",
            title="Reproducing a published result",
            why="A paper's number was made with other rows. On yours it is confirmed, refuted, or "
            "neither, and the three are not the same.",
            roles=(RESEARCH, ML),
            builds_on=("quality-gates",),
            proven_by=Reading(),
            read=("how-to/gates.md#a-claim-from-a-paper",),
            command="pilotage evaluate --gates",
        ),
        Skill(
            name="llm-evaluation",
            title="Evaluating language models",
            why="Free text has no single right answer: graders, rubrics and pairs take the place "
            "of labels, and bring errors of their own.",
            roles=(AI, RESEARCH, PRODUCT),
            builds_on=("paired-comparison",),
            proven_by=NotYet("checks of free text"),
        ),
    ),
)
