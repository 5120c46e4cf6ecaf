"""Every limit of the data plane: a name, a number, a unit (in the name), a meaning.

A limit is the largest value that is still served; one more is refused.
"""

from msgspec import Struct

KIB = 1024
MIB = 1024 * KIB


class Limits(Struct, frozen=True):
    """What one data plane refuses to go beyond. The defaults suit one machine.

    Attributes:
        head_bytes: request line and headers of one request, blank line included (431).
        header_count: headers of one request (431).
        body_bytes: one request's body as sent, and again after decompression (413).
        inflight_bytes: bodies being received or waiting, over one worker (503).
        connections: open connections, over all workers; one more is closed at once.
        idle_s: a connection without a request is closed after this (no answer is owed).
        head_s: seconds from the first byte of a head to its last (408).
        body_s: seconds from the first byte of a body to its last (408).
        pipelined_requests: unanswered requests of one connection; reading pauses beyond it.
        unread_bytes: answers a client has not taken; reading its connection pauses beyond it.
        unread_s: seconds a client may leave answers untaken before its connection is closed.
        chunk_line_bytes: one chunk-size line, its extension included (400).
        trailer_bytes: all trailers of one chunked body (431).
        json_depth: nesting of arrays and objects in a JSON body (400).
        request_rows: rows of one request (400); more than a batch is split, not refused.
        bytes_elements: elements of one BYTES tensor of a request (400); each takes a hundred bytes.
        client_id_bytes: the caller's own id of a request, as UTF-8 (400).
        queue_rows: rows waiting for one model in one worker (503).
        queue_requests: requests waiting for one model in one worker (503).
        error_bytes: one error body; longer ones are cut.
        stream_bytes: chunks of one stream produced but not yet sent; production pauses beyond it.
        streams: streams being answered in one worker (503).
    """

    head_bytes: int = 16 * KIB
    header_count: int = 64
    body_bytes: int = 64 * MIB
    inflight_bytes: int = 256 * MIB
    connections: int = 4096
    idle_s: float = 75.0
    head_s: float = 30.0
    body_s: float = 30.0
    pipelined_requests: int = 16
    unread_bytes: int = 1 * MIB
    unread_s: float = 30.0
    chunk_line_bytes: int = 256
    trailer_bytes: int = 4 * KIB
    json_depth: int = 32
    request_rows: int = 8192
    bytes_elements: int = 256 * KIB
    client_id_bytes: int = 1024
    queue_rows: int = 8192
    queue_requests: int = 4096
    error_bytes: int = 32 * KIB
    stream_bytes: int = 256 * KIB
    streams: int = 256
