"""OpenAI's parameters become Bedrock's, and the transformations say how."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.providers.bedrock.parameters import adapt
from headway.providers.bedrock.request import encode_request
from headway.providers.wire_formats import BEDROCK
from headway.types import ChatRequest, Target
from support.for_each import for_each

BASE_URL = BEDROCK.base_url or ""

CLAUDE = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
SONNET = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
NOVA_2 = "us.amazon.nova-2-lite-v1:0"
OSS = "openai.gpt-oss-120b-1:0"
GPT = "us.openai.gpt-5.2"
LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"
TITAN = "amazon.titan-text-express-v1"
COMMAND = "cohere.command-r-v1:0"
R1 = "us.deepseek.r1-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
HI = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "f"}}
SPEC = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "n", "description": "d", "schema": SCHEMA},
}


def chat(
    model: str, messages: Any = HI, uses_default_parameters: bool = False, **given: Any
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in given.items()},
        uses_default_parameters=uses_default_parameters,
    )


def outcome(request: ChatRequest) -> tuple[Any, list[str]]:
    """The body without the messages, and the transformations."""
    adapted, changes = adapt(request)
    target = Target(provider="b", base_url=BASE_URL, options={"region": "us-east-1"})
    body = json.loads(encode_request(adapted, target).body)
    body.pop("messages")
    return body, [str(change) for change in changes]


ADDITIONAL = "additionalModelRequestFields"
TOLD = "Answer without calling a tool."

CASES: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    # for all families
    (
        NOVA,
        {"metadata": {"a": "b", "n": 1}, "user": "u", "requestMetadata": {"x": "y"}},
        {"requestMetadata": {"a": "b", "n": "1", "user": "u", "x": "y"}},
        [
            "renamed metadata -> requestMetadata",
            "renamed user -> requestMetadata.user",
        ],
    ),
    (
        CLAUDE,
        {"safety_identifier": "s"},
        {"requestMetadata": {"safety_identifier": "s"}},
        ["renamed safety_identifier -> requestMetadata.safety_identifier"],
    ),
    (CLAUDE, {"service_tier": "auto", "stream_options": {"include_usage": True}}, {}, []),
    (NOVA, {"service_tier": "priority"}, {"serviceTier": {"type": "priority"}}, []),
    (NOVA, {"service_tier": "gold"}, {},
     ["dropped service_tier: gold is unsupported by Amazon Bedrock"]),
    (NOVA, {"response_format": {"type": "text"}, "n": 1, "seed": None}, {}, []),
    (
        NOVA,
        {"n": 2, "seed": 7, "logprobs": True, "frequency_penalty": 0.5},
        {},
        [
            "dropped n: unsupported by Amazon Bedrock",
            "dropped seed: unsupported by Amazon Bedrock",
            "dropped logprobs: unsupported by Amazon Bedrock",
            "dropped frequency_penalty: unsupported by Amazon Bedrock",
        ],
    ),
    (
        NOVA,
        {"temperature": 1.5, "max_completion_tokens": 9, "stop": "x"},
        {"inferenceConfig": {"temperature": 1, "maxTokens": 9, "stopSequences": ["x"]}},
        [
            "renamed stop -> inferenceConfig.stopSequences",
            "renamed max_completion_tokens -> inferenceConfig.maxTokens",
            "clamped temperature: 1.5 -> 1 (maximum)",
        ],
    ),
    # formats
    (
        SONNET,
        {"response_format": FORMAT},
        {
            "outputConfig": {
                "textFormat": {
                    "type": "json_schema",
                    "structure": {
                        "jsonSchema": {
                            "schema": (
                                '{"type":"object","properties":{"a":{"type":"integer",'
                                '"description":"{minimum: 1}"}},"additionalProperties":false}'
                            ),
                            "name": "n",
                            "description": "d",
                        }
                    },
                }
            }
        },
        ["emulated response_format: schema keywords described, not enforced: minimum"],
    ),
    # tools
    (
        NOVA,
        {"tools": [TOOL], "tool_choice": "none"},
        {},
        ["emulated tool_choice: by sending no tools"],
    ),
    (NOVA, {"tool_choice": "auto"}, {}, []),
    (
        NOVA,
        {"tools": [{**TOOL, "defer_loading": True}], "parallel_tool_calls": False},
        {"toolConfig": {"tools": [SPEC]}},
        [
            f"dropped parallel_tool_calls: unsupported by {NOVA}",
            "dropped tools[].defer_loading: unsupported by Amazon Bedrock (tool f)",
        ],
    ),
    (NOVA, {"tools": [TOOL], "parallel_tool_calls": True}, {"toolConfig": {"tools": [SPEC]}}, []),
    (
        LLAMA,
        {"tools": [TOOL], "tool_choice": "required"},
        {
            "toolConfig": {"tools": [SPEC], "toolChoice": {"auto": {}}},
            "system": [{"text": "Answer by calling a tool, whatever else is asked of you."}],
        },
        ["emulated tool_choice: as an instruction in the system prompt"],
    ),
    # top_k
    (CLAUDE, {"top_k": 5}, {ADDITIONAL: {"top_k": 5}}, []),
    (PROFILE, {"top_k": 5}, {ADDITIONAL: {"top_k": 5}}, []),
    (NOVA, {"top_k": 5}, {ADDITIONAL: {"inferenceConfig": {"topK": 5}}}, []),
    (COMMAND, {"top_k": 5}, {ADDITIONAL: {"k": 5}}, []),
    (TITAN, {"top_k": 5}, {}, [f"dropped top_k: unsupported by {TITAN}"]),
    # OpenAI's models take OpenAI's parameters
    (
        OSS,
        {"seed": 7, "top_k": 5},
        {ADDITIONAL: {"seed": 7}},
        [f"dropped top_k: unsupported by {OSS}"],
    ),
    # reasoning
    (OSS, {"reasoning_effort": "high"}, {ADDITIONAL: {"reasoning_effort": "high"}}, []),
    (
        OSS,
        {"reasoning_effort": "none"},
        {ADDITIONAL: {"reasoning_effort": "low"}},
        ["clamped reasoning_effort: none -> low (nearest)"],
    ),
    (GPT, {"reasoning": {"effort": "xhigh"}}, {ADDITIONAL: {"reasoning": {"effort": "xhigh"}}}, []),
    (
        NOVA_2,
        {"reasoning": {"max_tokens": 5000}, "temperature": 0.5},
        {
            "inferenceConfig": {"temperature": 0.5},
            ADDITIONAL: {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}},
        },
        [],
    ),
    (
        NOVA_2,
        {"reasoning": {"enabled": True}},
        {ADDITIONAL: {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}},
        [],
    ),
    (
        NOVA_2,
        {"reasoning": {"enabled": False}},
        {ADDITIONAL: {"reasoningConfig": {"type": "disabled"}}},
        [],
    ),
    (
        NOVA_2,
        {"thinking": {"type": "disabled"}},
        {ADDITIONAL: {"reasoningConfig": {"type": "disabled"}}},
        [],
    ),
    (
        NOVA_2,
        {"thinking": {"type": "enabled", "budget_tokens": 99999}, "max_tokens": 5, "top_p": 0.5},
        {ADDITIONAL: {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}},
        [
            f"dropped top_p: unsupported by {NOVA_2} at high reasoning effort",
            f"dropped max_tokens: unsupported by {NOVA_2} at high reasoning effort",
        ],
    ),
    (
        R1,
        {"reasoning_effort": "low"},
        {},
        [f"dropped reasoning_effort: unsupported by {R1}"],
    ),
    (
        R1,
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {},
        [f"dropped thinking: unsupported by {R1}"],
    ),
    (R1, {"reasoning": {}}, {}, []),
    # Claude has Anthropic's rules
    (
        SONNET,
        {"temperature": 0.5, "top_p": 0.9},
        {"inferenceConfig": {"temperature": 0.5}},
        [f"dropped top_p: unsupported by {SONNET} together with temperature"],
    ),
    (
        CLAUDE,
        {"reasoning_effort": "low", "max_tokens": 8000, "seed": 1},
        {
            "inferenceConfig": {"maxTokens": 8000},
            ADDITIONAL: {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        },
        [
            "dropped seed: unsupported by Amazon Bedrock",
            "renamed reasoning_effort -> thinking.budget_tokens",
        ],
    ),
    (
        CLAUDE,
        {"reasoning": {"max_tokens": 8000}},
        {
            "inferenceConfig": {"maxTokens": 24384},
            ADDITIONAL: {"thinking": {"type": "enabled", "budget_tokens": 8000}},
        },
        ["emulated max_tokens: as the default 24384"],
    ),
    (CLAUDE, {"max_completion_tokens": 5}, {"inferenceConfig": {"maxTokens": 5}},
     ["renamed max_completion_tokens -> max_tokens"]),
]  # fmt: skip


@for_each(("model", "given", "expected", "changes"), CASES)
def test_parameters_are_converted(
    model: str, given: Any, expected: Any, changes: list[str]
) -> None:
    assert outcome(chat(model, **given)) == (expected, changes)


DEFAULTS = {
    "temperature": 1,
    "max_tokens": 2048,
    "top_p": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
}


@pytest.mark.parametrize(
    ("model", "left"),
    [
        (NOVA, {"temperature": 1, "maxTokens": 2048, "topP": 1}),
        (OSS, {"temperature": 1, "maxTokens": 2048, "topP": 1}),
        (CLAUDE, {"temperature": 1, "maxTokens": 2048, "topP": 1}),
        (SONNET, {"temperature": 1, "maxTokens": 2048}),
    ],
)
def test_dropping_a_default_parameter_is_no_transformation(model: str, left: Any) -> None:
    assert outcome(chat(model, uses_default_parameters=True, **DEFAULTS)) == (
        {"inferenceConfig": left},
        [],
    )


@pytest.mark.parametrize(
    ("model", "wanted", "word"),
    [
        (NOVA, {"type": "json_object"}, "Answer with one JSON object"),
        (SONNET, {"type": "json_schema", "json_schema": {}}, "Answer with one JSON object"),
        (NOVA, FORMAT, '"minimum":1'),
        (CLAUDE, FORMAT, '"minimum":1'),
        ("anthropic.claude-opus-4-7", FORMAT, '"minimum":1'),
    ],
)
def test_a_model_without_structured_outputs_gets_an_instruction(
    model: str, wanted: Any, word: str
) -> None:
    body, changes = outcome(chat(model, response_format=wanted))
    (told,) = body.pop("system")
    assert word in told["text"]
    assert body == {}
    assert [change.split(":")[0] for change in changes] == ["emulated response_format"]


CALLED = [
    *HI,
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "1", "function": {"name": "f", "arguments": "{}"}},
        {"id": "2", "function": {"name": "f", "arguments": "{}"}},
    ]},
    {"role": "assistant", "function_call": {"name": "g", "arguments": "{}"}},
    {"role": "user", "content": "so", "tool_calls": None},
]  # fmt: skip
AGAIN = [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in "fg"]


@pytest.mark.parametrize("model", [NOVA, CLAUDE])
def test_tools_that_messages_call_are_declared_again(model: str) -> None:
    body, changes = outcome(chat(model, CALLED))
    assert body == {"system": [{"text": TOLD}], "toolConfig": {"tools": AGAIN}}
    assert changes == ["emulated tools: by declaring again the tools that messages call"]


@pytest.mark.parametrize("model", [NOVA, CLAUDE])
def test_called_tools_stay_declared_when_the_choice_is_none(model: str) -> None:
    body, changes = outcome(chat(model, CALLED, tools=[TOOL], tool_choice="none"))
    assert body == {"system": [{"text": TOLD}], "toolConfig": {"tools": [SPEC]}}
    assert changes == ["emulated tool_choice: as an instruction in the system prompt"]


def test_an_instruction_for_claude_is_sent_once() -> None:
    tools = [TOOL]
    request = chat("anthropic.claude-opus-5-5", tools=tools, tool_choice="required")
    body, changes = outcome(request)
    (told,) = body["system"]
    assert told["text"].startswith("Answer by calling a tool")
    assert [change.split(":")[0] for change in changes] == ["emulated tool_choice"]


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (
            {"role": "user", "name": "Ann", "content": "a"},
            "dropped messages[].name: unsupported by Amazon Bedrock",
        ),
        (
            {"role": "assistant", "content": "a", "reasoning_content": "hm"},
            "dropped messages[].reasoning_content: unsupported by Amazon Bedrock without a",
        ),
        (
            {
                "role": "assistant",
                "content": "a",
                "reasoning_content": "hm",
                "reasoning_details": [{"format": "bedrock-converse-v1"}],
            },
            None,
        ),
        (
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": '"detail"'},
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/png;base64,AA", "detail": "high"},
                    },
                ],
            },
            "dropped messages[].content[].image_url.detail: unsupported by Amazon Bedrock",
        ),
        (
            {
                "role": "user",
                "content": [
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/png;base64,AA", "detail": "auto"},
                    }
                ],
            },
            None,
        ),
        (
            {"role": "developer", "content": "late"},
            "emulated messages: system messages moved before all others",
        ),
    ],
)
def test_unsupported_content_of_messages_is_a_transformation(
    message: Any, change: str | None
) -> None:
    _, changes = outcome(chat(NOVA, [*HI, message]))
    assert [told[: len(change or "")] for told in changes] == ([change] if change else [])


@pytest.mark.parametrize(
    "request_",
    [
        chat(NOVA, tools=5),
        chat(NOVA, thinking=5),
        chat(CLAUDE, tools=[{"function": {}}]),
        chat(NOVA, {"role": "user"}),
        chat(NOVA, metadata=[]),
    ],
)
def test_malformed_values_are_rejected(request_: ChatRequest) -> None:
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        adapt(request_)
