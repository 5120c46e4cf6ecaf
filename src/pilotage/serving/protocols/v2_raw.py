"""A body without any JSON: all of it is the one input of the model.

Source: "Raw Binary Request" of Triton's binary tensor data extension.
"""

from pilotage.serving.protocols.inference import Inference
from pilotage.serving.protocols.v2_binary import check_booleans, check_unicode
from pilotage.serving.protocols.v2_refusals import invalid, shape_words
from pilotage.serving.protocols.v2_shapes import (
    Plan,
    elements_of,
    group_of,
    one_row_shape,
    rows_of,
)


def raw_inference(plan: Plan, body: bytes, *, bytes_are_text: bool) -> Inference:
    """One row of the model's one input; all outputs are answered as JSON.

    A BYTES input takes the body as its one element, without a length before it.

    Raises:
        Refusal: the model has several inputs, or the body is not one row of its input.
    """
    if len(plan.inputs) != 1:
        raise invalid(
            "a body without JSON is for a model of one input",
            "header inference-header-content-length",
            expected=f"JSON that names the {len(plan.inputs)} inputs",
            came="0 bytes of JSON",
        )
    datatype = plan.inputs[0].datatype
    bytes_each = datatype.bytes_each or len(body)
    shape = one_row_shape(plan, 0, len(body) // bytes_each if datatype.bytes_each else 1)
    lengths: dict[str, int] = {}
    elements = elements_of(plan, 0, shape, lengths, "body")
    if elements * bytes_each != len(body) or (datatype.kind == "bytes" and elements != 1):
        raise invalid(
            "the body is not one row of the input",
            "body",
            expected=f"{datatype.name} of shape {shape_words(shape)}",
            came=f"{len(body)} bytes",
        )
    check_booleans(datatype, body, "body")
    if datatype.kind == "bytes" and bytes_are_text:
        check_unicode([body], "body")
    return Inference(
        buffers=([body] if datatype.kind == "bytes" else body,),
        shapes=(tuple(shape),),
        rows=rows_of(plan, lengths),
        group=group_of(plan, (tuple(shape),)),
    )
