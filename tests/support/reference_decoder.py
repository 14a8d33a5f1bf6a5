"""A simple reference decoder for recordings in OpenAI's chat format: lines, JSON, concatenation."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from support.recordings import Recording


def objects(recording: Recording) -> Iterator[Any]:
    if not recording.stream:
        yield json.loads(recording.body)
        return
    for line in re.split(r"\r\n|\n|\r", recording.body.decode()):
        if line.startswith("data:") and line[5:].strip() not in ("", "[DONE]"):
            yield json.loads(line[5:])


def messages(recording: Recording) -> Iterator[tuple[int, Any]]:
    for value in objects(recording):
        for choice in value.get("choices") or ():
            message = choice.get("delta" if recording.stream else "message")
            yield choice.get("index", 0), message or {}


def plain_text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if part["type"] == "text")
    return content or ""


def texts(recording: Recording) -> dict[int, str]:
    found: dict[int, str] = defaultdict(str)
    for index, message in messages(recording):
        found[index] += plain_text(message.get("content"))
    return dict(found)


def tools(recording: Recording) -> dict[int, list[tuple[str, str]]]:
    """Name and arguments of each call, by choice."""
    found: dict[int, dict[str, list[str]]] = defaultdict(dict)
    for index, message in messages(recording):
        calls = found[index]
        for call in message.get("tool_calls") or ():
            key = call.get("id")
            if key and key not in calls:
                calls[key] = ["", ""]
            growing = calls[key or list(calls)[-1]]
            growing[0] = growing[0] or call["function"].get("name") or ""
            growing[1] += call["function"].get("arguments") or ""
    return {i: [(name, said) for name, said in calls.values()] for i, calls in found.items()}


def thoughts(recording: Recording) -> dict[int, str]:
    """Reasoning under either name, or in parts."""
    found: dict[int, str] = defaultdict(str)
    for index, message in messages(recording):
        found[index] += message.get("reasoning_content") or message.get("reasoning") or ""
        if isinstance(message.get("content"), list):
            parts = [part for part in message["content"] if part["type"] == "thinking"]
            found[index] += "".join(one["text"] for part in parts for one in part["thinking"])
    return dict(found)


def finishes(recording: Recording) -> dict[int, str]:
    """The finish reasons, unchanged; the last one if there are two."""
    return {
        choice.get("index", 0): choice["finish_reason"]
        for value in objects(recording)
        for choice in value.get("choices") or ()
        if choice.get("finish_reason")
    }


def usages(recording: Recording) -> list[Any]:
    """Every usage that was reported, Groq's own place included."""
    found = []
    for value in objects(recording):
        found.append(value.get("usage") or (value.get("x_groq") or {}).get("usage"))
    return [usage for usage in found if usage]
