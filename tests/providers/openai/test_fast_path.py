"""The short cuts past the adapter say what the adapter would have said, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headway.providers.openai import fast_path as openai_fast_path
from headway.providers.openai import response as openai_response
from headway.response_accumulator import ResponseAccumulator
from headway.types import Event, Text
from headway.wire.sse import SseFramer
from support.recordings import Recording, chosen, each

CHATS = chosen(lambda r: r.api == "chat" and r.status == 200)
WHOLE = [recording for recording in CHATS if not recording.stream]
STREAMED = [recording for recording in CHATS if recording.is_sse]
TOLD = {"prompt_tokens": 5, "completion_tokens": 7}


def whole(**more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}
    return {"choices": [choice], "usage": TOLD, "model": "gpt-4o-2024-08-06", **more}


def chosen_as(**more: Any) -> dict[str, Any]:
    return whole(choices=[{**whole()["choices"][0], **more}])


def folded(events: list[Event]) -> ResponseAccumulator:
    answer = ResponseAccumulator()
    answer.add(events)
    return answer


def agree(body: bytes) -> bool:
    """Whether there is a summary, which must be the answer's own."""
    summary = openai_fast_path.summarize(body)
    if summary is not None:
        answer = folded(openai_response.decode_response(body))
        assert summary == answer.summary()
        assert answer.is_finished
        assert answer.failed is None
        assert answer.output()
    return summary is not None


@each(WHOLE)
def test_a_recorded_answer_is_summed_up_as_it_is_read(recording: Recording) -> None:
    agree(recording.body)


SUMMED = [
    (whole(), True),
    (whole(service_tier="flex", system_fingerprint=None, id="x"), True),
    (whole(error=None), True),
    (whole(usage={**TOLD, "prompt_tokens_details": {"cached_tokens": 3}}), True),
    (whole(usage={**TOLD, "prompt_cache_hit_tokens": 3, "reasoning_tokens": 2}), True),
    (chosen_as(finish_reason="length"), True),
    (chosen_as(finish_reason="eos"), False),
    (chosen_as(finish_reason=None), False),
    (chosen_as(index=1), False),
    (chosen_as(message={"content": None, "tool_calls": []}), False),
    (chosen_as(message={"content": ""}), False),
    (chosen_as(message={"content": [{"type": "text", "text": "Hi"}]}), False),
    (whole(usage=None), False),
    (whole(usage={}), False),
    (whole(usage={"prompt_tokens": 5}), False),
    (whole(usage={**TOLD, "prompt_tokens": None}), False),
    (whole(usage={**TOLD, "prompt_tokens": 5.5}), False),
    (whole(error={"message": "No."}), False),
    (whole(choices=[]), False),
    (whole(choices=whole()["choices"] * 2), False),
]


@pytest.mark.parametrize(("body", "is_summed"), SUMMED)
def test_what_is_summed_up_is_one_text_with_its_end_and_its_usage(
    body: dict[str, Any], is_summed: bool
) -> None:
    assert agree(json.dumps(body).encode()) == is_summed


def read(data: bytes) -> None:
    """A text that is told is all that the plain reading finds."""
    text = openai_fast_path.read_text(data)
    if text is not None:
        chunk = openai_response._decode_completion(data)
        assert openai_response._read_chunk(chunk, {"tools": {}}) == [Text(text)]


@each(STREAMED)
def test_a_recorded_chunk_that_is_told_as_a_text_is_nothing_else(recording: Recording) -> None:
    framer = SseFramer()
    for frame in framer.feed(recording.body) + framer.end():
        read(frame.data)


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
def test_no_chunk_loses_anything_by_being_told_as_a_text(chunk: dict[str, Any]) -> None:
    read(json.dumps(chunk).encode())


@pytest.mark.parametrize("data", [b"", b"[DONE]", b"{", b"[]", b'"\xff"', b"null"])
def test_what_is_no_chunk_is_no_text(data: bytes) -> None:
    assert openai_fast_path.read_text(data) is None
