"""From settings to a snapshot."""

from dataclasses import replace
from pathlib import Path

import pytest

import models
from pilotage.cli import composition
from pilotage.errors import PilotageError, PilotageErrors
from pilotage.spec.settings import ModelSettings, ServeSettings


def settings_of(folder: Path, *asked: tuple[str, int]) -> ServeSettings:
    """One file under several names, each with its largest batch."""
    path = folder / "mlp.onnx"
    path.write_bytes(models.mlp())
    return ServeSettings(
        models=tuple(ModelSettings(name, str(path), rows) for name, rows in asked),
        data_folder=str(folder / "data"),
        record=None,
    )


@pytest.mark.parametrize("rows", [(8, 32), (32, 8)])
def test_two_names_of_one_file_share_a_version_whose_batches_suit_both(
    tmp_path: Path, rows: tuple[int, int]
) -> None:
    settings = settings_of(tmp_path, ("first", rows[0]), ("second", rows[1]))
    snapshot = composition.compose(settings, 1)
    (version,) = snapshot.versions
    assert (version.model, version.max_batch_rows) == ("first", 8)
    assert [endpoint.name for endpoint in snapshot.endpoints] == ["first", "second"]


# A candidate


def on_trial(folder: Path, baseline: bytes, candidate: bytes) -> ServeSettings:
    for name, data in (("v1", baseline), ("v2", candidate)):
        (folder / f"{name}.onnx").write_bytes(data)
    model = ModelSettings("m", str(folder / "v1.onnx"), 8)
    return ServeSettings(
        models=(model,),
        data_folder=str(folder / "data"),
        record=None,
        candidate=replace(model, path=str(folder / "v2.onnx")),
    )


def test_a_candidate_is_a_version_of_the_model_beside_it_and_gets_no_route(tmp_path: Path) -> None:
    settings = on_trial(tmp_path, models.tripled(1.0), models.tripled(2.0))
    opened: list[str] = []
    tried: list[str] = []
    hints: list[str] = []
    snapshot = composition.compose(
        settings,
        1,
        opened=lambda model: opened.append(model.source.name),
        candidate_opened=lambda model: tried.append(model.source.name),
        hint=hints.append,
    )
    baseline, candidate = snapshot.versions
    assert composition.candidate_version(settings, snapshot) is candidate
    assert (baseline.model, candidate.model) == ("m", "m")
    assert candidate.max_batch_rows == 8
    (endpoint,) = snapshot.endpoints
    assert [(route.version, route.weight_ppm) for route in endpoint.routes] == [
        (baseline.id, 1_000_000)
    ]
    assert (opened, tried, hints) == (["v1.onnx"], ["v2.onnx"], [])


def test_the_same_model_twice_is_one_version_and_a_hint(tmp_path: Path) -> None:
    settings = on_trial(tmp_path, models.tripled(), models.tripled())
    hints: list[str] = []
    snapshot = composition.compose(settings, 1, hint=hints.append)
    (only,) = snapshot.versions
    assert composition.candidate_version(settings, snapshot) is only
    assert ["A/A rollout" in hint for hint in hints] == [True]


def test_without_a_candidate_no_version_is_on_trial(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, ("m", 8))
    snapshot = composition.compose(settings, 1)
    assert composition.candidate_version(settings, snapshot) is None


def test_a_candidate_with_other_tensors_is_refused_with_what_differs(tmp_path: Path) -> None:
    settings = on_trial(tmp_path, models.identity("FP32"), models.identity("INT64"))
    with pytest.raises(PilotageError) as caught:
        composition.compose(settings, 1)
    assert "input `x`: FP32 [n, 3] in the baseline, INT64 [n, 3]" in caught.value.what
    assert "output `y`" in caught.value.what
    assert caught.value.where.endswith("v2.onnx")
    assert caught.value.fix


def test_a_model_and_a_candidate_that_do_not_open_are_both_told(tmp_path: Path) -> None:
    settings = on_trial(tmp_path, b"no model", b"none either")
    with pytest.raises(PilotageErrors) as caught:
        composition.compose(settings, 1)
    places = [Path(error.where).name for error in caught.value.errors]
    assert places == ["v1.onnx", "v2.onnx"]
