"""Message content that is a list of typed parts instead of a text, as some vendors with OpenAI's
wire format send it."""

from __future__ import annotations

from typing import Any

from headway.events import Event, ExtraFields, Reasoning, Text


def read_content_parts(parts: list[Any], index: int, events: list[Event]) -> None:
    """Append the events of choice ``index`` to ``events``. Parts of unknown types are ignored."""
    for part in parts:
        if part.get("type") == "text" and part.get("text"):
            events.append(Text(part["text"], index))
        elif part.get("type") == "thinking":
            thinking = part.get("thinking") or ""
            if isinstance(thinking, list):
                thinking = "".join(inner.get("text") or "" for inner in thinking)
            if thinking:
                events.append(Reasoning(thinking, index))
        elif part.get("type") == "reasoning":  # Databricks
            texts = [summary.get("text") for summary in part.get("summary") or ()]
            events += [Reasoning(text, index) for text in texts if text]
        elif part.get("reference_ids"):  # Mistral
            events.append(ExtraFields({"references": [part]}, index))
