"""What users build of several sequential parts, each as one procedure for the battery."""

from typing import Any

import numpy as np

from pilotage.statistics.procedure import pack, unpack
from pilotage.statistics.sequential.combination import Guards
from pilotage.statistics.sequential.detectors import AlarmBudget, AlarmBudgetConfiguration, Monitor
from pilotage.statistics.sequential.two_arms import TwoArms


class Watched:
    """A monitor's bet with a budget of its own: a year's budget of 0.05 for as many ticks."""

    def __init__(self, configuration: Any, shape: tuple[int, ...] = ()) -> None:
        self.configuration = configuration
        kind, self.of_bet, stakes, ticks = configuration
        self.of_pot = AlarmBudgetConfiguration((Monitor("it", ticks, stakes),), 0.05)
        self.bet = kind(self.of_bet, shape)
        self.pot = AlarmBudget(self.of_pot, shape)

    def passed(self) -> Any:
        return self.pot.passed()

    def failed(self) -> Any:
        return self.pot.failed()

    def verdict(self) -> Any:
        return self.pot.verdict()

    def update(self, values: Any) -> None:
        self.bet.update(values)

    def update_counts(self, *counts: Any) -> None:
        self.bet.update_counts(*counts)

    def close_block(self) -> None:
        self.bet.close_block()
        self.pot.update("it", self.bet.log_factors())
        self.pot.close_block()

    def save(self) -> bytes:
        return together("watched", self.configuration, self.bet, self.pot)

    @classmethod
    def load(cls, configuration: Any, data: bytes) -> "Watched":
        loaded = cls(configuration)
        bet, pot = apart("watched", configuration, data)
        loaded.bet = configuration[0].load(loaded.of_bet, bet)
        loaded.pot = AlarmBudget.load(loaded.of_pot, pot)
        return loaded


class Rollout:
    """Two guards on the same requests, wholly dependent, and what both say together."""

    def __init__(self, configuration: Any, shape: tuple[int, ...] = ()) -> None:
        self.of_guards, self.of_rollout = configuration
        self.guards = [TwoArms(each, shape) for each in self.of_guards]
        self.rollout = Guards(self.of_rollout, shape)

    def update(self, *block: Any) -> None:
        for guard in self.guards:
            guard.update(*block)

    def close_block(self) -> None:
        for guard in self.guards:
            guard.close_block()
        self.rollout.update(
            np.stack([guard.log_evidence_fail() for guard in self.guards], axis=-1),
            np.stack([guard.passed() for guard in self.guards], axis=-1),
        )
        self.rollout.close_block()

    def passed(self) -> Any:
        return self.rollout.passed()

    def failed(self) -> Any:
        return self.rollout.failed()

    def verdict(self) -> Any:
        return self.rollout.verdict()

    def save(self) -> bytes:
        configuration = (self.of_guards, self.of_rollout)
        return together("rollout", configuration, *self.guards, self.rollout)

    @classmethod
    def load(cls, configuration: Any, data: bytes) -> "Rollout":
        loaded = cls(configuration)
        *guards, rollout = apart("rollout", configuration, data)
        loaded.guards = [TwoArms.load(*each) for each in zip(loaded.of_guards, guards, strict=True)]
        loaded.rollout = Guards.load(loaded.of_rollout, rollout)
        return loaded


def together(format_: str, configuration: Any, *procedures: Any) -> bytes:
    """The states of several procedures as one."""
    states = {str(i): np.frombuffer(each.save(), np.uint8) for i, each in enumerate(procedures)}
    return pack(format_, configuration, states)


def apart(format_: str, configuration: Any, data: bytes) -> list[bytes]:
    """The states that `together` joined."""
    return [state.tobytes() for state in unpack(format_, configuration, data).values()]
