"""Every limit has a name, a number, a unit, a line that explains it and a test that holds it."""

import re

from msgspec.structs import fields

from pilotage.contracts.limits import Limits
from tidy.tree import TESTS, python_files

LIMITS = [field.name for field in fields(Limits)]


def test_every_limit_is_explained_by_a_line_that_says_how_it_is_refused_or_kept():
    explained = re.findall(r"^ {4,8}([a-z_]+): \S", Limits.__doc__ or "", flags=re.MULTILINE)
    assert explained == LIMITS


def test_every_limit_is_a_positive_number():
    assert all(getattr(Limits(), name) > 0 for name in LIMITS)


def test_every_limit_is_named_in_a_test():
    tests = [path for path in python_files(TESTS) if not path.is_relative_to(TESTS / "tidy")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in tests)
    untested = [name for name in LIMITS if not re.search(rf"\b{name}\b", text)]
    assert not untested
