"""Findings: what was noticed about a model file, to be shown before it is served."""

from typing import Literal

from msgspec import Struct

Severity = Literal["note", "warning", "danger"]


class Finding(Struct, frozen=True):
    """One thing noticed.

    Attributes:
        severity: "note" is worth knowing, "warning" limits the service, "danger" may do harm.
        what: a sentence without a full stop.
    """

    severity: Severity
    what: str
