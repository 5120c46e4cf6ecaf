"""The pictures of the documents are what their script draws, and what the procedures do today."""

import importlib.util
import struct
import sys

import msgspec
import pytest

from pilotage.control.rollouts.view import RolloutView
from tidy.tree import DOCS, ROOT

PICTURES = DOCS / "pictures"
PAGE = DOCS / "explanation" / "statistics.md"


def _script(name):
    spec = importlib.util.spec_from_file_location(f"pictures_{name}", PICTURES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


make, simulated = _script("make"), _script("simulated")
FOUND = make.simulated_before()


def test_every_picture_is_what_its_script_draws():
    drawn = make.pictures(FOUND)
    assert sorted(path.name for path in PICTURES.glob("*.svg")) == sorted(drawn)
    stale = [name for name, text in drawn.items() if (PICTURES / name).read_text() != text]
    assert not stale, "python docs/pictures/make.py"


@pytest.mark.parametrize("name", ["sequence", "wealth", "pot"])
def test_a_simulation_still_finds_what_was_drawn(name):
    again = getattr(simulated, name)()
    assert len(again) == len(FOUND[name]), "python docs/pictures/make.py --simulate"
    for row, then in zip(again, FOUND[name], strict=True):
        for key, value in row.items():
            assert value == (
                then[key] if isinstance(value, str) else pytest.approx(then[key], 2e-3)
            )


def test_a_shorter_day_is_the_beginning_of_a_longer_one():
    short, long = (simulated.peeking(runs=20, looks=looks) for looks in (120, 180))
    assert short[:-1] == long[: len(short) - 1]


def test_every_picture_is_shown_with_words_for_those_who_cannot_see_it():
    text = PAGE.read_text(encoding="utf-8")
    for name in make.PICTURES:
        before = text.partition(f"](../pictures/{name}.svg)")[0]
        assert before != text
        assert len(before.rpartition("![")[2]) > 40


def test_the_page_says_what_the_simulations_found():
    text = PAGE.read_text(encoding="utf-8")
    requests = {}
    for row in FOUND["requests"]:
        requests.setdefault(row["harm"], []).append(f"{row['requests']:,.0f}")
    for row in FOUND["requests to pass"]:
        requests.setdefault(0.0, []).append(f"{row['requests']:,.0f}")
    assert len(requests) == 6
    for cells in requests.values():
        assert f"| {' | '.join(cells)} |" in text
    end = {row["procedure"]: row["share"] for row in FOUND["peeking"]}
    assert f"after a day {end['z-test every 10 s']:.0%} (400 runs)".replace("%", " %") in text
    missed = {row["interval"]: row["missed"] for row in FOUND["ever missed"]}
    assert (
        f"in {missed['one look']:.0%}, the other in {missed['every look']:.1%}".replace("%", " %")
        in text
    )
    by = {row["counted"]: row["share"] for row in FOUND["users"]}
    assert f"{by['each request']:.0%} of the candidates".replace("%", " %") in text


PAGES = {"rollout-light.png": 1200, "rollout-dark.png": 1200, "rollout-phone.png": 780}
PICTURE_BYTES = 200_000


@pytest.mark.parametrize("name", PAGES)
def test_a_picture_of_the_rollouts_page_is_light_and_stands_in_the_readme(name):
    data = (PICTURES / name).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">I", data[16:20]) == (PAGES[name],)
    assert len(data) < PICTURE_BYTES
    assert f"docs/pictures/{name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_rollout_of_the_pictures_is_one_that_the_page_shows_today():
    data = (PICTURES / "rollout.json").read_bytes()
    view = msgspec.json.decode(data, type=RolloutView)
    assert msgspec.json.decode(msgspec.json.encode(view)) == msgspec.json.decode(data)
