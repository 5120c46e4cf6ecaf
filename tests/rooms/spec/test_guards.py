"""One guard on one line: what it may say, and what is told where it says something else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.errors import PilotageErrors
from pilotage.spec.guard_words import CLAUSES, GUARDS, KIND_CHARACTERS
from pilotage.spec.guards import GUARD_CHARACTERS, MARGIN_LOW, read_guard, text_of
from pilotage.spec.rollouts import GuardSpec


def spec(metric: str, margin: float, tolerated: float = 0.0, **more) -> GuardSpec:
    return GuardSpec(metric, margin, tolerated, more.pop("text", ""), **more)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("error_rate not_worse_by 0.5pp", spec("error_rate", 0.005)),
        ("disagreement at_most 5%", spec("disagreement", 0.05, 0.05)),
        ("difference beyond 0.01 at_most 5%", spec("difference", 0.05, 0.05, beyond=0.01)),
        ("difference beyond 0 at_most 5% tolerating 1%", spec("difference", 0.05, 0.01)),
        ("engine_time not_worse_by 20%", spec("engine_time", 0.2, 0.05)),
        ("engine_time not_worse_by 20% tolerating 0%", spec("engine_time", 0.2)),
        ("engine_time_tail not_worse_by 1pp", spec("engine_time_tail", 0.01)),
        ("accuracy not_worse_by 1pp", spec("accuracy", 0.01, of="label")),
        ("accuracy of verdict not_worse_by 1pp", spec("accuracy", 0.01, of="verdict")),
        ("rate of converted not_worse_by 1pp", spec("rate", 0.01, of="converted")),
        (
            "mean of stars between 1 and 5 not_worse_by 0.2",
            spec("mean", 0.2, of="stars", low=1.0, high=5.0),
        ),
        (
            "error_rate not_worse_by 1pp tolerating 0.2pp optional",
            spec("error_rate", 0.01, 0.002, required=False),
        ),
    ],
)
def test_a_guard_is_read_and_its_text_is_as_short_as_it_can_be(text, read):
    found = read_guard(text, line=7)
    assert (found.text, found.line) == (text, 7)
    shown = GuardSpec(**{name: getattr(found, name) for name in GuardSpec.__slots__})
    assert (
        spec(
            shown.metric,
            pytest.approx(shown.margin),
            pytest.approx(shown.tolerated),
            of=shown.of,
            beyond=shown.beyond,
            low=shown.low,
            high=shown.high,
            required=shown.required,
        )
        == read
    )


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Error_Rate   not_worse_by 0.005 ", "error_rate not_worse_by 0.5pp"),
        ("error_rate not_worse_by 0.5 pp", "error_rate not_worse_by 0.5pp"),
        ("difference at_most 5 % beyond 0.01", "difference beyond 0.01 at_most 5%"),
        (
            "error_rate optional tolerating 0 not_worse_by 1pp",
            "error_rate not_worse_by 1pp optional",
        ),
        ("accuracy of label not_worse_by 1pp", "accuracy not_worse_by 1pp"),
        ("engine_time tolerating 5% not_worse_by 20%", "engine_time not_worse_by 20%"),
        ("disagreement at_most 0.05 tolerating 5%", "disagreement at_most 5%"),
        (
            "mean not_worse_by 0.20 between 1.0 and 5 of stars",
            "mean of stars between 1 and 5 not_worse_by 0.2",
        ),
    ],
)
def test_what_means_the_same_has_the_same_text(text, normal):
    assert read_guard(text).text == normal


def told(text: str) -> list[str]:
    with pytest.raises(PilotageErrors) as caught:
        read_guard(text, where="--guard")
    assert {error.where for error in caught.value.errors} == {"--guard"}
    return [f"{error.what}; {error.expected}; {error.fix}" for error in caught.value.errors]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["says nothing", "error_rate not_worse_by"]),
        (
            "error_rat not_worse_by 1pp",
            ['no guard compares "error_rat"', "Did you mean error_rate?"],
        ),
        ("latency not_worse_by 5%", ["Write engine_time."]),
        ("p99 not_worse_by 1pp", ["Write engine_time_tail."]),
        ("conversion not_worse_by 1pp", ["Write rate of converted."]),
        ("xyz not_worse_by 1pp", ["disagreement", "For example"]),
        ("not_worse_by 1pp", ["The metric comes first"]),
        ("error_rate", ["stands without not_worse_by", "not_worse_by AMOUNT"]),
        ("error_rate not_worse_by", ["not_worse_by stands without AMOUNT", "not_worse_by 0.5pp"]),
        ("error_rate not worse by 1pp", ['"not"', "Write not_worse_by."]),
        ("error_rate not_wrose_by 1pp", ["Did you mean not_worse_by?"]),
        ("error_rate not_worse_by 1pp not_worse_by 2pp", ["not_worse_by is given twice"]),
        ("error_rate not_worse_by 1pp 2pp", ['"2pp" stands where']),
        ("error_rate not_worse_by 1pp optionl", ['"optionl" stands', "Did you mean optional?"]),
        ("error_rate not_worse_by 1", ["Write 1pp"]),
        ("error_rate not_worse_by 1%", ["Write 1pp"]),
        ("error_rate not_worse_by 1ms", ["percentage points"]),
        ("error_rate not_worse_by -1pp", ["is not such a margin"]),
        ("error_rate not_worse_by 0pp", ["the margin is 0", "above 0"]),
        ("error_rate not_worse_by 0.00001pp", ["too small", "at least 0.0001pp"]),
        ("error_rate not_worse_by 60pp", ["accepts nearly everything", "at most 50pp"]),
        ("error_rate not_worse_by 1pp tolerating 2pp", ["more harm is tolerated", "at most 1pp"]),
        ("error_rate not_worse_by 1pp tolerating 2%", ["Write 2pp"]),
        ("error_rate not_worse_by 1pp of label", ["of does not go with error_rate", "accuracy or"]),
        ("disagreement at_most 0%", ["the margin is 0"]),
        ("disagreement at_most 51%", ["at most 50%"]),
        ("disagreement at_most 5", ["Write 5%"]),
        ("difference at_most 5%", ["difference stands without beyond", "beyond 0.01"]),
        ("difference beyond 5% at_most 5%", ["is no share"]),
        ("engine_time not_worse_by 20", ["Write 20%"]),
        ("engine_time not_worse_by 5pp", ["Write 5%"]),
        ("engine_time not_worse_by 1001%", ["at most 1000%"]),
        ("rate not_worse_by 1pp", ["rate stands without of", "rate of converted"]),
        ("rate of converted! not_worse_by 1pp", ["no kind of outcome"]),
        ("mean of stars not_worse_by 0.2", ["mean stands without between"]),
        ("mean of stars between 5 and 1 not_worse_by 0.2", ["Write between 1 and 5."]),
        ("mean of stars between 5 and 5 not_worse_by 0.2", ["nothing lies between"]),
        ("mean of stars between 1 to 5 not_worse_by 0.2", ["between stands without LOW and HIGH"]),
        ("mean of stars between 1 and 5 not_worse_by 4", ["less than 4"]),
        ("mean of stars between 1 and 5 not_worse_by 5%", ["no share"]),
    ],
)
def test_what_is_wrong_is_told_with_what_to_write(text, parts):
    (error,) = told(text)
    assert [part for part in parts if part not in error] == []


def test_everything_that_is_wrong_with_a_guard_is_told_at_once():
    errors = told("disagreement not_worse_by 0pp of stars! tolerating")
    assert len(errors) == 5


@pytest.mark.parametrize("over", [0, 1])
def test_a_kind_of_outcome_has_a_longest_name(over):
    text = f"rate of {'k' * (KIND_CHARACTERS + over)} not_worse_by 1pp"
    if over:
        assert "no kind of outcome" in told(text)[0]
    else:
        assert read_guard(text).of == "k" * KIND_CHARACTERS


@pytest.mark.parametrize("over", [0, 1])
def test_a_guard_has_a_longest_text(over):
    text = "error_rate not_worse_by 1pp".ljust(GUARD_CHARACTERS + over)
    if over:
        assert told(text)[0].startswith(f"the guard has {GUARD_CHARACTERS + 1} characters")
    else:
        assert read_guard(text).margin == 0.01


@pytest.mark.parametrize("word", GUARDS.values(), ids=lambda word: word.name)
def test_the_largest_and_the_smallest_margin_are_margins(word):
    unit = {"points": "pp", "share": "%", "percent": "%", "number": ""}[word.amount]
    ends = (MARGIN_LOW, word.high) if unit else (0.000004, 3.999)
    for end in ends:
        amount = f"{100 * end:.10g}{unit}" if unit else f"{end}"
        before, _, _ = word.example.partition(f"{word.asks} ")
        assert read_guard(f"{before}{word.asks} {amount}").margin == pytest.approx(end)


def test_every_example_can_be_read_and_needs_no_change():
    assert [read_guard(word.example).text for word in GUARDS.values()] == [
        word.example for word in GUARDS.values()
    ]


@settings(derandomize=True, max_examples=100)
@given(
    st.sampled_from([word for word in GUARDS.values() if not word.requires]),
    st.integers(1, 4000),
    st.floats(0, 1),
    st.booleans(),
)
def test_a_text_is_read_as_the_guard_it_was_made_from(word, margin, tolerated, required):
    share = margin / 10_000
    made = GuardSpec(word.name, share, round(tolerated * share, 9), "", required=required)
    read = read_guard(text_of(made))
    assert read.text == text_of(made)
    assert read.margin == pytest.approx(share)
    assert read.tolerated == pytest.approx(made.tolerated, abs=1e-9)
    assert read.required is required


WORDS = [*GUARDS, *(clause.name for clause in CLAUSES)]
WORDS += ["and", "5%", "1pp", "0.1", "stars", "-", "not", "%", "1e999", "\x00", "ü", "label"]


@settings(derandomize=True, max_examples=300)
@given(st.lists(st.sampled_from(WORDS), max_size=9))
def test_any_words_are_a_guard_or_errors_that_say_what_is_wrong(words):
    text = " ".join(words)
    try:
        found = read_guard(text)
    except PilotageErrors as wrong:
        found = wrong
    whats = [error.what for error in found.errors] if isinstance(found, PilotageErrors) else []
    assert isinstance(found, GuardSpec) or (whats and all(whats))
