"""The examples in docstrings run."""

import doctest
import importlib
import pkgutil
from functools import cache

import pytest

import mmrec

MODULES = [
    module.name for module in pkgutil.walk_packages(mmrec.__path__, "mmrec.") if not module.name.endswith("__main__")
]


@cache
def examples(name):
    """Runs the examples of a module, once."""
    return doctest.testmod(importlib.import_module(name))


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_are_true(name):
    assert examples(name).failed == 0


def test_there_are_docstring_examples():
    assert sum(examples(name).attempted for name in MODULES) >= 30
