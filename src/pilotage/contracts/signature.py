"""What a version takes and gives: names, datatypes, shapes and ranges of its inputs and outputs."""

from msgspec import Struct

Axis = int | str
"""A fixed length, or the name of an axis whose length each request chooses."""


class Tensor(Struct, frozen=True, omit_defaults=True):
    """One input or output.

    Attributes:
        name: as the model calls it.
        datatype: a key of `datatypes.DATATYPES`.
        shape: one axis each; a name stands for a length that varies. The same name on two axes
            (of whichever tensors) means the same length within one request.
        low, high: the range seen or declared, where known; told to people, never enforced.
        categories: the known values of a categorical input, where the model tells them.
        optional: True when a request may leave the input out.
    """

    name: str
    datatype: str
    shape: tuple[Axis, ...]
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    optional: bool = False


class Signature(Struct, frozen=True):
    """The inputs and outputs of a version, in the model's own order."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def batch_axis(self) -> str | None:
        """The name of the axis that rows of several requests may be stacked on.

        It is the first axis of every input and every output, and the same one throughout;
        None when there is no such axis, and the model is then run one request at a time.
        """
        tensors = self.inputs + self.outputs
        firsts = {tensor.shape[0] if tensor.shape else None for tensor in tensors}
        first = firsts.pop() if len(firsts) == 1 else None
        return first if isinstance(first, str) else None
