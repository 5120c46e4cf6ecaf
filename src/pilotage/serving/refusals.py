"""A refusal: the one way in which the data plane says no to a caller."""

from typing import Final, Literal

Reason = Literal[
    "malformed",
    "too_large",
    "timeout",
    "unauthenticated",
    "forbidden",
    "unknown",
    "method",
    "invalid",
    "quota",
    "overload",
    "deadline",
    "unavailable",
    "engine",
    "output",
    "internal",
]
"""Why, for metrics: one word a cause."""

REASON_PHRASES: Final = {
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    417: "Expectation Failed",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


class Refusal(Exception):
    """What a caller is told instead of an answer.

    Attributes:
        status: the HTTP status.
        reason: a word of `Reason`, the label in metrics.
        what: what is wrong, without any value of the caller's content.
        where: the field or part of the request ("inputs[0].shape", "header content-length").
        expected, came: what would have been right and what came instead, by dtype, shape or size.
        fix: what to do, when that is not plain from the rest.
        retry_after_s: seconds after which another try may succeed; None when none would.
        close: the connection cannot go on, since where the next request starts is not known.
    """

    def __init__(
        self,
        status: int,
        reason: Reason,
        what: str,
        *,
        where: str = "",
        expected: str = "",
        came: str = "",
        fix: str = "",
        retry_after_s: float | None = None,
        close: bool = False,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(what)
        self.status = status
        self.reason: Reason = reason
        self.what = what
        self.where = where
        self.expected = expected
        self.came = came
        self.fix = fix
        self.retry_after_s = retry_after_s
        self.close = close
        self.headers = headers

    def of_prediction(self, prediction_id: bytes) -> "Refusal":
        """The same, with the id (32 hex digits) under which what failed is recorded."""
        return Refusal(
            self.status,
            self.reason,
            self.what,
            where=self.where,
            expected=self.expected,
            came=self.came,
            fix=self.fix,
            retry_after_s=self.retry_after_s,
            close=self.close,
            headers=(*self.headers, ("Pilotage-Prediction-Id", prediction_id.decode())),
        )
