"""The examples in the docstrings of the statistics are run, and say what comes out."""

import doctest
import importlib
import pkgutil

import pytest

from pilotage import statistics

MODULES = [
    module.name
    for module in pkgutil.walk_packages(statistics.__path__, f"{statistics.__name__}.")
    if not module.ispkg
]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_says_what_comes_out(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
