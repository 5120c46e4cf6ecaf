"""How a caller proves who it is: a secret of the caller's, of which the platform keeps a digest."""

import hashlib

from msgspec import Struct


class Quota(Struct, frozen=True):
    """How many requests a key may send: on average, and at once."""

    requests_per_s: float
    burst: int


class Key(Struct, frozen=True, omit_defaults=True):
    """One caller's key, without the secret.

    Attributes:
        digest: SHA-256 of the secret, 32 bytes. Keys are 256 random bits, so no slow hash is due.
        principal: the name that records carry.
        endpoints: the endpoints it may call; empty means every one.
        rights: what it may do there; "call" at first.
        quota: None for no quota.
        expires_at: seconds since the epoch; None for never.
    """

    digest: bytes
    principal: str
    endpoints: tuple[str, ...] = ()
    rights: tuple[str, ...] = ("call",)
    quota: Quota | None = None
    expires_at: float | None = None


def digest_of(secret: bytes) -> bytes:
    """The 32 bytes that stand for a secret in snapshots."""
    return hashlib.sha256(secret).digest()
