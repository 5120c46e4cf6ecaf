"""A model and a stated load go in; latency and memory of the serving engine, as questions, come
out.

The real server runs as a child process. Never judges a model by what it answers.
"""
