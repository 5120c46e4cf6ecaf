"""Which request gets which answer. Pure.

The page is open to whoever can reach loopback, and tells what it shows to nobody else: a site in
the user's browser that has its own name point here is turned away by that name (DNS rebinding).
"""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final

from pilotage.console.http import Malformed, Request, Response

PAGE: Final = "index.html"
EVENTS: Final = "/events"
VIEW: Final = "/rollout.json"
HEALTH: Final = "/health"
METHODS: Final = ("GET", "HEAD")
KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
STREAM: Final = "text/event-stream"
TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
_LOCAL: Final = re.compile(
    r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE
)


def answer(
    request: Request, files: Mapping[str, bytes], view: Callable[[], bytes | None]
) -> Response | None:
    """The answer to a request; None where a stream of events is asked for.

    Args:
        files: the page's files by their names.
        view: the rollout as JSON; None before there is any.
    """
    if refusal := _refusal(request, files):
        return refusal
    path = request.path
    if path == EVENTS:
        return None if request.method == "GET" else Response(200, STREAM, b"")
    if path == HEALTH:
        return Response(200, TEXT, b"ok\n")
    if path == VIEW:
        shown = view()
        if shown is None:
            return _told(503, "There is nothing to show yet.", ("Retry-After", "1"))
        return Response(200, JSON, shown)
    name = _file(path)
    return Response(200, KINDS[PurePosixPath(name).suffix], files[name])


def refused(malformed: Malformed) -> Response:
    """The answer to what could not be read."""
    return _told(malformed.status, f"{malformed.why[:1].upper()}{malformed.why[1:]}.")


def is_local(host: str) -> bool:
    """Whether a Host header names this machine, as itself alone: localhost or loopback."""
    return _LOCAL.fullmatch(host) is not None


def _refusal(request: Request, files: Mapping[str, bytes]) -> Response | None:
    if not is_local(request.host):
        return _told(421, "This page is served to this machine: ask for localhost or 127.0.0.1.")
    if request.path not in (EVENTS, VIEW, HEALTH) and _file(request.path) not in files:
        return _told(404, "There is no such page.")
    if request.method not in METHODS:
        return _told(405, "This page can be read only.", ("Allow", ", ".join(METHODS)))
    return None


def _file(path: str) -> str:
    return PAGE if path == "/" else path.removeprefix("/")


def _told(status: int, text: str, *headers: tuple[str, str]) -> Response:
    return Response(status, TEXT, f"{text}\n".encode(), headers)
