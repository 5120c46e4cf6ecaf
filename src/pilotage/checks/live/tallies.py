"""What each stage's arms came to in a block: one observation a request, or one a sticky unit. Pure.

Within a block both arms must be under the same conditions, so the observations of two stages never
add up: where the share is raised inside a block, each stage has its own. With a sticky key the
windows that are open when the share is raised end with that block, in both arms alike: from then on
some units get the other arm, and what the others see later would be compared with nothing.

A unit counts once in the whole rollout, in the stage of its first request. What the candidate
answers to units of earlier stages is exposure, told by `returned`, but no evidence.
"""

import math
from typing import Any, NamedTuple, Protocol

import numpy as np

from pilotage.statistics.sequential.arm_observations import (
    PARTS,
    Arm,
    ArmObservations,
    number_of,
    parts_of,
)
from pilotage.statistics.sequential.units import Units, UnitsConfiguration

Array = np.ndarray[Any, np.dtype[Any]]


class OfStage(NamedTuple):
    """What one stage's arms came to in one block; `returned` units were answered but not judged."""

    stage: int
    observations: ArmObservations
    returned: int = 0


class Tallies(Protocol):
    """Observations of arms, by stage, until the block is closed."""

    def observe(
        self, stage: int, candidate: bool, unit: bytes, value: float, at_s: float, request: str
    ) -> None:
        """One outcome in [0, 1]; `request` is the caller's own id of it, "" where none came."""
        ...

    def close(self, now_s: float) -> list[OfStage]:
        """End the block: the stages that have something, in order."""
        ...

    def arrays(self) -> dict[str, Array]:
        """The whole state by name, the open block included."""
        ...

    def restore(self, arrays: dict[str, Array]) -> None:
        """Take over a state that `arrays` gave."""
        ...


class RequestTallies:
    """One observation a request. Who counts retries once does it before."""

    def __init__(self, stages: int) -> None:
        # Baseline's requests and parts, then the candidate's.
        self._open = [[0, 0, 0, 0] for _ in range(stages)]

    def observe(
        self, stage: int, candidate: bool, unit: bytes, value: float, at_s: float, request: str
    ) -> None:
        del unit, at_s, request
        self.add(stage, candidate, 1, parts_of(value))

    def add(self, stage: int, candidate: bool, requests: int, parts: int) -> None:
        """Many requests of one arm at once, whose values add up to `parts` of PARTS."""
        numbers = self._open[stage]
        place = 2 if candidate else 0
        numbers[place] += requests
        numbers[place + 1] += parts

    def close(self, now_s: float) -> list[OfStage]:
        del now_s
        found: list[OfStage] = []
        for stage, numbers in enumerate(self._open):
            if numbers[0] or numbers[2]:
                trials_b, parts_b, trials_c, parts_c = numbers
                each = ArmObservations(trials_b, parts_b / PARTS, trials_c, parts_c / PARTS)
                found.append(OfStage(stage, each))
                self._open[stage] = [0, 0, 0, 0]
        return found

    def arrays(self) -> dict[str, Array]:
        return {"open": np.array(self._open, np.int64).reshape(-1, 4)}

    def restore(self, arrays: dict[str, Array]) -> None:
        self._open = arrays["open"].tolist()


class UnitTallies:
    """One observation a unit: the mean of its outcomes in a window after its first."""

    def __init__(self, configuration: UnitsConfiguration, stages: int) -> None:
        self._configuration = configuration
        self._units = [Units(configuration) for _ in range(stages)]
        self._used: list[int] = []
        """Stages of which something came, in order."""
        self._returned: set[int] = set()
        """Units of earlier stages that the candidate answered in the newest one."""
        self._returned_now = [0] * stages

    def observe(
        self, stage: int, candidate: bool, unit: bytes, value: float, at_s: float, request: str
    ) -> None:
        if not self._used or stage != self._used[-1]:
            self._begin(stage)
        for other in self._used:
            if other != stage and self._units[other].knows(unit):
                if candidate and stage == self._used[-1]:
                    self._answered_again(stage, unit)
                return
        arm: Arm = "candidate" if candidate else "baseline"
        self._units[stage].observe(unit, arm, value, at_s=at_s, client_id=request)

    def _begin(self, stage: int) -> None:
        if stage in self._used:
            return
        if not self._used or stage > self._used[-1]:
            self._returned.clear()
        self._used = sorted([*self._used, stage])

    def _answered_again(self, stage: int, unit: bytes) -> None:
        key = number_of(unit)
        if key not in self._returned:
            self._returned.add(key)
            self._returned_now[stage] += 1

    def close(self, now_s: float) -> list[OfStage]:
        found: list[OfStage] = []
        for stage in self._used:
            newest = stage == self._used[-1]
            taken = self._units[stage].take(now_s if newest else math.inf)
            returned, self._returned_now[stage] = self._returned_now[stage], 0
            if taken.baseline_trials or taken.candidate_trials or returned:
                found.append(OfStage(stage, taken, returned))
        return found

    def arrays(self) -> dict[str, Array]:
        returned = np.sort(np.fromiter(self._returned, np.uint64, len(self._returned)))
        state: dict[str, Array] = {
            "used": np.array(self._used, np.int64),
            "returned": returned,
            "returned_now": np.array(self._returned_now, np.int64),
        }
        for stage in self._used:
            state[f"units_{stage}"] = np.frombuffer(self._units[stage].save(), np.uint8)
        return state

    def restore(self, arrays: dict[str, Array]) -> None:
        self._used = arrays["used"].tolist()
        self._returned = set(arrays["returned"].tolist())
        self._returned_now = arrays["returned_now"].tolist()
        for stage in self._used:
            data = arrays[f"units_{stage}"].tobytes()
            self._units[stage] = Units.load(self._configuration, data)


def tallies_of(
    sticky: bool, configuration: UnitsConfiguration, stages: int
) -> RequestTallies | UnitTallies:
    """The unit that arms were drawn for: the sticky key where there is one, else the request."""
    return UnitTallies(configuration, stages) if sticky else RequestTallies(stages)
