"""Outcomes as JSON: every right form, every wrong member, and nothing lost on the way."""

import json
import time
from datetime import UTC, datetime
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.contracts import records
from pilotage.contracts.limits import Limits
from pilotage.contracts.records import Outcome
from pilotage.serving.protocols import outcomes
from pilotage.serving.protocols.outcomes import (
    ATTRIBUTES_MOST,
    KIND_CHARACTERS,
    OUTCOMES_BYTES,
    OUTCOMES_MOST,
    ROW_DIGITS,
    VALUE_BYTES,
    narrowed,
)
from pilotage.serving.refusals import Refusal

NOW_NS = 1_790_000_000_123_456_789
ID = "01a20e78d381dd56e4f4150000000048"
KEY_BYTES = Limits().client_id_bytes
S = 1_000_000_000


def read(said: Any) -> list[Outcome]:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return outcomes.read(body, source="till", now_ns=NOW_NS, json_depth=32, key_bytes=KEY_BYTES)


def refused(said: Any) -> Refusal:
    with pytest.raises(Refusal) as found:
        read(said)
    return found.value


def one(**members: Any) -> dict[str, Any]:
    """An outcome that is right, but for these members; None leaves one out."""
    said = {"key": "order 5", "value": True, **members}
    return {name: value for name, value in said.items() if value is not None}


def test_the_least_that_may_be_said() -> None:
    assert read({"prediction_id": ID, "value": 1}) == [
        Outcome("label", 1, NOW_NS, "till", prediction_id=bytes.fromhex(ID))
    ]


def test_all_that_may_be_said() -> None:
    said = {
        "key": "order 5",
        "endpoint": "iris",
        "kind": "stars.of-user_1",
        "value": 4.5,
        "observed_at": "2026-01-31T12:00:00.25+01:00",
        "attributes": {"row": "12", "shop": "Köln"},
    }
    observed_ns = int(datetime(2026, 1, 31, 11, tzinfo=UTC).timestamp()) * S + S // 4
    assert read([said]) == [
        Outcome(
            kind="stars.of-user_1",
            value=4.5,
            observed_ns=observed_ns,
            source="till",
            key="order 5",
            attributes={"row": "12", "shop": "Köln"},
            endpoint="iris",
        )
    ]


@pytest.mark.parametrize(
    "value", [True, False, 0, -(2**63), 2**63 - 1, 0.5, -1e300, "", "blue", "é" * 128, "x" * 256]
)
def test_a_value_stays_what_it_is(value: object) -> None:
    (outcome,) = read(one(value=value))
    assert (outcome.value, type(outcome.value)) == (value, type(value))


@pytest.mark.parametrize(
    ("said", "observed_ns"),
    [
        (0, 0),
        (1_790_000_000, 1_790_000_000 * S),
        (0.25, S // 4),
        ("1970-01-01T00:00:01Z", S),
        ("1970-01-01t00:00:01.000000001z", S + 1),
        ("1970-01-01 01:00:00+01:00", 0),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
    ],
)
def test_a_time_is_as_in_rfc_3339_or_seconds(said: object, observed_ns: int) -> None:
    assert read(one(observed_at=said))[0].observed_ns == observed_ns


WRONG = [
    (one(value=None), "value", "text of up to"),
    ({"key": "a", "value": None}, "value", "text of up to"),
    (one(value=[1]), "value", "finite number"),
    (one(value={}), "value", "finite number"),
    (one(value=2**63), "value", "finite number"),
    (one(value=-(2**63) - 1), "value", "finite number"),
    (one(value="x" * (VALUE_BYTES + 1)), "value", "256 bytes"),
    (one(value="é" * 129), "value", "256 bytes"),
    (one(key=None), "prediction_id", "either prediction_id or key"),
    (one(prediction_id=ID), "prediction_id", "either prediction_id or key"),
    (one(key=""), "key", "1 to 1024 bytes"),
    (one(key="k" * (KEY_BYTES + 1)), "key", "1 to 1024 bytes"),
    (one(key=7), "key", "1 to 1024 bytes"),
    (one(key=None, prediction_id=ID[1:]), "prediction_id", "32 hex"),
    (one(key=None, prediction_id=ID[:-1] + "g"), "prediction_id", "32 hex"),
    (one(key=None, prediction_id=5), "prediction_id", "32 hex"),
    (one(kind=""), "kind", "1 to 64 characters"),
    (one(kind="k" * (KIND_CHARACTERS + 1)), "kind", "1 to 64 characters"),
    (one(kind="two words"), "kind", "A-Z a-z 0-9 _ . -"),
    (one(kind="é"), "kind", "A-Z a-z 0-9 _ . -"),
    (one(kind=1), "kind", "1 to 64 characters"),
    (one(endpoint=1), "endpoint", "the name of an endpoint"),
    (one(observed_at="yesterday"), "observed_at", "RFC 3339"),
    (one(observed_at="2026-01-31"), "observed_at", "RFC 3339"),
    (one(observed_at="2026-01-31T12:00:00"), "observed_at", "RFC 3339"),
    (one(observed_at="2026-02-31T12:00:00Z"), "observed_at", "RFC 3339"),
    (one(observed_at="2026-01-31T12:00:00.1234567890Z"), "observed_at", "RFC 3339"),
    (one(observed_at="0001-01-01T00:00:00+23:59"), "observed_at", "RFC 3339"),
    (one(observed_at="1969-12-31T23:59:59Z"), "observed_at", "RFC 3339"),
    (one(observed_at=-1), "observed_at", "seconds since 1970"),
    (one(observed_at=1_790_000_000_000), "observed_at", "seconds since 1970"),
    (one(observed_at=True), "observed_at", "seconds since 1970"),
    (one(observed_at=[]), "observed_at", "seconds since 1970"),
    (one(attributes=[]), "attributes", "an object"),
    (one(attributes={str(n): "" for n in range(ATTRIBUTES_MOST + 1)}), "attributes", "at most 16"),
    (one(attributes={"": "x"}), "attributes", "1 to 64 characters"),
    (one(attributes={"a b": "x"}), "attributes", "1 to 64 characters"),
    (one(attributes={"a": 1}), "attributes.a", "text of up to 256 bytes"),
    (one(attributes={"a": "x" * (VALUE_BYTES + 1)}), "attributes.a", "text of up to 256 bytes"),
    (one(attributes={"row": "first"}), "attributes.row", "1 to 9 digits"),
    (one(attributes={"row": ""}), "attributes.row", "1 to 9 digits"),
    (one(attributes={"row": "1" * (ROW_DIGITS + 1)}), "attributes.row", "1 to 9 digits"),
    (one(attributes={"row": "٣"}), "attributes.row", "1 to 9 digits"),
    (one(obseved_at=5), "obseved_at", "observed_at"),
]


@pytest.mark.parametrize(("said", "where", "expected"), WRONG)
def test_what_is_wrong_is_named_with_what_would_be_right(
    said: dict[str, Any], where: str, expected: str
) -> None:
    alone, among = refused(said), refused([one(), one(), said])
    assert (alone.status, alone.where, among.where) == (400, where, f"[2].{where}")
    assert expected in alone.expected


def test_what_is_just_within_a_limit_is_taken() -> None:
    said = one(
        key="k" * KEY_BYTES,
        kind="k" * KIND_CHARACTERS,
        value="x" * VALUE_BYTES,
        attributes={
            **{f"{n:064}": "y" * VALUE_BYTES for n in range(ATTRIBUTES_MOST - 1)},
            "row": "9" * ROW_DIGITS,
        },
    )
    assert read(said)[0].attributes["row"] == "9" * ROW_DIGITS


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"later", "body byte 0"),
        (b"null", "body"),
        (b"5", "body"),
        (b'"text"', "body"),
        (b"[]", "body"),
        (b"[5]", "[0]"),
        (b"[[]]", "[0]"),
        (b'{"key":"\xff","value":1}', "body byte 8"),
        (b'{"key":"a","value":NaN}', "body byte 19"),
        (b"[" * 33 + b"]" * 33, "body"),
    ],
)
def test_what_is_no_outcome_at_all_is_refused(body: bytes, where: str) -> None:
    refusal = refused(body)
    assert (refusal.status, refusal.where) == (400, where)


def test_a_body_holds_so_many_outcomes_and_no_more() -> None:
    assert len(read([one()] * OUTCOMES_MOST)) == OUTCOMES_MOST
    refusal = refused([one()] * (OUTCOMES_MOST + 1))
    assert (refusal.status, refusal.expected, refusal.came) == (400, "1 to 1000", "1001")


def test_a_body_is_so_long_and_no_longer() -> None:
    body = json.dumps(one()).encode()
    assert len(read(body.ljust(OUTCOMES_BYTES))) == 1
    assert refused(body.ljust(OUTCOMES_BYTES + 1)).status == 413


def test_no_value_of_the_caller_stands_in_a_refusal() -> None:
    for said, _, _ in WRONG:
        secret = json.loads(json.dumps(said).replace("order 5", "s3cret"))
        refusal = refused({**secret, "endpoint": 5})
        assert "s3cret" not in f"{refusal.what}{refusal.where}{refusal.expected}{refusal.came}"


# --- endpoints ---------------------------------------------------------------------------------


def named(*endpoints: str) -> list[Outcome]:
    return [Outcome("label", 1, 0, "till", key="k", endpoint=endpoint) for endpoint in endpoints]


def served(name: str) -> bool:
    return name in ("iris", "wine", "rose")


def test_a_key_without_a_limit_may_name_any_endpoint_or_none() -> None:
    assert narrowed(named("", "wine"), served=served, allowed=()) == named("", "wine")


def test_an_endpoint_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refusal) as found:
        narrowed(named("iris", "irsi"), served=served, allowed=())
    assert (found.value.status, found.value.where) == (400, "[1].endpoint")


def test_a_key_for_one_endpoint_means_that_one() -> None:
    assert narrowed(named("", "iris"), served=served, allowed=("iris",)) == named("iris", "iris")


@pytest.mark.parametrize("endpoint", ["rose", "irsi", ""])
def test_a_key_for_some_endpoints_reports_on_those_alone(endpoint: str) -> None:
    with pytest.raises(Refusal) as found:
        narrowed(named(endpoint), served=served, allowed=("iris", "wine"))
    refusal = found.value
    assert (refusal.status, refusal.where) == (403, "endpoint")
    assert refusal.expected == "one of iris, wine"


# --- properties --------------------------------------------------------------------------------

WORDS = st.text("abzAZ09_.-", min_size=1, max_size=KIND_CHARACTERS)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
VALUES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
NAMED = st.fixed_dictionaries({"prediction_id": st.binary(min_size=16, max_size=16)}) | (
    st.fixed_dictionaries({"key": TEXTS.filter(bool)})
)


def outcome_of(reference: dict[str, Any], **others: Any) -> Outcome:
    return Outcome(source="till", **reference, **others)


OUTCOMES = st.builds(
    outcome_of,
    NAMED,
    kind=WORDS,
    value=VALUES,
    observed_ns=st.integers(0, 2**63 - 1),
    attributes=st.dictionaries(WORDS.filter(lambda word: word != "row"), TEXTS, max_size=4),
    endpoint=TEXTS,
)


def body_of(every: list[Outcome]) -> bytes:
    return json.dumps([members_of(outcome) for outcome in every]).encode()


def members_of(outcome: Outcome) -> dict[str, Any]:
    seconds, rest_ns = divmod(outcome.observed_ns, S)
    told = datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    members: dict[str, Any] = {
        "kind": outcome.kind,
        "value": outcome.value,
        "observed_at": f"{told}.{rest_ns:09d}Z",
        "endpoint": outcome.endpoint,
        "attributes": outcome.attributes,
    }
    if outcome.prediction_id:
        return {**members, "prediction_id": outcome.prediction_id.hex()}
    return {**members, "key": outcome.key}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(OUTCOMES, min_size=1, max_size=5))
def test_what_is_said_is_what_is_read_and_what_is_recorded(every: list[Outcome]) -> None:
    found = read(body_of(every))
    assert found == every
    assert [records.decode_outcome(records.encode(outcome)) for outcome in found] == every


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.none() | VALUES,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*outcomes.MEMBERS, "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_whatever_json_comes_is_read_or_refused(said: Any) -> None:
    found: list[Outcome] | Refusal
    try:
        found = read(said)
    except Refusal as refusal:
        found = refusal
    if isinstance(found, Refusal):
        assert found.status == 400
    else:
        assert all(records.decode_outcome(records.encode(each)) == each for each in found)


def test_a_full_body_holds_up_the_loop_no_longer_than_a_large_batch() -> None:
    said = [{"prediction_id": ID, "kind": "label", "value": "setosa"}] * OUTCOMES_MOST
    body = json.dumps(said).encode()
    taken_s: list[float] = []
    for _ in range(5):
        started_s = time.perf_counter()
        read(body)
        taken_s.append(time.perf_counter() - started_s)
    print(f"{median(taken_s) * 1e3:.2f} ms for {OUTCOMES_MOST} outcomes of {len(body)} bytes")
    assert median(taken_s) < 0.1
