"""The examples in the room's docstrings are run, and say what comes out."""

import doctest
import importlib
import pkgutil

import pytest

from pilotage.statistics import sequential

MODULES = [module.name for module in pkgutil.iter_modules(sequential.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_says_what_comes_out(name: str) -> None:
    module = importlib.import_module(f"{sequential.__name__}.{name}")
    assert doctest.testmod(module).failed == 0
