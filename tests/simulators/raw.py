"""A client made of a bare socket: it pipelines, stops reading and hangs up as a test wants."""

import socket
from collections.abc import Iterator

from servers import PATIENCE_S, Reply


class Raw:
    """One connection to a port of this machine."""

    def __init__(self, port: int, *, receive_buffer_bytes: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", port))
        self._received = bytearray()

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def close(self) -> None:
        self.socket.close()

    def reply(self) -> Reply:
        """The next response, whole; one that was cut off is an error."""
        status, headers = self.head()
        if "content-length" in headers:
            return Reply(status, headers, self._take(int(headers["content-length"])))
        return Reply(status, headers, b"".join(self.chunks()))

    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next response."""
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(first.split(" ")[1]), {name.lower(): value for name, value in headers.items()}

    def chunks(self) -> Iterator[bytes]:
        """The chunks of a body, as they come.

        Raises:
            EOFError: it breaks off before its last chunk.
        """
        while size := int(self._until(b"\r\n"), 16):
            yield self._take(size)
            self._take(2)
        self._take(2)

    def rest(self) -> bytes:
        """All until the server ends the connection."""
        while data := self.socket.recv(1 << 16):
            self._received += data
        return bytes(self._received)

    def _until(self, end: bytes) -> bytes:
        while (at := self._received.find(end)) < 0:
            self._more()
        return self._take(at + len(end))[:at]

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            self._more()
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken

    def _more(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError(f"the server ended the connection; left: {bytes(self._received[:200])}")
        self._received += data


def post(path: str, body: bytes, **headers: str) -> bytes:
    """A POST; `_` in a header's name stands for `-`."""
    lines = [f"POST {path} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
