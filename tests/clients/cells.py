"""For client programs in Python: run the cells that the matrix asks for, and print the results.

    CASES = {"chat": (chat, HELLO), "stream": (stream, HELLO)}

    if __name__ == "__main__":
        run_cells(CASES, "openai")

A case is a function of the model's name, which may be a coroutine, and what it is to return. The
standard library only: this module runs in the environments of the clients.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import inspect
import json
import os
import traceback
from collections.abc import Callable, Mapping
from typing import Any

HELLO = "Hello there"
"""The answer without tools."""
SUNNY = "It is sunny in Bonn."
SUNNY_TWICE = "It is sunny in Bonn and Rome."
"""The answers after the results of one call and of two."""
REASONING = "Let me"
PLACE = {"city": "Bonn", "degrees": 21}
"""The answer in the structure of a ``city`` and its ``degrees``."""
QUESTION = "What is the weather in Bonn?"
QUESTIONS = "What is the weather in Bonn and Rome?"

HI: Any = [{"role": "user", "content": "Hi"}]
"""The messages of a conversation without tools."""
WEATHER: Any = {"name": "get_weather", "description": "The weather in a city."}
"""The tool; each format names its parameters, ``CITY``, in its own way."""
CITY: Any = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
STRICT_CITY: Any = {**CITY, "additionalProperties": False}

Case = tuple[Callable[[str], Any], Any]
URL = os.environ.get("CLIENT_URL", "")
"""The gateway's base URL, without a path."""


def weather(city: str) -> str:
    """The result of the tool: it names the city, so that mixed-up results are noticed."""
    return f"Sunny in {city}"


def run_cells(cases: Mapping[str, Case], *distributions: str) -> None:
    """``distributions``: the packages whose versions the matrix prints."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in distributions]
    print(json.dumps({"versions": versions}), flush=True)
    with asyncio.Runner() as runner:  # one loop for all cells: clients keep their connections
        for cell in json.loads(os.environ["CLIENT_CELLS"]):
            function, expected = cases[cell["case"]]
            result = {"case": cell["case"], "wire": cell["wire"]}
            try:
                got = function(cell["model"])
                got = runner.run(got) if inspect.iscoroutine(got) else got
                result |= {"expected": expected, "got": got}
            except Exception as error:
                result["error"] = describe(error)
            print(json.dumps(result, default=repr), flush=True)


def describe(error: Exception) -> str:
    """With the place in the client's program."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/tests/clients/" in frame.filename]
    place = f"{ours[-1].name}:{ours[-1].lineno}: " if ours else ""
    return f"{place}{type(error).__name__}: {error}"
