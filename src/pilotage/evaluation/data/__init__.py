"""A source that a person names goes in; named columns in batches, and what is true of each row,
come out.

Reads a source as often as wanted, always the same rows in the same order. Never runs a model.
"""
