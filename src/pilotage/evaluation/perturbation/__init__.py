"""Inputs go in; the same inputs with values missing and noise on their numbers come out.

Chance belongs to the row, so that any batches give the same. Never runs a model.
"""
