"""The ledger: a file to which decisions are appended, each line bound to the one before it.

In come entries, out come lines with their place and digest. Nothing is ever changed or removed.
"""
