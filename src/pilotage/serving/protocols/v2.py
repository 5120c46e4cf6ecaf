"""The Open Inference Protocol v2 for one version: bodies to inferences, outputs to bodies.

Everything that depends on the signature alone is worked out when the codec is made.

Source: "Predict Protocol - Version 2" of KServe, with Triton's binary tensor extension.
"""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from pilotage.contracts.limits import Limits
from pilotage.contracts.signature import Signature
from pilotage.serving.protocols.inference import Inference
from pilotage.serving.protocols.v2_decoding import GeneralDecoder
from pilotage.serving.protocols.v2_encoding import Encoded, Encoder
from pilotage.serving.protocols.v2_quick import QuickDecoder
from pilotage.serving.protocols.v2_shapes import plan_of
from pilotage.serving.refusals import Refusal


class Codec:
    """Decodes the requests of one version and encodes its answers.

    Args:
        model, version: the names that answers carry.
        bytes_are_text: the model takes BYTES as text, as ONNX Runtime does, so that elements which
            are no UTF-8 are refused; False passes them on as they are.
    """

    def __init__(
        self,
        model: str,
        version: str,
        signature: Signature,
        limits: Limits,
        *,
        bytes_are_text: bool = True,
    ) -> None:
        plan = plan_of(signature, limits)
        self._quick = QuickDecoder(signature, plan, limits)
        self._general = GeneralDecoder(signature, plan, limits, bytes_are_text=bytes_are_text)
        self._encoder = Encoder(model, version, signature)

    def decode(self, body: bytes, json_bytes: int | None) -> Inference:
        """The request in `body`.

        Args:
            body: the whole body, decompressed.
            json_bytes: value of the header Inference-Header-Content-Length, None where it is not
                sent and the whole body is JSON.

        Raises:
            Refusal: 400 "invalid", naming the field, what was expected and what came.
        """
        if json_bytes is None:
            inference = self._quick.decode(body)
            if inference is not None:
                return inference
        return self._general.decode(body, json_bytes)

    def encode(
        self,
        outputs: Sequence[npt.NDArray[Any]],
        inferences: Sequence[Inference],
        ids: Sequence[bytes],
    ) -> list[Encoded | Refusal]:
        """One body for each inference, in order.

        Args:
            outputs: each output of the signature, over the rows of all inferences in their order;
                BF16 as its raw bits in uint16, BYTES as an object array of `str` or `bytes`.
                A model without a row axis has one inference.
            ids: the prediction ids, 32 lower-case hex digits each.

        Returns:
            (body, None), or (body, length of its JSON) where binary tensors follow the JSON; a
            `Refusal` of status 500 for an answer that cannot be given, such as one with a NaN in
            a JSON output. The other answers are not touched by it.
        """
        return self._encoder.encode(outputs, inferences, ids)

    def could_encode(
        self, outputs: Sequence[npt.NDArray[Any]], inferences: Sequence[Inference]
    ) -> list[bool]:
        """Whether `encode` would give an answer for each inference, without making any."""
        return self._encoder.could_encode(outputs, inferences)
