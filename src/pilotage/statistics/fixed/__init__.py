"""A whole sample goes in, is looked at once, and an interval, a p-value or a plan comes out.

Plain functions. Never for data that are looked at again while they arrive: that is `sequential`.
"""
