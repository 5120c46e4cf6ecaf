"""Rollouts: a candidate earns its traffic stage by stage, or is taken out.

In come the looks of its guards and what people ask; out goes the direction of the endpoint's
traffic. It never looks at a request itself, and it never changes what a published stage meant.
"""
