"""The processes of a data plane: one supervisor, its composer, workers and recorder.

A first snapshot and listening sockets go in; running, restarted, drained processes come out. The
supervisor never runs an engine and never reads a request.
"""
