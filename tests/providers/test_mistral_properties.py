"""Generated requests and responses in Mistral's format are converted completely."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st
from msgspec.structs import replace

from headway.providers.mistral import PROVIDER
from headway.providers.role_rules import ACKNOWLEDGED, START, last_system_as_user, move_system_first
from headway.providers.text_rules import drop_empty_answers
from headway.providers.wire_rules import chain
from headway.types import Target, Usage
from support.chat_request_strategies import (
    GeneratedRequest,
    asking,
    check_messages,
    check_parameters,
    parsed,
    sent,
)
from support.chat_response_strategies import (
    Whole,
    Writer,
    answers,
    counted,
    counts,
    expected,
    read_stream,
    read_whole,
    seen,
    streams,
    whole,
)

ORDER = (last_system_as_user, drop_empty_answers, move_system_first)
"""The rules that leave out messages or move them."""
MODELS = ("mistral-large-latest", "magistral-medium-2509")
TARGET = Target(provider="mistral", base_url="https://api.mistral.ai/v1", api_key="k")
RENAMED = {
    "max_completion_tokens": ("max_tokens",),
    "seed": ("random_seed",),
    "reasoning": ("reasoning_effort",),
}


# --- Requests -------------------------------------------------------------------------------------


@given(generated=asking(MODELS))
def test_a_request_is_sent_or_its_transformations_are_listed(generated: GeneratedRequest) -> None:
    found = sent(PROVIDER, generated, TARGET)
    note(str(found))
    check_parameters(generated, found, RENAMED)
    assert parsed(found.body["model"]) == generated.request.model
    assert found.body.get("stream") == ("true" if generated.request.stream else None)
    assert "stream_options" not in found.body
    ordered, _ = chain(ORDER, generated.request)
    messages = parsed(bytes(ordered.messages).decode())
    received = parsed(found.body["messages"])
    if found.says("emulated", "messages"):
        added = (ACKNOWLEDGED, START)
        received = [each for each in received if each.get("content") not in added]
    got = [heard(message) for message in received]
    thoughts = {"reasoning": "reasoning_content"}
    check_messages([spoken(message) for message in messages], found, got, thoughts)


def heard(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message on Mistral's wire as OpenAI's format has it."""
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    parts = [_heard_part(part) for part in content]
    if parts and parts[0]["type"] == "thinking":
        thought = "".join(piece["text"] for piece in parts[0]["thinking"])
        return {**message, "content": parts[1:], "reasoning_content": thought}
    return {**message, "content": parts}


def _heard_part(part: Mapping[str, Any]) -> Mapping[str, Any]:
    if part["type"] == "file":
        return {"type": "file", "file": {"file_id": part["file_id"]}}
    if part["type"] != "document_url":
        return part
    file = {"file_data": part["document_url"]}
    if "document_name" in part:
        file["filename"] = part["document_name"]
    return {"type": "file", "file": file}


def spoken(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message with a thought has a list of contents; a thought of nothing is none."""
    kept = {k: v for k, v in message.items() if v or k not in ("reasoning", "reasoning_content")}
    content = message.get("content")
    if not {"reasoning", "reasoning_content"}.isdisjoint(kept) and not isinstance(content, list):
        kept["content"] = [{"type": "text", "text": content}] if content else []
    return kept


# --- Answers --------------------------------------------------------------------------------------


def thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def thought_and_text(thought: str, text: str) -> dict[str, Any]:
    """A text alone is no list; a thought makes it one."""
    if not thought:
        return {"content": text}
    return {"content": [thinking(thought), *([{"type": "text", "text": text}] if text else [])]}


WRITER = Writer(
    thought=lambda text: {"content": [thinking(text)]},
    both=thought_and_text,
    usage=lambda usage: {"usage": usage},
    usage_at_finish=True,
    finish=lambda reason: {"length": "model_length"}.get(reason, reason),
)
usages = st.fixed_dictionaries(
    {"prompt_tokens": counts, "completion_tokens": counts},
    optional={
        "prompt_audio_seconds": st.integers(0, 9),
        "audio": counts,
        "num_cached_tokens": counts,
        "prompt_tokens_details": st.none() | st.fixed_dictionaries({"cached_tokens": counts}),
    },
).map(lambda usage: summed(**usage))


def summed(audio: int = 0, **usage: Any) -> dict[str, Any]:
    """The audio tokens are counted in the total only."""
    has_audio = usage.get("prompt_audio_seconds") is not None
    listed = usage["prompt_tokens"] + usage["completion_tokens"]
    return {**usage, "total_tokens": listed + (audio if has_audio else 0)}


@given(
    data=st.data(),
    answer=answers(usages, finish=st.sampled_from(["stop", "length", "tool_calls"])),
    is_numbered=st.booleans(),
)
def test_a_whole_response_and_its_stream_agree(
    data: st.DataObject, answer: Whole, is_numbered: bool
) -> None:
    writer = WRITER
    if not is_numbered:  # then its calls come whole
        writer = dataclasses.replace(WRITER, call=lambda index, call: call, cuts_calls=False)
    wanted = expected(answer, expected_usage(answer.usage))
    assert seen(read_whole(PROVIDER, whole(answer, writer))) == wanted
    assert seen(read_stream(PROVIDER, data.draw(streams(answer, writer)))) == wanted


def expected_usage(usage: dict[str, Any] | None) -> Usage | None:
    plain = counted(usage)
    if plain is None or usage is None:
        return None
    listed = usage["prompt_tokens"] + usage["completion_tokens"]
    audio = usage["total_tokens"] - listed
    cached = plain.cache_read_tokens
    if cached is None:
        cached = usage.get("num_cached_tokens")
    plain = replace(plain, cache_read_tokens=cached)
    if not audio:
        return plain
    prompt = usage["prompt_tokens"] + audio
    return replace(plain, input_tokens=prompt, input_audio_tokens=audio)
