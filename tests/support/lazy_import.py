"""Import a provider's SDK at its first use, so that collecting the tests does not wait for it:
together the SDKs take longer to import than the tests of a package take to run."""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """A module that is imported when one of its public attributes is read."""

    def __init__(self, name: str) -> None:
        self._module = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)  # pytest asks all that is in a test's module for some
        return getattr(importlib.import_module(self._module), name)


def lazy_import(name: str) -> Any:
    return LazyModule(name)
