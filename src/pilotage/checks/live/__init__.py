"""Guards at work: frames of records go in block by block, looks and verdicts come out.

What is here looks again and again, so it uses sequential statistics only. It reads no clock and no
file, so that a verdict can be computed again from the same frames and blocks.
"""
