"""Which arm answers a request: a share of the units, without state, exact in expectation.

A unit's place on a circle of a million points is a hash of (salt, unit); the routes divide the
circle by their weights, in order. So a unit keeps its arm on every worker and after a restart, a
retry under the same caller's id gets the arm of the first try, and raising the last route's weight
moves units only towards it. The probability of the arm given is the route's weight.
"""

import hashlib
from collections.abc import Sequence

from pilotage.contracts.snapshot import PPM


def place_of(unit: bytes, salt: bytes) -> int:
    """The unit's point on the circle: 0 .. PPM - 1.

    Taken from 64 hashed bits, so no point is favoured by more than one part in 10^13.
    """
    digest = hashlib.blake2b(unit, digest_size=8, key=salt[:64]).digest()
    return int.from_bytes(digest, "big") * PPM >> 64


def choose(weights_ppm: Sequence[int], place: int) -> int:
    """The index of the route that owns a place; the weights sum to PPM."""
    end = 0
    for index, weight in enumerate(weights_ppm):
        end += weight
        if place < end:
            return index
    raise ValueError(f"the weights sum to {end}, not {PPM}")
