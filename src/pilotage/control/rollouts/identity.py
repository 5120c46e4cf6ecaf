"""Which rollout this is: the same endpoint, the same two versions and the same wishes. Pure.

So the command that began a rollout resumes it, and any change of mind begins another.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from pilotage.spec.rollouts import RolloutSpec

KEY_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two versions: its id, its digest, and the name of the file it came from."""

    version: str
    digest: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What a rollout is about."""

    endpoint: str
    baseline: Party
    candidate: Party
    spec: RolloutSpec

    @property
    def key(self) -> str:
        """The same for the same rollout, however its guards stand in a file."""
        parts = (
            self.endpoint,
            self.baseline.digest,
            self.candidate.digest,
            spec_text(self.spec),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:KEY_DIGITS]


def rollout_id(key: str, attempt: int) -> str:
    """The id of an attempt; `--anew` makes the next. It stands in the records."""
    return f"{key}-{attempt}"


def spec_text(spec: RolloutSpec) -> str:
    """The spec as JSON, without the lines on which it was written."""
    plain = replace(spec, guards=tuple(replace(guard, line=0) for guard in spec.guards))
    return msgspec.json.encode(plain, order="sorted").decode()


def spec_of(text: str) -> RolloutSpec:
    """The spec that `spec_text` wrote.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return msgspec.json.decode(text, type=RolloutSpec)
