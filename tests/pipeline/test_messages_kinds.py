"""A conversation in Anthropic's format, with everything that a coding agent sends, over every kind
of provider."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest
from headway.providers import KINDS
from headway.providers.base import Provider
from headway.types import ChatRequest, Target, Transformation
from headway.wire.sealed_reasoning import MARK as SEALED
from headway.wire.sealed_reasoning import seal
from support.for_each import for_each

DIALECT = AnthropicMessages()
MARK = {"type": "ephemeral"}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
OPTIONS = {"project": "p", "region": "us-east-1", "account_id": "a", "resource": "r"}
CLAUDE = ("anthropic", "vertex_anthropic", "bedrock")
RESPONSES = ("openai_responses", "azure_openai_responses")
ROUTERS = ("openrouter", "vercel", "venice")
"""Vendors that take the reasoning of any other back."""
OF_RESPONSES = {
    "type": "reasoning.encrypted",
    "data": "ENCRYPTED",
    "format": "openai-responses-v1",
    "id": "rs_1",
    "index": 0,
}
SAID = [
    {"type": "thinking", "thinking": "Hm", "signature": "SIGNATURE"},
    {"type": "redacted_thinking", "data": seal([OF_RESPONSES])},
    {"type": "text", "text": "I look."},
    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}},
    {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}},
]


def result(call: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call, "content": content, **more}


def conversation(*seen: dict[str, Any]) -> dict[str, Any]:
    """``seen`` is in the result of a tool."""
    results = [
        result("toolu_1", [{"type": "text", "text": "Found"}, *seen], is_error=True),
        result("toolu_2", "Nothing"),
    ]
    return {
        "max_tokens": 5000,
        "system": [{"type": "text", "text": "Be kind.", "cache_control": MARK}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Look", "cache_control": MARK}]},
            {"role": "assistant", "content": SAID},
            {"role": "user", "content": [*results, {"type": "text", "text": "Go on"}]},
            {"role": "system", "content": "Be brief."},
        ],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [{"name": "look", "input_schema": {"type": "object"}, "cache_control": MARK}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "top_k": 3,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u"},
        "context_management": {"edits": []},
    }


def convert(provider: Provider, body: dict[str, Any]) -> tuple[str, list[str]]:
    """What the provider is sent, and what the client is told."""
    is_claude = provider.name in CLAUDE
    model = "x/claude-sonnet-4-5" if is_claude else "x/m"
    decoded = DIALECT.decode(ClientRequest("", (), json.dumps({**body, "model": model}).encode()))
    assert isinstance(decoded.request, ChatRequest)
    converted, first = DIALECT.convert_request(decoded.request)
    converted = replace(converted, is_converted=True, options=OPTIONS)
    adapted, then = provider.adapt(converted)
    target = Target(
        provider=provider.name,
        base_url=provider.base_url or "http://a.example/v1",
        api_key="k",
        options=OPTIONS,
    )
    told: tuple[Transformation, ...] = (*first, *then)
    return provider.encode_request(adapted, target).body.decode(), [str(each) for each in told]


@for_each("kind", KINDS)
def test_a_conversation_reaches_every_provider(kind: str) -> None:
    sent, told = convert(KINDS[kind], conversation())
    assert SEALED not in sent
    assert "Found" in sent
    assert "Nothing" in sent
    assert ("SIGNATURE" in sent) == (kind in (*CLAUDE, *ROUTERS, "echo"))
    assert ("ENCRYPTED" in sent) == (kind in (*RESPONSES, *ROUTERS, "echo"))
    assert any("context_management" in each for each in told)
    if kind not in (*CLAUDE, *ROUTERS, "echo"):
        assert any("reasoning" in each for each in told), told


TAKES_IMAGES = [kind for kind, provider in KINDS.items() if "images" in provider.capabilities]


@for_each("kind", TAKES_IMAGES)
def test_an_image_in_a_result_is_sent(kind: str) -> None:
    sent, _ = convert(KINDS[kind], conversation({"type": "image", "source": PNG}))
    assert "iVBORw0KGgo=" in sent
