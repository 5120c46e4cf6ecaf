"""Skills: how does a model answer, fast and for long? Pure."""

from typing import Final

from pilotage.learn.roles import AI, ARCHITECT, EDGE, INFRASTRUCTURE, ML, MLOPS, RESEARCH
from pilotage.learn.skills import NotYet, Reading, Skill, Theme

SERVE: Final = Theme(
    "serve",
    "How does a model answer, fast and for long?",
    (
        Skill(
            name="model-serving",
            title="Model serving",
            why="A model that nobody can call helps nobody. Serving turns a file into an address "
            "that answers, checks what it is asked, and goes on when something breaks.",
            roles=(AI, ML, MLOPS, INFRASTRUCTURE, ARCHITECT),
            builds_on=(),
            proven_by=Reading(),
            read=("tutorials/first-service.md",),
            command="pilotage serve",
        ),
        Skill(
            name="inference-protocol",
            title="Open Inference Protocol (v2)",
            why="With a standard request and answer, clients, load tests and servers change "
            "without one another. KServe and Triton speak the same.",
            roles=(AI, ML, INFRASTRUCTURE, ARCHITECT),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("explanation/a-request.md", "reference/serve.md#headers"),
            command="pilotage serve",
        ),
        Skill(
            name="model-conversion",
            title="Model conversion, parity testing",
            why="Frameworks come and go; an exchange format such as ONNX stays. A conversion is "
            "worth nothing until both models were shown to answer alike.",
            roles=(ML, RESEARCH, INFRASTRUCTURE, EDGE),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("decisions/0006-onnx-conversion-by-proof.md",),
            command="pilotage serve --sample",
        ),
        Skill(
            name="dynamic-batching",
            title="Dynamic batching",
            why="An engine answers 32 rows in little more time than one. Who batches what is "
            "waiting anyway serves many times more callers with the same machine.",
            roles=(INFRASTRUCTURE, MLOPS, ARCHITECT),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("explanation/a-request.md", "reference/serve.md#speed"),
            command="pilotage serve --max-batch-rows",
        ),
        Skill(
            name="latency-percentiles",
            title="Latency percentiles (p50, p99), deadlines",
            why="Callers feel the slowest answers, which a mean hides. A deadline says from when "
            "on an answer is worth nothing, so that no work is done for it.",
            roles=(AI, MLOPS, INFRASTRUCTURE, ARCHITECT, EDGE),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("how-to/operate.md#deadlines-and-overload",),
            command="pilotage serve --deadline",
        ),
        Skill(
            name="load-testing",
            title="Open-loop load testing",
            why="A load test that waits for each answer slows down with the server and never sees "
            "the queue. Open loop sends when a request is due, as users do.",
            roles=(MLOPS, INFRASTRUCTURE),
            builds_on=("latency-percentiles",),
            proven_by=Reading(),
            read=("how-to/gates.md#fast-enough-small-enough",),
            command="pilotage evaluate --gates",
        ),
        Skill(
            name="load-shedding",
            title="Load shedding, goodput under overload",
            why="At twice the capacity somebody must be told no. Refusing early keeps the answers "
            "for the others in time; queueing for everybody is late for everybody.",
            roles=(MLOPS, INFRASTRUCTURE, ARCHITECT),
            builds_on=("load-testing", "dynamic-batching"),
            proven_by=Reading(),
            read=("how-to/operate.md#deadlines-and-overload", "explanation/a-request.md"),
            command="pilotage serve --deadline",
        ),
        Skill(
            name="zero-downtime-updates",
            title="Zero-downtime model updates",
            why="Models change more often than servers. A new version is loaded and warmed beside "
            "the old one, and requests move from one moment to the next.",
            roles=(MLOPS, INFRASTRUCTURE, ML),
            builds_on=("model-serving",),
            proven_by=Reading(),
            read=("how-to/operate.md#replace-models",),
            command="pilotage serve --reload",
        ),
        Skill(
            name="llm-serving",
            title="Serving language models",
            why="Answers of many tokens need streams, memory for each conversation, and their own "
            "measures: time to the first token, and tokens a second.",
            roles=(AI, INFRASTRUCTURE, ARCHITECT),
            builds_on=("inference-protocol", "dynamic-batching"),
            proven_by=NotYet("an engine for language models"),
        ),
    ),
)
