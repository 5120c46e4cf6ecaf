"""Outcomes and their predictions: every way in which the join can go."""

from collections import Counter

import pytest

from pilotage.checks.live.awaiting import Drawn
from pilotage.checks.live.labels import NONE, code_of
from pilotage.checks.live.outcomes import EARLY_S, Joined, Outcomes, key_of
from pilotage.contracts.records import Outcome
from pilotage.spec.rollouts import GuardSpec

ACCURACY = GuardSpec("accuracy", 0.01, 0.0, "accuracy", of="label")
RATE = GuardSpec("rate", 0.01, 0.0, "rate", of="bought")
MEAN = GuardSpec("mean", 0.5, 0.0, "mean", of="stars", low=1.0, high=5.0)
ID = b"i" * 16
CAT = code_of("cat")


class Desk:
    """Outcomes for all three kinds of guard, with what was counted."""

    def __init__(self, *, most: int = 100) -> None:
        self.counts: Counter[str] = Counter()
        self.outcomes = Outcomes((ACCURACY, RATE, MEAN), self._count, most=most)
        self.now_s = 0.0

    def _count(self, name: str) -> None:
        self.counts[name] += 1

    def answer(self, id_: bytes = ID, *, labels=(CAT,), key: str = "") -> None:
        named = key_of(key) if key else 0
        drawn = Drawn(id_, named, 0, 7, self.now_s, 1, True, list(labels))
        self.outcomes.awaiting.remember(drawn)

    def tell(self, value, kind: str = "label", *, of: bytes = ID, key: str = "", **attributes):
        self.outcomes.receive(Outcome(kind, value, 1, "", of, key, attributes))
        return self.close()

    def close(self, seconds: float = 10.0) -> list[Joined]:
        self.now_s += seconds
        return self.outcomes.join(self.now_s)


@pytest.mark.parametrize(("said", "value"), [("cat", 1.0), ("dog", 0.0)])
def test_a_label_is_right_or_wrong(said: str, value: float) -> None:
    desk = Desk()
    desk.answer()
    assert desk.tell(said) == [Joined(0, 1, True, (7).to_bytes(8), value)]
    assert not desk.counts


@pytest.mark.parametrize(
    ("kind", "said", "value"),
    [("bought", True, 1.0), ("bought", 0, 0.0), ("stars", 4, 0.75), ("stars", 1.0, 0.0)],
)
def test_a_yes_or_a_number_is_brought_between_0_and_1(kind: str, said, value: float) -> None:
    desk = Desk()
    desk.answer()
    (joined,) = desk.tell(said, kind)
    assert joined.value == value


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("bought", 2),
        ("bought", "yes"),
        ("bought", 0.5),
        ("stars", 5.1),
        ("stars", 0.9),
        ("stars", True),
        ("stars", "5"),
        ("stars", float("nan")),
        ("label", float("nan")),
    ],
)
def test_a_value_of_the_wrong_kind_is_unusable_and_a_right_one_may_follow(kind: str, said) -> None:
    desk = Desk()
    desk.answer()
    assert desk.tell(said, kind) == []
    assert desk.counts == {"outcomes unusable": 1}
    assert len(desk.tell(1, kind)) == 1


def test_an_outcome_may_name_the_callers_own_id() -> None:
    desk = Desk()
    desk.answer(key="order-1")
    assert len(desk.tell("cat", of=b"", key="order-1")) == 1
    assert desk.tell("cat", of=b"", key="order-2") == []


def test_the_same_again_is_a_duplicate_and_another_value_a_correction_that_comes_too_late() -> None:
    desk = Desk()
    desk.answer()
    desk.tell("cat")
    assert desk.tell("cat") == []
    assert desk.tell("dog") == []
    assert desk.counts == {"outcomes duplicate": 1, "outcomes corrected": 1}


def test_each_kind_of_outcome_counts_once() -> None:
    desk = Desk()
    desk.answer()
    assert [desk.tell("cat")[0].question, desk.tell(5, "stars")[0].question] == [0, 2]


def test_a_kind_that_no_guard_asks_for_is_passed_over() -> None:
    desk = Desk()
    desk.answer()
    assert desk.tell("cat", "species") == []
    assert not desk.counts


@pytest.mark.parametrize(("waits", "joins"), [(EARLY_S - 10.0, True), (EARLY_S + 10.0, False)])
def test_an_outcome_may_come_a_minute_before_its_prediction(waits: float, joins: bool) -> None:
    desk = Desk()
    assert desk.tell("cat") == []
    for _ in range(round(waits / 10.0) - 1):
        desk.close()
    desk.answer()
    assert bool(desk.close()) == joins
    assert desk.counts == ({"outcomes early": 1} if joins else {"outcomes unknown": 1})


def test_an_outcome_in_the_block_of_its_prediction_is_not_early() -> None:
    desk = Desk()
    desk.outcomes.receive(Outcome("label", "cat", 1, "", ID))
    desk.answer()
    assert len(desk.close()) == 1
    assert not desk.counts


def test_an_outcome_of_a_forgotten_prediction_is_unknown() -> None:
    desk = Desk(most=1)
    desk.answer()
    desk.answer(b"j" * 16)
    desk.tell("cat")
    for _ in range(7):
        desk.close()
    assert desk.counts == {"outcomes unknown": 1}


def test_an_outcome_without_a_name_is_unknown() -> None:
    desk = Desk()
    desk.tell("cat", of=b"")
    desk.close(EARLY_S)
    assert desk.counts == {"outcomes unknown": 1}


@pytest.mark.parametrize("row", ["2", "-1", "x", "", "³", "9999999999"])
def test_a_row_that_is_not_there_is_unknown(row: str) -> None:
    desk = Desk()
    desk.answer(labels=(CAT, CAT))
    assert desk.tell("cat", row=row) == []
    assert desk.counts == {"outcomes unknown": 1}


def test_of_several_rows_one_is_named_and_counts() -> None:
    desk = Desk()
    desk.answer(labels=(code_of("dog"), CAT))
    assert desk.tell("cat") == []
    (joined,) = desk.tell("cat", row="1")
    assert joined.value == 1.0
    assert desk.tell("cat", row="1") == []
    assert desk.tell("cat", row="0") == []
    assert desk.counts == {
        "outcomes unknown": 1,
        "outcomes duplicate": 1,
        "outcomes of more rows": 1,
    }


def test_a_label_that_was_not_recorded_cannot_be_judged_but_a_number_can() -> None:
    desk = Desk()
    desk.answer(labels=(NONE,))
    assert desk.tell("cat") == []
    assert desk.counts == {"outcomes unlabelled": 1}
    assert len(desk.tell(5, "stars")) == 1


def test_so_many_wait_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilotage.checks.live.outcomes.EARLY", 2)
    desk = Desk()
    for number in range(3):
        desk.tell("cat", of=bytes([number]) * 16)
    assert desk.counts == {"outcomes unknown": 1}


def test_a_saved_state_joins_what_waits_and_what_arrived() -> None:
    desk = Desk()
    desk.tell("cat")
    desk.outcomes.receive(Outcome("stars", 5, 1, "", b"k" * 16))
    guards = (ACCURACY, RATE, MEAN)
    desk.outcomes = Outcomes.of_arrays(guards, desk._count, desk.outcomes.arrays(), most=100)
    desk.answer()
    desk.answer(b"k" * 16)
    assert [each.question for each in desk.close()] == [0, 2]
    assert desk.counts == {"outcomes early": 1}
