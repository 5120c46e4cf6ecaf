"""A snapshot compiled: routes are drawn by weight, or named."""

from typing import Any, cast

import pytest

from pilotage.contracts.records import digest_unit
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import FORMAT, Endpoint, Route, Snapshot, Step, Version
from pilotage.serving.cost import Cost
from pilotage.serving.plan import EndpointPlan, compile_plan
from pilotage.serving.refusals import Refusal
from pilotage.serving.replica import Replica

SIGNATURE = Signature(
    inputs=(Tensor("x", "FP32", ("rows", 1)),), outputs=(Tensor("y", "FP32", ("rows", 1)),)
)


class Scheduler:
    """Stands where a scheduler stands; nothing runs here."""

    def __init__(self, version: Version) -> None:
        self.replica = Replica(version, None, None, Cost(1.0, 0.0), 4)


def planned(*routes: Route) -> EndpointPlan:
    versions = tuple(
        Version(route.version, "m", "d", SIGNATURE, (Step("fake", "a", "b"),)) for route in routes
    )
    snapshot = Snapshot(FORMAT, 7, 0.0, (Endpoint("iris", routes, salt="s"),), versions)
    schedulers = cast(Any, {version.id: Scheduler(version) for version in versions})
    return compile_plan(snapshot, schedulers).endpoints["iris"]


def test_a_drawn_route_carries_the_probability_with_which_it_was_drawn() -> None:
    endpoint = planned(
        Route("one", weight_ppm=900_000), Route("two", weight_ppm=100_000, arm="candidate")
    )
    drawn = {endpoint.route_of(digest_unit(b"%d" % unit)).version for unit in range(200)}
    assert drawn == {"one", "two"}
    origins = {route.version: route.origin for route in endpoint.routes}
    assert origins["two"] is not None
    assert (origins["two"].propensity_ppm, origins["two"].arm) == (100_000, "candidate")
    assert endpoint.baseline.version == "one"


def test_a_version_that_is_named_was_not_drawn() -> None:
    endpoint = planned(Route("one", weight_ppm=900_000), Route("two", weight_ppm=100_000))
    origin = endpoint.version_named("two").origin
    assert origin is not None
    assert (origin.version, origin.propensity_ppm) == ("two", 1_000_000)


def test_a_version_that_no_route_leads_to_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        planned(Route("one")).version_named("two")
    assert (refused.value.status, refused.value.expected) == (404, "one of one")


def test_weights_that_do_not_add_up_are_a_fault() -> None:
    with pytest.raises(ValueError, match="sum to 999999"):
        planned(Route("one", weight_ppm=999_999))


@pytest.mark.parametrize(
    ("since_s", "until_s", "ended"),
    [(0.0, 9.9, False), (0.0, 10.0, True), (9.9, 999.0, True), (10.0, 999.0, False)],
)
def test_the_end_of_a_snapshot_is_noticed_once_however_late_the_look(
    since_s: float, until_s: float, ended: bool
) -> None:
    plan = compile_plan(Snapshot(FORMAT, 7, 0.0, (), (), expires_at=10.0), {})
    assert plan.ends_within(since_s, until_s) is ended
