"""Message content that is a list of typed parts instead of a text, as some vendors with OpenAI's
wire format send it."""

from __future__ import annotations

from typing import Any

from headway.events import Event, ExtraFields, Reasoning, Text
from headway.wire.lenient_json import as_text


def read_content_parts(parts: list[Any], index: int, events: list[Event]) -> None:
    """Append the events of choice ``index`` to ``events``. Parts of unknown types are ignored."""
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else "text"
        if not isinstance(kind, str) or not kind:
            kind = "text"
        if kind == "text":
            text = _text_of(part)
            events += [Text(text, index)] if text else []
        elif kind == "thinking":
            thinking = part.get("thinking")
            texts = thinking if isinstance(thinking, list) else [thinking]
            if joined := "".join(map(_text_of, texts)):
                events.append(Reasoning(joined, index))
        elif kind == "reasoning":  # Databricks
            summary = part.get("summary")
            texts = [_text_of(one) for one in (summary if isinstance(summary, list) else ())]
            events += [Reasoning(text, index) for text in texts if text]
        elif part.get("reference_ids"):  # Mistral
            events.append(ExtraFields({"references": [part]}, index))


def _text_of(part: Any) -> str:
    """Of a text itself, or of an object with a text."""
    return as_text(part.get("text") if isinstance(part, dict) else part)
