"""A rollout that was decided: its records, and the ledger as the decider writes it."""

from pathlib import Path

from pilotage.checks.live.evidence import Evidence
from pilotage.control.ledger.file import Ledger
from pilotage.control.ledger.lines import Line
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.blocks import cut_behind, in_order
from pilotage.control.rollouts.entries import About
from pilotage.control.rollouts.identity import Identity, Party, rollout_id
from pilotage.control.rollouts.table import Look, State, step
from pilotage.records.frames import Reader, latest_opened_ns, seal_of, segments_in
from simulators.rings import Rings
from simulators.rollout_frames import Frames, spec_of

SPEC = spec_of()
IDENTITY = Identity(
    "iris", Party("v1", "a" * 64, "v1.onnx"), Party("v2", "b" * 64, "v2.onnx"), SPEC
)
ABOUT = About("iris", rollout_id(IDENTITY.key, 1))
AT = 1_790_000_000.5


class DecidedRollout:
    """`errors` of the candidate's answers in each block fail, until harm is found or for 6 blocks.

    Args:
        answers: of baseline and candidate in each block.
        records: the folder of the records as the ledger names it, where it is not the real one.

    Attributes:
        data: the home folder, as of `serve --data`; the records lie in it.
        verdict: the line of the verdict.
    """

    def __init__(
        self,
        data: Path,
        *,
        errors: int = 8,
        blocks: int = 6,
        answers: tuple[int, int] = (2000, 200),
        records: str = "",
    ) -> None:
        self.data = data
        self.records = data / "records"
        self.rings = Rings(self.records, ring_bytes=1 << 20)
        self.ledger = Ledger(data / "ledger.jsonl")
        since_ns = latest_opened_ns(self.records)
        reader = Reader(self.records, since_ns=since_ns)
        reader.skip()
        self.ledger.append(
            [
                entries.started(
                    ABOUT.key(1),
                    AT,
                    ABOUT,
                    IDENTITY,
                    begin=reader.given,
                    since_ns=since_ns,
                    records=records or str(self.records),
                )
            ]
        )
        self.verdict = self._decide(reader, errors, blocks, answers)

    def _decide(self, reader: Reader, errors: int, blocks: int, answers: tuple[int, int]) -> Line:
        evidence = Evidence(SPEC, rollout=ABOUT.rollout, endpoint=ABOUT.endpoint)
        frames = Frames(rollout=ABOUT.rollout, endpoint=ABOUT.endpoint)
        cuts, state = [], State()
        for block in range(blocks):
            for arm, requests in zip(("baseline", "candidate"), answers, strict=True):
                failed = errors if arm == "candidate" else requests * 3 // 1000
                kind, payload = frames.answers(arm, requests, failed)
                self.rings.put(0 if arm == "baseline" else 1, payload, kind)
            if block % 2:
                self.rings.copy()
            found = in_order(reader)
            for each in found:
                evidence.observe(each.kind, each.payload)
            cuts.append(cut_behind(found, 10.0 + block / 3))
            looked = evidence.close_block(cuts[-1].seconds)
            look = Look(cuts[-1].seconds, answers[1], looked.failed, looked.passed, looked.harm)
            state = step(state, look, SPEC)
            if looked.failed:
                break
        verdict = entries.verdict(
            ABOUT.key(2),
            AT + 60,
            ABOUT,
            SPEC,
            state,
            of=entries.ROLLOUT,
            word=entries.word_of(looked),
            harm=looked.harm,
            because="",
            rule="harm of all guards together",
            numbers=evidence.numbers(),
            cuts=cuts,
            assumptions=evidence.assumptions(),
        )
        (line,) = self.ledger.append([verdict])
        if looked.failed:
            ended = entries.ended(ABOUT.key(3), AT + 60, ABOUT, state, verdict=verdict.key)
            self.ledger.append([ended])
        return line

    def seal(self) -> None:
        """The recorder seals its segment, and the ledger is told."""
        self.rings.restart()
        held = [(each.path.name, seal_of(each).digest) for each in segments_in(self.records)]
        self.ledger.append([entries.sealed(self.verdict, AT + 70, held)])

    def close(self) -> None:
        self.rings.close()
