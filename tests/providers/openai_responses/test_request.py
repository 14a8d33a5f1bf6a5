"""What is sent to the Responses API: exact bodies, and what was changed on the way."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.providers.openai_responses.provider import PROVIDER
from headway.types import ChatRequest, Target

TARGET = Target(provider="responses", base_url="https://api.openai.com/v1", api_key="sk-x")
HELLO = [{"role": "user", "content": "Hello"}]
SAID = {"type": "message", "role": "user", "content": "Hello"}
FORMAT = "openai-responses-v1"


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def request(
    model: str = "gpt-4o",
    messages: Any = HELLO,
    stream: bool = False,
    uses_default_parameters: bool = False,
    **parameters: Any,
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=raw(messages),
        parameters={name: raw(value) for name, value in parameters.items()},
        stream=stream,
        uses_default_parameters=uses_default_parameters,
    )


def sent(asked: ChatRequest, **options: Any) -> Any:
    adapted, _ = PROVIDER.adapt(asked)
    target = msgspec.structs.replace(TARGET, options=options)
    return json.loads(PROVIDER.encode_request(adapted, target).body)


def transformations(asked: ChatRequest) -> list[str]:
    return [str(each) for each in PROVIDER.adapt(asked)[1]]


def items(*messages: Any, **parameters: Any) -> Any:
    return sent(request(messages=messages, **parameters))["input"]


# --- The whole request ----------------------------------------------------------------------------


def test_a_request_goes_to_responses_and_nothing_is_stored() -> None:
    http = PROVIDER.encode_request(request(), TARGET)
    assert (http.method, http.url.host, http.url.path) == (
        "POST",
        "api.openai.com",
        "/v1/responses",
    )
    assert dict(http.headers)["authorization"] == "Bearer sk-x"
    assert json.loads(http.body) == {"model": "gpt-4o", "input": [SAID], "store": False}


def test_a_stream_is_asked_for_by_one_word() -> None:
    body = sent(request(stream=True, stream_options={"include_usage": True}))
    assert body == {"model": "gpt-4o", "input": [SAID], "store": False, "stream": True}
    body = sent(request(stream=True, stream_options={"include_obfuscation": False}))
    assert body["stream_options"] == {"include_obfuscation": False}


PARAMETERS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}, []),
    (
        {"max_tokens": 100},
        {"max_output_tokens": 100},
        ["renamed max_tokens -> max_output_tokens"],
    ),
    (
        {"max_completion_tokens": 100, "max_tokens": 1},
        {"max_output_tokens": 100},
        ["renamed max_completion_tokens -> max_output_tokens"],
    ),
    (
        {"max_tokens": 5, "max_output_tokens": 99},
        {"max_output_tokens": 99},
        [
            "renamed max_tokens -> max_output_tokens",
            "clamped max_tokens: 5 -> 16 (minimum)",
        ],
    ),
    (
        {"max_tokens": 5},
        {"max_output_tokens": 16},
        [
            "renamed max_tokens -> max_output_tokens",
            "clamped max_tokens: 5 -> 16 (minimum)",
        ],
    ),
    ({"response_format": {"type": "text"}}, {}, []),
    (
        {"response_format": {"type": "json_object"}, "verbosity": "low"},
        {"text": {"format": {"type": "json_object"}, "verbosity": "low"}},
        [],
    ),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "city", "strict": True, "schema": {"type": "object"}},
            }
        },
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "city",
                    "strict": True,
                    "schema": {"type": "object"},
                }
            }
        },
        [],
    ),
    (
        {"logprobs": True, "top_logprobs": 3, "include": ["file_search_call.results"]},
        {
            "top_logprobs": 3,
            "include": ["file_search_call.results", "message.output_text.logprobs"],
        },
        [],
    ),
    ({"logprobs": False, "n": 1, "seed": None, "stop": [], "logit_bias": {}}, {}, []),
    ({"modalities": ["text"], "min_p": 0, "repetition_penalty": 1}, {}, []),
    (
        {"n": 2, "seed": 1, "stop": ["."], "logit_bias": {"1": 1}, "top_k": 4},
        {},
        [
            f"dropped {name}: unsupported by the Responses API"
            for name in ("n", "seed", "stop", "logit_bias", "top_k")
        ],
    ),
    ({"store": True, "metadata": {"a": "b"}}, {"store": True, "metadata": {"a": "b"}}, []),
    ({"user": "me", "service_tier": "flex"}, {"user": "me", "service_tier": "flex"}, []),
    ({"parallel_tool_calls": False, "new_thing": 1}, {"parallel_tool_calls": False, "new_thing": 1},
     []),
    ({"background": True}, {}, ["dropped background: the gateway waits for the response"]),
    (
        {"web_search_options": {"search_context_size": "low"}},
        {"tools": [{"type": "web_search", "search_context_size": "low"}]},
        ["emulated web_search_options: as a web_search tool"],
    ),
    (
        {
            "tools": [{"type": "mcp", "server_label": "x"}],
            "web_search_options": {
                "user_location": {"type": "approximate", "approximate": {"city": "Bonn"}}
            },
        },
        {
            "tools": [
                {"type": "mcp", "server_label": "x"},
                {"type": "web_search", "user_location": {"type": "approximate", "city": "Bonn"}},
            ]
        },
        ["emulated web_search_options: as a web_search tool"],
    ),
    (
        {"reasoning_effort": "low"},
        {},
        ["dropped reasoning_effort: unsupported by gpt-4o"],
    ),
    ({"reasoning": {"enabled": False}}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected", "said"), PARAMETERS)
def test_parameters_get_this_apis_names(
    given: dict[str, Any], expected: dict[str, Any], said: list[str]
) -> None:
    asked = request(**given)
    body = sent(asked)
    assert body == {"model": "gpt-4o", "input": [SAID], "store": False, **expected}
    assert transformations(asked) == said


def test_a_background_answer_can_be_streamed() -> None:
    assert sent(request(background=True, stream=True))["background"] is True


def test_our_own_defaults_go_without_a_word() -> None:
    given = {
        "temperature": 1,
        "max_tokens": 2048,
        "top_p": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
    }
    for model, kept in (("gpt-4o", {"temperature", "top_p"}), ("o3", set())):
        asked = request(model, uses_default_parameters=True, **given)
        assert transformations(asked) == []
        body = sent(asked)
        assert set(body) - {"model", "input", "store", "include"} == {"max_output_tokens", *kept}


def test_a_reasoning_model_is_not_sent_what_it_refuses() -> None:
    asked = request("o3", temperature=0.1, top_p=0.5)
    assert transformations(asked) == [
        "dropped temperature: unsupported by o3",
        "dropped top_p: unsupported by o3",
    ]
    assert "temperature" not in sent(asked)


# --- Reasoning ------------------------------------------------------------------------------------

ENCRYPTED = ["reasoning.encrypted_content"]
REASONING: list[tuple[dict[str, Any], Any, list[str]]] = [
    ({}, None, []),
    ({"reasoning_effort": "low"}, {"effort": "low"}, []),
    ({"reasoning": {"effort": "high", "summary": "auto"}},
     {"effort": "high", "summary": "auto"}, []),
    ({"reasoning": {"summary": "auto", "exclude": True, "context": "all_turns"}},
     {"context": "all_turns"}, []),
    ({"reasoning": {"enabled": True}}, None, []),
    ({"reasoning": {"enabled": False}}, {"effort": "none"}, []),
    ({"thinking": {"type": "disabled"}}, {"effort": "none"}, []),
    ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {"effort": "low"},
     ["emulated thinking: as effort low"]),
    ({"reasoning": {"max_tokens": 8000}}, {"effort": "medium"},
     ["emulated reasoning: as effort medium"]),
    ({"reasoning": {"max_tokens": 50000}, "reasoning_effort": "low"}, {"effort": "low"},
     ["emulated reasoning_effort: as effort low"]),
    ({"reasoning": {"max_tokens": 50000}}, {"effort": "high"},
     ["emulated reasoning: as effort high"]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected", "said"), REASONING)
def test_reasoning_is_asked_for_under_one_name(
    given: dict[str, Any], expected: Any, said: list[str]
) -> None:
    asked = request("gpt-5", **given)
    body = sent(asked)
    assert body.get("reasoning") == expected
    assert body["include"] == ENCRYPTED
    assert transformations(asked) == said
    assert set(body) <= {"model", "input", "store", "include", "reasoning"}


def test_thoughts_to_send_back_are_asked_of_what_reasons() -> None:
    assert "include" not in sent(request("gpt-4o"))
    assert "include" not in sent(request("grok-4"))
    assert sent(request("grok-4", reasoning_effort="low"))["include"] == ENCRYPTED
    assert sent(request("grok-4"), encrypted_reasoning=True)["include"] == ENCRYPTED
    assert "include" not in sent(request("gpt-5"), encrypted_reasoning=False)
    assert sent(request("gpt-5", include=["a"]))["include"] == ["a", *ENCRYPTED]
    assert sent(request("gpt-5", include=ENCRYPTED))["include"] == ENCRYPTED


def test_a_summary_is_asked_for_where_the_configuration_wants_one() -> None:
    wanted = {"reasoning_summary": "auto"}
    assert sent(request("gpt-5"), **wanted)["reasoning"] == {"summary": "auto"}
    both = {"summary": "auto", "effort": "low"}
    assert sent(request("gpt-5", reasoning_effort="low"), **wanted)["reasoning"] == both
    own = {"summary": "detailed"}
    assert sent(request("gpt-5", reasoning=own), **wanted)["reasoning"] == own
    assert "reasoning" not in sent(request("gpt-4o"), **wanted)


# --- Tools ----------------------------------------------------------------------------------------

WEATHER = {"name": "weather", "description": "of a city", "parameters": {"type": "object"}}
TOOLS: list[tuple[Any, Any]] = [
    (
        {"type": "function", "function": WEATHER},
        {"type": "function", **WEATHER, "strict": False},
    ),
    (
        {"type": "function", "function": {**WEATHER, "strict": True}, "defer_loading": True},
        {"type": "function", **WEATHER, "strict": True, "defer_loading": True},
    ),
    (
        {"function": {"name": "now"}},
        {
            "type": "function",
            "name": "now",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
    ),
    (
        {"type": "custom", "custom": {"name": "sql", "description": "a query"}},
        {"type": "custom", "name": "sql", "description": "a query"},
    ),
    (
        {
            "type": "custom",
            "custom": {
                "name": "sql",
                "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}},
            },
        },
        {
            "type": "custom",
            "name": "sql",
            "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
        },
    ),
    ({"type": "web_search"}, {"type": "web_search"}),
    ({"type": "function", "name": "flat"}, {"type": "function", "name": "flat"}),
]


@pytest.mark.parametrize(("given", "expected"), TOOLS)
def test_tools_are_flat_and_strict_only_if_they_say_so(given: Any, expected: Any) -> None:
    asked = request(tools=[given])
    assert sent(asked)["tools"] == [expected]
    assert transformations(asked) == []


CHOICES: list[tuple[Any, Any]] = [
    ("required", "required"),
    ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
    ({"type": "custom", "custom": {"name": "c"}}, {"type": "custom", "name": "c"}),
    ({"type": "function", "name": "f"}, {"type": "function", "name": "f"}),
    ({"type": "web_search"}, {"type": "web_search"}),
    (
        {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [{"type": "function", "function": {"name": "f"}}],
            },
        },
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
    ),
]


@pytest.mark.parametrize(("given", "expected"), CHOICES)
def test_the_choice_of_a_tool_is_flat_too(given: Any, expected: Any) -> None:
    assert sent(request(tool_choice=given))["tool_choice"] == expected


def test_deprecated_functions_are_tools() -> None:
    asked = request(functions=[WEATHER], function_call={"name": "weather"})
    body = sent(asked)
    assert body["tools"] == [{"type": "function", **WEATHER, "strict": False}]
    assert body["tool_choice"] == {"type": "function", "name": "weather"}
    assert transformations(asked) == [
        "renamed functions -> tools",
        "renamed function_call -> tool_choice",
    ]
    assert sent(request(function_call="none"))["tool_choice"] == "none"


def test_marks_for_a_cache_are_not_sent() -> None:
    mark = {"type": "ephemeral"}
    part = {"type": "text", "text": "a", "cache_control": mark}
    tool = {"type": "function", "function": WEATHER, "cache_control": mark}
    asked = request(messages=[{"role": "user", "content": [part]}], tools=[tool])
    body = sent(asked)
    assert b"cache_control" not in json.dumps(body).encode()
    reason = "unsupported by the Responses API, which caches automatically"
    assert transformations(asked) == [
        f"dropped tools[].cache_control: {reason}",
        f"dropped messages[].cache_control: {reason}",
    ]


# --- Messages -------------------------------------------------------------------------------------


def test_a_system_message_that_stands_first_is_the_instructions() -> None:
    system = {"role": "system", "content": "Be brief."}
    body = sent(request(messages=[system, *HELLO]))
    assert (body["instructions"], body["input"]) == ("Be brief.", [SAID])


ITEMS = {
    "system": {"role": "system", "content": "Be brief."},
    "developer": {"role": "developer", "content": "Be brief."},
    "parts": {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
}


def test_other_instructions_stay_in_their_place() -> None:
    item = {"type": "message", **ITEMS["system"]}
    assert items(*HELLO, ITEMS["system"]) == [SAID, item]
    assert items(ITEMS["system"]) == [item]
    assert items(ITEMS["developer"], *HELLO)[0]["role"] == "developer"
    assert items(ITEMS["parts"], *HELLO)[0]["content"] == [
        {"type": "input_text", "text": "Be brief."}
    ]
    body = sent(request(messages=[ITEMS["system"], *HELLO], instructions="Own."))
    assert (body["instructions"], body["input"]) == ("Own.", [item, SAID])


PARTS: list[tuple[Any, Any]] = [
    ({"type": "text", "text": "a"}, {"type": "input_text", "text": "a"}),
    (
        {"type": "image_url", "image_url": {"url": "https://x/a.png", "detail": "low"}},
        {"type": "input_image", "image_url": "https://x/a.png", "detail": "low"},
    ),
    (
        {"type": "image_url", "image_url": "data:image/png;base64,AA=="},
        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
    ),
    ({"type": "file", "file": {"file_id": "f1"}}, {"type": "input_file", "file_id": "f1"}),
    (
        {
            "type": "file",
            "file": {"filename": "a.csv", "file_data": "data:text/csv;base64,"},
        },
        {"type": "input_file", "filename": "a.csv", "file_data": "data:text/csv;base64,"},
    ),
    (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://x/a.pdf"}},
        {"type": "input_file", "file_url": "https://x/a.pdf"},
    ),
    (
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ),
    ({"type": "input_text", "text": "own"}, {"type": "input_text", "text": "own"}),
]


@pytest.mark.parametrize(("given", "expected"), PARTS)
def test_parts_get_this_apis_types(given: Any, expected: Any) -> None:
    assert items({"role": "user", "content": [given]})[0]["content"] == [expected]


def call(number: int, name: str = "weather") -> Any:
    function = {"name": name, "arguments": "{}"}
    return {"id": f"call_{number}", "type": "function", "function": function}


def test_calls_and_their_results_are_items() -> None:
    assistant = {"role": "assistant", "content": "Let me see.", "tool_calls": [call(1), call(2)]}
    image = {"type": "image_url", "image_url": {"url": "https://x/a.png"}}
    results = [
        {"role": "tool", "tool_call_id": "call_1", "content": "20 C"},
        {"role": "tool", "tool_call_id": "call_2", "content": [image]},
    ]
    same = {"type": "function_call", "name": "weather", "arguments": "{}"}
    assert items(*HELLO, assistant, *results) == [
        SAID,
        {"type": "message", "role": "assistant", "content": "Let me see."},
        {**same, "call_id": "call_1"},
        {**same, "call_id": "call_2"},
        {"type": "function_call_output", "call_id": "call_1", "output": "20 C"},
        {
            "type": "function_call_output",
            "call_id": "call_2",
            "output": [{"type": "input_image", "image_url": "https://x/a.png"}],
        },
    ]


def test_a_call_of_a_tool_with_free_text_is_one_again() -> None:
    tools = [{"type": "custom", "custom": {"name": "sql"}}]
    said = {"id": "call_1", "type": "function", "function": {"name": "sql", "arguments": "SELECT"}}
    own = {"id": "call_2", "type": "custom", "custom": {"name": "other", "input": "text"}}
    found = items(
        {"role": "assistant", "tool_calls": [said, own]},
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
        {"role": "tool", "tool_call_id": "call_2", "content": None},
        tools=tools,
    )
    same = {"type": "custom_tool_call"}
    assert found == [
        {**same, "call_id": "call_1", "name": "sql", "input": "SELECT"},
        {**same, "call_id": "call_2", "name": "other", "input": "text"},
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": ""},
    ]


def test_deprecated_function_calls_get_ids() -> None:
    found = items(
        {"role": "assistant", "function_call": {"name": "f", "arguments": ""}},
        {"role": "function", "name": "f", "content": "1"},
        {"role": "assistant", "content": None, "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "function", "name": "g", "content": "2"},
    )
    ids = [item["call_id"] for item in found]
    assert ids == [f"function_call_{number}" for number in (1, 1, 2, 2)]
    assert found[0]["arguments"] == "{}"


def test_what_the_assistant_said_and_refused_goes_back() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}]
    said = [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}]
    item = {"type": "message", "role": "assistant", "content": said}
    assert items({"role": "assistant", "content": parts}) == [item]
    assert items({"role": "assistant", "content": "a", "refusal": "b"}) == [item]
    assert items({"role": "assistant", "refusal": "b"})[0]["content"] == said[1:]
    assert items({"role": "assistant", "content": "a", "phase": "commentary"}) == [
        {"type": "message", "role": "assistant", "content": "a", "phase": "commentary"}
    ]
    assert items({"role": "assistant", "content": ""}) == []


def detail(kind: str, index: int, text: str, **fields: Any) -> Any:
    name = {"summary": "summary", "text": "text", "encrypted": "data"}[kind]
    same = {"id": f"rs_{index}", "format": FORMAT, "index": index}
    return {"type": f"reasoning.{kind}", name: text, **same, **fields}


def test_thoughts_go_back_to_where_they_were() -> None:
    details = [
        detail("summary", 0, "S1"),
        detail("summary", 0, "S2"),
        detail("encrypted", 0, "E0"),
        detail("text", 3, "T3", id=None),
    ]
    search = {"type": "web_search_call", "id": "ws_1", "index": 2}
    assistant = {
        "role": "assistant",
        "content": "Said.",
        "tool_calls": [call(1), call(2)],
        "tool_namespaces": {"call_2": "ns"},
        "reasoning_details": details,
        "output_items": [search],
    }
    summary = [{"type": "summary_text", "text": text} for text in ("S1", "S2")]
    same = {"type": "function_call", "name": "weather", "arguments": "{}"}
    assert items(assistant) == [
        {"type": "reasoning", "id": "rs_0", "summary": summary, "encrypted_content": "E0"},
        {"type": "message", "role": "assistant", "content": "Said."},
        {"type": "web_search_call", "id": "ws_1"},
        {
            "type": "reasoning",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "T3"}],
        },
        {**same, "call_id": "call_1"},
        {**same, "call_id": "call_2", "namespace": "ns"},
    ]


def test_one_that_is_not_sent_back_keeps_its_place() -> None:
    details = [detail("summary", 0, "S"), detail("encrypted", 2, "E")]
    assistant = {"role": "assistant", "content": "a", "tool_calls": [call(1)]}
    back = items({**assistant, "reasoning_details": details})
    assert [item["type"] for item in back] == ["message", "reasoning", "function_call"]


def test_several_messages_go_back_as_they_came_while_the_text_is_theirs() -> None:
    places = [{"index": 0, "length": 3, "phase": "commentary"}, {"index": 2, "length": 0}]
    said = {"role": "assistant", "content": "One", "refusal": "No", "output_messages": places}
    one = {"type": "message", "role": "assistant", "content": "One", "phase": "commentary"}
    no = {"type": "message", "role": "assistant"}
    refusal = {"type": "refusal", "refusal": "No"}
    assert items({**said, "tool_calls": [call(1)]}) == [
        one,
        {"type": "function_call", "name": "weather", "arguments": "{}", "call_id": "call_1"},
        {**no, "content": [refusal]},
    ]
    for content in ("Another", [{"type": "text", "text": "One"}]):
        text = {"type": "output_text", "text": content if isinstance(content, str) else "One"}
        assert items({**said, "content": content}) == [{**no, "content": [text, refusal]}]


def test_a_mark_for_a_cache_is_not_sent_with_parts_and_tools_that_go_as_they_are() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    sound = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
    message = {"role": "user", "content": [{**sound, **mark}]}
    body = sent(request(messages=[message], tools=[{"type": "web_search", **mark}]))
    assert body["input"][0]["content"] == [sound]
    assert body["tools"] == [{"type": "web_search"}]


def test_thoughts_that_cannot_be_sent_back_are_named() -> None:
    other = {**detail("encrypted", 0, "E"), "format": "anthropic-claude-v1"}
    for details in ([detail("summary", 0, "S")], [other], [detail("text", 0, "T", type="x")]):
        assistant = {"role": "assistant", "content": "a", "reasoning_details": details}
        assert [item["type"] for item in items(assistant)] == ["message"]
    asked = request(
        messages=[
            {"role": "assistant", "content": "a", "reasoning_content": "T"},
            {"role": "user", "name": "Ann", "content": "b", "cache_control": {}},
            {"role": "tool", "tool_call_id": "1", "name": "f", "content": "c", "is_error": True},
        ]
    )
    assert transformations(asked) == [
        "dropped messages[].reasoning_content: only reasoning that the Responses API encrypted can"
        " be sent back",
        "dropped messages[].name: unsupported by the Responses API",
        "dropped messages[].cache_control: unsupported by the Responses API, which caches"
        " automatically",
        "dropped messages[].is_error: unsupported by the Responses API",
    ]
    own = {"reasoning_content": "T", "reasoning_details": [detail("encrypted", 0, "E")]}
    assert transformations(request(messages=[{"role": "assistant", **own}])) == []


# --- What is no request ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [{"tools": 1}, {"tools": ["x"]}, {"response_format": []}, {"reasoning": "high"}]
)
def test_parameters_of_a_wrong_shape_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        PROVIDER.adapt(request(**given))


@pytest.mark.parametrize(
    "message",
    [
        {"role": "nobody", "content": "a"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
    ],
)
def test_messages_that_are_none_are_refused(message: Any) -> None:
    with pytest.raises(RequestError) as caught:
        PROVIDER.encode_request(request(messages=[message]), TARGET)
    assert caught.value.param == "messages"


def test_its_parameters_are_listed_under_its_own_names() -> None:
    assert [p.id for p in PROVIDER.parameters_of("gpt-4o")] == [
        "temperature", "max_output_tokens", "top_p",
    ]  # fmt: skip
    assert [p.id for p in PROVIDER.parameters_of("o3")] == ["max_output_tokens"]


def test_embeddings_are_openais() -> None:
    assert PROVIDER.encode_embeddings is not None
    assert PROVIDER.decode_embeddings is not None
