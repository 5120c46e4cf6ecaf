"""The record of a worker's answers, and the process that keeps it.

Finished batches go in; frames in a ring in shared memory, then segments on disk, come out. It never
reads a request and never waits for a disk on the way of an answer.
"""
