"""A declared check and observations go in; a verdict, and a sentence that says it, come out.

Metrics live here once, for gates, guards and monitors alike. Never reads data or runs a model.
"""
