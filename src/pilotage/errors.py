"""The one shape of every error that a person may read: what, where, expected, fix.

Every room may import this module; it needs the standard library alone. A surface (command line,
HTTP, page) renders the four fields in its own way and adds nothing.
"""


class PilotageError(Exception):
    """Something a person can mend.

    Attributes:
        what: what went wrong, as a sentence without a full stop ("the key file cannot be read").
        where: the place, as precisely as known: a file with line and column, a field path, a flag.
        expected: what would have been right, when that can be said.
        fix: what to do now, as a sentence.
    """

    def __init__(self, what: str, *, where: str = "", expected: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        wanted = f"; expected {self.expected}" if self.expected else ""
        advice = f". {self.fix}" if self.fix else ""
        return f"{place}{self.what}{wanted}{advice}"


class PilotageErrors(PilotageError):
    """Several errors found in one reading, so that a person mends them all at once."""

    def __init__(self, errors: list[PilotageError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)
