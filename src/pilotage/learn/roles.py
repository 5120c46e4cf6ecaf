"""The ten lines of work that the map knows. Pure."""

from typing import Final

from pilotage.learn.skills import Role

AI: Final = "ai-engineer"
ML: Final = "ml-engineer"
RESEARCH: Final = "ml-research-engineer"
MLOPS: Final = "mlops-engineer"
INFRASTRUCTURE: Final = "ml-infrastructure"
GOVERNANCE: Final = "governance"
PRODUCT: Final = "ai-product-manager"
ARCHITECT: Final = "ai-system-architect"
EDGE: Final = "edge"
POLICY: Final = "policy"

ROLES: Final = (
    Role(AI, "AI engineer", "puts models, their own or bought ones, into products"),
    Role(ML, "ML engineer", "trains models and answers for how good they are"),
    Role(RESEARCH, "ML research engineer", "turns papers into code, and claims into evidence"),
    Role(MLOPS, "MLOps engineer", "releases, watches and repairs models that people use"),
    Role(INFRASTRUCTURE, "ML infrastructure engineer", "makes serving fast, large and cheap"),
    Role(GOVERNANCE, "AI governance", "shows what a model decided, and that it may"),
    Role(PRODUCT, "AI product manager", "says what good enough is, and what it is worth"),
    Role(ARCHITECT, "AI system architect", "chooses the parts, and where each may fail"),
    Role(EDGE, "Edge AI engineer", "runs models on small devices, far from a data centre"),
    Role(POLICY, "AI regulation and policy", "turns law into questions a system can answer"),
)
EVERYBODY: Final = tuple(role.key for role in ROLES)
