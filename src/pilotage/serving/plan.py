"""A snapshot, compiled for the way of a request: look-ups by name instead of searches.

Built beside the one that is served, and never changed afterwards, but for the taps that a trial
sets when it is served.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import structs

from pilotage.contracts.records import Status
from pilotage.contracts.snapshot import PPM, Endpoint, RecordPolicy, Route, Snapshot
from pilotage.serving.authentication import Keyring, no_longer_valid
from pilotage.serving.protocols.generate import GenerateCodec
from pilotage.serving.protocols.v2 import Codec
from pilotage.serving.recording.blocks import Origin
from pilotage.serving.refusals import Refusal
from pilotage.serving.replica import Replica
from pilotage.serving.requests import Asked
from pilotage.serving.routing import choose, place_of
from pilotage.serving.scheduling import Scheduler

if TYPE_CHECKING:
    from pilotage.serving.calls import Batch, Call
    from pilotage.serving.engines.engine import Array

NEVER_NS: Final = 1 << 62
"""Later than any reading of a steady clock."""


class Tap(Protocol):
    """Takes what a route answered, once the answers have left."""

    def answered(
        self,
        batch: "Batch",
        calls: "Sequence[Call]",
        ids: Sequence[bytes],
        statuses: Sequence[Status] | None,
        inputs: "list[Array | None]",
        outputs: "list[Array] | None",
    ) -> None:
        """The calls of the route in a batch that ran.

        `ids` are the 16 bytes of each prediction, `statuses` None where all are ok; `inputs` and
        `outputs` hold the rows of these calls, and there are no outputs where the engine failed.
        """
        ...


@dataclass(slots=True, eq=False)
class RoutePlan:
    """One route, with all that its records share. Compared by identity: one plan, one block.

    `tap` is None but for the baseline of a trial: one look a batch is all that the others pay.
    """

    endpoint: str
    version: str
    record: RecordPolicy | None
    origin: Origin | None
    codec: Codec
    generate: GenerateCodec
    scheduler: Scheduler
    tap: Tap | None = None

    @property
    def replica(self) -> Replica:
        return self.scheduler.replica


@dataclass(slots=True, eq=False)
class EndpointPlan:
    """One endpoint.

    Attributes:
        routes: what a request is drawn among; `named`: the same for requests that name a version.
        baseline: the route whose codec reads requests and whose cost decides.
        candidate: as the records of copies name it; None where nothing is on trial. No request
            comes here.
    """

    endpoint: Endpoint
    routes: tuple[RoutePlan, ...]
    named: tuple[RoutePlan, ...]
    weights_ppm: tuple[int, ...]
    baseline: RoutePlan
    candidate: RoutePlan | None
    salt: bytes
    sticky_header: bytes
    deadline_ns: int | None

    def route_of(self, unit: bytes) -> RoutePlan:
        """The route of a unit; the same for the same unit while the weights stay."""
        return self.routes[choose(self.weights_ppm, place_of(unit, self.salt))]

    def version_named(self, version: str) -> RoutePlan:
        """The route of a version that a path names: not drawn, so its probability is 1.

        Raises:
            Refusal: 404 when no route of the endpoint leads to it.
        """
        for route in self.named:
            if route.version == version:
                return route
        raise Refusal(
            404,
            "unknown",
            "the endpoint has no such version",
            where="request line",
            expected="one of " + ", ".join(self.versions),
        )

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that a route leads to, each once."""
        return tuple(dict.fromkeys(route.version for route in self.routes))


@dataclass(slots=True, eq=False)
class Plan:
    """All that a worker serves under one revision."""

    snapshot: Snapshot
    endpoints: dict[str, EndpointPlan]
    keyring: Keyring
    schedulers: dict[str, Scheduler]

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Every endpoint with each version that it leads to or tries."""
        routes = {route for each in self.endpoints.values() for route in each.routes}
        tried = {each.candidate for each in self.endpoints.values()}
        return {(route.endpoint, route.version) for route in routes | tried if route is not None}

    def expired(self, now_s: float) -> bool:
        """Whether the snapshot must not be served any more; `now_s` since the epoch."""
        expires_at = self.snapshot.expires_at
        return expires_at is not None and expires_at <= now_s

    def ends_within(self, since_s: float, until_s: float) -> bool:
        """Whether a key or the snapshot ran out after `since_s`, and by `until_s`."""
        ended = self.expired(until_s) and not self.expired(since_s)
        return ended or self.keyring.expires_within(since_s, until_s)


@dataclass(slots=True, eq=False)
class CallPlan:
    """What one head asks for, resolved; cached under the head's bytes.

    Attributes:
        target: None for what belongs to no endpoint.
        pinned: the route of the version that the path names, where it names one.
        unit: the digest of the sticky key, empty where there is none.
        deadline_ns: the head's deadline, else the endpoint's, else None.
        plain: nothing special was asked for: the answer is the usual one.
        allowed: the endpoints that the caller's key is limited to; empty for no limit.
        key_expires_at: when the caller's key runs out, in seconds since the epoch.
        ends_ns: from when on nobody may be answered by this, on the steady clock.
        ended: makes what is said from then on.
    """

    asked: Asked
    plan: Plan
    target: EndpointPlan | None = None
    pinned: RoutePlan | None = None
    principal: str = ""
    unit: bytes = b""
    deadline_ns: int | None = None
    plain: bool = True
    allowed: tuple[str, ...] = ()
    key_expires_at: float | None = None
    ends_ns: int = NEVER_NS
    ended: Callable[[], Refusal] = no_longer_valid

    def ends_at(self, at_s: float, ended: Callable[[], Refusal], epoch_ns: int) -> None:
        """Answers nobody from `at_s` (since the epoch) on; the first of several ends counts."""
        ends_ns = int(at_s * 1e9) - epoch_ns
        if ends_ns < self.ends_ns:
            self.ends_ns, self.ended = ends_ns, ended


def compile_plan(snapshot: Snapshot, schedulers: Mapping[str, Scheduler]) -> Plan:
    """The plan of a snapshot whose versions are loaded, by version id.

    Raises:
        ValueError: the snapshot cannot be served as it is.
    """
    endpoints = {
        endpoint.name: _endpoint_of(snapshot, endpoint, schedulers)
        for endpoint in snapshot.endpoints
    }
    return Plan(snapshot, endpoints, Keyring(snapshot.keys), dict(schedulers))


def routes_to_cut(before: Plan, after: Plan) -> set[tuple[str, str]]:
    """Endpoints with versions that lost their route, where the trial that tried them cuts their
    streams. The old snapshot says so: the new one may have no trial any more."""
    cut: set[tuple[str, str]] = set()
    for name, target in before.endpoints.items():
        trial = target.endpoint.trial
        if trial is not None and trial.streams == "cut":
            left = after.endpoints[name].versions if name in after.endpoints else ()
            cut |= {(name, version) for version in target.versions if version not in left}
    return cut


def _endpoint_of(
    snapshot: Snapshot, endpoint: Endpoint, schedulers: Mapping[str, Scheduler]
) -> EndpointPlan:
    routes = tuple(_route_of(snapshot, endpoint, each, schedulers) for each in endpoint.routes)
    weights = tuple(route.weight_ppm for route in endpoint.routes)
    if sum(weights) != PPM:
        raise ValueError(f"the routes of {endpoint.name} sum to {sum(weights)}, not {PPM}")
    header = endpoint.sticky_by.removeprefix("header:") if endpoint.sticky_by else ""
    deadline = endpoint.deadline_ms
    return EndpointPlan(
        endpoint=endpoint,
        routes=routes,
        # Whoever names a version was not given it by a draw, so a rollout does not count him.
        named=tuple(
            _route_of(
                snapshot,
                endpoint,
                structs.replace(route, weight_ppm=PPM, rollout="", stage=""),
                schedulers,
            )
            for route in endpoint.routes
        ),
        weights_ppm=weights,
        baseline=next(
            (
                plan
                for plan, route in zip(routes, endpoint.routes, strict=True)
                if route.arm == "baseline"
            ),
            routes[0],
        ),
        candidate=_candidate_of(snapshot, endpoint, schedulers),
        salt=endpoint.salt.encode(),
        sticky_header=header.lower().encode(),
        deadline_ns=None if deadline is None else int(deadline * 1e6),
    )


def _candidate_of(
    snapshot: Snapshot, endpoint: Endpoint, schedulers: Mapping[str, Scheduler]
) -> RoutePlan | None:
    trial = endpoint.trial
    if trial is None:
        return None
    if endpoint.shadow not in ("", trial.candidate):
        raise ValueError(f"{endpoint.name} has copies answered by another version than it tries")
    route = Route(trial.candidate, PPM, "candidate", trial.rollout, trial.stage)
    return _route_of(snapshot, endpoint, route, schedulers)


def _route_of(
    snapshot: Snapshot, endpoint: Endpoint, route: Route, schedulers: Mapping[str, Scheduler]
) -> RoutePlan:
    scheduler = schedulers.get(route.version)
    if scheduler is None:
        raise ValueError(f"version {route.version} of {endpoint.name} is not in the snapshot")
    signature = scheduler.replica.signature
    origin = None
    if endpoint.record is not None:
        origin = Origin(
            endpoint.name,
            route.version,
            snapshot.revision,
            route.arm,
            route.weight_ppm,
            route.rollout,
            route.stage,
            endpoint.record,
            signature,
        )
    names = (endpoint.name, route.version, signature, snapshot.limits)
    return RoutePlan(
        endpoint=endpoint.name,
        version=route.version,
        record=endpoint.record,
        origin=origin,
        codec=Codec(*names),
        generate=GenerateCodec(*names),
        scheduler=scheduler,
    )
