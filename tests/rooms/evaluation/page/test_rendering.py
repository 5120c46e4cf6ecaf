from functools import cache
from html.parser import HTMLParser

import msgspec
import pytest

from pilotage.evaluation.page.rendering import rendered
from pilotage.evaluation.report import Confusion, GroupShown
from simulators.every_report import SAMPLES
from simulators.reports import (
    METRICS,
    MODEL,
    many_classes,
    race_gate,
    report,
    sex_gate,
)

MOST_BYTES = 1_500_000
EVIL = '<script>alert("x")</script>&"\'\u202e\x1b[31m'
VOID = {"meta", "br", "img", "hr", "input", "link"}


class Tags(HTMLParser):
    """Every tag with its attributes; that they nest is asserted on the way."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self._open = [], [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def names(self):
        return {tag for tag, _ in self.tags}

    def words(self):
        return " ".join(" ".join(self.text).split())


@cache
def sample_page(name):
    return rendered(SAMPLES[name]())


def words(name):
    return Tags(sample_page(name)).words()


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_page_asks_nothing_of_any_network_and_runs_nothing(sample):
    page = sample_page(sample)
    parsed = Tags(page)
    assert not {"script", "link", "iframe", "object", "base", "form", "image"} & parsed.names()
    reaching = {"src", "srcset", "action", "poster", "data", "xlink:href", "ping"}
    for tag, attributes in parsed.tags:
        assert not reaching & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith("#")
    source = SAMPLES[sample]().data.source
    assert "://" not in page.replace(source, "")
    assert "url(" not in page
    assert "@import" not in page


def test_its_policy_lets_nothing_in_but_its_own_styles():
    policy = "default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; img-src data:"
    page = sample_page("passed")
    assert (
        f'http-equiv="Content-Security-Policy" content="{policy.replace("&#39;", chr(39))}"' in page
    )


@pytest.mark.parametrize("sample", SAMPLES)
def test_identifiers_are_there_once_and_every_link_leads_to_one(sample):
    tags = Tags(sample_page(sample)).tags
    identifiers = [attributes["id"] for _, attributes in tags if "id" in attributes]
    links = [attributes["href"][1:] for tag, attributes in tags if tag == "a"]
    assert len(identifiers) == len(set(identifiers))
    assert set(links) <= set(identifiers)


def test_the_headline_comes_first_then_the_gates_the_pictures_and_the_identities():
    text = words("unfair")
    places = [
        text.index(part)
        for part in (
            "The false-positive rate differs by 6.9–9.7 pp",
            "Intervals against their margins",
            "How this was decided",
            "Across groups: False-positive rate across sex",
            "ROC: how well it ranks",
            "What was judged",
            "How to recompute it",
        )
    ]
    assert places == sorted(places)


def evil_report():
    groups = (GroupShown(EVIL, "failed", None, 10, 0.2, 0.1, 0.3, True),)
    fair = msgspec.structs.replace(
        sex_gate("failed"), title=EVIL, sentence=EVIL, groups=groups, notes=(EVIL,), claim=EVIL
    )
    slices = tuple(msgspec.structs.replace(each, slice=EVIL) for each in report().slices)
    model = msgspec.structs.replace(MODEL, name=EVIL, file=EVIL, classes=(EVIL, EVIL))
    curves = tuple(msgspec.structs.replace(each, model=EVIL) for each in report().curves)
    return report(
        headline=EVIL, gates=(fair,), slices=slices, model=model, notes=(EVIL,), command=EVIL,
        curves=curves, confusion=Confusion((EVIL, EVIL), ((5, 5), (5, 5))), baseline=model,
        data=msgspec.structs.replace(report().data, source=EVIL, label=EVIL, protected=(EVIL,)),
        metrics=(msgspec.structs.replace(METRICS[0], title=EVIL, note=EVIL),),
    )  # fmt: skip


def test_what_people_named_is_shown_and_never_obeyed():
    page = rendered(evil_report())
    parsed = Tags(page)
    assert "script" not in parsed.names()
    assert '<script>alert("x")</script>&"\'' in parsed.words()
    assert "\u202e" not in page, "the direction of reading was turned"
    assert "\x1b" not in page


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_page_is_small(sample):
    assert len(sample_page(sample).encode()) < MOST_BYTES / 4


def test_the_largest_page_is_below_its_limit():
    gates = (*([sex_gate("failed")] * 100), *([race_gate()] * 100))
    table = Confusion(tuple("ab" * 25), tuple((7,) * 50 for _ in range(50)))
    page = rendered(report(gates=gates, slices=report().slices * 8, confusion=table))
    assert len(page.encode()) < MOST_BYTES


def test_without_gates_the_page_says_that_nothing_was_asked():
    text = words("without_gates")
    assert "No gate asked" in text
    assert "nothing here says whether this model may be released" in text


def test_what_is_not_there_is_named_with_its_reason():
    bare = report(curves=(), slices=(), latency=None, gates=(), confusion=None, metrics=())
    text = Tags(rendered(bare)).words()
    assert "the model gives labels, no score" in text
    assert "no column was named to look into" in text
    assert "nothing was measured" in text
    assert "Metrics" not in text


def test_an_undecided_gate_says_why_and_how_many_rows_would_do():
    text = words("undecided")
    assert "the interval allows both answers" in text
    assert "about 1,240, if it is as good as it seems" in text
    assert "no interval" in text, "a gate without an interval keeps its line in the picture"


def test_an_approximate_method_is_not_promised_to_hold():
    text = words("unfair")
    assert "at most 5 % that it passes though it is bad" in text, "Clopper-Pearson is exact"
    assert "near 5 % that it passes though it is bad" in text, "score intervals are not"


def test_the_baseline_is_drawn_beside_the_model():
    assert "by the baseline" in words("passed")
    assert "by the baseline" not in words("undecided")


def test_every_picture_has_its_numbers_as_a_table():
    tags = Tags(sample_page("unfair")).tags
    figures = sum(tag == "figure" for tag, _ in tags)
    tables = sum(tag == "table" for tag, _ in tags)
    pictures = [a for _, a in tags if a.get("role") == "img"]
    assert tables == figures + 1, "and the table of metrics"
    assert len(pictures) == 2 * figures, "one for a wide page, one for a narrow one"
    assert all(picture["aria-label"] for picture in pictures)


def test_nothing_passes_or_fails_where_two_models_are_compared():
    _, _, body = sample_page("compared").partition("<body>")
    page = Tags(body.replace("</body>", "").replace("</html>", ""))
    labels = [attributes.get("aria-label", "") for _, attributes in page.tags]
    read = " ".join((page.words(), *labels)).lower()
    for word in ("passed", "passes", "failed", "fails", "undecided", "margin", "gate"):
        assert word not in read, word
    for word in ("1 worse", "2 not shown", "2 better"):
        assert word in read


def test_a_report_is_always_drawn_the_same():
    assert sample_page("many_classes") == rendered(many_classes())
