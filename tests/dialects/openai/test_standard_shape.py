"""The shape of a chunk and of a completion that may be passed through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.openai.standard_shape import is_standard_completion, read_standard_chunk
from support.for_each import for_each
from support.openai_completions import base, finish, role, text, tool_start, usage
from support.recordings import Recording, chosen, each

RELAYED = chosen(
    lambda r: (
        r.api == "chat"
        and r.status == 200
        and r.provider not in ("cohere", "mistral", "ollama", "openrouter", "perplexity")
    )
)
ENVELOPE = {"id": "c-1", "object": "chat.completion", "created": 7, "model": "m"}


def with_choice(**fields: Any) -> dict[str, Any]:
    given = {"index": 0, "delta": {"content": "a"}, "finish_reason": None, **fields}
    choice = {name: value for name, value in given.items() if value is not ...}
    return {**base(), "choices": [choice]}


def call(**fields: Any) -> dict[str, Any]:
    return with_choice(delta={"tool_calls": [{"index": 0, **fields}]})


def completion(message: Any = None, finish: Any = "stop", **fields: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "a"} if message is None else message
    choice = {"index": 0, "message": said, "finish_reason": finish}
    return {**ENVELOPE, "choices": [choice], **fields}


def counts(**fields: Any) -> dict[str, Any]:
    return {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, **fields}


def without_total() -> dict[str, Any]:
    return {"prompt_tokens": 1, "completion_tokens": 2}


@for_each(
    "value",
    [
        role(),
        text("a"),
        text("a", 1),
        finish("length"),
        usage(),
        tool_start(0, "id", "f"),
        call(function={"arguments": ""}),
        with_choice(delta={}),
        with_choice(finish_reason=...),
        with_choice(delta={"content": "a", "reasoning": "hm"}, other=[]),
        {**base(), "id": "", "object": "", "created": 0, "model": "", "choices": []},
        with_choice(logprobs={"content": [], "refusal": None}),
        {**text("a"), "system_fingerprint": "fp_1", "service_tier": "on_demand", "usage": None},
        {**usage(), "usage": counts(prompt_tokens_details={"cached_tokens": 1, "other": []})},
    ],
)
def test_a_chunk_as_openai_documents_it_is_standard(value: dict[str, Any]) -> None:
    found = read_standard_chunk(json.dumps(value).encode())
    assert found is not None
    assert len(found.choices) == len(value["choices"])


ODD_CHUNKS = {
    "an empty role": with_choice(delta={"role": "", "content": "a"}),
    "another role": with_choice(delta={"role": "bot", "content": "a"}),
    "no delta": with_choice(delta=...),
    "a delta of null": with_choice(delta=None),
    "a message for a delta": with_choice(delta=..., message={"content": "a"}),
    "no index": with_choice(index=...),
    "an index of null": with_choice(index=None),
    "an index below zero": with_choice(index=-1),
    "a list of parts": with_choice(delta={"content": [{"type": "text", "text": "a"}]}),
    "another word for a stop": with_choice(finish_reason="STOP"),
    "an empty finish reason": with_choice(finish_reason=""),
    "a call without an index": with_choice(delta={"tool_calls": [{"id": "a"}]}),
    "a call of no type": call(type=""),
    "arguments as an object": call(function={"arguments": {}}),
    "calls in no list": with_choice(delta={"tool_calls": {}}),
    "choices of null": {**base(), "choices": None},
    "no id": {key: value for key, value in text("a").items() if key != "id"},
    "no object": {key: value for key, value in text("a").items() if key != "object"},
    "the object of a whole": {**text("a"), "object": "chat.completion"},
    "no model": {key: value for key, value in text("a").items() if key != "model"},
    "a time with a fraction": {**text("a"), "created": 1757876416.56},
    "an empty object beside a choice": {**text("a"), "object": ""},
    "log probabilities in a list": with_choice(logprobs=[]),
    "a fingerprint that is a number": {**text("a"), "system_fingerprint": 7},
    "an empty tier": {**text("a"), "service_tier": ""},
    "a tier that is a number": {**text("a"), "service_tier": 1},
    "usage without counts": {**text("a"), "usage": {}},
    "usage without a total": {**base(), "choices": [], "usage": without_total()},
    "usage with a count of null": {**usage(), "usage": counts(completion_tokens=None)},
    "usage with a fraction": {**usage(), "usage": counts(prompt_tokens=1.5)},
    "usage with details in a list": {**usage(), "usage": counts(prompt_tokens_details=[])},
    "usage in a list": {**text("a"), "usage": []},
    "nothing": {},
    "no object at all": [],
}


@for_each("value", ODD_CHUNKS.values(), ids=ODD_CHUNKS)
def test_a_chunk_that_strict_clients_refuse_is_not_standard(value: Any) -> None:
    assert read_standard_chunk(json.dumps(value).encode()) is None


@pytest.mark.parametrize("data", [b"", b"[DONE]", b"{", b"error: out of memory"])
def test_data_that_is_not_json_is_no_standard_chunk(data: bytes) -> None:
    assert read_standard_chunk(data) is None


CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CUSTOM = {"id": "b", "type": "custom", "custom": {"name": "py", "input": "1+1"}}


def calling(*calls: Any, **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, "tool_calls": list(calls), **fields}
    return completion(message, "tool_calls")


def with_arguments(arguments: Any) -> dict[str, Any]:
    return {**CALL, "function": {"name": "f", "arguments": arguments}}


WHOLES = [
    (completion(), True),
    (completion(other=[]), True),
    (completion({"role": "assistant", "content": None, "tool_calls": [CALL]}, "tool_calls"), True),
    (completion({"role": "assistant", "content": None, "refusal": "No."}), True),
    (completion({"role": "", "content": "a"}), False),
    (completion({"content": "a"}), False),
    (completion({"role": "assistant", "content": []}), False),
    (calling(CALL, {**CALL, "id": "b"}), True),
    (calling(CALL, CUSTOM), True),
    (calling(with_arguments(' {"a": 1')), True),
    (calling({**CALL, "id": ""}), False),
    (calling({**CALL, "id": None}), False),
    (calling({**CALL, "id": 7}), False),
    (calling(CALL, CALL), False),
    (calling({**CALL, "type": ""}), False),
    (calling({**CALL, "function": None}), False),
    (calling({**CALL, "function": {"name": "", "arguments": "{}"}}), False),
    (calling({**CALL, "function": {"name": "f"}}), False),
    *((calling(with_arguments(each)), False) for each in ("", " ", "null", "[]", None, {}, [])),
    (calling(CALL, function_call={"name": "f", "arguments": "{}"}), False),
    (calling(function_call={"name": "f", "arguments": "{}"}), True),
    (calling(function_call={"name": "f", "arguments": ""}), False),
    (calling(function_call={"name": "", "arguments": "{}"}), False),
    (completion(finish=""), False),
    (completion(finish=None), False),
    (completion(finish="MAX_TOKENS"), False),
    (completion(id=None), False),
    (completion(object="text_completion"), False),
    (completion(created=7.5), False),
    (completion({"role": "assistant", "content": "a", "refusal": []}), False),
    (completion(usage=counts(), system_fingerprint="fp_1", service_tier="on_demand"), True),
    (completion(usage=None, system_fingerprint=None, service_tier=None), True),
    *((completion(usage=each), False) for each in ({}, [], "", 0, without_total())),
    (completion(usage=counts(completion_tokens_details=[])), False),
    (completion(system_fingerprint=7), False),
    (completion(service_tier=""), False),
    ({}, False),
]


@for_each(("value", "is_standard"), WHOLES)
def test_a_completion_is_standard_if_strict_clients_read_it(value: Any, is_standard: bool) -> None:
    assert is_standard_completion(json.dumps(value).encode()) == is_standard


def test_a_body_that_is_not_json_is_no_standard_completion() -> None:
    assert not is_standard_completion(b"<html>")


@each([each_ for each_ in RELAYED if each_.is_sse])
def test_recorded_chunks_of_vendors_that_are_passed_through_are_standard(
    recording: Recording,
) -> None:
    frames = recording_frames(recording)
    assert all(read_standard_chunk(data) is not None for data in frames)


def recording_frames(recording: Recording) -> list[bytes]:
    from headway.wire.sse import SseFramer

    framer = SseFramer()
    frames = framer.feed(recording.body) + framer.end()
    return [frame.data for frame in frames if frame.data not in (b"", b"[DONE]")]
