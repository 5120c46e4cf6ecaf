"""A ledger that an earlier release wrote is read, verified and computed again for ever."""

import hashlib
from pathlib import Path

from pilotage.checks.live.evidence import Evidence
from pilotage.control.ledger.file import Ledger, verify
from pilotage.control.rollouts import entries
from pilotage.control.rollouts.entries import (
    Ended,
    Sealed,
    StageEnded,
    Started,
    SteeredBy,
    Verdict,
)
from pilotage.control.rollouts.recomputing import Same, recompute

FOLDER = Path(__file__).parent / "ledger-1"
SEGMENT = "01a0c4506c64-abcdef-0007.seg"
DIGESTS = {
    "ledger.jsonl": "43f8cd54b8b0077afd0a91a91e55fea154b2953b2388d42e886430855b81ebeb",
    SEGMENT: "05a7a0a327e13bf2cb0da6aa6a1a2a95b86e7333cae3ca65ad662b8c9d544d58",
}
"""SHA-256 of the files, which are never made anew."""
KINDS = (Started, Verdict, Ended, StageEnded, SteeredBy, Sealed)


def _lines():
    return list(Ledger(FOLDER / "ledger.jsonl").read())


def test_the_samples_are_the_files_that_were_released():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert found == DIGESTS


def test_a_ledger_of_format_1_is_whole():
    found = verify(FOLDER / "ledger.jsonl")
    assert found.faults == ()
    assert found.lines == 6
    assert found.last == _lines()[-1].digest


def test_every_kind_of_entry_of_format_1_is_read():
    started, verdict, ended, stage, steered, sealed = (
        entries.read(line.entry, kind) for line, kind in zip(_lines(), KINDS, strict=True)
    )
    assert started.candidate.name == "v2.onnx"
    assert started.asked.guards[0].text == "error_rate not_worse_by 0.5pp"
    assert started.records == "records"
    assert (verdict.of, verdict.word, verdict.stage) == ("rollout", "failed", "canary 5 %")
    assert verdict.guards[0]["candidate_count"] == 60
    assert [cut.frames for cut in verdict.blocks] == [2, 2]
    assert (ended.phase, ended.verdict) == ("rolled_back", sealed.verdict)
    assert (stage.ended, stage.began, stage.share_ppm) == ("canary 5 %", "canary 25 %", 250_000)
    assert (steered.verb, steered.by) == ("pause", "ada")
    assert [each.name for each in sealed.segments] == [SEGMENT]


def test_a_verdict_of_format_1_is_computed_again():
    started, verdict, _, _, _, sealed = (
        entries.read(line.entry, kind) for line, kind in zip(_lines(), KINDS, strict=True)
    )
    entry = _lines()[1].entry
    found = recompute(
        verdict,
        started,
        sealed,
        FOLDER / started.records,
        lambda: Evidence(started.asked, rollout=entry.rollout, endpoint=entry.endpoint),
        places=(),
    )
    assert isinstance(found, Same)
    assert (found.blocks, found.frames, found.segments) == (2, 4, 1)
