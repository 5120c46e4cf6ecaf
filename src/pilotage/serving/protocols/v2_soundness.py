"""Which rows of an output could be answered as JSON, without making the JSON.

As `v2_encoding` decides, which finds out while it writes; here nothing is written, and numbers
are looked at all at once (1000 floats: 1 us against 22).
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from pilotage.contracts.datatypes import Datatype

_BF16_EXPONENT: Final = 0x7F80
"""All of these bits are set in NaN and infinity alone."""


def unsound_rows(
    values: npt.NDArray[Any], datatype: Datatype, *, batched: bool
) -> Sequence[bool] | None:
    """For each row whether JSON cannot carry it; None where it can carry all.

    Without a row axis (`batched` false) the whole output is one row.
    """
    if datatype.kind == "bytes":
        wrong = np.array([not _is_text(each) for each in values.ravel().tolist()], bool)
        wrong = wrong.reshape(values.shape)
    elif datatype.kind != "float":
        return None
    elif datatype.name == "BF16":
        wrong = (values & _BF16_EXPONENT) == _BF16_EXPONENT
    else:
        wrong = ~np.isfinite(values)
    if not wrong.any():
        return None
    if not batched:
        return [True]
    return [bool(row.any()) for row in wrong]


def _is_text(element: Any) -> bool:
    try:
        orjson.dumps(element.decode() if isinstance(element, bytes) else element)
    except (UnicodeDecodeError, TypeError):
        return False
    return True
