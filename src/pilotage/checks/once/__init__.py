"""A gate and the scored rows of a fixed data set go in; its answer comes out.

Uses the statistics of one look, so nothing that looks again may import it.
"""
