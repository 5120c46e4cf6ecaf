"""Files and their types: what Magika's model wants to see of a file, and what we know to be true.

The features follow the model's own configuration (`config.min.json` beside it): the first 1024
bytes of the file's first block and the last 1024 of its last, white space at the ends taken off,
padded with the token 256.
"""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TRUTHS = {
    ".py": {"python"},
    ".md": {"markdown"},
    ".toml": {"toml"},
    ".json": {"json"},
    ".html": {"html"},
    ".css": {"css"},
    ".c": {"c"},
    ".h": {"c", "cpp"},
    ".js": {"javascript"},
    ".svg": {"svg"},
    ".png": {"png"},
    ".gz": {"gzip"},
    ".zip": {"zip", "npz"},
    ".xml": {"xml"},
    ".pyc": {"pythonbytecode"},
    ".so": {"elf"},
    ".sh": {"shell"},
    ".csv": {"csv"},
    ".yaml": {"yaml"},
    ".yml": {"yaml"},
    ".pdf": {"pdf"},
    ".pl": {"perl"},
    ".pm": {"perl"},
    ".rst": {"rst"},
    ".lua": {"lua"},
}
"""A file's true type, by the ending that people gave it."""

LARGEST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class FileTypeModel:
    """Magika's classifier as its package ships it."""

    path: Path
    labels: list[str]
    beginning: int
    ending: int
    block: int
    padding: int

    @classmethod
    def from_package(cls) -> "FileTypeModel":
        """The model inside the installed package; the package itself is not imported."""
        spec = importlib.util.find_spec("magika")
        if spec is None or spec.origin is None:
            raise SystemExit("the package magika is not installed: run `make setup`")
        folder = Path(spec.origin).parent / "models" / "standard_v3_3"
        config = json.loads((folder / "config.min.json").read_text())
        return cls(
            folder / "model.onnx",
            config["target_labels_space"],
            config["beg_size"],
            config["end_size"],
            config["block_size"],
            config["padding_token"],
        )

    def features(self, path: Path) -> list[int]:
        """2048 tokens: the file's beginning, then its end."""
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(self.block)
            file.seek(max(0, size - self.block))
            last = file.read(self.block)
        start = list(first.lstrip()[: self.beginning])
        end = list(last.rstrip()[-self.ending :])
        return [
            *start,
            *[self.padding] * (self.beginning - len(start)),
            *[self.padding] * (self.ending - len(end)),
            *end,
        ]


def labelled_files(folders: list[Path], each: int) -> Iterator[Path]:
    """Real files whose type is known, at most `each` of one ending, small ones left out."""
    taken: dict[str, int] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            ending = path.suffix.lower()
            if ending not in TRUTHS or taken.get(ending, 0) >= each:
                continue
            try:
                size = 0 if path.is_symlink() else path.stat().st_size
                if hidden(path.relative_to(folder)) or not 512 <= size <= LARGEST_BYTES:
                    continue
                path.open("rb").close()
            except OSError:
                continue
            taken[ending] = taken.get(ending, 0) + 1
            yield path


def hidden(path: Path) -> bool:
    """Inside a folder whose name begins with a dot."""
    return any(part.startswith(".") for part in path.parts)
