"""Skills: more machines, smaller machines. Pure."""

from typing import Final

from pilotage.learn.roles import ARCHITECT, EDGE, INFRASTRUCTURE, ML, MLOPS
from pilotage.learn.skills import NotYet, Reading, Skill, Theme

SCALE: Final = Theme(
    "scale",
    "How does it grow to many machines?",
    (
        Skill(
            name="capacity-planning",
            title="Capacity planning",
            why="How many workers a load takes is measured on the machine that will carry it, at "
            "the percentile that was promised.",
            roles=(INFRASTRUCTURE, MLOPS, ARCHITECT),
            builds_on=("load-testing",),
            proven_by=Reading(),
            read=("how-to/gates.md#fast-enough-small-enough", "reference/serve.md#running"),
            command="pilotage serve --workers",
        ),
        Skill(
            name="failure-domains",
            title="Failure domains: data and control plane",
            why="What answers users must not wait for what decides about them. When the one is "
            "down, the other goes on.",
            roles=(ARCHITECT, INFRASTRUCTURE, MLOPS),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("how-to/operate.md#what-a-crash-loses", "explanation/a-rollout.md"),
            command="pilotage serve",
        ),
        Skill(
            name="gpu-serving",
            title="Serving on GPUs",
            why="A GPU is fast when it is full and expensive when it is not; batching and copies "
            "between memories decide which.",
            roles=(INFRASTRUCTURE, ML, ARCHITECT),
            builds_on=("dynamic-batching",),
            proven_by=NotYet("GPU engines"),
        ),
        Skill(
            name="cluster-serving",
            title="Serving on a cluster (Kubernetes)",
            why="More traffic than one machine bears, and machines that die, need copies, a "
            "balancer and one truth about what is live.",
            roles=(INFRASTRUCTURE, MLOPS, ARCHITECT),
            builds_on=("capacity-planning", "failure-domains"),
            proven_by=NotYet("a control plane over several machines"),
        ),
    ),
)

DEVICES: Final = Theme(
    "devices",
    "How does it run on a small device?",
    (
        Skill(
            name="footprint",
            title="Memory footprint, cold start",
            why="A device has the memory it has. What a model takes when it serves, and how long "
            "it needs to wake, is measured and not guessed.",
            roles=(EDGE, INFRASTRUCTURE),
            builds_on=("load-testing",),
            proven_by=Reading(),
            read=("how-to/gates.md#fast-enough-small-enough",),
            command="pilotage evaluate --gates",
        ),
        Skill(
            name="quantization",
            title="Quantization with a proven loss",
            why="Eight bits instead of thirty-two are a quarter of the memory. Whether the model "
            "is still as good is a paired question with a margin.",
            roles=(EDGE, ML, INFRASTRUCTURE),
            builds_on=("paired-comparison", "footprint"),
            proven_by=NotYet("quantizing models"),
        ),
        Skill(
            name="device-fleets",
            title="Over-the-air updates of a fleet",
            why="Ten thousand devices cannot be logged into. They take a signed version, prove it "
            "on themselves, and fall back alone.",
            roles=(EDGE, ARCHITECT),
            builds_on=("automatic-rollback", "footprint"),
            proven_by=NotYet("signed snapshots for devices"),
        ),
    ),
)
