"""Keys: who calls, and may they."""

import pytest

from pilotage.contracts.keys import Key, digest_of
from pilotage.serving.authentication import Keyring
from pilotage.serving.refusals import Refusal

NOW_S = 1_000.0
KEYRING = Keyring(
    [
        Key(digest_of(b"for-all"), "ann"),
        Key(digest_of(b"for-iris"), "bob", endpoints=("iris",)),
        Key(digest_of(b"expires"), "cleo", expires_at=NOW_S + 10),
        Key(digest_of(b"no-rights"), "dan", rights=()),
    ]
)


def principal(header: bytes, endpoint: str = "iris", *, now_s: float = NOW_S) -> str:
    key = KEYRING.key_of(header, endpoint, now_s=now_s)
    assert key is not None
    return key.principal


def test_a_known_key_names_its_principal() -> None:
    assert principal(b"Bearer for-all") == "ann"


def test_the_scheme_is_read_in_any_case() -> None:
    assert principal(b"bearer for-all") == "ann"


def test_a_key_for_one_endpoint_opens_that_one() -> None:
    assert principal(b"Bearer for-iris") == "bob"


@pytest.mark.parametrize("header", [b"Bearer for-iris", b"Bearer no-rights"])
def test_a_key_for_something_else_is_forbidden(header: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        KEYRING.key_of(header, "wine", now_s=NOW_S)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "header", [None, b"", b"Bearer", b"Bearer ", b"Basic for-all", b"for-all", b"Bearer wrong"]
)
def test_without_a_valid_key_the_caller_is_unknown(header: bytes | None) -> None:
    with pytest.raises(Refusal) as refused:
        KEYRING.key_of(header, "iris", now_s=NOW_S)
    assert refused.value.status == 401
    assert refused.value.headers[0][0] == "WWW-Authenticate"


def test_a_key_holds_until_it_expires() -> None:
    assert principal(b"Bearer expires", "", now_s=NOW_S + 9.9) == "cleo"
    with pytest.raises(Refusal):
        KEYRING.key_of(b"Bearer expires", "", now_s=NOW_S + 10)


@pytest.mark.parametrize(
    ("since_s", "until_s", "expired"),
    [
        (NOW_S, NOW_S + 9.9, False),
        (NOW_S, NOW_S + 10, True),
        (NOW_S + 9.9, NOW_S + 3600, True),  # a look that comes late
        (NOW_S + 10, NOW_S + 3600, False),
    ],
)
def test_a_key_that_ran_out_since_the_last_look_is_noticed_once(
    since_s: float, until_s: float, expired: bool
) -> None:
    assert KEYRING.expires_within(since_s, until_s) is expired


def test_with_no_keys_everybody_may_call() -> None:
    assert Keyring([]).key_of(None, "iris", now_s=NOW_S) is None


def test_a_refusal_does_not_repeat_the_secret() -> None:
    with pytest.raises(Refusal) as refused:
        KEYRING.key_of(b"Bearer my-guess", "iris", now_s=NOW_S)
    assert "my-guess" not in str(vars(refused.value))
