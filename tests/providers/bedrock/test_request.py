"""Requests to Converse, and to invoke in Claude's format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.bedrock.parameters import adapt
from headway.providers.bedrock.request import encode_request
from headway.providers.bedrock.signing import sign_request
from headway.providers.wire_formats import BEDROCK
from headway.types import ChatRequest, Target
from support.bedrock_requests import CLAUDE, NOVA, SONNET, chat, raw, sent
from support.for_each import for_each

BASE_URL = BEDROCK.base_url or ""

CLAUDE_3_7 = "anthropic.claude-3-7-sonnet-20250219-v1:0"


def plain_chat(model: str = NOVA, stream: bool = False) -> ChatRequest:
    return ChatRequest(
        model=model, messages=raw([{"role": "user", "content": "hi"}]), stream=stream
    )


def target(**options: Any) -> Target:
    options = {"region": "us-east-1", **options}
    return Target(provider="bedrock", base_url=BASE_URL, options=options)


def user(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts)}]


# --- Parameters -----------------------------------------------------------------------------------

HI = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"properties": {}}}}
SPEC = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
THINKS = {"thinking": {"type": "enabled", "budget_tokens": 1024}}

BODIES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (NOVA, {}, {}),
    (
        NOVA,
        {"max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "stop": "x", "seed": None},
        {
            "inferenceConfig": {
                "maxTokens": 5,
                "temperature": 0.5,
                "topP": 0.9,
                "stopSequences": ["x"],
            }
        },
    ),
    (
        NOVA,
        {"inferenceConfig": {"maxTokens": 1}, "max_tokens": 5, "stop": ["a", "b"]},
        {"inferenceConfig": {"maxTokens": 1, "stopSequences": ["a", "b"]}},
    ),
    (
        NOVA,
        {"tools": [TOOL], "tool_choice": "auto"},
        {"toolConfig": {"tools": [SPEC], "toolChoice": {"auto": {}}}},
    ),
    (
        NOVA,
        {"tools": [TOOL], "tool_choice": "required"},
        {"toolConfig": {"tools": [SPEC], "toolChoice": {"any": {}}}},
    ),
    (
        SONNET,
        {
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "f",
                        "description": "d",
                        "parameters": {"type": "object"},
                        "strict": True,
                    },
                    "cache_control": {"type": "ephemeral"},
                },
                {"systemTool": {"name": "s"}},
                {"type": "computer_20250124", "name": "computer"},
            ],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "parallel_tool_calls": False,
        },
        {
            "toolConfig": {
                "tools": [
                    {
                        "toolSpec": {
                            "name": "f",
                            "description": "d",
                            "inputSchema": {
                                "json": {"type": "object", "additionalProperties": False}
                            },
                            "strict": True,
                        }
                    },
                    {"cachePoint": {"type": "default"}},
                    {"systemTool": {"name": "s"}},
                ],
                "toolChoice": {"tool": {"name": "f"}},
            },
            "additionalModelRequestFields": {
                "tools": [{"type": "computer_20250124", "name": "computer"}],
                "tool_choice": {"disable_parallel_tool_use": True},
            },
        },
    ),
    (
        SONNET,
        {"tools": [TOOL], "parallel_tool_calls": False},
        {
            "toolConfig": {"tools": [SPEC]},
            "additionalModelRequestFields": {
                "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}
            },
        },
    ),
    (
        SONNET,
        {"tools": [{"type": "computer_20250124", "name": "computer"}], "tool_choice": "auto"},
        {
            "additionalModelRequestFields": {
                "tools": [{"type": "computer_20250124", "name": "computer"}]
            },
        },
    ),
    (SONNET, {"tools": [TOOL], "tool_choice": {"type": "odd"}}, {"toolConfig": {"tools": [SPEC]}}),
    (CLAUDE, THINKS, {"additionalModelRequestFields": THINKS}),
    (
        CLAUDE,
        {"top_k": 5, "top_q": 1, "additionalModelRequestFields": {"top_k": 6}},
        {"additionalModelRequestFields": {"top_k": 6, "top_q": 1}},
    ),
    (
        "anthropic.claude-opus-4-6-v1",
        {"reasoning_effort": "high", "output_config": {"task_budget": 1}},
        {
            "additionalModelRequestFields": {
                "output_config": {"task_budget": 1},
                "thinking": {"type": "adaptive"},
            },
            "outputConfig": {"effort": "high"},
        },
    ),
    (
        NOVA,
        {
            "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
            "performanceConfig": {"latency": "optimized"},
            "serviceTier": {"type": "flex"},
            "promptVariables": {"a": {"text": "b"}},
            "additionalModelResponseFieldPaths": ["/x"],
            "requestMetadata": {"a": "b"},
        },
        {
            "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
            "performanceConfig": {"latency": "optimized"},
            "serviceTier": {"type": "flex"},
            "promptVariables": {"a": {"text": "b"}},
            "additionalModelResponseFieldPaths": ["/x"],
            "requestMetadata": {"a": "b"},
        },
    ),
]


@for_each(("model", "parameters", "expected"), BODIES)
def test_converse_bodies(model: str, parameters: Any, expected: Any) -> None:
    said = [{"role": "user", "content": [{"text": "hi"}]}]
    assert sent(chat(model, HI, **parameters)) == {"messages": said, **expected}


def test_betas_are_sent_to_claude_only() -> None:
    body = sent(chat(CLAUDE, HI), beta="a, b")
    assert body["additionalModelRequestFields"] == {"anthropic_beta": ["a", "b"]}
    assert "additionalModelRequestFields" not in sent(chat(NOVA, HI), beta="a")


def test_the_parameter_system_precedes_system_messages() -> None:
    messages = [{"role": "system", "content": "b"}, *HI]
    body = sent(chat(NOVA, messages, system=[{"text": "a"}]))
    assert body["system"] == [{"text": "a"}, {"text": "b"}]


# --- Invoke ---------------------------------------------------------------------------------------


def test_invoke_has_claudes_format_with_bedrocks_fields_as_headers() -> None:
    request = chat(
        SONNET,
        [{"role": "system", "content": "s"}, *HI],
        max_tokens=9,
        top_k=3,
        additionalModelRequestFields={"x": 1},
        guardrailConfig={"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
        performanceConfig={"latency": "optimized"},
        service_tier="flex",
        metadata={"team": "a"},
    )
    target = Target(
        provider="bedrock",
        base_url=BASE_URL,
        options={"region": "r", "api": "invoke", "beta": ["b"]},
    )
    http = encode_request(adapt(request)[0], target)
    assert json.loads(http.body) == {
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["b"],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "system": [{"type": "text", "text": "s"}],
        "max_tokens": 9,
        "top_k": 3,
        "x": 1,
    }
    assert dict(http.headers) == {
        "content-type": "application/json",
        "accept": "application/json",
        "x-amzn-bedrock-service-tier": "flex",
        "x-amzn-bedrock-performanceconfig-latency": "optimized",
        "x-amzn-bedrock-guardrailidentifier": "g",
        "x-amzn-bedrock-guardrailversion": "1",
        "x-amzn-bedrock-trace": "ENABLED",
        "x-amzn-bedrock-request-metadata": '{"team":"a"}',
    }


def test_invoke_has_max_tokens_and_schemas_in_claudes_fields() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    body = sent(chat(SONNET, HI, response_format=wanted), api="invoke")
    assert body["max_tokens"] == 16384
    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": {**schema, "additionalProperties": False}}
    }
    thought = sent(chat(CLAUDE, HI, **THINKS), api="invoke")
    assert (thought["max_tokens"], thought["thinking"]) == (17408, THINKS["thinking"])


# --- Addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "stream", "options", "path"),
    [
        (NOVA, False, {}, "amazon.nova-lite-v1%3A0/converse"),
        (NOVA, True, {}, "amazon.nova-lite-v1%3A0/converse-stream"),
        (
            CLAUDE_3_7,
            False,
            {"api": "invoke"},
            "anthropic.claude-3-7-sonnet-20250219-v1%3A0/invoke",
        ),
        (
            CLAUDE_3_7,
            True,
            {"api": "invoke"},
            "anthropic.claude-3-7-sonnet-20250219-v1%3A0/invoke-with-response-stream",
        ),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0",
            False,
            {},
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.amazon.nova-lite-v1%3A0"
            "/converse",
        ),
    ],
)
def test_the_model_is_in_the_path(
    model: str, stream: bool, options: dict[str, Any], path: str
) -> None:
    http = encode_request(plain_chat(model, stream), target(**options))
    assert http.url.host == "bedrock-runtime.us-east-1.amazonaws.com"
    assert http.url.path == f"/model/{path}"
    accept = "application/vnd.amazon.eventstream" if stream else "application/json"
    assert dict(http.headers) == {"content-type": "application/json", "accept": accept}


def test_a_custom_base_url_needs_no_region() -> None:
    place = Target(provider="b", base_url="http://127.0.0.1:9000/aws", api_key="k")
    http = encode_request(plain_chat(), place)
    assert (http.url.port, http.url.path) == (
        9000,
        f"/aws/model/{NOVA.replace(':', '%3A')}/converse",
    )
    assert sign_request("bedrock", http, place, 0.0) is http


@pytest.mark.parametrize(
    ("model", "options", "why"),
    [
        (NOVA, {"api": "invoke"}, "is for Anthropic's models"),
        (CLAUDE_3_7, {"api": "chat"}, "`api` is converse or invoke, not 'chat'"),
    ],
)
def test_an_unsuitable_api_is_rejected(model: str, options: Any, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        encode_request(plain_chat(model), target(**options))


def test_an_application_inference_profile_can_be_invoked() -> None:
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"
    http = encode_request(plain_chat(arn), target(api="invoke"))
    assert json.loads(http.body)["anthropic_version"] == "bedrock-2023-05-31"
