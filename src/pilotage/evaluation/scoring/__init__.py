"""Batches of rows and a model go in; what the model said about every row comes out.

Runs the serving engine. A row on which the model fails is an error, never left out.
"""
