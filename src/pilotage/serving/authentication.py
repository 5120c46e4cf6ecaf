"""Who calls, and may they: the bearer key of a head against the keys of the snapshot.

A verdict depends on the head, the snapshot and the time alone, so it is cached with the head's
bytes until the snapshot changes or a key expires; and it carries its key's end with it, since a
cache is emptied a moment late.
"""

from collections.abc import Iterable

from pilotage.contracts.keys import Key, digest_of
from pilotage.serving.refusals import Refusal

_CHALLENGE = (("WWW-Authenticate", 'Bearer realm="pilotage"'),)


class Keyring:
    """The keys of one snapshot. With none, everybody may call and has no name."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = {key.digest: key for key in keys}

    def key_of(self, authorization: bytes | None, endpoint: str, *, now_s: float) -> Key | None:
        """The key in an Authorization header; None where no keys are asked for.

        `endpoint` is what is called; "" is what belongs to none, which any key opens.

        Raises:
            Refusal: 401 without a valid key, 403 when the key is not for this endpoint.
        """
        if not self._keys:
            return None
        if authorization is None:
            raise _unauthenticated("this server asks for a key, and none was sent")
        scheme, _, secret = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not secret:
            raise _unauthenticated("the authorization scheme is not Bearer")
        # A look-up by digest tells an attacker nothing through its time: what is compared is
        # the hash of a guess, which the attacker cannot steer.
        key = self._keys.get(digest_of(secret.strip()))
        if key is None or (key.expires_at is not None and key.expires_at <= now_s):
            raise no_longer_valid()
        if "call" not in key.rights or (
            endpoint and key.endpoints and endpoint not in key.endpoints
        ):
            raise Refusal(
                403,
                "forbidden",
                "this key may not call this endpoint",
                where="header authorization",
                fix="Ask for a key that names the endpoint.",
            )
        return key

    def expires_within(self, since_s: float, until_s: float) -> bool:
        """Whether a key ran out after `since_s`, and by `until_s`; in seconds since the epoch."""
        ends = [key.expires_at for key in self._keys.values() if key.expires_at is not None]
        return any(since_s < at <= until_s for at in ends)


def no_longer_valid() -> Refusal:
    """Also what an unknown key is told: a guess learns nothing from it."""
    return _unauthenticated("the key is unknown, revoked or expired")


def _unauthenticated(what: str) -> Refusal:
    return Refusal(
        401,
        "unauthenticated",
        what,
        where="header authorization",
        expected="Authorization: Bearer KEY",
        headers=_CHALLENGE,
    )
