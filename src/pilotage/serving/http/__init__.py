"""HTTP/1.1 by hand: bytes of clients go in, whole requests come out and replies go back in order.

It holds every limit of the wire and refuses what is malformed, slow or too large. It never looks
into a body's meaning, knows no model, and only `listener` touches a socket.
"""
