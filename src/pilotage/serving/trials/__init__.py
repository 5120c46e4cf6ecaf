"""A candidate beside the traffic: batches that were answered go in, pairs and timings come out.

Copies and probes run in one thread of low priority, and are dropped before anything else is.
Nothing here answers a caller, or changes what one is answered.
"""
