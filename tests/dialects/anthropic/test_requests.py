"""Requests in Anthropic's format: decoded, and converted to OpenAI's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.dialects.base import ClientRequest
from headway.errors import HeadwayError, InvalidField
from headway.types import ChatRequest
from headway.wire.sealed_reasoning import MARK as SEALED
from headway.wire.sealed_reasoning import seal
from support.dialect_samples import inbound
from support.for_each import for_each
from support.messages_requests import DIALECT, HELLO, MARK, convert, decode
from support.messages_requests import SIGNED_BY_GOOGLE as GEMINI

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


def test_the_session_of_claude_code_is_a_hint() -> None:
    user_id = json.dumps({"session_id": "s1"})
    assert decode(metadata={"user_id": user_id}).session_hint == "s1"
    assert decode(metadata={"user_id": "me"}).session_hint is None


def test_strictness_is_asked_for_as_on_other_routes() -> None:
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


@for_each(("block", "parts"), BLOCKS)
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
            {"type": "thinking", "thinking": "b", "signature": SEALED},
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
