"""Parameters of requests in Anthropic's format, converted to OpenAI's."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from msgspec import Raw

from headway.dialects.anthropic.errors import encode_error
from headway.dialects.anthropic.request_parameters import convert_parameters
from headway.dialects.anthropic.tool_names import short_name
from headway.dialects.base import ClientRequest
from headway.errors import HeadwayError, InvalidField, RequestError
from headway.types import ChatRequest
from headway.wire.sealed_reasoning import seal
from support.for_each import for_each
from support.messages_requests import DIALECT, HELLO, MARK, convert, decode
from support.messages_requests import SIGNED_BY_GOOGLE as GEMINI

TOOL = {"name": "f", "description": "d", "input_schema": {"type": "object"}}
FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object"}}
STRICT = {
    "type": "object",
    "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "required": ["a"],
    "additionalProperties": False,
}
LOOSE = {**STRICT, "required": []}
USER = json.dumps({"session_id": "s" * 60})
NO_LONGER = "only Anthropic's wire format has it"


def schema_format(schema: Any, strict: bool, name: str = "answer") -> dict[str, Any]:
    described = {"name": name, "schema": schema, "strict": strict}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


PARAMETERS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"max_tokens": 9, "temperature": 0.5, "top_k": 3, "odd": [1]}, {}, []),
    ({"stop_sequences": ["a"]}, {"stop": ["a"]}, []),
    ({"stop_sequences": []}, {}, []),
    ({"metadata": {"user_id": "u"}}, {"user": "u"}, []),
    ({"metadata": {"user_id": None}}, {}, []),
    (
        {"metadata": {"user_id": USER}},
        {"user": hashlib.sha256(USER.encode()).hexdigest()},
        ["emulated metadata.user_id: as its SHA-256, being long"],
    ),
    ({"service_tier": "standard_only"}, {"service_tier": "default"}, []),
    ({"service_tier": "auto"}, {"service_tier": "auto"}, []),
    ({"temperature": None, "thinking": None}, {}, []),
    ({"tools": [TOOL]}, {"tools": [{"type": "function", "function": FUNCTION}]}, []),
    (
        {"tools": [{"type": "custom", "name": "f", "strict": True, "cache_control": MARK}]},
        {
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "f",
                        "parameters": {"type": "object", "properties": {}},
                        "strict": True,
                    },
                    "cache_control": MARK,
                }
            ]
        },
        [],
    ),
    (
        {"tools": [{**TOOL, "defer_loading": True}, {"type": "web_fetch_20250910"}]},
        {"tools": [{"type": "function", "function": FUNCTION}]},
        [
            f"dropped tools[].defer_loading: {NO_LONGER}",
            f"dropped tools[].web_fetch_20250910: {NO_LONGER}",
        ],
    ),
    (
        {
            "tools": [TOOL, {"type": "web_search_20250305", "name": "web_search"}],
            "tool_choice": {"type": "auto"},
        },
        {
            "tools": [{"type": "function", "function": FUNCTION}],
            "web_search_options": {},
            "tool_choice": "auto",
        },
        ["emulated tools[].web_search_20250305: as web_search_options"],
    ),
    (
        {
            "tools": [
                {
                    "type": "web_search_20250305",
                    "name": "web_search",
                    "max_uses": 3,
                    "allowed_domains": None,
                    "user_location": {"type": "approximate", "city": "Bonn"},
                }
            ],
            "tool_choice": {"type": "auto"},
        },
        {
            "web_search_options": {
                "user_location": {"type": "approximate", "approximate": {"city": "Bonn"}}
            }
        },
        [
            "emulated tools[].web_search_20250305: as web_search_options",
            f"dropped tools[].web_search_20250305.max_uses: {NO_LONGER}",
        ],
    ),
    (
        {"tools": [{"type": "bash_20250124", "name": "bash"}], "tool_choice": {"type": "any"}},
        {},
        [f"dropped tools[].bash_20250124: {NO_LONGER}"],
    ),
    ({"thinking": {"type": "disabled"}}, {"reasoning": {"enabled": False}}, []),
    ({"thinking": {"type": "adaptive"}}, {"reasoning": {"enabled": True}}, []),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"}},
        {"reasoning": {"max_tokens": 2048, "exclude": True}},
        [],
    ),
    (
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        {"reasoning_effort": "high"},
        [],
    ),
    (
        {
            "thinking": {"type": "enabled", "budget_tokens": 2048},
            "output_config": {"effort": "high"},
        },
        {"reasoning": {"effort": "high", "max_tokens": 2048}},
        [],
    ),
    (
        {"thinking": {"type": "disabled"}, "output_config": {"effort": "low", "new": 1}},
        {"reasoning": {"enabled": False}},
        [
            "dropped output_config.effort: thinking is disabled",
            f"dropped output_config.new: {NO_LONGER}",
        ],
    ),
    ({"output_config": {"effort": "low"}}, {"reasoning_effort": "low"}, []),
    (
        {"output_config": {"format": {"type": "json_schema", "schema": STRICT}}},
        schema_format(STRICT, True),
        [],
    ),
    (
        {"output_format": {"type": "json_schema", "schema": LOOSE, "name": "n"}},
        schema_format(LOOSE, False, "n"),
        [],
    ),
    (
        {"output_format": {"type": "json_schema", "schema": {"anyOf": [STRICT, LOOSE]}}},
        schema_format({"anyOf": [STRICT, LOOSE]}, False),
        [],
    ),
    (
        {"context_management": {"edits": []}, "speed": "fast", "cache_control": MARK},
        {},
        [
            f"dropped context_management: {NO_LONGER}",
            f"dropped speed: {NO_LONGER}",
            f"dropped cache_control: {NO_LONGER}",
        ],
    ),
]


@for_each(("given", "sent", "noted"), PARAMETERS)
def test_parameters_are_converted(
    given: dict[str, Any], sent: dict[str, Any], noted: list[str]
) -> None:
    kept = {"max_tokens", "temperature", "top_k", "odd"}
    same = {k: v for k, v in given.items() if k in kept and v is not None}
    messages, parameters, found = convert(**given)
    assert messages == HELLO
    assert parameters == {**same, **sent}
    assert found == noted


CHOICES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "auto"}, {"tool_choice": "auto"}),
    ({"type": "any"}, {"tool_choice": "required"}),
    ({"type": "none"}, {"tool_choice": "none"}),
    (
        {"type": "tool", "name": "f"},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
    ),
    (
        {"type": "auto", "disable_parallel_tool_use": True},
        {"tool_choice": "auto", "parallel_tool_calls": False},
    ),
    (
        {"type": "any", "disable_parallel_tool_use": False},
        {"tool_choice": "required", "parallel_tool_calls": True},
    ),
]


@pytest.mark.parametrize(("given", "sent"), CHOICES)
def test_a_choice_of_tools_is_converted(given: dict[str, Any], sent: dict[str, Any]) -> None:
    _, parameters, _ = convert(tools=[TOOL], tool_choice=given)
    assert {**parameters, "tools": None} == {"tools": None, **sent}
    assert convert(tool_choice=given)[1] == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metadata", "u"),
        ("tools", [{}]),
        ("tools", 7),
        ("thinking", {}),
        ("output_config", []),
        ("output_format", {"type": "json_schema"}),
    ],
)
def test_a_malformed_parameter_is_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidField) as caught:
        convert(**{name: value})
    assert caught.value.param == name


def test_a_conversation_that_only_anthropic_keeps_is_refused_as_its_client_recovers_from() -> None:
    for thread in ({"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}):
        with pytest.raises(RequestError) as caught:
            convert_parameters({"thread": Raw(json.dumps(thread).encode())}, {})
        body = json.loads(encode_error(caught.value, "id-1"))
        assert body["error"]["type"] == "invalid_request_error"
        details = {"error_code": "thread_unsupported_request", "unsupported": []}
        assert body["error"]["details"] == details


def test_a_prefix_of_a_conversation_converts_to_a_prefix() -> None:
    """Prompt caches hit on every turn."""
    history: list[Any] = []
    before = ""
    for turn in range(10):
        history += [
            {"role": "user", "content": f"Question {turn}"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": seal(GEMINI)},
                    {"type": "tool_use", "id": f"t{turn}", "name": "f", "input": {"b": 1, "a": 2}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": f"t{turn}", "content": "x"}],
            },
        ]
        request = decode(messages=history, system="Be kind.").request
        assert isinstance(request, ChatRequest)
        sent = bytes(DIALECT.convert_request(request)[0].messages).decode()
        assert sent.startswith(before)
        before = sent.removesuffix("]")


def test_long_names_of_tools_are_cut_the_same_everywhere() -> None:
    long = "mcp__" + "a" * 80
    short = short_name(long)
    assert len(short) == 64
    assert short_name(long + "b")[:55] == short[:55]
    assert short_name(long + "b") != short
    call = {"type": "tool_use", "id": "t", "name": long, "input": {}}
    messages, parameters, noted = convert(
        messages=[*HELLO, {"role": "assistant", "content": [call]}],
        tools=[{**TOOL, "name": long}],
        tool_choice={"type": "tool", "name": long},
    )
    assert messages[1]["tool_calls"][0]["function"]["name"] == short
    assert parameters["tools"][0]["function"]["name"] == short
    assert parameters["tool_choice"]["function"]["name"] == short
    assert noted == ["emulated tools[].name: cut to 64 characters with a hash"]


def convert_body(body: bytes) -> None:
    request = DIALECT.decode(ClientRequest("", (), body)).request
    assert isinstance(request, ChatRequest)
    DIALECT.convert_request(request)


def test_a_body_that_is_nested_too_deeply_is_the_clients_error() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    for name in ("tools", "messages", "output_format"):
        body = f'{{"model":"p/m","messages":{json.dumps(HELLO)},"{name}":{deep}}}'.encode()
        with pytest.raises(HeadwayError) as caught:
            convert_body(body)
        assert DIALECT.status_of(caught.value) == 400
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(100):
        schema = {"anyOf": [schema]}
    assert convert(output_format={"type": "json_schema", "schema": schema})[1]
