"""One decoded request, in the form that batching, engines and recording share."""

from msgspec import Struct

Buffer = bytes | list[bytes] | None
"""One input's elements: raw bytes, one `bytes` an element for BYTES, None where it was left out."""

Wanted = tuple[tuple[int, bool], ...] | None
"""The outputs asked for, in that order: (index in the signature, binary); None: all, as JSON."""


class Inference(Struct, gc=False):
    """What one caller asks of one version.

    Attributes:
        buffers: one for each input of the signature, in its order: the elements in row-major
            order, little-endian.
        shapes: the whole shape of each input as sent, the row axis included; () where left out.
        rows: length of the row axis; 0 where the model has none.
        group: None when every request may be stacked with every other one; else what must be
            equal for that: the shapes behind the row axis, None for an input that was left out.
        wanted: see `Wanted`.
        client_id: the caller's id of the request, None where none came.
        json_parameters: the request's own parameters, None where none came.
    """

    buffers: tuple[Buffer, ...]
    shapes: tuple[tuple[int, ...], ...]
    rows: int
    group: tuple[tuple[int, ...] | None, ...] | None = None
    wanted: Wanted = None
    client_id: str | None = None
    json_parameters: dict[str, object] | None = None
