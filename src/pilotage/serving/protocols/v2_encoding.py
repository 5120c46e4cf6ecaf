"""The outputs of one engine call to one body a request.

A whole output is written in one call and cut into rows (1000 floats: 22 us against 49 by lists,
and half the bytes, since float32 is written with the digits that float32 has).

Budget: 1.5 us a response at 32 requests of one row and two outputs (benchmarks/parts/v2_codec.py).
"""

import math
from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import orjson

from pilotage.contracts.datatypes import DATATYPES, Datatype
from pilotage.contracts.signature import Signature
from pilotage.serving.protocols.inference import Inference
from pilotage.serving.protocols.v2_binary import to_binary
from pilotage.serving.protocols.v2_soundness import unsound_rows
from pilotage.serving.refusals import Refusal

Encoded = tuple[bytes, int | None]
"""A body, and the length of its JSON where binary tensors follow it."""

_NOT_FINITE: Final = b"n"
"""In "null", which orjson writes for NaN and infinity. Numbers hold no such letter, and one letter
is found sixty times faster than the word (1000 floats: 0.1 against 7 us)."""


TEMPLATES: Final = 256
"""Answers of one row whose texts are kept, by the widths of their outputs."""


class Column:
    """One output of a batch as JSON, cut into rows: for each the elements without brackets."""

    def __init__(self, values: npt.NDArray[Any], datatype: Datatype, *, batched: bool) -> None:
        self.tail = values.shape[1:] if batched else values.shape
        self.elements = math.prod(self.tail)
        rows = len(values) if batched else 1
        matrix = values.reshape(rows, self.elements)
        self._strings = datatype.kind == "bytes"
        if self._strings:
            self.rows = [_strings(row) for row in cast("list[list[str | bytes]]", matrix.tolist())]
            self.sound = None not in self.rows
        else:
            if datatype.name == "BF16":
                matrix = (matrix.astype(np.uint32) << 16).view(np.float32)
            text = _numbers(matrix)
            # By one byte, which memchr finds: "],[" would take 8 us for 1000 floats, not 0.4.
            self.rows = [row[2:] for row in text[:-2].split(b"]")]
            self.sound = datatype.kind != "float" or _NOT_FINITE not in text

    def holds(self, start: int, stop: int) -> bool:
        """Whether JSON can carry these rows."""
        if self.sound:
            return True
        rows = self.rows[start:stop]
        if self._strings:
            return None not in rows
        return not any(_NOT_FINITE in row for row in cast("list[bytes]", rows))

    def data(self, start: int, stop: int) -> bytes:
        """The elements of some rows in row-major order, without brackets."""
        if not self.elements:
            return b""
        if stop - start == 1:
            return cast(bytes, self.rows[start])
        return b",".join(cast("list[bytes]", self.rows[start:stop]))


def _numbers(matrix: npt.NDArray[Any]) -> bytes:
    """The JSON of a matrix of numbers or booleans."""
    try:
        return orjson.dumps(matrix, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError:  # it does not lie in one piece
        return orjson.dumps(np.ascontiguousarray(matrix), option=orjson.OPT_SERIALIZE_NUMPY)


def _strings(row: list[str | bytes]) -> bytes | None:
    """The JSON of a row of strings, without brackets; None where one is no Unicode text."""
    try:
        texts = [value.decode() if isinstance(value, bytes) else value for value in row]
        return orjson.dumps(texts)[1:-1]
    except (UnicodeDecodeError, TypeError):
        return None


class _Batch:
    """The outputs of one engine call; JSON is made of those that somebody wants as JSON."""

    def __init__(
        self,
        outputs: Sequence[npt.NDArray[Any]],
        datatypes: list[Datatype],
        starts: list[bytes],
        *,
        batched: bool,
    ) -> None:
        self.outputs = outputs
        self._starts = starts
        self._before: dict[tuple[int, int], bytes] = {}
        self._datatypes = datatypes
        self._batched = batched
        self._columns: list[Column | None] = [None] * len(outputs)

    def column(self, index: int) -> Column:
        """Output `index` as JSON."""
        column = self._columns[index]
        if column is None:
            column = Column(self.outputs[index], self._datatypes[index], batched=self._batched)
            self._columns[index] = column
        return column

    def before_data(self, index: int, rows: int) -> bytes:
        """The members of output `index` that come before its data, for so many rows."""
        text = self._before.get((index, rows))
        if text is None:
            shape = self.outputs[index].shape
            shape_text = orjson.dumps((rows, *shape[1:]) if self._batched else shape)
            datatype = self._datatypes[index].name.encode()
            text = b'%b%b,"datatype":"%b",' % (self._starts[index], shape_text, datatype)
            self._before[index, rows] = text
        return text

    def binary(self, index: int, start: int, stop: int) -> bytes:
        """The raw bytes of some rows of output `index`."""
        values = self.outputs[index]
        return to_binary(values[start:stop] if self._batched else values)


class Encoder:
    """Encodes the answers of one version."""

    def __init__(self, model: str, version: str, signature: Signature) -> None:
        self._head = orjson.dumps({"model_name": model, "model_version": version})[:-1] + b","
        self._tensors = signature.outputs
        self._datatypes = [DATATYPES[tensor.datatype] for tensor in signature.outputs]
        self._starts = [b'{"name":' + orjson.dumps(t.name) + b',"shape":' for t in self._tensors]
        self._all = tuple((index, False) for index in range(len(self._tensors)))
        self._batched = signature.batch_axis is not None
        numeric = self._batched and all(
            datatype.kind in ("int", "float") and datatype.name != "BF16"
            for datatype in self._datatypes
        )
        self._dtypes = [np.dtype(each.numpy) for each in self._datatypes] if numeric else None
        self._templates: dict[tuple[int, ...], bytes] = {}

    def encode(
        self,
        outputs: Sequence[npt.NDArray[Any]],
        inferences: Sequence[Inference],
        ids: Sequence[bytes],
    ) -> list[Encoded | Refusal]:
        """See `v2.Codec.encode`."""
        usual = self._usual(outputs, inferences, ids)
        if usual is not None:
            return usual
        rows = sum(each.rows for each in inferences)
        fault = self._fault(outputs, rows)
        if fault is not None:
            return [fault for _ in inferences]
        batch = _Batch(outputs, self._datatypes, self._starts, batched=self._batched)
        answers: list[Encoded | Refusal] = []
        start = 0
        for inference, prediction_id in zip(inferences, ids, strict=True):
            stop = start + (inference.rows if self._batched else 1)
            answers.append(self._answer(batch, inference, prediction_id, start, stop))
            start = stop
        return answers

    def could_encode(
        self, outputs: Sequence[npt.NDArray[Any]], inferences: Sequence[Inference]
    ) -> list[bool]:
        """See `v2.Codec.could_encode`."""
        if self._fault(outputs, sum(each.rows for each in inferences)) is not None:
            return [False for _ in inferences]
        unsound = [
            unsound_rows(values, datatype, batched=self._batched)
            for values, datatype in zip(outputs, self._datatypes, strict=True)
        ]
        if not any(unsound):
            return [True for _ in inferences]
        could: list[bool] = []
        start = 0
        for inference in inferences:
            stop = start + (inference.rows if self._batched else 1)
            wanted = self._all if inference.wanted is None else inference.wanted
            as_json = [unsound[index] for index, binary in wanted if not binary]
            could.append(not any(rows and any(rows[start:stop]) for rows in as_json))
            start = stop
        return could

    def _fault(self, outputs: Sequence[npt.NDArray[Any]], rows: int) -> Refusal | None:
        """What is wrong with all answers at once: outputs that are not the signature's."""
        if len(outputs) != len(self._tensors):
            return _broken("the engine gave another number of outputs", "outputs")
        for tensor, datatype, values in zip(self._tensors, self._datatypes, outputs, strict=True):
            if values.dtype != datatype.numpy:
                return _broken(f"output {tensor.name} has another datatype", tensor.name)
            if self._batched and (not values.ndim or len(values) != rows):
                return _broken(f"output {tensor.name} has another number of rows", tensor.name)
        return None

    def _usual(
        self,
        outputs: Sequence[npt.NDArray[Any]],
        inferences: Sequence[Inference],
        ids: Sequence[bytes],
    ) -> list[Encoded | Refusal] | None:
        """The usual case: matrices of finite numbers, one row a request, everything as JSON.

        None leaves the batch to the general way. The difference shows where batches are small:
        one request alone 11 -> 4 us.
        """
        count = len(inferences)
        if self._dtypes is None or len(outputs) != len(self._dtypes):
            return None
        named: list[bytes] = []
        for each in inferences:
            if each.rows != 1 or each.wanted is not None:
                return None
            named.append(b"" if each.client_id is None else _id_member(each.client_id))
        rows: list[list[bytes]] = []
        widths: list[int] = []
        for values, dtype in zip(outputs, self._dtypes, strict=True):
            shape = values.shape
            if values.dtype != dtype or len(shape) != 2 or shape[0] != count or not shape[1]:
                return None
            text = _numbers(values)
            if _NOT_FINITE in text:
                return None
            rows.append([row[2:] for row in text[:-2].split(b"]")])
            widths.append(shape[1])
        template = self._templates.get(tuple(widths)) or self._template(tuple(widths))
        return [(template % values, None) for values in zip(named, ids, *rows, strict=True)]

    def _template(self, widths: tuple[int, ...]) -> bytes:
        """A whole answer of one row, but for the caller's id, ours, and the data."""
        tensors = [
            b'%b[1,%d],"datatype":"%b","data":[%%b]}'
            % (start.replace(b"%", b"%%"), width, datatype.name.encode())
            for start, width, datatype in zip(self._starts, widths, self._datatypes, strict=True)
        ]
        template = b'%b%%b"parameters":{"pilotage_prediction_id":"%%b"},"outputs":[%b]}' % (
            self._head.replace(b"%", b"%%"),
            b",".join(tensors),
        )
        if len(self._templates) >= TEMPLATES:
            self._templates.clear()
        self._templates[widths] = template
        return template

    def _answer(
        self, batch: _Batch, inference: Inference, prediction_id: bytes, start: int, stop: int
    ) -> Encoded | Refusal:
        """One answer of any form, from rows `start` to `stop`."""
        tensors: list[bytes] = []
        tail: list[bytes] = []
        for index, binary in self._all if inference.wanted is None else inference.wanted:
            before = batch.before_data(index, stop - start)
            if binary:
                data = batch.binary(index, start, stop)
                tail.append(data)
                tensors.append(b'%b"parameters":{"binary_data_size":%d}}' % (before, len(data)))
            elif batch.column(index).holds(start, stop):
                tensors.append(b'%b"data":[%b]}' % (before, batch.column(index).data(start, stop)))
            else:
                return not_json(self._tensors[index].name, self._datatypes[index])
        text = b'%b%b"parameters":{"pilotage_prediction_id":"%b"},"outputs":[%b]}' % (
            self._head,
            _id_member(inference.client_id),
            prediction_id,
            b",".join(tensors),
        )
        return (b"".join((text, *tail)), len(text)) if tail else (text, None)


def _id_member(client_id: str | None) -> bytes:
    """The caller's id as a member of the answer, where one came."""
    return b"" if client_id is None else b'"id":%b,' % orjson.dumps(client_id)


def not_json(name: str, datatype: Datatype) -> Refusal:
    """The refusal of an output that JSON cannot carry."""
    if datatype.kind == "bytes":
        what = f"output {name} holds bytes that are no Unicode text"
    else:
        what = f"output {name} holds NaN or infinity, which JSON cannot carry"
    fix = "Ask for the output as binary data, which carries every value."
    return Refusal(500, "output", what, where=name, fix=fix)


def _broken(what: str, where: str) -> Refusal:
    return Refusal(500, "output", what, where=where, expected="what the signature says")
