"""The file system, as the loader of settings asks for it."""

from pathlib import Path


class LocalDisk:
    """This machine's files."""

    def read(self, path: str, at_most: int) -> bytes:
        """The first `at_most + 1` bytes of a regular file. Raises OSError."""
        with Path(path).open("rb") as file:
            return file.read(at_most + 1)

    def is_there(self, path: str) -> bool:
        """True when the path is a file or a folder."""
        try:
            return Path(path).exists()
        except (OSError, ValueError):
            return False
