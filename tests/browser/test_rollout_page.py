"""The rollout's page in a browser: live, readable by everybody, and nobody else is asked."""

import shutil
from contextlib import contextmanager
from urllib.parse import urlsplit

import msgspec
import pytest
from msgspec import structs

from pilotage.cli import rollout_words as terminal
from simulators.rollout_samples import RUNNING
from simulators.rollout_views import MARKUP, VIEWS
from simulators.served_page import served_page

sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: no page was looked at"),
    pytest.mark.slow,
]
WIDTHS = (320, 360, 768, 1280)
PHASES = {
    "running": "Running",
    "empty": "Running",
    "paused": "Paused",
    "held": "Held",
    "live": "Live",
    "rolled back": "Rolled back",
    "aborted": "Aborted",
}
CUT_OFF = "net::ERR_"
"""How a browser tells of the connection that a test has cut."""


@pytest.fixture(scope="module")
def browser():
    with sync.sync_playwright() as started:
        # The pages are ours, and a container's root has no other way to start it.
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def served():
    with served_page() as found:
        yield found


@contextmanager
def opened(browser, served, sample=None, **options):
    """The page, once it shows the sample; it complained of nothing, and asked nobody else."""
    if sample is not None:
        served.show(VIEWS[sample])
    context = browser.new_context(**options)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.url)
    page = context.new_page()
    hosts, complaints = set(), []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(served.url)
    if sample is not None:
        page.locator("#rest").wait_for()
    yield page
    assert hosts - {""} == {urlsplit(served.url).netloc}
    assert [text for text in complaints if CUT_OFF not in text] == []
    context.close()


def text_of(page, selector):
    return " ".join(page.locator(selector).inner_text().replace("\u202f", " ").split())


@pytest.mark.parametrize("sample", PHASES)
def test_every_state_says_what_is_going_on(browser, served, sample):
    with opened(browser, served, sample) as page:
        view = VIEWS[sample]
        assert text_of(page, ".badge") == PHASES[sample]
        assert page.locator("h1").inner_text() == view.sentence
        assert page.locator("#aloud").text_content().endswith(view.sentence)
        assert page.locator(".guard").count() == len(view.guards)
        assert view.candidate_name in page.title()


def test_before_the_first_view_the_page_says_that_it_waits(browser, served):
    with opened(browser, served) as page:
        page.get_by_text("Waiting for the rollout").wait_for()
        page.get_by_text("connected", exact=True).wait_for()
        assert not page.locator("#rest").is_visible()


def test_without_data_it_is_undecided_and_nothing_is_made_up(browser, served):
    with opened(browser, served, "empty") as page:
        assert text_of(page, "#traffic .empty") == "No request was seen yet."
        assert text_of(page, "#happened .empty") == "Nothing yet."
        for at in range(page.locator(".guard").count()):
            assert "undecided, no data yet" in text_of(page, f".guard >> nth={at}")
        assert page.locator(".band").count() == 0
        assert not page.locator(".also").is_visible()


def test_a_guard_tells_its_numbers(browser, served):
    with opened(browser, served, "running") as page:
        first = text_of(page, ".guard >> nth=0")
    assert "Does the candidate fail more often?" in first
    assert "error_rate not_worse_by 0.5pp" in first
    assert "undecided, decides in 12 min" in first
    assert "worse by −0.21 to 0.64 pp margin 0.5 pp" in first
    assert "v2.onnx 0.41 % of 1,204 requests" in first
    assert "v1.onnx 0.30 % of 22,870 requests" in first
    assert "harm found 20 %" in first
    assert "shown not worse 60 %" in first


def test_an_answer_that_was_given_stays_given(browser, served):
    forgotten = structs.replace(RUNNING.guards[0], word="passed", because="", pass_evidence=0.4)
    served.show(structs.replace(RUNNING, guards=[forgotten]))
    with opened(browser, served) as page:
        page.locator(".guard").wait_for()
        assert "shown not worse decided" in text_of(page, ".guard")


def test_the_page_says_of_a_guard_what_the_terminal_says(browser, served):
    guards = [guard for view in VIEWS.values() for guard in view.guards]
    told = """guards => import("/words.js").then(words => guards.map(guard => [
        words.harm(guard), words.margin(guard), words.counts(guard),
        words.arm(guard, guard.candidate), words.arm(guard, guard.baseline),
        words.toGo(guard, "running"), words.toGo(guard, "live")]))"""
    with opened(browser, served, "running") as page:
        said = page.evaluate(told, msgspec.to_builtins(guards))
    assert said == [
        [
            terminal.harm(guard),
            terminal.margin(guard),
            terminal.counts(guard),
            terminal.arm(guard, guard.candidate),
            terminal.arm(guard, guard.baseline),
            terminal.to_go(guard, looks=True),
            terminal.to_go(guard, looks=False),
        ]
        for guard in guards
    ]


def test_names_are_text_and_never_html(browser, served):
    with opened(browser, served, "hostile") as page:
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1
        assert page.title() != "hacked"
        assert MARKUP in page.locator(".guard code").first.inner_text()
        assert MARKUP in page.locator("h1").inner_text()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("sample", VIEWS)
def test_nothing_has_to_be_scrolled_sideways(browser, served, sample, width):
    viewport = {"width": width, "height": 800}
    with opened(browser, served, sample, viewport=viewport) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_pictures_are_drawn_again_for_another_width(browser, served):
    viewport = {"width": 1280, "height": 800}
    with opened(browser, served, "running", viewport=viewport) as page:
        page.set_viewport_size({"width": 360, "height": 800})
        page.wait_for_function("document.querySelector('.drawing svg').clientWidth < 340")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sample", VIEWS)
def test_a_person_with_a_screen_reader_or_weak_sight_can_read_it(browser, served, sample, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe to ask")
    options = {"color_scheme": scheme, "bypass_csp": True}  # axe itself is a script of elsewhere
    with opened(browser, served, sample, **options) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found = axe.Axe().run(page).response["violations"]
        assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []


def test_a_new_view_is_shown_without_a_reload(browser, served):
    with opened(browser, served, "running") as page:
        page.evaluate("window.same = true")
        served.show(VIEWS["rolled back"])
        page.get_by_text("rolled back: it fails 2.1 %").first.wait_for()
        assert text_of(page, ".badge") == "Rolled back"
        assert text_of(page, ".guard >> nth=0 >> .verdict") == "failed"
        assert page.evaluate("window.same")


def test_what_is_opened_and_focused_stays_so_when_a_new_view_comes(browser, served):
    with opened(browser, served, "running") as page:
        page.locator("#promise summary").focus()
        page.keyboard.press("Enter")
        served.show(structs.replace(VIEWS["running"], sentence="One more look.", elapsed_s=982.0))
        page.get_by_role("heading", name="One more look.").wait_for()
        assert page.locator("#promise details li").first.is_visible()
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_a_screen_reader_is_not_told_of_every_minute(browser, served):
    with opened(browser, served, "running") as page:
        before = page.locator("#aloud").text_content()
        later = RUNNING.sentence.replace("12 min", "11 min")
        served.show(structs.replace(VIEWS["running"], sentence=later))
        page.get_by_role("heading", name=later).wait_for()
        assert page.locator("#aloud").text_content() == before


def test_a_connection_that_is_lost_is_told_and_found_again(browser, served):
    with opened(browser, served, "running") as page:
        served.stop()
        page.locator("#lost").wait_for()
        assert "Connection lost at" in page.locator("#lost").inner_text()
        assert page.locator("h1").inner_text() == RUNNING.sentence
        served.start()
        served.show(VIEWS["live"])
        page.locator(".outcome.live").wait_for()
        assert not page.locator("#lost").is_visible()


def test_the_keyboard_reaches_every_command_and_copies_it(browser, served):
    with opened(browser, served, "running") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        seen = []
        for _ in range(12):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.ariaLabel"))
        assert list(dict.fromkeys(label for label in seen if label)) == [
            "Copy: pilotage rollout pause",
            "Copy: pilotage rollout promote",
            "Copy: pilotage rollout rollback",
        ]
        page.locator("button").first.press("Enter")
        page.get_by_role("button", name="Copy: pilotage rollout pause").get_by_text(
            "Copied"
        ).wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == "pilotage rollout pause"


def test_who_wants_no_motion_sees_none(browser, served):
    with opened(browser, served, "running", reduced_motion="reduce") as page:
        style = "getComputedStyle(document.querySelector('.bar i')).transitionProperty"
        assert page.evaluate(style) == "none"
