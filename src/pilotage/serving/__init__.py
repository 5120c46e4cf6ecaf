"""The data plane: a snapshot goes in, requests are answered, records come out.

It asks no one on the way of a request: no database, no control plane. It knows the two contracts,
`isolation` and `errors`, and nothing else of ours.
"""
