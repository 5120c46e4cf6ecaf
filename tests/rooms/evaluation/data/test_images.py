"""Images in folders: labels by folder, pixels in the size and order that a model takes."""

import numpy as np
import pytest
from PIL import Image

from pilotage.errors import PilotageError
from pilotage.evaluation.data import images
from pilotage.evaluation.data.datasets import open_dataset
from pilotage.evaluation.data.images import PixelForm, pixel_form, pixels


@pytest.fixture
def folder(tmp_path):
    for label, colour in (("cat", (255, 0, 0)), ("dog", (0, 255, 0))):
        (tmp_path / label).mkdir()
        for index in range(2):
            Image.new("RGB", (8, 6), colour).save(tmp_path / label / f"{index}.png")
    return tmp_path


def test_the_folders_name_is_the_label(folder):
    dataset = open_dataset(str(folder))
    assert dataset.rows == 4
    assert dataset.notes == ()
    batches = list(dataset.batches(rows_a_batch=3))
    assert [batch.rows for batch in batches] == [3, 1]
    assert batches[0].columns["label"].to_list() == ["cat", "cat", "dog"]
    assert batches[1].columns["image"].to_list() == [str(folder / "dog" / "1.png")]


def test_files_that_are_no_images_of_a_label_are_counted_and_told(folder):
    (folder / "readme.txt").write_text("about")
    (folder / "cat" / "notes.txt").write_text("about")
    Image.new("L", (2, 2)).save(folder / "alone.png")
    (folder / "cat" / ".hidden.png").write_bytes(b"")
    dataset = open_dataset(str(folder))
    assert dataset.rows == 4
    assert dataset.notes[0].startswith("3 files")


def test_the_digest_sees_names_and_content(folder):
    first = open_dataset(str(folder)).digest
    assert open_dataset(str(folder)).digest == first
    (folder / "cat" / "0.png").rename(folder / "cat" / "5.png")
    assert open_dataset(str(folder)).digest != first


@pytest.mark.parametrize(
    ("shape", "datatype", "expected"),
    [
        ((3, 32, 16), "FP32", PixelForm("NCHW", 3, 32, 16, "float32")),
        ((32, 16, 1), "UINT8", PixelForm("NHWC", 1, 32, 16, "uint8")),
        ((3, "height", "width"), "FP16", PixelForm("NCHW", 3, 224, 224, "float16")),
        ((32, 16, 5), "FP32", None),
        ((32, 16), "FP32", None),
        ((3, 32, 16), "INT64", None),
    ],
)
def test_the_form_of_pixels_is_told_by_the_models_input(shape, datatype, expected):
    assert pixel_form(shape, datatype) == expected


def test_pixels_come_in_the_models_order_and_scale(folder):
    path = str(folder / "cat" / "0.png")
    first = pixels([path, path], PixelForm("NCHW", 3, 4, 5, "float32"))
    assert (first.shape, first.dtype) == ((2, 3, 4, 5), np.float32)
    assert (first[:, 0] == 1).all()
    assert not first[:, 1:].any()
    last = pixels([path], PixelForm("NHWC", 3, 4, 5, "uint8"))
    assert (last.shape, last.dtype) == ((1, 4, 5, 3), np.uint8)
    assert (last[..., 0] == 255).all()
    grey = pixels([path], PixelForm("NHWC", 1, 4, 5, "uint8"))
    assert grey.shape == (1, 4, 5, 1)


def test_an_image_is_turned_as_its_camera_says(tmp_path):
    wide = np.zeros((2, 4, 3), np.uint8)
    wide[:, :2] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees: what is left is then above
    path = tmp_path / "turned.png"
    Image.fromarray(wide).save(path, exif=exif)
    upright = pixels([str(path)], PixelForm("NHWC", 1, 4, 2, "uint8"))[0, :, :, 0]
    assert upright[:2].min() == 255
    assert upright[2:].max() == 0


def test_an_image_beyond_the_limit_is_refused_and_one_at_it_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "IMAGE_PIXELS", 12)
    form = PixelForm("NHWC", 1, 2, 2, "uint8")
    Image.new("L", (4, 3)).save(tmp_path / "at.png")
    Image.new("L", (13, 1)).save(tmp_path / "beyond.png")
    assert pixels([str(tmp_path / "at.png")], form).shape == (1, 2, 2, 1)
    with pytest.raises(PilotageError, match="13 × 1 pixels"):
        pixels([str(tmp_path / "beyond.png")], form)


def test_a_damaged_image_is_named(folder):
    path = folder / "cat" / "0.png"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(PilotageError, match="damaged") as caught:
        pixels([str(path)], PixelForm("NCHW", 3, 4, 4, "uint8"))
    assert caught.value.where == str(path)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(PilotageError, match="holds no images"):
        open_dataset(str(tmp_path))
