"""The note on how many versions have had their chance on the same rows."""

from msgspec.structs import replace

from pilotage.evaluation.history import remembered
from simulators.every_report import SAMPLES

REPORT = next(iter(SAMPLES.values()))
REPORT = REPORT() if callable(REPORT) else REPORT


def of_model(digest, data="d1"):
    return replace(
        REPORT,
        notes=(),
        model=replace(REPORT.model, digest=digest),
        data=replace(REPORT.data, digest=data),
    )


def test_the_first_version_has_no_note_and_the_second_says_what_luck_may_do(tmp_path):
    file = tmp_path / "folder" / "evaluations.jsonl"
    assert remembered(of_model("a"), file).notes == ()
    (note,) = remembered(of_model("b"), file).notes
    assert "2nd version" in note
    assert "10%" in note


def test_the_same_version_again_is_the_same_decision(tmp_path):
    file = tmp_path / "evaluations.jsonl"
    remembered(of_model("a"), file)
    remembered(of_model("b"), file)
    assert remembered(of_model("a"), file).notes == ()
    assert "2nd" in remembered(of_model("b"), file).notes[0]
    assert len(file.read_bytes().splitlines()) == 2


def test_other_rows_start_anew(tmp_path):
    file = tmp_path / "evaluations.jsonl"
    remembered(of_model("a"), file)
    assert remembered(of_model("b", data="d2"), file).notes == ()


def test_a_damaged_file_costs_the_note_and_nothing_else(tmp_path):
    file = tmp_path / "evaluations.jsonl"
    file.write_bytes(b'\xff\x00 no json\n{"data": 1}\n')
    assert remembered(of_model("a"), file).notes == ()
    assert "2nd" in remembered(of_model("b"), file).notes[0]
    folder = tmp_path / "a folder"
    folder.mkdir()
    assert remembered(of_model("a"), folder).notes == ()
