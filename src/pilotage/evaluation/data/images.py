"""Images in folders, whose names are the labels: rows of a path and a label, and their pixels.

The pixels of a row are read when a model wants them, in the size that the model wants.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from pilotage.errors import PilotageError
from pilotage.evaluation.data import columns as columns_of_rows
from pilotage.evaluation.data.columns import ROWS_A_BATCH, Batch, ColumnInfo

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff"})
"""Endings of files that are taken for images; all others are left aside, counted and told."""
IMAGE_PIXELS: Final = 64 * 1024 * 1024
"""Pixels of one image; a larger one is refused before it is decoded."""
SIDE: Final = 224
"""Height and width for a model that leaves them open."""

IMAGE: Final = "image"
LABEL: Final = "label"
_MODES: Final = {1: "L", 3: "RGB", 4: "RGBA"}

Array = np.ndarray[Any, np.dtype[Any]]
Layout = Literal["NCHW", "NHWC"]


@dataclass(frozen=True)
class Images:
    """Image files by label, as a `Dataset` with the columns `image` and `label`."""

    folder: Path
    files: tuple[tuple[str, str], ...] = field(repr=False)
    """(path inside the folder, label), sorted."""
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        return str(self.folder)

    @property
    def columns(self) -> tuple[ColumnInfo, ...]:
        return (ColumnInfo(IMAGE, "image", "image file"), ColumnInfo(LABEL, "text", "folder name"))

    @property
    def rows(self) -> int | None:
        return len(self.files)

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the names and digests of all files."""
        return _digest(self.folder, self.files)

    def batches(
        self, columns: Sequence[str] | None = None, rows_a_batch: int = ROWS_A_BATCH
    ) -> Iterator[Batch]:
        import polars as pl

        wanted = list(columns) if columns is not None else [IMAGE, LABEL]
        for start in range(0, len(self.files), rows_a_batch):
            part = self.files[start : start + rows_a_batch]
            made = {
                IMAGE: pl.Series(IMAGE, [str(self.folder / name) for name, _ in part], pl.String),
                LABEL: pl.Series(LABEL, [label for _, label in part], pl.String),
            }
            yield Batch(start, len(part), {name: made[name] for name in wanted})


@dataclass(frozen=True, slots=True)
class PixelForm:
    """What a model takes for one image: pixels of 0 to 255 (uint8) or 0 to 1 (floats)."""

    layout: Layout
    channels: int
    height: int
    width: int
    dtype: str
    """A NumPy dtype: "uint8", "float16", "float32" or "float64"."""

    @property
    def bytes_each(self) -> int:
        return self.channels * self.height * self.width * np.dtype(self.dtype).itemsize


def pixel_form(row_shape: Sequence[int | str], datatype: str) -> PixelForm | None:
    """The form of an input whose rows have this shape; None where it takes no images.

    Channels are the axis of length 1, 3 or 4 that comes first, else last.
    """
    dtypes = {"UINT8": "uint8", "FP16": "float16", "FP32": "float32", "FP64": "float64"}
    if len(row_shape) != 3 or datatype not in dtypes:
        return None
    first, last = row_shape[0], row_shape[2]
    if isinstance(first, int) and first in _MODES:
        layout, channels, sides = "NCHW", first, row_shape[1:]
    elif isinstance(last, int) and last in _MODES:
        layout, channels, sides = "NHWC", last, row_shape[:2]
    else:
        return None
    height, width = (side if isinstance(side, int) else SIDE for side in sides)
    return PixelForm(layout, channels, height, width, dtypes[datatype])


def pixels(paths: Sequence[str], form: PixelForm) -> Array:
    """The images as one array (rows, *form), each turned as its camera says, and resized.

    Raises:
        PilotageError: an image cannot be read, or is too large.
    """
    whole = np.empty((len(paths), form.height, form.width, form.channels), np.uint8)
    for row, path in enumerate(paths):
        whole[row] = _one(path, form)
    if form.layout == "NCHW":
        whole = whole.transpose(0, 3, 1, 2)
    if form.dtype == "uint8":
        return np.ascontiguousarray(whole)
    scaled = whole.astype(form.dtype)
    scaled /= 255
    return np.ascontiguousarray(scaled)


def _one(path: str, form: PixelForm) -> Array:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if math.prod(image.size) > IMAGE_PIXELS:
                raise PilotageError(
                    f"the image has {image.size[0]} × {image.size[1]} pixels",
                    where=path,
                    expected=f"at most {IMAGE_PIXELS:,} pixels",
                )
            upright = ImageOps.exif_transpose(image).convert(_MODES[form.channels])
            small = upright.resize((form.width, form.height), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as error:
        raise _unreadable(Path(path), "it is damaged or of no known kind") from error
    except Image.DecompressionBombError as error:
        raise PilotageError(
            "the image is too large", where=path, expected=f"at most {IMAGE_PIXELS:,} pixels"
        ) from error
    return np.asarray(small, np.uint8).reshape(form.height, form.width, form.channels)


@lru_cache(maxsize=2)
def _digest(folder: Path, files: tuple[tuple[str, str], ...]) -> str:
    whole = hashlib.sha256()
    for name, _ in files:
        try:
            with (folder / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _unreadable(folder / name, error.strerror or "") from error
        whole.update(f"{digest}  {name}\n".encode())
    return whole.hexdigest()


def open_images(folder: Path) -> Images:
    """The images in the folders of `folder`; an image's label is its outermost folder's name.

    Raises:
        PilotageError: there are none, or the folder cannot be read.
    """
    columns_of_rows.need_polars()
    try:
        import PIL  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ModuleNotFoundError as error:
        raise columns_of_rows.not_installed("Pillow", "images") from error
    found: list[tuple[str, str]] = []
    others = 0
    try:
        for path in sorted(folder.glob("**/*")):
            inside = path.relative_to(folder)
            if not path.is_file() or any(part.startswith(".") for part in inside.parts):
                continue
            if len(inside.parts) < 2 or path.suffix.lower() not in SUFFIXES:
                others += 1
            else:
                found.append((inside.as_posix(), inside.parts[0]))
    except OSError as error:
        raise _unreadable(folder, error.strerror or "") from error
    if not found:
        raise PilotageError(
            "the folder holds no images",
            where=str(folder),
            expected=f"one folder a label, with {', '.join(sorted(SUFFIXES))} files in it",
        )
    notes = (
        f"{others} files in {folder} are no images in a folder of a label, and were left aside",
    )
    return Images(folder, tuple(found), notes if others else ())


def _unreadable(path: Path, why: str) -> PilotageError:
    return PilotageError(f"the image cannot be read: {why}", where=str(path))
