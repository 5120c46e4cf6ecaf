"""What is typed goes in; what happened, and what to type next, comes out.

A command parses, calls one function and renders. Errors are read, never traced back.
Nothing here decides, and nothing below this room knows that a terminal exists.
"""
