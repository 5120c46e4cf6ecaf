"""A snapshot compiled: routes are drawn by weight, or named."""

from typing import Any, Literal, cast

import pytest
from msgspec import structs

from pilotage.contracts.records import digest_unit
from pilotage.contracts.signature import Signature, Tensor
from pilotage.contracts.snapshot import (
    FORMAT,
    PPM,
    Endpoint,
    Route,
    Snapshot,
    Step,
    Trial,
    Version,
)
from pilotage.serving.cost import Cost
from pilotage.serving.plan import EndpointPlan, Plan, compile_plan, routes_to_cut
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
    return plan_of(Endpoint("iris", routes, salt="s")).endpoints["iris"]


def plan_of(endpoint: Endpoint, *loaded: str) -> Plan:
    """The plan of an endpoint whose routes' versions are loaded, and these others."""
    ids = dict.fromkeys([*(route.version for route in endpoint.routes), *loaded])
    versions = tuple(Version(id, "m", "d", SIGNATURE, (Step("fake", "a", "b"),)) for id in ids)
    snapshot = Snapshot(FORMAT, 7, 0.0, (endpoint,), versions)
    schedulers = cast(Any, {version.id: Scheduler(version) for version in versions})
    return compile_plan(snapshot, schedulers)


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


SHADOWED = Endpoint(
    "iris", (Route("one"),), salt="s", shadow="two", trial=Trial("two", "r1", "shadow")
)


def test_a_candidate_without_a_route_is_known_and_cannot_be_named() -> None:
    plan = plan_of(SHADOWED, "two")
    endpoint = plan.endpoints["iris"]
    assert endpoint.candidate is not None
    origin = endpoint.candidate.origin
    assert origin is not None
    assert (origin.version, origin.arm, origin.propensity_ppm) == ("two", "candidate", PPM)
    assert (origin.rollout, origin.stage) == ("r1", "shadow")
    assert plan.pairs == {("iris", "one"), ("iris", "two")}
    assert endpoint.versions == ("one",)
    with pytest.raises(Refusal):
        endpoint.version_named("two")


def test_a_candidate_that_is_not_loaded_makes_no_plan() -> None:
    with pytest.raises(ValueError, match="two of iris is not in the snapshot"):
        plan_of(SHADOWED)


def test_copies_for_another_version_than_the_one_on_trial_make_no_plan() -> None:
    with pytest.raises(ValueError, match="another version than it tries"):
        plan_of(structs.replace(SHADOWED, shadow="one"), "two")


def test_one_version_on_both_routes_is_named_once_and_drawn_by_arm() -> None:
    one = Route("one", PPM // 2, rollout="r1", stage="canary")
    endpoint = planned(one, structs.replace(one, arm="candidate"))
    arms = {endpoint.route_of(digest_unit(b"%d" % unit)).origin for unit in range(50)}
    assert {origin.arm for origin in arms if origin is not None} == {"baseline", "candidate"}
    assert endpoint.versions == ("one",)
    with pytest.raises(Refusal) as refused:
        endpoint.version_named("two")
    assert refused.value.expected == "one of one"


def test_a_version_that_is_named_counts_in_no_rollout() -> None:
    route = Route("one", rollout="r1", stage="canary")
    drawn, named = planned(route).routes[0].origin, planned(route).version_named("one").origin
    assert drawn is not None
    assert named is not None
    assert (drawn.rollout, drawn.stage) == ("r1", "canary")
    assert (named.rollout, named.stage) == ("", "")


@pytest.mark.parametrize(
    ("streams", "after", "cut"),
    [
        ("cut", (Route("one"),), {("iris", "two")}),
        ("cut", (Route("two"),), {("iris", "one")}),
        ("cut", (Route("one", PPM // 2), Route("two", PPM // 2, "candidate")), set()),
        ("drain", (Route("one"),), set()),
    ],
)
def test_streams_of_a_version_that_lost_its_route_are_cut_where_the_trial_says_so(
    streams: Literal["drain", "cut"], after: tuple[Route, ...], cut: set[tuple[str, str]]
) -> None:
    routes = (Route("one", 900_000), Route("two", 100_000, "candidate"))
    trial = Trial("two", "r1", "canary", streams=streams)
    before = plan_of(Endpoint("iris", routes, trial=trial))
    assert routes_to_cut(before, plan_of(Endpoint("iris", after))) == cut


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
