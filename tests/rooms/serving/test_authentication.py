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


def test_a_known_key_names_its_principal() -> None:
    assert KEYRING.principal_of(b"Bearer for-all", "iris", now_s=NOW_S) == "ann"


def test_the_scheme_is_read_in_any_case() -> None:
    assert KEYRING.principal_of(b"bearer for-all", "iris", now_s=NOW_S) == "ann"


def test_a_key_for_one_endpoint_opens_that_one() -> None:
    assert KEYRING.principal_of(b"Bearer for-iris", "iris", now_s=NOW_S) == "bob"


@pytest.mark.parametrize("header", [b"Bearer for-iris", b"Bearer no-rights"])
def test_a_key_for_something_else_is_forbidden(header: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        KEYRING.principal_of(header, "wine", now_s=NOW_S)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "header", [None, b"", b"Bearer", b"Bearer ", b"Basic for-all", b"for-all", b"Bearer wrong"]
)
def test_without_a_valid_key_the_caller_is_unknown(header: bytes | None) -> None:
    with pytest.raises(Refusal) as refused:
        KEYRING.principal_of(header, "iris", now_s=NOW_S)
    assert refused.value.status == 401
    assert refused.value.headers[0][0] == "WWW-Authenticate"


def test_a_key_holds_until_it_expires() -> None:
    assert KEYRING.principal_of(b"Bearer expires", "", now_s=NOW_S + 9.9) == "cleo"
    with pytest.raises(Refusal):
        KEYRING.principal_of(b"Bearer expires", "", now_s=NOW_S + 10)


def test_the_next_expiry_is_told_while_there_is_one() -> None:
    assert KEYRING.next_expiry(now_s=NOW_S) == NOW_S + 10
    assert KEYRING.next_expiry(now_s=NOW_S + 10) is None


def test_with_no_keys_everybody_may_call() -> None:
    assert Keyring([]).principal_of(None, "iris", now_s=NOW_S) == ""


def test_a_refusal_does_not_repeat_the_secret() -> None:
    with pytest.raises(Refusal) as refused:
        KEYRING.principal_of(b"Bearer my-guess", "iris", now_s=NOW_S)
    assert "my-guess" not in str(vars(refused.value))
