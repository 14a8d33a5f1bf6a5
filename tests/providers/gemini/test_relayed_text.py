"""``read_relayed_text`` reads what is nothing but one text with complete counts."""

from __future__ import annotations

import json
from typing import Any

from headway.providers.gemini.relayed_text import read_relayed_text

USAGE = {"promptTokenCount": 1, "totalTokenCount": 2, "trafficType": "ON_DEMAND"}
TEXT = {"parts": [{"text": "Hi"}], "role": "model"}


def chunk(content: Any = TEXT, usage: Any = USAGE, **more: Any) -> bytes:
    found = {"candidates": [{"content": content, "index": 0, **more}], "usageMetadata": usage}
    return json.dumps({**found, "modelVersion": "m", "responseId": "r"}).encode()


def test_a_text_with_the_usage_so_far_is_read() -> None:
    for data in (chunk(), chunk(safetyRatings=[]), chunk({"parts": [{"text": "Hi"}]})):
        assert read_relayed_text(data) == "Hi", data
    assert read_relayed_text(chunk({"parts": [{"text": "\u00e9"}]})) == "\u00e9"


def test_whatever_else_an_event_has_is_left_to_the_decoder() -> None:
    for data in (
        b"{",
        b'{"text"',
        b'{"error": {}}',
        chunk().replace(b"Hi", b"\xff"),
        chunk({"parts": [{"text": ""}]}),
        chunk({"parts": [{"text": "Hi", "thought": True}]}),
        chunk({"parts": [{"text": "Hi", "thoughtSignature": "x"}]}),
        chunk({"parts": [{"text": "Hi"}, {"text": "Ho"}]}),
        chunk(index=1),
        chunk(finishReason="STOP"),
        chunk(groundingMetadata={}),
        chunk(usage={"trafficType": "ON_DEMAND"}),
        chunk(usage={"promptTokenCount": 0, "totalTokenCount": 2}),
        chunk(usage=None),
    ):
        assert read_relayed_text(data) is None, data
