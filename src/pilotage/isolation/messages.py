"""What a process and its host say to each other: one job down, events up."""

import msgspec
from msgspec import Struct

from pilotage.isolation.limits import HostLimits, Protection


class Job(Struct, frozen=True):
    """One task for a host.

    Attributes:
        adapter: a key of `child.ADAPTERS`.
        folder: its own folder, the only place it may write.
        readable: files and folders it may read besides Python and the system's libraries.
        request: the adapter's own struct, encoded.
        parent: the process id that it must not outlive.
    """

    adapter: str
    folder: str
    readable: tuple[str, ...]
    limits: HostLimits
    request: msgspec.Raw
    parent: int


class Confined(Struct, frozen=True, tag="confined"):
    """Sent before any foreign code is loaded: the protections that the kernel did not allow."""

    missing: tuple[Protection, ...]


class Progress(Struct, frozen=True, tag="progress"):
    """What the host does now, as a sentence."""

    text: str


class Done(Struct, frozen=True, tag="done"):
    """The adapter's answer, encoded."""

    answer: msgspec.Raw


class Failed(Struct, frozen=True, tag="failed"):
    """Why there is no answer, in the fields of a PilotageError."""

    what: str
    where: str = ""
    expected: str = ""
    fix: str = ""


Event = Confined | Progress | Done | Failed

encode = msgspec.msgpack.Encoder().encode
decode_job = msgspec.msgpack.Decoder(Job).decode
decode_event = msgspec.msgpack.Decoder(Confined | Progress | Done | Failed).decode
