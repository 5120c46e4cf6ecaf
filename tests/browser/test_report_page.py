"""The report in a browser: no request leaves, it needs no script, and everybody can read it."""

import shutil
from functools import cache

import pytest

from pilotage.evaluation.page.rendering import rendered
from simulators.every_report import SAMPLES

sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: no page was looked at"),
    pytest.mark.slow,
]
WIDTHS = (320, 360, 768, 1280)


@pytest.fixture(scope="module")
def browser():
    with sync.sync_playwright() as started:
        # The pages are ours, and a container's root has no other way to start it.
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def written(sample):
        path = folder / f"{sample}.html"
        path.write_text(rendered(SAMPLES[sample]()), encoding="utf-8")
        return path.as_uri()

    return written


def opened(browser, address, **options):
    page = browser.new_page(**options)
    page.requests, page.complaints = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("console", lambda message: page.complaints.append(message.text))
    page.goto(address)
    return page


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_request_leaves_and_the_policy_is_kept(browser, pages, sample):
    page = opened(browser, pages(sample))
    page.wait_for_load_state("networkidle")
    assert page.requests == [pages(sample)]
    assert page.complaints == []
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_has_to_be_scrolled_sideways(browser, pages, sample, width):
    page = opened(browser, pages(sample), viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_it_is_whole_without_scripts_and_shows_one_drawing_of_each_picture(browser, pages):
    for width in (360, 1280):
        page = opened(
            browser,
            pages("unfair"),
            java_script_enabled=False,
            viewport={"width": width, "height": 800},
        )
        pictures = page.locator("figure svg")
        seen = [pictures.nth(at).is_visible() for at in range(pictures.count())]
        assert sum(seen) == len(seen) / 2
        page.close()


def test_the_keyboard_opens_how_a_gate_was_decided(browser, pages):
    page = opened(browser, pages("unfair"))
    page.locator(".gate summary").first.focus()
    assert not page.locator(".gate dl").first.is_visible()
    page.keyboard.press("Enter")
    assert page.locator(".gate dl").first.is_visible()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "sample", ["unfair", "undecided", "many_classes", "without_gates", "compared"]
)
def test_a_person_with_a_screen_reader_or_weak_sight_can_read_it(browser, pages, sample, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe to ask")
    page = opened(browser, pages(sample), color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []
    page.close()


TEXTS_TOO_FAINT = """
() => {
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const ratio = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const over = (top, share, below) => top.map((v, at) => v * share + below[at] * (1 - share));
  const card = numbers(getComputedStyle(document.querySelector('.card')).backgroundColor);
  const faint = [];
  for (const text of document.querySelectorAll('figure .wide svg text')) {
    const box = text.getBoundingClientRect();
    const x = box.x + box.width / 2, y = box.y + box.height / 2;
    let ground = card.slice(0, 3);
    for (const cell of text.closest('svg').querySelectorAll('path[fill-opacity]')) {
      const c = cell.getBoundingClientRect();
      if (c.x < x && x < c.right && c.y < y && y < c.bottom) {
        const style = getComputedStyle(cell);
        ground = over(numbers(style.fill).slice(0, 3), Number(style.fillOpacity), ground);
      }
    }
    const found = ratio(numbers(getComputedStyle(text).fill).slice(0, 3), ground);
    if (found < 4.5) faint.push([text.textContent, found]);
  }
  return faint;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sample", ["unfair", "undecided", "many_classes", "compared"])
def test_every_text_in_a_picture_stands_out_from_its_ground(browser, pages, sample, scheme):
    page = opened(browser, pages(sample), color_scheme=scheme)
    assert page.locator("figure .wide svg text").count() > 10
    assert page.evaluate(TEXTS_TOO_FAINT) == []
    page.close()
