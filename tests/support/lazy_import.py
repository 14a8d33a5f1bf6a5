"""Import a provider's SDK at its first use, so that collecting the tests does not wait for it:
together the SDKs take longer to import than the tests of a package take to run."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any


def lazy_import(name: str) -> Any:
    """The module ``name``, which is executed when its first attribute is read."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
