"""Requests in Google's format, as OpenAI's chat requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.base import ClientRequest
from headway.dialects.gemini.generate import GenerateContent
from headway.errors import RequestError
from headway.types import ChatRequest
from headway.wire.sealed_reasoning import seal
from support.for_each import for_each

HI = {"role": "user", "parts": [{"text": "Hi"}]}
HI_MESSAGE = {"role": "user", "content": "Hi"}
ONLY = "only Google has it"
PNG = {"inlineData": {"mimeType": "image/png", "data": "_-8"}}
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,/+8="}}
FORMAT = "google-gemini-v1"


def convert(body: Any) -> tuple[ChatRequest, list[str]]:
    inbound = ClientRequest("openai/gpt-4o", (), json.dumps({"contents": HI, **body}).encode())
    dialect = GenerateContent()
    decoded = dialect.decode(inbound)
    assert isinstance(decoded.request, ChatRequest)
    converted, transformations = dialect.convert_request(decoded.request)
    assert converted.native is None
    return converted, list(map(str, transformations))


def messages(*contents: Any, **more: Any) -> tuple[Any, list[str]]:
    converted, told = convert({"contents": list(contents), **more})
    return json.loads(bytes(converted.messages)), told


def parameters(**body: Any) -> tuple[Any, list[str]]:
    converted, told = convert(body)
    return {name: json.loads(bytes(raw)) for name, raw in converted.parameters.items()}, told


def user(*parts: Any) -> Any:
    return {"role": "user", "parts": list(parts)}


def model(*parts: Any) -> Any:
    return {"role": "model", "parts": list(parts)}


def call(name: str = "f", args: Any = None, **more: Any) -> Any:
    return {"functionCall": {"name": name, "args": args or {}, **more}}


def response(name: str, value: Any, **more: Any) -> Any:
    return {"functionResponse": {"name": name, "response": value, **more}}


def called(*calls: tuple[str, str, str], **more: Any) -> Any:
    tool_calls = [
        {"id": one, "type": "function", "function": {"name": name, "arguments": arguments}}
        for one, name, arguments in calls
    ]
    return {"role": "assistant", "content": None, **more, "tool_calls": tool_calls}


def result(call_id: str, content: Any, **more: Any) -> Any:
    return {"role": "tool", "tool_call_id": call_id, "content": content, **more}


# --- Contents -------------------------------------------------------------------------------------

CONTENTS: list[tuple[Any, Any]] = [
    (HI, HI_MESSAGE),
    ({"parts": {"text": "Hi"}}, HI_MESSAGE),
    ({"parts": ["Hi"]}, HI_MESSAGE),
    ("Hi", HI_MESSAGE),
    (
        user({"text": "a"}, {"text": "b"}),
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
    ),
    (model({"text": "O"}, {"text": "h"}), {"role": "assistant", "content": "Oh"}),
    (model(), {"role": "assistant", "content": ""}),
    (user({"text": "a"}, {"text": ""}), {"role": "user", "content": "a"}),
    (user(PNG), {"role": "user", "content": [PNG_PART]}),
    (
        user({"inline_data": {"mime_type": "image/png", "data": "_-8"}}),
        {"role": "user", "content": [PNG_PART]},
    ),
    (
        model({"text": "Hm", "thought": True}, {"text": "Oh"}),
        {"role": "assistant", "content": "Oh", "reasoning_content": "Hm"},
    ),
]


@for_each(("content", "message"), CONTENTS)
def test_a_content_becomes_a_message(content: Any, message: Any) -> None:
    assert messages(HI, content) == ([HI_MESSAGE, message], [])


def test_contents_of_the_model_in_a_row_are_one_message() -> None:
    found, _ = messages(
        HI,
        model({"text": "Hm", "thought": True}),
        model({"text": "O"}),
        model({"text": "h"}, call("f", id="c1")),
        HI,
        model({"text": "b"}),
    )
    assert found[1] == {**called(("c1", "f", "{}"), reasoning_content="Hm"), "content": "Oh"}
    assert found[2:] == [HI_MESSAGE, {"role": "assistant", "content": "b"}]


def test_images_of_the_model_are_in_the_next_message_of_the_user() -> None:
    found, told = messages(
        HI,
        model({"text": "a"}, PNG, call("f", id="c1")),
        user(response("f", {"output": "b"}, id="c1")),
        model({"text": "c"}, PNG),
        HI,
        model(PNG),
    )
    text = {"type": "text", "text": "Hi"}
    assert found[2:] == [
        result("c1", "b"),
        {"role": "user", "content": [PNG_PART]},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": [PNG_PART, text]},
        {"role": "assistant", "content": ""},
    ]
    method = "images of the model in the next message of the user"
    assert told == [f"emulated contents[].parts: {method}"]


MEDIA: list[tuple[Any, Any]] = [
    (
        {"inlineData": {"mimeType": "audio/mpeg", "data": "YQ=="}},
        {"type": "input_audio", "input_audio": {"data": "YQ==", "format": "mp3"}},
    ),
    (
        {"inlineData": {"mimeType": "audio/wav;rate=8000", "data": "YQ=="}},
        {"type": "input_audio", "input_audio": {"data": "YQ==", "format": "wav"}},
    ),
    (
        {"inlineData": {"mimeType": "application/pdf", "data": "YQ=="}},
        {
            "type": "file",
            "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,YQ=="},
        },
    ),
    (
        {"inlineData": {"mimeType": "text/plain", "data": "YQ==", "displayName": "a.txt"}},
        {
            "type": "file",
            "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,YQ=="},
        },
    ),
    (
        {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/b"}},
        {"type": "image_url", "image_url": {"url": "https://a.example/b"}},
    ),
    (
        {"file_data": {"mime_type": "video/mp4", "file_uri": "https://a.example/b"}},
        {"type": "video_url", "video_url": {"url": "https://a.example/b"}},
    ),
    (
        {"fileData": {"fileUri": "https://a.example/b"}},
        {"type": "file", "file": {"filename": "document", "file_data": "https://a.example/b"}},
    ),
]


@pytest.mark.parametrize(("part", "converted"), MEDIA)
def test_media_become_parts(part: Any, converted: Any) -> None:
    assert messages(user(part)) == ([{"role": "user", "content": [converted]}], [])


NAMES = [
    ("text/plain", "document.txt"),
    ("text/markdown; charset=utf-8", "document.md"),
    ("text/x-python", "document.py"),
    ("text/csv", "document.csv"),
    ("", "document"),
]


@for_each(("media_type", "name"), NAMES)
def test_a_document_without_a_name_gets_one_by_its_type(media_type: str, name: str) -> None:
    found, _ = messages(user({"inlineData": {"mimeType": media_type, "data": "YQ=="}}))
    assert found[0]["content"][0]["file"]["filename"] == name


@for_each(
    ("subtype", "name"),
    [("wave", "wav"), ("x-wav", "wav"), ("vnd.wave", "wav"), ("mp3", "mp3"), ("flac", "flac")],
)
def test_audio_has_openais_name_of_its_format(subtype: str, name: str) -> None:
    found, _ = messages(user({"inlineData": {"mimeType": f"audio/{subtype}", "data": "YQ=="}}))
    assert found[0]["content"][0]["input_audio"]["format"] == name


def test_what_only_google_takes_is_told() -> None:
    video = {"fileData": {"mimeType": "video/mp4", "fileUri": "u"}, "videoMetadata": {"fps": 2}}
    found, told = messages(user(video, {"odd": 1}, {}), model({"text": "a"}, MEDIA[0][0]))
    assert [message["role"] for message in found] == ["user", "assistant"]
    assert told == [
        f"dropped contents[].parts[].videoMetadata: {ONLY}",
        f"dropped contents[].parts[].odd: {ONLY}",
        f"dropped contents[].parts[].: {ONLY}",
        "dropped contents[].parts[].inlineData: an answer can have images only",
    ]


SYSTEMS: list[tuple[Any, Any, list[str]]] = [
    ({"parts": [{"text": "Be kind"}]}, "Be kind", []),
    ({"parts": {"text": "Be kind"}}, "Be kind", []),
    ("Be kind", "Be kind", []),
    (
        {"parts": [{"text": "a"}, {"text": "b"}]},
        [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        [],
    ),
    (
        {"parts": [{"text": "a"}, PNG]},
        "a",
        ["dropped systemInstruction.parts: no provider but Google takes more than texts"],
    ),
]


@for_each("name", ["systemInstruction", "system_instruction"])
@for_each(("given", "content", "told"), SYSTEMS)
def test_a_system_instruction_comes_first(
    given: Any, content: Any, told: list[str], name: str
) -> None:
    expected = [{"role": "system", "content": content}, HI_MESSAGE]
    assert messages(HI, **{name: given}) == (expected, told)


def test_an_empty_system_instruction_is_left_out() -> None:
    assert messages(HI, systemInstruction={"parts": []}) == ([HI_MESSAGE], [])


# --- Function calls and their responses -----------------------------------------------------------


def test_calls_with_ids_keep_them() -> None:
    found, told = messages(
        HI,
        model(call("f", {"a": 1}, id="c1"), call("f", {"a": 2}, id="c2")),
        user(response("f", {"output": "2"}, id="c2"), response("f", {"output": "1"}, id="c1")),
    )
    assert told == []
    assert found[1:] == [
        called(("c1", "f", '{"a":1}'), ("c2", "f", '{"a":2}')),
        result("c2", "2"),
        result("c1", "1"),
    ]


def test_parallel_calls_of_one_tool_without_ids_get_different_ones() -> None:
    found, _ = messages(
        HI,
        model(call("f", {"a": 1}), call("g"), call("f", {"a": 2})),
        user(response("f", {"r": 1}), response("f", {"r": 2}), response("g", {"r": 3})),
        model(call("f")),
        user(response("f", {"r": 4})),
    )
    ids = [one["id"] for message in found for one in message.get("tool_calls", ())]
    assert len(set(ids)) == 4
    results = [(m["tool_call_id"], m["content"]) for m in found if m["role"] == "tool"]
    assert results == [
        (ids[0], '{"r":1}'),
        (ids[2], '{"r":2}'),
        (ids[1], '{"r":3}'),
        (ids[3], '{"r":4}'),
    ]


def test_an_id_that_is_given_twice_becomes_two() -> None:
    found, _ = messages(
        HI,
        model(call("f", id="f"), call("f", id="f")),
        user(response("f", {"r": 1}, id="f"), response("f", {"r": 2}, id="f")),
    )
    ids = [one["id"] for one in found[1]["tool_calls"]]
    assert ids[0] == "f"
    assert len(set(ids)) == 2
    assert [m["tool_call_id"] for m in found[2:]] == ids


def test_an_id_that_the_gateway_would_make_may_be_taken() -> None:
    found, _ = messages(HI, model(call("f", id="call_1_f"), call("f")))
    ids = [one["id"] for one in found[1]["tool_calls"]]
    assert len(set(ids)) == 2


def test_a_response_is_that_of_the_first_call_it_can_belong_to() -> None:
    found, _ = messages(
        HI, model(call("f", id="c1")), user(response("other", {}, id="x"), response("g", 1))
    )
    assert found[2] == result("c1", "{}")
    assert found[3]["tool_call_id"] not in ("", "c1")


RESULTS: list[tuple[Any, Any]] = [
    ({"output": "a"}, result("c1", "a")),
    ({"output": {"b": 1}}, result("c1", '{"b":1}')),
    ({"error": "no"}, result("c1", "no", is_error=True)),
    ({"result": "a"}, result("c1", '{"result":"a"}')),
    ({"output": 1, "error": 2}, result("c1", '{"output":1,"error":2}')),
    (None, result("c1", "{}")),
    ("text", result("c1", "text")),
]


@pytest.mark.parametrize(("value", "message"), RESULTS)
def test_the_value_of_a_response_is_the_content(value: Any, message: Any) -> None:
    found, _ = messages(HI, model(call("f", id="c1")), user(response("f", value, id="c1")))
    assert found[2] == message


def test_media_of_a_response_and_texts_behind_it_stay() -> None:
    reply = response("f", {"output": "a"}, id="c1", parts=[PNG], willContinue=True)
    found, told = messages(HI, model(call("f", id="c1")), user(reply, {"text": "b"}))
    content = [{"type": "text", "text": "a"}, PNG_PART]
    assert found[2:] == [result("c1", content), {"role": "user", "content": "b"}]
    assert told == [f"dropped contents[].parts[].functionResponse.willContinue: {ONLY}"]


def test_the_next_turns_leave_the_messages_before_them_as_they_are() -> None:
    """A provider's prompt cache holds the bytes of a prefix."""
    contents: list[Any] = []
    before = b""
    for turn in range(10):
        contents += [
            user({"text": f"Question {turn}"}, PNG),
            model({"text": "Hm", "thought": True}, call("f", {"n": turn}), call("f", id="f")),
            user(response("f", {"output": turn}), response("f", {"output": [turn]}, id="f")),
            model({"text": f"Answer {turn}", "thoughtSignature": "S"}),
        ]
        converted, _ = convert({"contents": contents, "systemInstruction": "Be kind"})
        after = bytes(converted.messages)
        assert after.startswith(before)
        before = after.removesuffix(b"]")


# --- Reasoning ------------------------------------------------------------------------------------

SIGNED: list[tuple[list[Any], list[Any]]] = [
    (
        [{"text": "Hm", "thought": True, "thoughtSignature": "S"}, {"text": "a"}],
        [{"type": "reasoning.text", "text": "Hm", "signature": "S", "format": FORMAT}],
    ),
    (
        [{"text": "a", "thought_signature": "S"}],
        [{"type": "reasoning.encrypted", "data": "S", "format": FORMAT}],
    ),
    (
        [{"text": "", "thoughtSignature": "S"}],
        [{"type": "reasoning.encrypted", "data": "S", "format": FORMAT, "part": {"text": ""}}],
    ),
    (
        [{**call("f", id="c1"), "thoughtSignature": "S"}],
        [{"type": "reasoning.encrypted", "data": "S", "format": FORMAT, "id": "c1"}],
    ),
    (
        [{**PNG, "thoughtSignature": "S"}],
        [{"type": "reasoning.encrypted", "data": "S", "format": FORMAT}],
    ),
    (
        [{"toolCall": {"a": 1}}],
        [
            {
                "type": "reasoning.encrypted",
                "data": "",
                "format": FORMAT,
                "part": {"toolCall": {"a": 1}},
            }
        ],
    ),
]


@pytest.mark.parametrize(("parts", "details"), SIGNED)
def test_signatures_become_reasoning_details(parts: list[Any], details: list[Any]) -> None:
    found, _ = messages(HI, model(*parts))
    assert found[1]["reasoning_details"] == details


def test_what_the_gateway_sealed_comes_back() -> None:
    details = [{"type": "reasoning.text", "text": "Hm", "signature": "S", "format": "x"}]
    found, told = messages(
        HI,
        model(
            {**call("f", id="c1"), "thoughtSignature": seal(details)},
            {"text": "", "thoughtSignature": seal([], "Aha")},
        ),
    )
    assert found[1] == called(("c1", "f", "{}"), reasoning_content="Aha", reasoning_details=details)
    assert told == []


def test_traces_of_server_tools_become_text() -> None:
    found, told = messages(
        HI,
        model(
            {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
            {"codeExecutionResult": {"output": "1"}},
            {"toolCall": {}},
        ),
    )
    assert found[1]["content"] == "\n```\nprint(1)\n```\n1"
    assert told == ["emulated contents[].parts: the traces of server-side tools as text"]


# --- Tools ----------------------------------------------------------------------------------------

SCHEMA = {
    "type": "OBJECT",
    "properties": {"city": {"type": "STRING", "nullable": True}},
    "required": ["city"],
}
JSON_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": ["string", "null"]}},
    "required": ["city"],
}


def test_declarations_become_tools() -> None:
    declarations = [
        {"name": "f", "description": "F", "parameters": SCHEMA},
        {"name": "g", "parametersJsonSchema": {"type": "OBJECT?"}},
        {"name": "h", "behavior": "BLOCKING"},
    ]
    found, told = parameters(tools=[{"function_declarations": declarations}, {"googleSearch": {}}])
    functions = [
        {"name": "f", "description": "F", "parameters": JSON_SCHEMA},
        {"name": "g", "parameters": {"type": "OBJECT?"}},
        {"name": "h"},
    ]
    assert found == {"tools": [{"type": "function", "function": each} for each in functions]}
    assert told == [
        f"dropped tools[].functionDeclarations[].behavior: {ONLY}",
        f"dropped tools[].googleSearch: {ONLY}",
    ]


def named(*names: str) -> list[Any]:
    return [{"type": "function", "function": {"name": name}} for name in names]


CHOICES: list[tuple[Any, Any]] = [
    ({"mode": "AUTO"}, "auto"),
    ({"mode": "none", "allowedFunctionNames": ["f"]}, "none"),
    ({"mode": "ANY"}, "required"),
    ({"mode": 2}, "required"),
    ({"mode": "ANY", "allowed_function_names": ["f"]}, named("f")[0]),
    (
        {"mode": "ANY", "allowedFunctionNames": ["f", "g"]},
        {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": named("f", "g")},
        },
    ),
    (
        {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": named("f")}},
    ),
    ({"mode": "MODE_UNSPECIFIED"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("calling", "choice"), CHOICES)
def test_a_calling_config_becomes_a_tool_choice(calling: Any, choice: Any) -> None:
    config = {"functionCallingConfig": calling, "retrievalConfig": {}}
    tools = {"functionDeclarations": {"name": "f"}}
    found, told = parameters(tools=tools, tool_config=config)
    assert found.get("tool_choice") == choice
    assert told == [f"dropped toolConfig.retrievalConfig: {ONLY}"]


def test_a_tool_choice_without_tools_is_left_out() -> None:
    assert parameters(toolConfig={"functionCallingConfig": {"mode": "ANY"}}) == ({}, [])


SCHEMAS: list[tuple[Any, Any]] = [
    (SCHEMA, JSON_SCHEMA),
    (
        {"type": 6, "properties": {"type": {"type": 1}}},
        {"type": "object", "properties": {"type": {"type": "string"}}},
    ),
    (
        {"type_": "ARRAY", "items": {"type": "NUMBER"}, "min_items": "2"},
        {"type": "array", "items": {"type": "number"}, "minItems": 2},
    ),
    (
        {"type": "STRING", "format": "enum", "enum": ["a"], "nullable": True},
        {"type": ["string", "null"], "enum": ["a", None]},
    ),
    (
        {"anyOf": [{"type": "STRING"}], "nullable": True},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
    ),
    ({"nullable": True, "title": "t", "default": None}, {"title": "t"}),
    (
        {"type": "TYPE_UNSPECIFIED", "example": 1, "format": "int32"},
        {"format": "int32", "examples": [1]},
    ),
    ({"type": ["string", "null"], "nullable": True}, {"type": ["string", "null"]}),
    (
        {"properties": {"a": {}, "b": True}, "propertyOrdering": ["b", "x"]},
        {"properties": {"b": True, "a": {}}},
    ),
    (
        {"defs": {"A": {"type": "STRING"}}, "ref": "#/defs/A"},
        {"$defs": {"A": {"type": "string"}}, "$ref": "#/defs/A"},
    ),
]


@for_each(("given", "schema"), SCHEMAS)
def test_googles_schema_becomes_json_schema(given: Any, schema: Any) -> None:
    found, _ = parameters(tools=[{"functionDeclarations": [{"name": "f", "parameters": given}]}])
    converted = found["tools"][0]["function"]["parameters"]
    assert json.dumps(converted) == json.dumps(schema)  # the order of properties counts


# --- Parameters -----------------------------------------------------------------------------------

JSON_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "response", "schema": JSON_SCHEMA},
}
CONFIGS: list[tuple[Any, Any]] = [
    (
        {"temperature": 0, "topP": 0.5, "top_k": 3, "candidateCount": 2, "seed": 7},
        {"temperature": 0, "top_p": 0.5, "top_k": 3, "n": 2, "seed": 7},
    ),
    ({"candidateCount": 1, "stopSequences": [], "responseLogprobs": False}, {}),
    (
        {"maxOutputTokens": 9, "stop_sequences": ["a"], "presencePenalty": 1},
        {"max_tokens": 9, "stop": ["a"], "presence_penalty": 1},
    ),
    (
        {"frequencyPenalty": 1, "responseLogprobs": True, "logprobs": 2},
        {"frequency_penalty": 1, "logprobs": True, "top_logprobs": 2},
    ),
    ({"responseMimeType": "application/json"}, {"response_format": {"type": "json_object"}}),
    ({"responseMimeType": "text/plain"}, {}),
    ({"responseSchema": SCHEMA}, {"response_format": JSON_FORMAT}),
    (
        {"response_mime_type": "application/json", "response_json_schema": JSON_SCHEMA},
        {"response_format": JSON_FORMAT},
    ),
    ({"thinkingConfig": {"thinkingLevel": "LOW"}}, {"reasoning_effort": "low"}),
    ({"thinkingConfig": {"thinkingLevel": 2}}, {"reasoning_effort": "high"}),
    ({"thinkingConfig": {"thinking_budget": 0}}, {"reasoning_effort": "none"}),
    ({"thinkingConfig": {"thinkingBudget": 99}}, {"reasoning": {"max_tokens": 99}}),
    ({"thinkingConfig": {"thinkingBudget": -1}}, {"reasoning": {"enabled": True}}),
    ({"thinkingConfig": {"includeThoughts": True}}, {"reasoning": {"enabled": True}}),
    ({"thinkingConfig": {"includeThoughts": False}}, {}),
    ({"responseModalities": ["TEXT"]}, {}),
    ({"responseModalities": ["TEXT", 2]}, {"modalities": ["text", "image"]}),
    (
        {"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}},
        {"audio": {"voice": "Kore", "format": "pcm16"}},
    ),
]


@for_each("name", ["generationConfig", "generation_config"])
@for_each(("config", "expected"), CONFIGS)
def test_a_generation_config_becomes_parameters(config: Any, expected: Any, name: str) -> None:
    assert parameters(**{name: config}) == (expected, [])


def test_further_fields_are_passed_on_or_told() -> None:
    found, told = parameters(
        generationConfig={
            "mediaResolution": "LOW",
            "speechConfig": {"languageCode": "de"},
            "responseMimeType": "text/x.enum",
        },
        safetySettings=[],
        labels={"a": "b"},
        store=False,
        serviceTier="flex",
    )
    assert found == {"store": False, "service_tier": "flex"}
    assert told == [
        f"dropped generationConfig.mediaResolution: {ONLY}",
        "dropped generationConfig.responseMimeType: no provider but Google knows text/x.enum",
        f"dropped generationConfig.speechConfig.languageCode: {ONLY}",
        f"dropped safetySettings: {ONLY}",
        f"dropped labels: {ONLY}",
    ]
    assert parameters(serviceTier="SERVICE_TIER_UNSPECIFIED") == ({}, [])


def test_fields_that_are_null_are_absent() -> None:
    assert parameters(safetySettings=None, generationConfig={"seed": None}) == ({}, [])


# --- Malformed ------------------------------------------------------------------------------------

MALFORMED: list[Any] = [
    {"contents": [user({"inlineData": {}})]},
    {"contents": [user({"fileData": {}})]},
    {"contents": [user(7)]},
    {"contents": [model({"functionCall": "f"})]},
    {"contents": [model({"functionCall": {}})]},
    {"contents": [user({"functionResponse": []})]},
    {"tools": ["f"]},
    {"tools": [{"functionDeclarations": [{}]}]},
    {"toolConfig": 1},
    {"generationConfig": []},
    {"generationConfig": {"thinkingConfig": "high"}},
    {"systemInstruction": 7},
]


@for_each("body", MALFORMED)
def test_a_malformed_request_is_refused(body: Any) -> None:
    with pytest.raises(RequestError, match="no request in Google's format"):
        convert(body)


def test_cached_contents_are_googles() -> None:
    with pytest.raises(RequestError) as caught:
        convert({"cached_content": "cachedContents/1"})
    assert caught.value.param == "cachedContent"
