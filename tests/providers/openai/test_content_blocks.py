"""Message content that is a list of typed parts."""

from __future__ import annotations

from typing import Any

from headway.events import Event, ExtraFields, Reasoning, Text
from headway.providers.openai.content_blocks import read_content_parts
from support.for_each import for_each

REFERENCE = {"type": "reference", "reference_ids": [1]}
SUMMARIES = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": ""}, {}]

# what it shows, the part, its events
PARTS: list[tuple[str, dict[str, Any], list[Event]]] = [
    ("text", {"type": "text", "text": "Hi"}, [Text("Hi", 1)]),
    ("an empty text", {"type": "text", "text": ""}, []),
    ("thinking", {"type": "thinking", "thinking": "hm"}, [Reasoning("hm", 1)]),
    (
        "thinking in parts",
        {"type": "thinking", "thinking": [{"text": "h"}, {"text": None}, {"text": "m"}]},
        [Reasoning("hm", 1)],
    ),
    ("no thinking", {"type": "thinking"}, []),
    ("Databricks' reasoning", {"type": "reasoning", "summary": SUMMARIES}, [Reasoning("a", 1)]),
    ("Databricks' reasoning without a summary", {"type": "reasoning", "summary": None}, []),
    ("references", REFERENCE, [ExtraFields({"references": [REFERENCE]}, 1)]),
    ("no references", {"type": "reference", "reference_ids": []}, []),
    ("an unknown type", {"type": "new", "text": "Hi"}, []),
    ("no type", {"text": "Hi"}, [Text("Hi", 1)]),
    ("a type that is no text", {"type": 7, "text": "Hi"}, [Text("Hi", 1)]),
]


@for_each(("part", "events"), [row[1:] for row in PARTS], ids=[row[0] for row in PARTS])
def test_each_type_of_part_has_its_events(part: dict[str, Any], events: list[Event]) -> None:
    found: list[Event] = []
    read_content_parts([part], 1, found)
    assert found == events


def test_parts_keep_their_order() -> None:
    found: list[Event] = [Text("first")]
    read_content_parts([{"type": "thinking", "thinking": "hm"}, PARTS[0][1]], 0, found)
    assert found == [Text("first"), Reasoning("hm"), Text("Hi")]
