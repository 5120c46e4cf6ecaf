"""`pilotage serve` with one model behind three endpoints: plain, with a canary, with a shadow.

    python -m benchmarks.serve_candidates serve plain=model.onnx ...

The candidate is the same file as a version of its own, so that it costs what the baseline costs.
"""

import sys
from typing import Any

from msgspec.structs import replace

from pilotage.cli import app, composition
from pilotage.contracts.snapshot import PPM, Endpoint, Route, Snapshot, Trial

CANDIDATE = "candidate000"
CANARY_PPM = 50_000
PLAIN, CANARY, SHADOW = "plain", "canary", "shadow"
_compose = composition.compose


def tried(snapshot: Snapshot) -> Snapshot:
    """The snapshot with the two other endpoints in it; budgets and shares are the defaults."""
    (endpoint,) = snapshot.endpoints
    (version,) = snapshot.versions
    candidate = replace(version, id=CANDIDATE, digest=CANDIDATE)
    trial = Trial(CANDIDATE, "benchmark", CANARY)
    routes = (Route(version.id, PPM - CANARY_PPM), Route(CANDIDATE, CANARY_PPM, "candidate"))
    canary = Endpoint(CANARY, routes, trial=trial)
    shadowed = Trial(CANDIDATE, "benchmark", SHADOW, probe_every=0)
    shadow = Endpoint(SHADOW, (Route(version.id),), shadow=CANDIDATE, trial=shadowed)
    return replace(snapshot, endpoints=(endpoint, canary, shadow), versions=(version, candidate))


def main() -> int:
    def compose(*arguments: Any, **named: Any) -> Snapshot:
        return tried(_compose(*arguments, **named))

    composition.compose = compose
    return app.main()


if __name__ == "__main__":
    sys.exit(main())
