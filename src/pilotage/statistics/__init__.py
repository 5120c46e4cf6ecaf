"""Observations go in; verdicts and intervals with a stated error rate come out.

Pure and usable alone: NumPy, and `scipy.special` in `fixed`. Never reads a clock, a file or a
model.
"""
