"""Frames between a process and its child: a 4-byte big-endian length, then MessagePack.

Pure: bytes in, whole frames out, however they were cut. MessagePack cannot carry code, so what a
hostile child sends is at worst a wrong value, which the typed decoder refuses.
"""

from pilotage.errors import PilotageError

LENGTH_BYTES = 4


def frame(payload: bytes) -> bytes:
    """The payload behind its length."""
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


class Frames:
    """Collects bytes and gives back the payloads that are complete.

    Attributes:
        frame_bytes: the longest payload that is taken.
    """

    def __init__(self, frame_bytes: int) -> None:
        self.frame_bytes = frame_bytes
        self._buffer = bytearray()

    def receive(self, chunk: bytes) -> list[bytes]:
        """The payloads that `chunk` completes, in order.

        Raises:
            PilotageError: a length above `frame_bytes`, before any of that payload is kept.
        """
        self._buffer += chunk
        payloads: list[bytes] = []
        while len(self._buffer) >= LENGTH_BYTES:
            length = int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
            if length > self.frame_bytes:
                raise PilotageError(
                    f"the child announced a message of {length} bytes",
                    expected=f"at most {self.frame_bytes} bytes",
                )
            end = LENGTH_BYTES + length
            if len(self._buffer) < end:
                break
            payloads.append(bytes(self._buffer[LENGTH_BYTES:end]))
            del self._buffer[:end]
        return payloads

    @property
    def waiting_bytes(self) -> int:
        """Bytes of a payload that is not whole yet."""
        return len(self._buffer)
