"""Whether a candidate may stand where its baseline stands: the same tensors in and out. Pure.

Clients name tensors, send datatypes and shapes, and read outputs in order, so all of these must be
equal. The names of axes are each model's own: they may differ as long as they pair off one to one.
"""

from typing import Final

from pilotage.contracts.signature import Axis, Signature, Tensor

SHOWN: Final = 8
"""Differences that are told; the rest is counted."""


def differences(baseline: Signature, candidate: Signature) -> tuple[str, ...]:
    """What differs, a clause each, in which the baseline comes first; empty when all is equal."""
    pairs = _Axes()
    found = _sides("input", baseline.inputs, candidate.inputs, pairs)
    found += _sides("output", baseline.outputs, candidate.outputs, pairs)
    if len(found) > SHOWN:
        found = [*found[:SHOWN], f"and {len(found) - SHOWN} more"]
    return tuple(found)


def remarks(baseline: Signature, candidate: Signature) -> tuple[str, ...]:
    """What differs and stops nothing, a clause each: ranges and categories of equal tensors."""
    sides = (("input", "inputs"), ("output", "outputs"))
    found = [
        f"{label} `{first.name}`: {_known(first)} in the baseline, {_known(second)} in the "
        "candidate"
        for label, side in sides
        for first, second in zip(getattr(baseline, side), getattr(candidate, side), strict=False)
        if first.name == second.name and _knowledge(first) != _knowledge(second)
    ]
    if len(found) > SHOWN:
        found = [*found[:SHOWN], f"and {len(found) - SHOWN} more"]
    return tuple(found)


class _Axes:
    """Which named axis of the candidate stands for which of the baseline, so far."""

    def __init__(self) -> None:
        self._there: dict[str, str] = {}
        self._back: dict[str, str] = {}

    def agree(self, first: Axis, second: Axis) -> bool:
        if isinstance(first, int) or isinstance(second, int):
            return first == second
        there = self._there.setdefault(first, second)
        back = self._back.setdefault(second, first)
        return (there, back) == (second, first)


def _sides(
    label: str, baseline: tuple[Tensor, ...], candidate: tuple[Tensor, ...], axes: _Axes
) -> list[str]:
    names, others = ([tensor.name for tensor in side] for side in (baseline, candidate))
    found = [f"{label} `{name}` is in the baseline alone" for name in names if name not in others]
    found += [f"{label} `{name}` is in the candidate alone" for name in others if name not in names]
    by_name = {tensor.name: tensor for tensor in candidate}
    for first in baseline:
        second = by_name.get(first.name)
        if second is not None and (difference := _difference(first, second, axes)):
            found.append(f"{label} `{first.name}`: {difference}")
    if not found and names != others:
        first, second = (
            ", ".join(f"`{name}`" for name in side[:SHOWN]) for side in (names, others)
        )
        return [f"{label}s in the order {first} in the baseline, {second} in the candidate"]
    return found


def _difference(first: Tensor, second: Tensor, axes: _Axes) -> str:
    """What differs between two tensors of one name; "" when nothing does."""
    shapes = len(first.shape) == len(second.shape)
    same = [axes.agree(*pair) for pair in zip(first.shape, second.shape, strict=False)]
    if first.datatype != second.datatype or not shapes or not all(same):
        return f"{_type(first)} in the baseline, {_type(second)} in the candidate"
    if first.optional and not second.optional:
        return "optional in the baseline, required in the candidate"
    return ""


def _type(tensor: Tensor) -> str:
    return f"{tensor.datatype} [{', '.join(str(axis) for axis in tensor.shape)}]"


def _knowledge(tensor: Tensor) -> tuple[object, ...]:
    return tensor.low, tensor.high, tensor.categories


def _known(tensor: Tensor) -> str:
    if tensor.categories:
        return f"{len(tensor.categories)} categories"
    if tensor.low is not None and tensor.high is not None:
        return f"{tensor.low:g} to {tensor.high:g}"
    return "no range"
