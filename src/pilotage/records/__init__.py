"""A record folder goes in; records and outcomes come out, the moment their answers have left.

Reads segments, and rings whose frames no recorder has copied yet; never changes either.
"""
