"""Requests in Anthropic's format: decoded, and converted to OpenAI's."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from msgspec import Raw

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.anthropic.tool_names import short_name
from headway.dialects.base import ClientRequest, DecodedRequest
from headway.errors import HeadwayError, InvalidField
from headway.types import ChatRequest
from headway.wire.sealed_reasoning import PREFIX, seal
from support.dialect_samples import inbound

DIALECT = AnthropicMessages()
HELLO = [{"role": "user", "content": "Hi"}]
GEMINI = [{"type": "reasoning.encrypted", "data": "s", "format": "google-gemini-v1", "id": "c1"}]


def decode(*headers: tuple[bytes, bytes], query: str = "", **fields: Any) -> DecodedRequest:
    body = json.dumps({"model": "openai/m", "messages": HELLO, **fields}).encode()
    return DIALECT.decode(ClientRequest("", headers, body, query))


def convert(**fields: Any) -> tuple[list[Any], dict[str, Any], list[str]]:
    """Messages, parameters, and what was noted."""
    request = decode(**fields).request
    assert isinstance(request, ChatRequest)
    converted, noted = DIALECT.convert_request(request)
    assert converted.native is None
    parameters = {name: json.loads(bytes(raw)) for name, raw in converted.parameters.items()}
    return json.loads(bytes(converted.messages)), parameters, [str(each) for each in noted]


# --- Decoding -------------------------------------------------------------------------------------


def test_the_fields_are_kept_as_the_client_wrote_them() -> None:
    body = (
        b'{"model":"p/m","stream":true,"odd":{"a": 1.50},"messages":[{"role":"user"}],"system":""}'
    )
    decoded = DIALECT.decode(ClientRequest("", (), body))
    assert (decoded.provider, decoded.model_name, decoded.stream) == ("p", "p/m", True)
    request = decoded.request
    assert isinstance(request, ChatRequest)
    assert (request.model, request.stream) == ("m", True)
    assert request.native is not None
    assert list(request.native.fields.items()) == [
        ("odd", Raw(b'{"a": 1.50}')),
        ("messages", Raw(b'[{"role":"user"}]')),
        ("system", Raw(b'""')),
    ]
    assert list(request.parameters) == ["odd"]


def test_feature_headers_and_the_beta_query_are_kept_and_nothing_else() -> None:
    decoded = decode(
        (b"anthropic-beta", b"a"),
        (b"x-api-key", b"secret"),
        (b"authorization", b"Bearer secret"),
        (b"anthropic-beta", b"b,c"),
        (b"anthropic-version", b"2023-06-01"),
        query="key=secret&beta=true",
    )
    assert isinstance(decoded.request, ChatRequest)
    assert decoded.request.native is not None
    assert decoded.request.native.headers == (
        ("anthropic-beta", "a,b,c"),
        ("anthropic-version", "2023-06-01"),
    )
    assert decoded.request.native.query == "beta=true"
    other = decode(query="beta=&key=1").request
    assert isinstance(other, ChatRequest)
    assert other.native is not None
    assert other.native.query == ""


@pytest.mark.parametrize(
    ("headers", "session"),
    [
        ([], None),
        ([(b"x-claude-code-session-id", b"s1")], "s1"),
        ([(b"x-claude-code-session-id", b"s1"), (b"x-headway-session", b"s2")], "s2"),
        ([(b"x-headway-session", b"")], None),
    ],
)
def test_the_session_is_taken_from_the_headers(
    headers: list[tuple[bytes, bytes]], session: str | None
) -> None:
    assert decode(*headers).session_id == session


def test_metrics_and_strictness_are_asked_for_as_on_other_routes() -> None:
    header = (b"x-headway-metrics", b"1")
    assert decode(header, stream=True).shows_metrics
    assert not decode(header).shows_metrics
    decoded = decode(strict=True)
    assert decoded.strict
    assert isinstance(decoded.request, ChatRequest)
    assert "strict" not in decoded.request.parameters


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": 1}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "x"}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"strict": 1}, "strict"),
        ({"api_key": "k"}, "api_key"),
        ({"base_url": "u"}, "base_url"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidField) as caught:
        decode(**fields)
    assert caught.value.param == param


def test_a_body_without_a_model_or_messages_is_refused() -> None:
    for body in ({"messages": HELLO}, {"model": "p/m"}, b"[]", b"{"):
        with pytest.raises(HeadwayError):
            DIALECT.decode(inbound(body, ""))


# --- Messages -------------------------------------------------------------------------------------

PNG = {"type": "base64", "media_type": "image/png", "data": "aGk="}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
MARK = {"type": "ephemeral"}

# block of a user -> parts in OpenAI's format
BLOCKS: list[tuple[dict[str, Any], list[Any]]] = [
    ({"type": "text", "text": "a"}, [{"type": "text", "text": "a"}]),
    ({"type": "text", "text": ""}, []),
    ({"type": "text", "text": None}, []),
    (
        {"type": "text", "text": "a", "cache_control": MARK},
        [{"type": "text", "text": "a", "cache_control": MARK}],
    ),
    (
        {"type": "image", "source": PNG},
        [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}],
    ),
    (
        {
            "type": "image",
            "source": {"type": "url", "url": "https://a.example/b.png"},
            "cache_control": MARK,
        },
        [
            {
                "type": "image_url",
                "image_url": {"url": "https://a.example/b.png"},
                "cache_control": MARK,
            }
        ],
    ),
    (
        {"type": "image", "source": {"type": "file", "file_id": "f1"}},
        [{"type": "file", "file": {"file_id": "f1"}}],
    ),
    (
        {"type": "document", "source": PDF, "title": "a.pdf", "context": "c"},
        [
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
                "context": "c",
            }
        ],
    ),
    (
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "hé"},
            "citations": {"enabled": True},
        },
        [
            {
                "type": "file",
                "file": {
                    "filename": "document.txt",
                    "file_data": "data:text/plain;base64,aMOp",
                },
                "citations": {"enabled": True},
            }
        ],
    ),
    (
        {"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}},
        [
            {
                "type": "file",
                "file": {"filename": "document.pdf", "file_data": "https://a.example/b.pdf"},
            }
        ],
    ),
    (
        {"type": "document", "source": {"type": "file", "file_id": "f1"}, "title": "t"},
        [{"type": "file", "file": {"file_id": "f1"}}],
    ),
    (
        {
            "type": "document",
            "source": {
                "type": "content",
                "content": [{"type": "text", "text": "a"}, {"type": "image", "source": PNG}],
            },
            "cache_control": MARK,
        },
        [
            {"type": "text", "text": "a"},
            {
                "type": "image_url",
                "image_url": {"url": "data:image/png;base64,aGk="},
                "cache_control": MARK,
            },
        ],
    ),
    ({"type": "document", "source": {"type": "content", "content": []}}, []),
    (
        {
            "type": "search_result",
            "title": "T",
            "source": "https://a.example",
            "content": [{"type": "text", "text": "found"}],
            "cache_control": MARK,
        },
        [
            {"type": "text", "text": "T\nhttps://a.example"},
            {"type": "text", "text": "found", "cache_control": MARK},
        ],
    ),
]


@pytest.mark.parametrize(("block", "parts"), BLOCKS)
def test_a_block_becomes_parts(block: dict[str, Any], parts: list[Any]) -> None:
    first = {"type": "text", "text": "See:"}
    messages, _, noted = convert(messages=[{"role": "user", "content": [first, block]}])
    content = [first, *parts] if parts else "See:"
    assert messages == [{"role": "user", "content": content}]
    assert all("search_result" in each for each in noted)


def test_results_of_tools_follow_their_calls_with_images_and_errors() -> None:
    said = [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Bonn"}},
        {"type": "tool_use", "id": "t2", "name": "photo", "cache_control": MARK},
    ]
    results = [
        {"type": "text", "text": "Go on."},
        {"type": "tool_result", "tool_use_id": "t1", "content": "No", "is_error": True},
        {
            "type": "tool_result",
            "tool_use_id": "t2",
            "content": [{"type": "text", "text": "Here"}, {"type": "image", "source": PNG}],
            "cache_control": MARK,
        },
        {"type": "tool_result", "tool_use_id": "t3"},
    ]
    messages, _, noted = convert(
        messages=[
            *HELLO,
            {"role": "assistant", "content": said},
            {"role": "user", "content": results},
            {"role": "user", "content": results[1:2]},
        ]
    )
    call = {"name": "weather", "arguments": '{"city": "Bonn"}'}
    assert messages[1:] == [
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "t1", "type": "function", "function": call},
                {
                    "id": "t2",
                    "type": "function",
                    "function": {"name": "photo", "arguments": "{}"},
                    "cache_control": MARK,
                },
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "No", "is_error": True},
        {
            "role": "tool",
            "tool_call_id": "t2",
            "content": [
                {"type": "text", "text": "Here"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            ],
            "cache_control": MARK,
        },
        {"role": "tool", "tool_call_id": "t3", "content": ""},
        {"role": "user", "content": "Go on."},
        {"role": "tool", "tool_call_id": "t1", "content": "No", "is_error": True},
    ]
    assert noted == []


def test_system_prompts_stand_first_or_where_they_were() -> None:
    billing = {"type": "text", "text": "x-anthropic-billing-header: cch=1;"}
    marked = {"type": "text", "text": "Be kind.", "cache_control": MARK}
    middle = [*HELLO, {"role": "system", "content": "Now."}, {"role": "user", "content": ""}]
    messages, _, noted = convert(system=[billing, marked], messages=middle)
    assert messages == [
        {"role": "system", "content": [marked]},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "Now."},
        {"role": "user", "content": ""},
    ]
    assert noted == [
        "dropped system[].x-anthropic-billing-header: only Anthropic's wire format has it"
    ]
    assert convert(system="Be kind.")[0][0] == {"role": "system", "content": "Be kind."}
    assert convert(system=[billing])[0] == HELLO
    assert convert(system=None)[0] == HELLO


THINKING: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    (
        [{"type": "thinking", "thinking": "Hm", "signature": "S"}],
        {
            "reasoning_content": "Hm",
            "reasoning_details": [
                {
                    "type": "reasoning.text",
                    "text": "Hm",
                    "signature": "S",
                    "format": "anthropic-claude-v1",
                    "index": 0,
                }
            ],
        },
    ),
    (
        [{"type": "redacted_thinking", "data": "D"}],
        {
            "reasoning_details": [
                {
                    "type": "reasoning.encrypted",
                    "data": "D",
                    "format": "anthropic-claude-v1",
                    "index": 0,
                }
            ]
        },
    ),
    (
        [
            {"type": "thinking", "thinking": "Hm", "signature": seal(GEMINI)},
            {"type": "redacted_thinking", "data": seal(GEMINI)},
        ],
        {"reasoning_content": "Hm", "reasoning_details": [*GEMINI, *GEMINI]},
    ),
    (
        [
            {"type": "thinking", "thinking": "a", "signature": ""},
            {"type": "thinking", "thinking": "b", "signature": PREFIX},
            {"type": "redacted_thinking"},
        ],
        {"reasoning_content": "a\n\nb"},
    ),
    ([{"type": "thinking", "thinking": "", "signature": ""}], {}),
]


@pytest.mark.parametrize(("blocks", "fields"), THINKING)
def test_thinking_becomes_reasoning_with_its_signature(
    blocks: list[dict[str, Any]], fields: dict[str, Any]
) -> None:
    said = {"role": "assistant", "content": [*blocks, {"type": "text", "text": "Yes"}]}
    messages, _, noted = convert(messages=[*HELLO, said])
    assert messages[1] == {"role": "assistant", "content": "Yes", **fields}
    assert noted == []


def test_what_only_anthropic_has_is_left_out_and_told() -> None:
    said: list[dict[str, Any]] = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "text", "text": "a", "citations": [{"type": "char_location"}]},
        {"type": "text", "text": "b", "citations": None},
    ]
    asked = [{"type": "container_upload", "file_id": "f"}]
    messages, _, noted = convert(
        messages=[{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    )
    assert messages == [
        {"role": "user", "content": ""},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
    ]
    why = "only Anthropic's wire format has it"
    assert noted == [
        f"dropped messages[].content[].container_upload: {why}",
        f"dropped messages[].content[].server_tool_use: {why}",
        f"dropped messages[].content[].citations: {why}",
    ]


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ({"role": "tool", "content": "x"}, "'tool'"),
        ({"role": "user", "content": 7}, "array"),
        ({"role": "user", "content": [7]}, "object"),
        ({"role": "user", "content": [{"type": "image"}]}, "lacks 'source'"),
        ({"role": "user", "content": [{"type": "tool_result"}]}, "lacks 'tool_use_id'"),
        ({"role": "assistant", "content": [{"type": 7}]}, "str"),
    ],
)
def test_malformed_messages_are_the_clients_error(message: dict[str, Any], part: str) -> None:
    with pytest.raises(InvalidField, match=part) as caught:
        convert(messages=[message])
    assert caught.value.param == "messages"


# --- Parameters -----------------------------------------------------------------------------------

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


@pytest.mark.parametrize(("given", "sent", "noted"), PARAMETERS)
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
