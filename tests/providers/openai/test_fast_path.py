"""What the fast path reads is what the full decoders read, or None."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headway.events import Event, Text
from headway.providers.openai import fast_path as openai_fast_path
from headway.providers.openai import response as openai_response
from headway.response_accumulator import ResponseAccumulator
from headway.wire.sse import SseFramer
from support.for_each import for_each
from support.recordings import Recording, chosen, each

CHATS = chosen(lambda r: r.api == "chat" and r.status == 200)
WHOLE = [recording for recording in CHATS if not recording.stream]
STREAMED = [recording for recording in CHATS if recording.is_sse]
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def whole(**more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Hi"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = {"id": "c-1", "object": "chat.completion", "created": 7, "model": "gpt-4o-2024-08-06"}
    return {**head, "choices": [choice], "usage": USAGE, **more}


def whole_with_choice(**more: Any) -> dict[str, Any]:
    return whole(choices=[{**whole()["choices"][0], **more}])


def accumulate(events: list[Event]) -> ResponseAccumulator:
    answer = ResponseAccumulator()
    answer.add(events)
    return answer


def has_equal_summary(body: bytes) -> bool:
    """Whether there is a summary. It must equal the summary of the decoded response."""
    summary = openai_fast_path.summarize(body)
    if summary is not None:
        answer = accumulate(openai_response.decode_response(body))
        assert summary == answer.summary()
        assert answer.is_finished
        assert answer.failed is None
        assert answer.output()
    return summary is not None


@each(WHOLE)
def test_the_summary_of_a_recorded_response_is_that_of_its_events(recording: Recording) -> None:
    has_equal_summary(recording.body)


BODIES = [
    (whole(), True),
    (whole(service_tier="flex", system_fingerprint=None, id="x"), True),
    (whole(error=None), True),
    (whole(usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 3}}), True),
    (whole(usage={**USAGE, "prompt_cache_hit_tokens": 3, "reasoning_tokens": 2}), True),
    (whole_with_choice(finish_reason="length"), True),
    (whole_with_choice(finish_reason="eos"), False),
    (whole_with_choice(finish_reason=None), False),
    (whole_with_choice(index=1), False),
    (whole_with_choice(message={"role": "", "content": "Hi"}), False),
    (whole_with_choice(message={"content": "Hi"}), False),
    (whole(id=None), False),
    (whole(object=""), False),
    (whole(created=7.5), False),
    (whole_with_choice(message={"content": None, "tool_calls": []}), False),
    (whole_with_choice(message={"role": "assistant", "content": "Hi", "tool_calls": []}), True),
    (whole_with_choice(message={"role": "assistant", "content": "Hi", "tool_calls": [1]}), False),
    (whole_with_choice(message={"role": "assistant", "content": "Hi", "function_call": {}}), False),
    (whole_with_choice(message={"content": ""}), False),
    (whole_with_choice(message={"content": [{"type": "text", "text": "Hi"}]}), False),
    (whole(usage=None), False),
    (whole(usage={}), False),
    (whole(usage={"prompt_tokens": 5}), False),
    (whole(usage={**USAGE, "prompt_tokens": None}), False),
    (whole(usage={**USAGE, "prompt_tokens": 5.5}), False),
    (whole(usage={"prompt_tokens": 5, "completion_tokens": 7}), False),
    (whole(usage={**USAGE, "total_tokens": None}), False),
    (whole(system_fingerprint=7), False),
    (whole(service_tier=""), False),
    (whole_with_choice(logprobs={"content": None}), False),
    (whole_with_choice(logprobs=[]), False),
    (whole_with_choice(message={"role": "assistant", "content": "Hi", "refusal": None}), True),
    (whole_with_choice(message={"role": "assistant", "content": "Hi", "refusal": []}), False),
    (whole(error={"message": "No."}), False),
    (whole(choices=[]), False),
    (whole(choices=whole()["choices"] * 2), False),
]


@for_each(("body", "has_summary"), BODIES)
def test_a_text_with_finish_reason_and_usage_has_a_summary(
    body: dict[str, Any], has_summary: bool
) -> None:
    assert has_equal_summary(json.dumps(body).encode()) == has_summary


def check_text(data: bytes) -> None:
    """A text must be the only event that the full decoder finds."""
    text = openai_fast_path.read_text(data)
    if text is not None:
        chunk = openai_response._decode_completion(data)
        assert openai_response._read_chunk(data, {"tools": {}, "tier": chunk.service_tier}) == [
            Text(text)
        ]


@each(STREAMED)
def test_a_recorded_chunk_read_as_a_text_has_no_other_event(recording: Recording) -> None:
    framer = SseFramer()
    for frame in framer.feed(recording.body) + framer.end():
        check_text(frame.data)


JSON = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", [], {}, ["x"]])
NAMES = ("content", "reasoning", "reasoning_content", "refusal", "tool_calls", "function_call",
         "audio", "annotations", "role", "other")  # fmt: skip
DELTAS = st.dictionaries(st.sampled_from(NAMES), JSON) | JSON
CHOICES = st.fixed_dictionaries(
    {"delta": DELTAS},
    optional=dict.fromkeys(("index", "finish_reason", "logprobs", "other"), JSON),
)
CHUNKS = st.fixed_dictionaries(
    {"choices": st.lists(CHOICES, max_size=2) | JSON},
    optional=dict.fromkeys(("usage", "error", "id", "model", "other"), JSON),
)


@given(CHUNKS)
@example({"choices": [{"delta": {"content": "Hi"}, "index": 0}]})
def test_a_chunk_read_as_a_text_has_no_other_event(chunk: dict[str, Any]) -> None:
    check_text(json.dumps(chunk).encode())


@pytest.mark.parametrize("data", [b"", b"[DONE]", b"{", b"[]", b'"\xff"', b"null"])
def test_data_that_is_no_chunk_has_no_text(data: bytes) -> None:
    assert openai_fast_path.read_text(data) is None


def test_text_that_is_no_utf8_is_left_to_the_full_decoder() -> None:
    chunk = json.dumps({"choices": [{"delta": {"content": "Hi"}}], "id": "x"}).encode()
    assert openai_fast_path.read_text(chunk) == "Hi"
    assert openai_fast_path.read_text(chunk.replace(b'"x"', '"ä"'.encode())) == "Hi"
    assert openai_fast_path.read_text(chunk.replace(b'"x"', b'"\xff"')) is None
