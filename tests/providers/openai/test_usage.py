"""Token counts in OpenAI's format."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from headway.events import Event, Started, UsageReported
from headway.providers.openai.response import decode_event, decode_response
from headway.types import Frame, Usage

BASE = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1718622757,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "system_fingerprint": "fp_1",
}


def frame(value: Any, event: str | None = None) -> Frame:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Frame(data, event, b"data: " + data + b"\n\n")


def chunk(delta: Any = None, index: int = 0, finish: str | None = None, **more: Any) -> Any:
    choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {**BASE, "choices": [choice], **more}


COSTLY = Usage(output_tokens=3, cost_usd=Decimal("0.1"))
ROLE = {"role": "assistant", "content": "", "refusal": None}


def decode(frames: list[Frame]) -> list[Event]:
    state: dict[str, Any] = {}
    return [event for each in frames for event in decode_event(each, state)]


# what it shows, usage as sent, as read
USAGES: list[tuple[str, Any, Usage]] = [
    (
        "counts alone",
        {"prompt_tokens": 6, "completion_tokens": 26, "total_tokens": 32},
        Usage(input_tokens=6, output_tokens=26),
    ),
    (
        "everything",
        {
            "prompt_tokens": 9,
            "completion_tokens": 8,
            "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 1},
            "completion_tokens_details": {
                "reasoning_tokens": 4,
                "audio_tokens": 2,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        Usage(
            input_tokens=9,
            output_tokens=8,
            cache_read_tokens=5,
            reasoning_tokens=4,
            input_audio_tokens=1,
            output_audio_tokens=2,
        ),
    ),
    (
        "tokens written to a cache",
        {"prompt_tokens": 9, "prompt_tokens_details": {"cache_write_tokens": 4}},
        Usage(input_tokens=9, cache_write_tokens=4),
    ),
    (
        "null details",
        {"prompt_tokens": 1, "completion_tokens_details": None, "prompt_tokens_details": None},
        Usage(input_tokens=1),
    ),
    ("nothing known", {}, Usage()),
    ("more than we read", {"completion_tokens": 3, "cost": 0.1}, COSTLY),
]
EACH_USAGE = pytest.mark.parametrize(
    ("sent", "usage"), [row[1:] for row in USAGES], ids=[row[0] for row in USAGES]
)


@EACH_USAGE
def test_usage_of_a_stream_is_read_and_reported_as_sent(sent: Any, usage: Usage) -> None:
    seen = decode([frame(chunk(ROLE, usage=None)), frame({**BASE, "choices": [], "usage": sent})])
    assert [type(event) for event in seen] == [Started, UsageReported]
    assert isinstance(seen[1], UsageReported)
    assert seen[1].usage == usage
    assert json.loads(bytes(seen[1].openai_usage)) == sent


@EACH_USAGE
def test_usage_of_a_whole_response_is_read(sent: Any, usage: Usage) -> None:
    seen = decode_response(json.dumps({**BASE, "choices": [], "usage": sent}).encode())
    assert [event.usage for event in seen if isinstance(event, UsageReported)] == [usage]


def test_counts_of_another_type_are_read_and_shown_as_numbers() -> None:
    sent = {"prompt_tokens": 12.0, "completion_tokens": "x", "cost": 0.1}
    (seen,) = decode([frame({**BASE, "choices": [], "usage": sent})])[1:]
    assert isinstance(seen, UsageReported)
    assert (seen.usage.input_tokens, seen.usage.cost_usd) == (12, Decimal("0.1"))
    assert seen.openai_usage["prompt_tokens"] == 12
