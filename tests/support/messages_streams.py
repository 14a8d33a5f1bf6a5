"""Read a stream in Anthropic's format."""

from __future__ import annotations

import json
from typing import Any


def events_of(data: bytes) -> list[tuple[str, Any]]:
    """Name and data of each event."""
    found = []
    for event in data.decode().split("\n\n")[:-1]:
        name, value = event.split("\n")
        parsed = json.loads(value.removeprefix("data: "))
        assert parsed["type"] == name.removeprefix("event: ")
        found.append((parsed["type"], parsed))
    return found
