"""What settings must be to each other. Pure: settings in, errors or hints out."""

from pilotage.contracts.limits import Limits
from pilotage.errors import PilotageError
from pilotage.spec.secrets import SHORTEST_SECRET, CallerKey
from pilotage.spec.units import format_size


def is_loopback(host: str) -> bool:
    """True when only this machine can reach the address."""
    return host.lower() in ("localhost", "::1") or host.startswith("127.")


def access_errors(host: str, keys: tuple[CallerKey, ...], where: str) -> list[PilotageError]:
    """An address that others reach asks for a key, and for one that cannot be guessed."""
    if is_loopback(host):
        return []
    if not keys:
        return [
            PilotageError(
                f"{host} can be reached from other machines, and no key is asked for",
                where=where,
                expected="a key, or a loopback address",
                fix="Make a key with `openssl rand -hex 32 > key.txt` and add --key @key.txt, "
                "or leave --host out.",
            )
        ]
    return [
        PilotageError(
            f"the secret of {key.principal} has {len(key.secret.reveal())} characters",
            where="keys",
            expected=f"at least {SHORTEST_SECRET} where others can reach the address",
            fix="Make one with: openssl rand -hex 32.",
        )
        for key in keys
        if len(key.secret.reveal()) < SHORTEST_SECRET
    ]


def access_hints(host: str, keys: tuple[CallerKey, ...], *, tls: bool) -> list[str]:
    """What is allowed and could be safer."""
    if is_loopback(host):
        return [
            f"The secret of {key.principal} is short; it would be refused on an address that "
            "others can reach."
            for key in keys
            if len(key.secret.reveal()) < SHORTEST_SECRET
        ]
    if tls:
        return []
    return [
        "Keys and data travel in the clear: give --tls-cert and --tls-key, or put a proxy that "
        "speaks TLS in front."
    ]


def tls_errors(
    cert: str | None, key: str | None, client_ca: str | None, where: str
) -> list[PilotageError]:
    """A certificate needs its key, and the other way round; a client CA needs both."""
    given = {"--tls-cert": cert, "--tls-key": key}
    missing = [flag for flag, path in given.items() if not path]
    if not missing or (len(missing) == 2 and not client_ca):
        return []
    present = [flag for flag, path in {**given, "--tls-client-ca": client_ca}.items() if path]
    return [
        PilotageError(
            f"{' and '.join(present)} without {' and '.join(missing)}",
            where=where,
            expected="a certificate and its key",
            fix=f"Add {' and '.join(missing)}.",
        )
    ]


def limit_errors(limits: Limits) -> list[PilotageError]:
    """A limit that makes another one unreachable is a mistake."""
    pairs = (
        ("body_bytes", "inflight_bytes", "a body that is allowed could never be received"),
        ("request_rows", "queue_rows", "a request that is allowed could never be queued"),
        ("chunk_line_bytes", "body_bytes", "a chunk could hold nothing"),
    )
    return [
        PilotageError(
            f"{low} ({_number(limits, low)}) is above {high} ({_number(limits, high)}): {why}",
            where=f"limits.{low}",
            expected=f"{low} at most {high}",
            fix="Raise the one or lower the other.",
        )
        for low, high, why in pairs
        if getattr(limits, low) > getattr(limits, high)
    ]


def _number(limits: Limits, name: str) -> str:
    value: int = getattr(limits, name)
    return format_size(value) if name.endswith("_bytes") else str(value)
