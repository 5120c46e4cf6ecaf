"""What each stage's arms came to: requests, or units whose window ended."""

from pilotage.checks.live.tallies import OfStage, RequestTallies, UnitTallies
from pilotage.contracts.records import digest_unit
from pilotage.statistics.sequential.arm_observations import PARTS, ArmObservations
from pilotage.statistics.sequential.units import UnitsConfiguration


def unit(name: str) -> bytes:
    return digest_unit(name.encode())


class Sticky:
    """Two stages, windows of 30 s or 3 requests, blocks of 10 s."""

    def __init__(self) -> None:
        self.configuration = UnitsConfiguration(30.0, 3)
        self.tallies = UnitTallies(self.configuration, 2)
        self.now_s = 0.0

    def see(
        self, name: str, harm: int = 0, *, stage: int = 0, candidate: bool = True, id_=""
    ) -> None:
        self.tallies.observe(stage, candidate, unit(name), harm, self.now_s, id_)

    def close(self, blocks: int = 1) -> list[OfStage]:
        found: list[OfStage] = []
        for _ in range(blocks):
            self.now_s += 10.0
            found += self.tallies.close(self.now_s)
        return found


def test_requests_of_two_stages_never_add_up() -> None:
    tallies = RequestTallies(3)
    tallies.add(0, False, 10, 2 * PARTS)
    tallies.add(0, True, 1, 0)
    tallies.observe(2, True, b"", 0.5, 0.0, "")
    assert tallies.close(10.0) == [
        OfStage(0, ArmObservations(10, 2.0, 1, 0.0)),
        OfStage(2, ArmObservations(0, 0.0, 1, 0.5)),
    ]
    assert tallies.close(20.0) == []


def test_a_unit_counts_once_with_the_mean_of_its_window() -> None:
    sticky = Sticky()
    sticky.see("ann", 1)
    sticky.see("ann", 0)
    assert sticky.close(2) == []
    assert sticky.close() == [OfStage(0, ArmObservations(0, 0.0, 1, 0.5))]
    sticky.see("ann", 1)
    assert sticky.close(5) == []


def test_a_window_ends_with_its_last_request() -> None:
    sticky = Sticky()
    for _ in range(3):
        sticky.see("ann")
    assert sticky.close() == [OfStage(0, ArmObservations(0, 0.0, 1, 0.0))]


def test_a_retry_within_a_window_is_no_second_request() -> None:
    sticky = Sticky()
    for id_ in ("1", "1", "1", "2"):
        sticky.see("ann", 1, id_=id_)
    assert sticky.close() == []


def test_windows_end_in_both_arms_when_the_share_is_raised() -> None:
    sticky = Sticky()
    sticky.see("ann", 1)
    sticky.see("bob", candidate=False)
    sticky.close()
    sticky.see("ann", 0)
    sticky.see("cid", stage=1)
    assert sticky.close() == [OfStage(0, ArmObservations(1, 0.0, 1, 0.5))]
    assert sticky.close(2) == [OfStage(1, ArmObservations(0, 0.0, 1, 0.0))]


def test_a_unit_that_changes_arm_counts_for_its_first_one() -> None:
    sticky = Sticky()
    sticky.see("bob", candidate=False)
    sticky.close()
    sticky.see("bob", 1, stage=1)
    sticky.see("cid", stage=1)
    first, *_ = sticky.close()
    assert first.observations == ArmObservations(1, 0.0, 0, 0.0)
    assert [each.observations for each in sticky.close(3)] == [ArmObservations(0, 0.0, 1, 0.0)]


def test_a_unit_of_an_earlier_stage_is_exposure_once_a_stage_and_no_evidence() -> None:
    sticky = Sticky()
    sticky.see("bob", candidate=False)
    sticky.see("dan", candidate=False)
    sticky.close()
    returned: list[int] = []
    for _ in range(3):
        sticky.see("bob", 1, stage=1)
        sticky.see("dan", 1, stage=1, candidate=False)
        returned.append(sum(each.returned for each in sticky.close()))
    assert returned == [1, 0, 0]
    assert sticky.close(5) == []


def test_what_comes_late_from_the_stage_before_counts_at_once_and_by_itself() -> None:
    sticky = Sticky()
    sticky.see("ann", stage=1)
    sticky.close()
    sticky.see("bob", 1, stage=0, candidate=False)
    assert sticky.close() == [OfStage(0, ArmObservations(1, 1.0, 0, 0.0))]


def test_a_saved_state_goes_on_bit_for_bit() -> None:
    sticky = Sticky()
    sticky.see("bob", candidate=False)
    sticky.see("ann", 1)
    sticky.close()
    sticky.see("bob", stage=1)
    sticky.see("cid", 1, stage=1)
    loaded = UnitTallies(sticky.configuration, 2)
    loaded.restore(sticky.tallies.arrays())
    for now_s in (20.0, 30.0, 40.0, 50.0):
        assert loaded.close(now_s) == sticky.tallies.close(now_s)
    before, after = sticky.tallies.arrays(), loaded.arrays()
    assert {n: a.tobytes() for n, a in before.items()} == {n: a.tobytes() for n, a in after.items()}
