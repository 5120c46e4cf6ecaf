"""Documents: every page can be reached, every link leads somewhere, every decision is whole."""

import re

from tidy.tree import DOCS, ROOT, kept, name_of

PARTS = ("Context.", "Options.", "Choice.", "Price.")
KINDS = ("added", "changed", "fixed", "removed", "security")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def _pages():
    return [path for path in kept() if path.suffix == ".md"]


def _links(page):
    return [(page.parent / target).resolve() for target in LINK.findall(page.read_text())]


def test_every_link_between_documents_leads_somewhere():
    broken = [
        f"{name_of(page)}: {target}"
        for page in _pages()
        for target in _links(page)
        if not target.exists()
    ]
    assert not broken


def test_every_page_under_docs_can_be_reached_from_the_index():
    reached = {DOCS / "README.md"}
    to_read = list(reached)
    while to_read:
        new = {page for page in _links(to_read.pop()) if page.suffix == ".md"} - reached
        reached |= new
        to_read += [page for page in new if page.exists()]
    unreached = [name_of(p) for p in _pages() if p.is_relative_to(DOCS) and p not in reached]
    assert not unreached


def test_every_decision_record_has_its_number_and_its_four_parts():
    records = sorted(path for path in _pages() if path.parent == DOCS / "decisions")
    assert records
    for number, record in enumerate(records, start=1):
        text = record.read_text(encoding="utf-8")
        assert record.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number}. ")
        missing = [part for part in PARTS if f"**{part}**" not in text]
        assert not missing, f"{record.name}: {missing}"
        assert len(text.split()) <= 700, f"{record.name} is more than a page"


def test_every_changelog_fragment_says_its_kind():
    fragments = [p for p in kept() if p.parent == ROOT / "changelog.d" and p.name != "README.md"]
    wrong = [
        fragment.name
        for fragment in fragments
        if not re.fullmatch(rf"[a-z0-9-]+\.({'|'.join(KINDS)})\.md", fragment.name)
    ]
    assert not wrong
