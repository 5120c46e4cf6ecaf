"""Frames of a rollout as its records hold them: what each arm answered, pairs, probes, outcomes."""

from collections.abc import Iterable, Sequence

import numpy as np

from pilotage.contracts.records import (
    Block,
    Column,
    Entry,
    Outcome,
    Probe,
    digest_unit,
    encode,
)
from pilotage.contracts.segments import BLOCK, OUTCOME, PROBE
from pilotage.spec.rollouts import GuardSpec, RolloutSpec, StageSpec

ROLLOUT, ENDPOINT = "rollout-1", "iris"
FIVE = StageSpec("canary", 50_000, 600.0, 500)
QUARTER = StageSpec("canary", 250_000, 600.0, 500)
SHADOW = StageSpec("shadow", 0, 600.0, 500)
ERRORS = GuardSpec("error_rate", 0.005, 0.0, "error_rate not_worse_by 0.5pp")
Frame = tuple[int, bytes]


def spec_of(*guards: GuardSpec, stages: Sequence[StageSpec] = (FIVE, QUARTER), **rest):
    return RolloutSpec(tuple(stages), guards or (ERRORS,), **rest)


class Frames:
    """Makes frames; every prediction gets an id of its own, in order."""

    def __init__(self, *, rollout: str = ROLLOUT, endpoint: str = ENDPOINT) -> None:
        self.rollout, self.endpoint = rollout, endpoint
        self._next = 0

    def next_id(self, after: int = 1) -> bytes:
        """The id of the prediction that is made so many predictions from now."""
        return (self._next + after).to_bytes(16)

    def entry(self, status: str = "ok", **fields) -> Entry:
        """One prediction; `user` names its sticky key."""
        self._next += 1
        user = fields.pop("user", None)
        if user is not None:
            fields["unit"] = digest_unit(str(user).encode())
        fields.setdefault("rows", 1)
        return Entry(self._next.to_bytes(16), 1_790_000_000, queue_us=5, status=status, **fields)

    def block(
        self,
        arm: str,
        entries: Iterable[Entry],
        stage: StageSpec = FIVE,
        *,
        outputs: tuple[Column, ...] = (),
        phase: str = "whole",
        propensity_ppm: int | None = None,
        **fields,
    ) -> Frame:
        """Answers of one arm: its propensity is the stage's share, unless given."""
        share = stage.share_ppm if arm == "candidate" else 1_000_000 - stage.share_ppm
        made = Block(
            endpoint=fields.get("endpoint", self.endpoint),
            version="abc",
            revision=1,
            arm=arm,
            propensity_ppm=share if propensity_ppm is None else propensity_ppm,
            rollout=fields.get("rollout", self.rollout),
            stage=fields.get("stage", stage.name),
            batch_rows=1,
            engine_us=30,
            encode_us=2,
            phase=phase,
            inputs=(),
            outputs=outputs,
            entries=list(entries),
        )
        return BLOCK, encode(made)

    def answers(self, arm: str, requests: int, errors: int, stage: StageSpec = FIVE) -> Frame:
        """So many requests of one arm, of which the first ones fail; all with one id."""
        good, bad = self.entry(), self.entry("engine_error")
        return self.block(arm, [*[bad] * errors, *[good] * (requests - errors)], stage)

    def pairs(self, *pairs: tuple[str, str, tuple[bool, float] | None], **fields) -> Frame:
        """Copies: how the candidate's ended, how the baseline's did, and their comparison."""
        entries = [
            self.entry(status, pair_id=b"p" * 16, pair_status=pair, comparison=comparison, **fields)
            for status, pair, comparison in pairs
        ]
        return self.block("candidate", entries, SHADOW, propensity_ppm=0)

    def probe(self, candidate_ms: float, baseline_ms: float, rows: int = 8, **fields) -> Frame:
        """A timing probe."""
        made = Probe(
            endpoint=fields.get("endpoint", self.endpoint),
            rollout=fields.get("rollout", self.rollout),
            stage=FIVE.name,
            baseline="abc",
            candidate="def",
            rows=rows,
            baseline_ns=round(baseline_ms * 1e6),
            candidate_ns=round(candidate_ms * 1e6),
            candidate_first=False,
            at_ns=1,
        )
        return PROBE, encode(made)

    def outcome(self, value, *, of: bytes = b"", key: str = "", kind: str = "label", **rest):
        """What became of a prediction."""
        made = Outcome(kind, value, 1, "", of, key, rest.get("attributes", {}), rest.get("at", ""))
        return OUTCOME, encode(made)


def labels(*values: int, name: str = "label", tail: tuple[int, ...] = ()) -> tuple[Column, ...]:
    """An output of labels, one a row."""
    return (Column(name, "INT64", tail, np.array(values, "<i8").tobytes()),)
