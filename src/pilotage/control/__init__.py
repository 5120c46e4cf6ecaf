"""Control: decides, remembers and explains what becomes of an endpoint.

In come records and what people ask; out go directions for the publisher of snapshots, a ledger of
what was decided, and views for people. It answers no prediction and is on no request's way.
"""
