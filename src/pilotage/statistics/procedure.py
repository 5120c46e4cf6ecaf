"""What every sequential procedure is, and how its state is saved.

A procedure is asked again and again while data arrive, and its error rate holds over all the looks.
Its life: made from a frozen configuration; `update` adds observations to the open block, in any
cuts; `close_block` makes the block count (the caller decides when, and may look afterwards);
`verdict` answers from closed blocks alone. What a block is tested against is fixed by the blocks
before it: the proofs stand on that.

A procedure holds many runs at once: every array of its state begins with the `shape` it was made
with (`()` for one, `(runs,)` for a simulation, `(endpoints, guards)` for a fleet). `update` takes
observations of that shape, or that broadcast to it.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeVar, cast

import numpy as np

from pilotage.statistics.verdict import Verdict

Array = np.ndarray[Any, np.dtype[Any]]
Configuration_contra = TypeVar("Configuration_contra", contravariant=True)

_LENGTH = struct.Struct("<I")
_FOREIGN = "this is no saved state of a procedure"


class Procedure(Protocol[Configuration_contra]):
    """The part that all share; `update` differs in what it observes."""

    def close_block(self) -> None:
        """The open block counts from now on. An empty block changes nothing."""
        ...

    def passed(self) -> Array:
        """bool, the procedure's shape: "theta >= delta" was rejected at some look so far."""
        ...

    def failed(self) -> Array:
        """bool, the procedure's shape: "theta <= tau" was rejected at some look so far."""
        ...

    def verdict(self) -> Verdict:
        """The answer of a procedure of shape (); raises ValueError for any other shape."""
        ...

    def save(self) -> bytes:
        """The whole state, the open block included."""
        ...

    @classmethod
    def load(cls, configuration: Configuration_contra, data: bytes) -> Self:
        """The procedure as it was saved, bit for bit.

        Raises:
            StateError: of another format or configuration, or damaged.
        """
        ...


class StateError(ValueError):
    """A saved state that this procedure cannot go on from."""


class _Saved(dict[str, Array]):
    """The arrays of a state by name; one that is not there makes the state unusable."""

    def __missing__(self, name: str) -> Array:
        raise StateError(f"this state has no `{name}`")


def pack(format_: str, configuration: object, arrays: Mapping[str, Array]) -> bytes:
    """A state as bytes: a header in JSON, then the arrays, little-endian, in its order.

    `format_` names the procedure and its version, as in `two_arms/1`. The configuration goes in by
    its `repr`, so that evidence gathered for one question never answers another.
    """
    described = {
        name: [array.dtype.newbyteorder("<").str, list(array.shape)]
        for name, array in arrays.items()
    }
    header = {"format": format_, "configuration": repr(configuration), "arrays": described}
    encoded = json.dumps(header, separators=(",", ":")).encode()
    bodies = [
        np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        for array in arrays.values()
    ]
    return b"".join([_LENGTH.pack(len(encoded)), encoded, *bodies])


def unpack(format_: str, configuration: object, data: bytes) -> dict[str, Array]:
    """The arrays of a packed state, writable and in the machine's byte order.

    Raises:
        StateError: of another format or configuration, or damaged.
    """
    header, position = _header(data)
    if header.get("format") != format_:
        raise StateError(f"this state is a {header.get('format')}, expected {format_}")
    if header.get("configuration") != repr(configuration):
        raise StateError("this state was gathered for another configuration")
    arrays = _Saved()
    for name, (dtype, shape) in header["arrays"].items():
        kind = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        end = position + count * kind.itemsize
        if end > len(data):
            raise StateError(f"this state ends inside `{name}`")
        read = np.frombuffer(data, kind, count, position).reshape(shape)
        arrays[name] = read.astype(kind.newbyteorder("="))
        position = end
    if position != len(data):
        raise StateError(f"this state has {len(data) - position} bytes too many")
    return arrays


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    try:
        (length,) = _LENGTH.unpack_from(data)
        end = _LENGTH.size + length
        header: Any = json.loads(data[_LENGTH.size : end])
    except (struct.error, ValueError) as error:
        raise StateError(_FOREIGN) from error
    if end > len(data) or not isinstance(header, dict) or "arrays" not in header:
        raise StateError(_FOREIGN)
    return cast(dict[str, Any], header), end
