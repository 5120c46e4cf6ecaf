"""From settings to a snapshot."""

from pathlib import Path

import pytest

import models
from pilotage.cli import composition
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
