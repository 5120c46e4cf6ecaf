"""A job for somebody else's code goes in; its answer, or an error a person can read, comes out.

The code runs in a child process with limits, without secrets, network or foreign files where the
kernel allows that; this room never runs it in the caller's process and never unpickles an answer.
"""
