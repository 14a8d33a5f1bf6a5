from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers.mistral import PROVIDER
from headway.types import ChatRequest, Target

TARGET = Target(provider="mistral", base_url="https://api.mistral.ai/v1", api_key="k")
HI = [{"role": "user", "content": "Hi"}]


def sent(
    messages: list[Any] | None = None, stream: bool = False, **parameters: Any
) -> tuple[dict[str, Any], list[str]]:
    request = ChatRequest(
        model="mistral-large-latest",
        messages=Raw(json.dumps(messages or HI).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        stream=stream,
    )
    adapted, changes = PROVIDER.adapt(request)
    body = json.loads(PROVIDER.encode_request(adapted, TARGET).body)
    return body, [f"{change.action} {change.parameter}" for change in changes]


PLAIN = {"model": "mistral-large-latest", "messages": HI}

# parameters, what they become, what is said of it
PARAMETERS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"temperature": 0.5, "safe_prompt": True}, {"temperature": 0.5, "safe_prompt": True}, []),
    ({"seed": 7}, {"random_seed": 7}, ["renamed seed"]),
    ({"max_completion_tokens": 9}, {"max_tokens": 9}, ["renamed max_completion_tokens"]),
    ({"tool_choice": "required", "top_k": 5}, {"tool_choice": "required", "top_k": 5}, []),
    (
        {"max_tokens": 5, "max_completion_tokens": 9},
        {"max_tokens": 9},
        ["dropped max_tokens", "renamed max_completion_tokens"],
    ),
    ({"random_seed": 9, "seed": 9}, {"random_seed": 9}, ["renamed seed"]),
    ({"tool_choice": "auto"}, {"tool_choice": "auto"}, []),
    ({"logit_bias": {"1": 2}, "user": None}, {}, ["dropped logit_bias"]),
    ({"reasoning": {"effort": "high"}}, {"reasoning_effort": "high"}, ["renamed reasoning"]),
    ({"reasoning": {"max_tokens": 9}}, {}, ["dropped reasoning"]),
    ({"reasoning": "yes"}, {}, ["dropped reasoning"]),
    (
        {"reasoning": {"effort": "low"}, "reasoning_effort": "high"},
        {"reasoning_effort": "high"},
        ["dropped reasoning"],
    ),
    ({"stream_options": {"include_usage": True}}, {}, []),
]


@pytest.mark.parametrize(("given", "wanted", "said"), PARAMETERS)
def test_parameters_become_mistrals(
    given: dict[str, Any], wanted: dict[str, Any], said: list[str]
) -> None:
    assert sent(**given) == ({**PLAIN, **wanted}, said)


def test_a_stream_is_asked_for_without_options() -> None:
    assert sent(stream=True, stream_options={"include_usage": False})[0] == {
        **PLAIN,
        "stream": True,
    }


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}

# a message, what it becomes, what is said of it
MESSAGES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (
        {"role": "assistant", "content": "8", "reasoning_content": "hm"},
        {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "8"}]},
        [],
    ),
    (
        {"role": "assistant", "content": None, "reasoning_content": "hm"},
        {"role": "assistant", "content": [THOUGHT]},
        [],
    ),
    (
        {"role": "assistant", "content": [{"type": "text", "text": "8"}], "reasoning_content": ""},
        {"role": "assistant", "content": [{"type": "text", "text": "8"}]},
        [],
    ),
    (
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "8"}],
            "reasoning_content": "hm",
        },
        {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "8"}]},
        [],
    ),
    (
        {"role": "assistant", "content": "8", "reasoning_details": [{}], "refusal": None},
        {"role": "assistant", "content": "8"},
        ["dropped messages[].reasoning_details"],
    ),
    (
        {"role": "assistant", "content": "8", "reasoning": "hm"},
        {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "8"}]},
        ["renamed messages[].reasoning"],
    ),
    (
        {"role": "assistant", "reasoning": "hm", "reasoning_content": "ah"},
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "ah"}]}],
        },
        ["dropped messages[].reasoning"],
    ),
    (
        {"role": "assistant", "reasoning": "hm", "reasoning_content": None},
        {"role": "assistant", "content": [THOUGHT]},
        ["renamed messages[].reasoning"],
    ),
    (
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "assistant", "content": "No."},
        ["emulated messages[].refusal"],
    ),
    (
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "content": [{"type": "text", "text": "No."}]},
        ["emulated messages[].refusal"],
    ),
    (
        {"role": "developer", "content": "Be brief"},
        {"role": "system", "content": "Be brief"},
        ["renamed developer"],
    ),
    (
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {}}]},
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
        ["dropped messages[].content[].cache_control"],
    ),
    (
        {
            "role": "user",
            "content": [
                {"type": "file", "file": {"file_data": "data:x", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_data": "https://a.example/b.pdf"}},
                {"type": "file", "file": {"file_id": "f1"}},
                {"type": "file", "file_id": "f2"},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "document_url", "document_url": "data:x", "document_name": "a.pdf"},
                {"type": "document_url", "document_url": "https://a.example/b.pdf"},
                {"type": "file", "file_id": "f1"},
                {"type": "file", "file_id": "f2"},
            ],
        },
        [],
    ),
]


@pytest.mark.parametrize(("given", "wanted", "said"), MESSAGES)
def test_messages_become_mistrals(
    given: dict[str, Any], wanted: dict[str, Any], said: list[str]
) -> None:
    assert sent([given]) == ({**PLAIN, "messages": [wanted]}, said)


def test_messages_that_need_no_change_stay_the_bytes_that_they_are() -> None:
    raw = Raw(b'[ {"role":"user",  "content":"Hi"} ]')
    adapted, changes = PROVIDER.adapt(ChatRequest(model="m", messages=raw))
    assert bytes(adapted.messages) == bytes(raw)
    assert changes == ()


def test_of_a_message_with_a_thought_all_else_stays_as_it_is_written() -> None:
    raw = b'[{"role":"assistant","content":[{"x":1.50}],"reasoning_content":"hm","y":1e400}]'
    adapted, _ = PROVIDER.adapt(ChatRequest(model="m", messages=Raw(raw)))
    assert b'{"x":1.50}' in bytes(adapted.messages)
    assert b'"y":1e400' in bytes(adapted.messages)


def test_what_the_caller_gave_beside_our_defaults_is_told() -> None:
    parameters = {"max_tokens": Raw(b"5"), "functions": Raw(b"[]")}
    request = ChatRequest(
        model="m", messages=Raw(b"[]"), parameters=parameters, uses_default_parameters=True
    )
    assert [change.parameter for change in PROVIDER.adapt(request)[1]] == ["functions"]


def test_our_own_defaults_are_all_taken() -> None:
    names = {"temperature": 1, "max_tokens": 2048, "top_p": 1, "presence_penalty": 0}
    body, said = sent(**names)
    assert body == {**PLAIN, **names}
    assert said == []
