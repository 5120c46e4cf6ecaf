"""What crosses between the two planes: snapshots down, records up, and the types both are made of.

Pure msgspec: bytes in, frozen structs out. Nothing here reads a clock, a file or a socket.
Each format carries its number, and samples of every released one stay readable for ever.
"""
