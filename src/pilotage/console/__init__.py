"""The view of a rollout goes in; one page that shows it live comes out, on the control port.

It listens on loopback alone, answers questions and takes no orders: it never steers.
"""
