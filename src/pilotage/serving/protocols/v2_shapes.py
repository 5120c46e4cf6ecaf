"""Which shapes a request may send: ranks, fixed lengths, lengths that must agree, rows."""

from collections.abc import Sequence

from msgspec import Struct

from pilotage.contracts.datatypes import DATATYPES, Datatype
from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Axis, Signature, Tensor
from pilotage.serving.protocols.v2_refusals import invalid, shape_words


class InputPlan(Struct, frozen=True, gc=False):
    """One input, compiled.

    Attributes:
        axes: as in the signature, the row axis included.
        tail: the lengths behind the row axis when all of them are fixed, else None; of a model
            without a row axis the whole shape when that is fixed.
        tail_elements: the product of `tail`.
    """

    name: str
    datatype: Datatype
    axes: tuple[Axis, ...]
    optional: bool
    tail: tuple[int, ...] | None
    tail_elements: int


class Plan(Struct, frozen=True, gc=False):
    """All inputs of a version, compiled.

    Attributes:
        index: where each input stands, by name.
        batch_axis: the name of the row axis, None where the model has none.
        uniform: every request can be stacked with every other one.
    """

    inputs: tuple[InputPlan, ...]
    index: dict[str, int]
    batch_axis: str | None
    uniform: bool
    request_rows: int
    elements: int
    bytes_elements: int


def plan_of(signature: Signature, limits: Limits) -> Plan:
    """The compiled inputs of a signature.

    A tensor has at most as many elements as a body has bytes, since each needs one at least.
    """
    batch_axis = signature.batch_axis
    inputs = tuple(_input(tensor, batched=batch_axis is not None) for tensor in signature.inputs)
    return Plan(
        inputs=inputs,
        index={plan.name: index for index, plan in enumerate(inputs)},
        batch_axis=batch_axis,
        uniform=batch_axis is not None
        and all(plan.tail is not None and not plan.optional for plan in inputs),
        request_rows=limits.request_rows,
        elements=limits.body_bytes,
        bytes_elements=limits.bytes_elements,
    )


def _input(tensor: Tensor, *, batched: bool) -> InputPlan:
    behind = tensor.shape[1:] if batched else tensor.shape
    fixed = [axis for axis in behind if isinstance(axis, int)]
    elements = 1
    for length in fixed:
        elements *= length
    return InputPlan(
        name=tensor.name,
        datatype=DATATYPES[tensor.datatype],
        axes=tensor.shape,
        optional=tensor.optional,
        tail=tuple(fixed) if len(fixed) == len(behind) else None,
        tail_elements=elements,
    )


def elements_of(
    plan: Plan, index: int, shape: Sequence[int], lengths: dict[str, int], where: str
) -> int:
    """The number of elements of input `index` in this shape.

    Args:
        lengths: the named axes seen so far in this request; those of this shape are added.
        where: the input's place in the request, such as "inputs[0]".

    Raises:
        Refusal: another rank, a negative or wrong length, one that disagrees with an axis of the
            same name, or more elements than any body could carry.
    """
    axes = plan.inputs[index].axes
    if len(shape) != len(axes):
        raise invalid(
            "the shape has the wrong rank",
            f"{where}.shape",
            expected=f"{len(axes)} axes as in {shape_words(axes)}",
            came=f"{len(shape)} axes",
        )
    elements = 1
    product = 1
    for axis, (length, wanted) in enumerate(zip(shape, axes, strict=True)):
        if length < 0:
            raise invalid(
                "a length of the shape is negative",
                f"{where}.shape[{axis}]",
                expected="the length that the data has",
                came=shape_words(shape),
            )
        known = wanted if isinstance(wanted, int) else lengths.setdefault(wanted, length)
        if known != length:
            raise _disagreement(shape, axis, wanted, known, where)
        elements *= length
        product *= length or 1
    datatype = plan.inputs[index].datatype
    if datatype.kind == "bytes" and elements > plan.bytes_elements:
        raise invalid(
            "the shape has more elements than a tensor of BYTES may have",
            f"{where}.shape",
            expected=f"a product of at most {plan.bytes_elements}",
            came=shape_words(shape),
        )
    if product > plan.elements:
        raise invalid(
            "the shape has more elements than a body can carry",
            f"{where}.shape",
            expected=f"a product of at most {plan.elements}",
            came=shape_words(shape),
        )
    return elements


def _disagreement(
    shape: Sequence[int], axis: int, wanted: Axis, known: int, where: str
) -> Exception:
    """A fixed length that is another one, or a named one that was another one before."""
    if isinstance(wanted, int):
        what = "a length of the shape is not the model's"
        expected = str(known)
    else:
        what = f"two axes named {wanted} have different lengths in this request"
        expected = f"{known}, as on the other axis"
    return invalid(what, f"{where}.shape[{axis}]", expected=expected, came=shape_words(shape))


def one_row_shape(plan: Plan, index: int, count: int) -> list[int]:
    """The shape of `count` elements of input `index` that come without one.

    It has one row; the first named axis behind the rows takes what the fixed lengths leave, and
    further ones are 1. Whether it has `count` elements, the caller sees by `elements_of`.
    """
    tensor = plan.inputs[index]
    shape = [axis if isinstance(axis, int) else 1 for axis in tensor.axes]
    free = [axis for axis, length in enumerate(tensor.axes) if isinstance(length, str)]
    if plan.batch_axis is not None:
        free = free[1:]
    if free and tensor.tail_elements:
        shape[free[0]] = count // tensor.tail_elements
    return shape


def rows_of(plan: Plan, lengths: dict[str, int]) -> int:
    """The rows of a request whose named axes are known; 0 where the model has no row axis.

    Raises:
        Refusal: no row, or more than `Limits.request_rows`.
    """
    if plan.batch_axis is None:
        return 0
    rows = lengths[plan.batch_axis]
    if not 1 <= rows <= plan.request_rows:
        raise invalid(
            "the number of rows is out of range",
            "inputs[0].shape[0]",
            expected=f"1 to {plan.request_rows} rows",
            came=f"{rows} rows" if rows < 2**63 else "more than 64 bits count",
        )
    return rows


def group_of(
    plan: Plan, shapes: Sequence[tuple[int, ...] | None]
) -> tuple[tuple[int, ...] | None, ...] | None:
    """What must be equal for requests to be stacked; None when nothing can differ."""
    if plan.uniform or plan.batch_axis is None:
        return None
    return tuple(None if shape is None else shape[1:] for shape in shapes)
