"""The examples in docstrings run, and public docstrings say what a caller has to know."""

import doctest
import importlib
import inspect
import pkgutil
import re
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


def public_calls():
    """Yields name and function of what `mmrec` offers, the methods of its classes included."""
    for name in mmrec.__all__:
        public = getattr(mmrec, name)
        if inspect.isclass(public) and not issubclass(public, Exception):
            for method, function in vars(public).items():
                if not method.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{method}", function
        elif inspect.isfunction(public):
            yield name, public


CALLS = dict(public_calls())


def test_the_public_calls_are_those_that_users_know():
    assert {"train", "load", "evaluate", "score", "refresh", "Recommender.recommend", "Recommender.embed_items"} <= {
        *CALLS
    }


@pytest.mark.parametrize("name", CALLS)
def test_a_public_docstring_names_every_argument_and_what_comes_back(name):
    text, signature = inspect.getdoc(CALLS[name]) or "", inspect.signature(CALLS[name])
    arguments = re.search(r"^Args:\n((?:  .*\n?|\n)*)", text, re.MULTILINE)
    stated = re.findall(r"^  \*{0,2}(\w+):", arguments[1] if arguments else "", re.MULTILINE)
    expected = [one for one in signature.parameters if one not in ("self", "cls")]
    assert [one for one in expected if one not in stated and f"`{one}`" not in text] == []
    if signature.return_annotation not in (None, "None", inspect.Signature.empty):
        assert re.search(r"^(Returns:|Returns |Reads )", text, re.MULTILINE), name
