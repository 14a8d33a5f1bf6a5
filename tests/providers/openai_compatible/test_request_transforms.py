"""Hosts, clouds and servers of one's own: what each is sent, and how its answers read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers import KINDS
from headway.types import ChatRequest, Finished, Text

HI = [{"role": "user", "content": "Hi"}]


def asked(messages: Any = HI, **parameters: Any) -> ChatRequest:
    return ChatRequest(
        model="m",
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
    )


def sent(kind: str, **given: Any) -> tuple[dict[str, Any], list[str]]:
    """The parameters as they go out, and what is said of them."""
    adapted, changes = KINDS[kind].adapt(asked(**given))
    body = {name: json.loads(bytes(raw)) for name, raw in adapted.parameters.items()}
    return body, [f"{change.action} {change.parameter}" for change in changes]


SCHEMA = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"minimum": 1.0}}}
TEXT = {"type": "text"}
JSON = {"type": "json_object"}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}
OBJECT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {}}} for name in ("a", "b", "b2")
]
CHOSEN = {"type": "function", "function": {"name": "b"}}

# kind, what is given, what goes out, what is said of it
SENT: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("sambanova", {"presence_penalty": 1, "top_k": 5, "max_completion_tokens": 9},
     {"top_k": 5, "max_completion_tokens": 9}, ["dropped presence_penalty"]),
    ("deepinfra", {"n": 9, "top_p": 0}, {"n": 4, "top_p": 0.001}, ["clamped n", "clamped top_p"]),
    ("deepinfra", {"n": 4, "max_completion_tokens": 9}, {"n": 4, "max_tokens": 9},
     ["renamed max_completion_tokens"]),
    ("deepinfra", {"reasoning": {"enabled": False}}, {"reasoning": {"enabled": False}}, []),
    ("nvidia_nim", {"max_completion_tokens": 9, "chat_template_kwargs": {"thinking": True}},
     {"max_tokens": 9, "chat_template_kwargs": {"thinking": True}},
     ["renamed max_completion_tokens"]),
    ("nebius", {"max_completion_tokens": 9}, {"max_tokens": 9}, ["renamed max_completion_tokens"]),
    ("novita", {"max_completion_tokens": 9, "separate_reasoning": True},
     {"max_tokens": 9, "separate_reasoning": True}, ["renamed max_completion_tokens"]),
    ("hyperbolic", {"max_completion_tokens": 9}, {"max_tokens": 9},
     ["renamed max_completion_tokens"]),
    ("baseten", {"max_completion_tokens": 9, "n": 2}, {"max_tokens": 9, "n": 1},
     ["renamed max_completion_tokens", "clamped n"]),
    ("databricks", {"seed": 1, "frequency_penalty": 1, "max_completion_tokens": 9, "top_k": 4},
     {"max_tokens": 9, "top_k": 4},
     ["dropped seed", "dropped frequency_penalty", "renamed max_completion_tokens"]),
    ("cloudflare", {"max_completion_tokens": 9, "response_format": FORMAT},
     {"max_tokens": 9, "response_format": FORMAT}, ["renamed max_completion_tokens"]),
    ("vercel", {"reasoning": {"max_tokens": 9}}, {"reasoning": {"max_tokens": 9}}, []),
    ("siliconflow", {"reasoning": {"max_tokens": 2000}}, {"thinking_budget": 2000},
     ["renamed reasoning.max_tokens"]),
    ("siliconflow", {"reasoning": {"max_tokens": 9, "effort": "high"}},
     {"thinking_budget": 128, "reasoning_effort": "high"},
     ["renamed reasoning.max_tokens", "clamped reasoning.max_tokens", "renamed reasoning"]),
    ("siliconflow", {"reasoning": {"effort": "high"}}, {"reasoning_effort": "high"},
     ["renamed reasoning"]),
    ("siliconflow", {"reasoning": {"max_tokens": True}}, {}, ["dropped reasoning"]),
    ("siliconflow", {"reasoning": {"max_tokens": 200}, "thinking_budget": 300},
     {"thinking_budget": 300}, ["dropped reasoning"]),
    ("ai21", {"tool_choice": "auto", "seed": 1, "n": 3}, {"n": 3},
     ["dropped tool_choice", "dropped seed"]),
    ("ai21", {"response_format": FORMAT}, {"response_format": JSON}, ["emulated response_format"]),
    ("venice", {"logit_bias": {"1": 1}, "service_tier": "auto", "venice_parameters": {"a": 1}},
     {"venice_parameters": {"a": 1}}, ["dropped logit_bias", "dropped service_tier"]),
    ("venice", {"reasoning": {"effort": "low", "summary": "auto"}},
     {"reasoning": {"effort": "low", "summary": "auto"}}, []),
    ("vllm", {"reasoning": {"max_tokens": 9}}, {"thinking_token_budget": 9},
     ["renamed reasoning.max_tokens"]),
    ("sglang", {"reasoning": {"effort": "low", "max_tokens": 9}}, {"reasoning": {"effort": "low"}},
     ["dropped reasoning.max_tokens"]),
    ("deepinfra", {"reasoning": {"max_tokens": 9}}, {}, ["dropped reasoning.max_tokens"]),
    ("venice", {"reasoning": {"max_tokens": None}}, {"reasoning": {"max_tokens": None}}, []),
    ("sglang", {"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "low"}}, []),
    ("lmstudio", {"response_format": JSON}, {"response_format": OBJECT},
     ["emulated response_format"]),
    ("lmstudio", {"response_format": FORMAT, "max_completion_tokens": 9},
     {"response_format": FORMAT, "max_tokens": 9}, ["renamed max_completion_tokens"]),
    ("lmstudio", {"tool_choice": CHOSEN, "tools": TOOLS},
     {"tool_choice": "required", "tools": TOOLS[1:2]}, ["emulated tool_choice"]),
    ("llamacpp", {"tool_choice": CHOSEN, "tools": TOOLS},
     {"tool_choice": "required", "tools": TOOLS[1:2]}, ["emulated tool_choice"]),
    ("llamafile", {"tool_choice": "auto", "tools": TOOLS},
     {"tool_choice": "auto", "tools": TOOLS}, []),
    ("llamacpp", {"tool_choice": CHOSEN}, {"tool_choice": CHOSEN}, []),
    ("llamacpp", {"tool_choice": CHOSEN, "tools": TOOLS[:1]},
     {"tool_choice": CHOSEN, "tools": TOOLS[:1]}, []),
    ("llamacpp", {"tool_choice": {"type": "custom"}, "tools": TOOLS},
     {"tool_choice": {"type": "custom"}, "tools": TOOLS}, []),
    ("tgi", {"stop": "END"}, {"stop": ["END"]}, []),
    ("tgi", {"stop": ["a", "b"]}, {"stop": ["a", "b"]}, []),
    ("tgi", {"response_format": FORMAT}, {"response_format": {"type": "json", "value": SCHEMA}},
     []),
    ("tgi", {"response_format": JSON},
     {"response_format": {"type": "json", "value": {"type": "object"}}}, []),
    ("tgi", {"response_format": {"type": "json_schema", "json_schema": {"schema": None}}},
     {"response_format": {"type": "json", "value": {"type": "object"}}}, []),
    ("tgi", {"response_format": TEXT}, {}, []),
    ("tgi", {"response_format": {"type": "regex", "value": "a+"}},
     {"response_format": {"type": "regex", "value": "a+"}}, []),
    ("tgi", {"n": 2, "logit_bias": {"1": 1}, "presence_penalty": -2, "top_p": 0},
     {"n": 1, "presence_penalty": -1.999, "top_p": 0.001},
     ["dropped logit_bias", "clamped top_p", "clamped presence_penalty", "clamped n"]),
    ("tgi", {"presence_penalty": 0, "top_p": 1}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "wanted", "said"), SENT)
def test_each_is_sent_what_it_takes(
    kind: str, given: dict[str, Any], wanted: dict[str, Any], said: list[str]
) -> None:
    assert sent(kind, **given) == (wanted, said)


def test_a_schema_keeps_its_own_text() -> None:
    schema = b'{"type": "object", "properties": {"a": {"minimum": 1e400}}}'
    raw = b'{"type": "json_schema", "json_schema": {"name": "x", "schema": %b}}' % schema
    request = ChatRequest(model="m", messages=Raw(b"[]"), parameters={"response_format": Raw(raw)})
    adapted, _ = KINDS["tgi"].adapt(request)
    assert schema in bytes(adapted.parameters["response_format"])


CALL = {"id": "c", "type": "function", "function": {"name": "a", "arguments": "{}"}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
CONTENTS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"role": "assistant", "content": None, "tool_calls": [CALL]},
     {"role": "assistant", "content": "", "tool_calls": [CALL]}, []),
    ({"role": "assistant", "tool_calls": [CALL]},
     {"role": "assistant", "content": "", "tool_calls": [CALL]}, []),
    ({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
     {"role": "user", "content": "ab"}, []),
    ({"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {}}]},
     {"role": "user", "content": "a"}, ["dropped messages[].content[].cache_control"]),
    ({"role": "user", "content": [{"type": "text", "text": "a"}, PICTURE]},
     {"role": "user", "content": [{"type": "text", "text": "a"}, PICTURE]}, []),
    ({"role": "user", "content": []}, {"role": "user", "content": []}, []),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted", "said"), CONTENTS)
def test_cloudflare_is_sent_content_that_is_a_string(
    given: dict[str, Any], wanted: dict[str, Any], said: list[str]
) -> None:
    adapted, changes = KINDS["cloudflare"].adapt(asked([*HI, given, given]))
    assert json.loads(bytes(adapted.messages)) == [*HI, wanted, wanted]
    assert [f"{change.action} {change.parameter}" for change in changes] == said


def test_messages_of_strings_stay_the_bytes_that_they_are() -> None:
    request = ChatRequest(model="m", messages=Raw(b'[{"role": "user",  "content": "Hi"}]'))
    assert KINDS["cloudflare"].adapt(request) == (request, ())


@pytest.mark.parametrize("kind", ["vercel", "venice", "github_models"])
def test_those_who_know_developers_are_sent_them(kind: str) -> None:
    request = asked([{"role": "developer", "content": "a"}])
    assert KINDS[kind].adapt(request) == (request, ())


# --- Answers --------------------------------------------------------------------------------------


def completion(message: dict[str, Any], **more: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return json.dumps({"id": "1", "model": "m", "choices": [choice], **more}).encode()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"name": "India", "n": 1}, '{"name":"India","n":1}'),
        ('{"name": "India"}', '{"name": "India"}'),
        ('say {"content": {"a": 1}}', 'say {"content": {"a": 1}}'),
    ],
)
def test_content_that_came_parsed_is_text_again(content: Any, text: str) -> None:
    events = KINDS["cloudflare"].decode_response(completion({"content": content}))
    assert [one for one in events if isinstance(one, Text)] == [Text(text)]
    assert Finished("stop") in events


def test_an_object_named_content_elsewhere_changes_nothing() -> None:
    body = completion({"content": "a"}, extra={"content": {"a": 1}})
    assert Text("a") in KINDS["cloudflare"].decode_response(body)


def test_reasoning_beside_the_completion_is_counted_with_it() -> None:
    details = {"reasoning_tokens": 1081}
    usage = {"prompt_tokens": 9, "completion_tokens": 84, "completion_tokens_details": details}
    events = KINDS["deepinfra"].decode_response(completion({"content": "a"}, usage=usage))
    seen = next(one.usage for one in events if hasattr(one, "usage"))
    assert (seen.output_tokens, seen.reasoning_tokens) == (84 + 1081, 1081)


@pytest.mark.parametrize("kind", ["lambda", "github_models"])
def test_what_is_no_longer_served_says_so_in_its_title(kind: str) -> None:
    assert "shut down on 20" in KINDS[kind].title
