"""A request that works, made from a signature: the body, and the command to copy. Pure."""

import json
import shlex
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from pilotage.contracts.datatypes import DATATYPES
from pilotage.contracts.signature import Signature, Tensor

BODY_CHARACTERS: Final = 600
"""The longest body that is written out; a longer one is made by a line of Python."""

AXIS_LENGTH: Final = 8
"""The length of an axis that a request chooses, other than the rows."""

IMAGE_LENGTH: Final = 224
"""The same for an axis that is called height or width."""


def axis_length(axis: int | str, batch_axis: str | None, known: Mapping[str, int]) -> int:
    """The length that the example gives an axis; `known` holds lengths that are seen to work."""
    if isinstance(axis, int):
        return axis
    if axis in known:
        return known[axis]
    if axis == batch_axis:
        return 1
    return IMAGE_LENGTH if axis.lower() in ("height", "width", "h", "w") else AXIS_LENGTH


def example_inputs(
    signature: Signature, lengths: Mapping[str, int] | None = None
) -> list[dict[str, object]]:
    """One row for the required inputs, in the form of the protocol's `inputs`."""
    return [
        {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": shape,
            "data": [example_value(tensor)] * _product(shape),
        }
        for tensor, shape in _shapes(signature, lengths or {})
    ]


def example_value(tensor: Tensor) -> bool | int | float | str:
    """A value in the tensor's range, or among its categories."""
    datatype = DATATYPES[tensor.datatype]
    if datatype.kind == "bytes":
        return tensor.categories[0] if tensor.categories else "text"
    if datatype.kind == "bool":
        return True
    low, high = tensor.low, tensor.high
    if datatype.kind == "int":
        if tensor.categories:
            return _whole(tensor.categories[0])
        return 1 if low is None or low <= 1 <= (1 if high is None else high) else int(low)
    if tensor.categories:
        return _real(tensor.categories[0])
    middle = 0.5 if low is None or high is None else low + (high - low) / 2
    return float(f"{middle:.4g}") if low is None or high is None else _rounded(middle, low, high)


def curl(
    url: str,
    model: str,
    signature: Signature,
    *,
    key: str = "",
    options: tuple[str, ...] = (),
    lengths: Mapping[str, int] | None = None,
) -> str:
    """A command for the shell that asks `model` for a prediction.

    Args:
        url: where the server is: "http://127.0.0.1:8080".
        key: a shell expression that yields the caller's secret; "" where no key is asked for.
        options: further words for curl, unquoted: ("--cacert", "cert.pem").
        lengths: of axes that vary, where known to work.
    """
    address = f"{url}/v2/models/{quote(model, safe='')}/infer"
    words = ["curl", "-s", shlex.quote(address), *map(shlex.quote, options)]
    if key:
        words += ["-H", f'"Authorization: Bearer {key}"']
    pairs = _shapes(signature, lengths or {})
    elements = sum(_product(shape) for _, shape in pairs)
    if elements <= BODY_CHARACTERS:
        body = json.dumps({"inputs": example_inputs(signature, lengths)})
        if len(body) <= BODY_CHARACTERS:
            return " ".join([*words, "-d", shlex.quote(body)])
    program = _program(pairs)
    return f"python3 -c {shlex.quote(program)} |\n  " + " ".join([*words, "--data-binary", "@-"])


def _program(pairs: list[tuple[Tensor, list[int]]]) -> str:
    """A line of Python that prints the body."""
    inputs = ", ".join(
        f'{{"name": {json.dumps(tensor.name)}, "datatype": "{tensor.datatype}", '
        f'"shape": {shape}, "data": [{_literal(example_value(tensor))}] * {_product(shape)}}}'
        for tensor, shape in pairs
    )
    return f'import json; print(json.dumps({{"inputs": [{inputs}]}}))'


def _literal(value: bool | int | float | str) -> str:
    """The value in Python, with double quotes, since the shell's are single ones."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _shapes(signature: Signature, lengths: Mapping[str, int]) -> list[tuple[Tensor, list[int]]]:
    batch = signature.batch_axis
    return [
        (tensor, [axis_length(axis, batch, lengths) for axis in tensor.shape])
        for tensor in signature.inputs
        if not tensor.optional
    ]


def _product(shape: list[int]) -> int:
    elements = 1
    for length in shape:
        elements *= length
    return elements


def _rounded(middle: float, low: float, high: float) -> float:
    """The middle of a range, short where a short number lies in it."""
    short = float(f"{middle:.4g}")
    return short if low <= short <= high else middle


def _whole(text: str) -> int:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return 1


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.5
