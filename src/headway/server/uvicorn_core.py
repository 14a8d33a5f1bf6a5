"""uvicorn without its command line.

``import uvicorn`` brings that along, with Click and what watches files and processes: a fifth of
the time to listen, and two megabytes at least, of which a server in a process of its own has no
use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

COMMAND_LINE = "uvicorn.main"
TAKEN = ("Server", "main", "run")
"""What the package takes from it. Another version that takes more is imported whole."""
LATER = ("main", "run")
"""What is only to be had from it."""


def import_uvicorn() -> None:
    """Imports uvicorn, if nobody did. ``uvicorn.main`` and ``uvicorn.run`` come on demand."""
    if "uvicorn" in sys.modules:
        return
    standin: Any = ModuleType(COMMAND_LINE)
    vars(standin).update(dict.fromkeys(TAKEN))
    sys.modules[COMMAND_LINE] = standin
    try:
        package = import_module("uvicorn")
        server = import_module("uvicorn.server")
    except ImportError:
        return
    finally:
        del sys.modules[COMMAND_LINE]
    for name in LATER:
        delattr(package, name)
    vars(package).update(Server=server.Server, __getattr__=_later)


def _later(name: str) -> Any:
    """The package's ``__getattr__`` (PEP 562)."""
    if name not in LATER:
        raise AttributeError(f"module 'uvicorn' has no attribute {name!r}")
    package, command_line = sys.modules["uvicorn"], import_module(COMMAND_LINE)
    for each in LATER:  # the import itself left the module under the name of its command
        setattr(package, each, getattr(command_line, each))
    return getattr(package, name)
