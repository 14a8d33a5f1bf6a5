"""Chat requests in OpenAI's words, and the exact bodies of generateContent that they become."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from headway.providers.gemini import provider as gemini
from headway.providers.gemini.provider import PROVIDER
from headway.types import ChatRequest, Target

TARGET = Target(provider="gemini", base_url="https://g.test/v1beta", api_key="key")
HI = [{"role": "user", "content": "Hi"}]
SAID = {"role": "user", "parts": [{"text": "Hi"}]}
SIGNED = {"type": "reasoning.encrypted", "data": "c2ln", "format": "google-gemini-v1"}


def request(
    messages: Any = HI, model: str = "gemini-2.5-flash", stream: bool = False, **parameters: Any
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        stream=stream,
    )


def body(messages: Any = HI, **options: Any) -> Any:
    return json.loads(PROVIDER.encode_request(request(messages, **options), TARGET).body)


def contents(*messages: Any, **options: Any) -> Any:
    return body([*HI, *messages], **options)["contents"][1:]


def user(*parts: Any) -> Any:
    return {"role": "user", "content": list(parts)}


def called(*calls: tuple[str, str, str], **fields: Any) -> Any:
    made = [
        {"id": i, "type": "function", "function": {"name": name, "arguments": arguments}}
        for i, name, arguments in calls
    ]
    return {"role": "assistant", "content": None, "tool_calls": made, **fields}


def result(call_id: str, content: Any, **fields: Any) -> Any:
    return {"role": "tool", "tool_call_id": call_id, "content": content, **fields}


def test_a_whole_answer_is_asked_for_with_the_key_in_a_header() -> None:
    http = PROVIDER.encode_request(request(), TARGET)
    assert (http.url.host, http.url.path) == (
        "g.test",
        "/v1beta/models/gemini-2.5-flash:generateContent",
    )
    assert http.headers == (
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("x-goog-api-key", "key"),
    )
    assert json.loads(http.body) == {"contents": [SAID]}


def test_a_stream_is_asked_for_as_events() -> None:
    target = msgspec.structs.replace(TARGET, api_key=None, headers={"x-a": "b"})
    http = PROVIDER.encode_request(request(stream=True), target)
    assert http.url.path == "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert http.headers == (
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("x-a", "b"),
    )


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-pro", "/models/gemini-pro"),
        ("tunedModels/mine", "/tunedModels/mine"),
        ("a?b#c d", "/models/a%3Fb%23c%20d"),
    ],
)
def test_a_models_name_is_a_path_and_nothing_else(model: str, path: str) -> None:
    http = PROVIDER.encode_request(request(model=model), TARGET)
    assert http.url.path == f"/v1beta{path}:generateContent"


PARAMETERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "n": 2, "seed": 7},
        {"temperature": 0.5, "topP": 0.9, "topK": 40, "candidateCount": 2, "seed": 7},
    ),
    (
        {"presence_penalty": 0.5, "frequency_penalty": -1},
        {"presencePenalty": 0.5, "frequencyPenalty": -1},
    ),
    ({"logprobs": True, "top_logprobs": 3}, {"responseLogprobs": True, "logprobs": 3}),
    ({"max_tokens": 5}, {"maxOutputTokens": 5}),
    ({"max_completion_tokens": 6}, {"maxOutputTokens": 6}),
    ({"stop": "END"}, {"stopSequences": ["END"]}),
    ({"stop": ["a", "b"]}, {"stopSequences": ["a", "b"]}),
    ({"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}),
    (
        {"modalities": ["text", "audio"], "audio": {"voice": "Kore", "format": "pcm16"}},
        {
            "responseModalities": ["TEXT", "AUDIO"],
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        },
    ),
    ({"thinkingConfig": {"thinkingBudget": 0}}, {"thinkingConfig": {"thinkingBudget": 0}}),
    ({"mediaResolution": "LOW"}, {"mediaResolution": "LOW"}),
    ({"top_k": 1, "generationConfig": {"topK": 2, "x": 3}}, {"topK": 2, "x": 3}),
]


@pytest.mark.parametrize(("given", "config"), PARAMETERS, ids=[str(p[0]) for p in PARAMETERS])
def test_parameters_go_into_the_generation_config(given: Any, config: Any) -> None:
    assert body(**given) == {"contents": [SAID], "generationConfig": config}


def test_a_wish_for_text_says_nothing() -> None:
    assert "generationConfig" not in body(response_format={"type": "text"})


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("gemini-2.5-pro", "responseJsonSchema"),
        ("gemini-flash-latest", "responseJsonSchema"),
        ("tunedModels/mine", "responseJsonSchema"),
        ("gemini-2.0-flash", "responseSchema"),
        ("gemini-1.5-pro", "responseSchema"),
    ],
)
def test_a_schema_goes_where_the_model_takes_it(model: str, field: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    config = body(model=model, response_format=wanted)["generationConfig"]
    assert config == {"responseMimeType": "application/json", field: schema}


def test_what_is_not_known_goes_to_the_top_as_it_is() -> None:
    settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    sent = body(safetySettings=settings, cachedContent="cachedContents/1", somethingNew=1.50)
    assert sent == {
        "contents": [SAID],
        "safetySettings": settings,
        "cachedContent": "cachedContents/1",
        "somethingNew": 1.5,
    }


# --- Messages -------------------------------------------------------------------------------------


def test_system_messages_are_one_instruction() -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        *HI,
    ]
    assert body(messages) == {
        "contents": [SAID],
        "systemInstruction": {"parts": [{"text": "Be kind."}, {"text": "Be brief."}]},
    }


PARTS: list[tuple[Any, Any]] = [
    ({"type": "text", "text": "a"}, {"text": "a"}),
    (
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWc="}},
        {"inlineData": {"mimeType": "image/png", "data": "aWc="}},
    ),
    (
        {"type": "image_url", "image_url": "data:;base64,aWc="},
        {"inlineData": {"mimeType": "image/jpeg", "data": "aWc="}},
    ),
    (
        {"type": "image_url", "image_url": {"url": "https://x.test/a.PNG?size=1"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.PNG?size=1"}},
    ),
    (
        {"type": "image_url", "image_url": {"url": "https://x.test/picture"}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.test/picture"}},
    ),
    (
        {"type": "video_url", "video_url": {"url": "https://www.youtube.com/watch?v=1"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://www.youtube.com/watch?v=1"}},
    ),
    (
        {"type": "input_audio", "input_audio": {"data": "c28=", "format": "wav"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "c28="}},
    ),
    (
        {"type": "file", "file": {"filename": "a.csv", "file_data": "data:text/csv;base64,YQ=="}},
        {"inlineData": {"mimeType": "text/csv", "data": "YQ=="}},
    ),
    (
        {"type": "file", "file": {"filename": "a.html", "file_data": "YWE="}},
        {"inlineData": {"mimeType": "text/html", "data": "YWE="}},
    ),
    (
        {"type": "file", "file": {"file_data": "YWE="}},
        {"inlineData": {"mimeType": "application/pdf", "data": "YWE="}},
    ),
    (
        {"type": "file", "file": {"file_data": "gs://bucket/a.wav"}},
        {"fileData": {"mimeType": "audio/wav", "fileUri": "gs://bucket/a.wav"}},
    ),
    (
        {"type": "file", "file": {"file_id": "files/abc"}},
        {
            "fileData": {
                "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc",
            }
        },
    ),
    (
        {"type": "file", "file": {"file_id": "https://x.test/files/abc", "filename": "a.pdf"}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.test/files/abc"}},
    ),
]


@pytest.mark.parametrize(("part", "written"), PARTS, ids=[str(part[0])[:60] for part in PARTS])
def test_a_part_is_written_in_googles_words(part: Any, written: Any) -> None:
    assert contents(user(part)) == [{"role": "user", "parts": [written]}]


EMPTY = [
    {"type": "text", "text": ""},
    {"type": "text"},
    {"type": "refusal"},
    {"type": "image_url"},
    {"type": "input_audio"},
    {"type": "file"},
    {"type": "file", "file": {}},
    {"type": "something_else"},
]


@pytest.mark.parametrize("part", EMPTY, ids=[str(part) for part in EMPTY])
def test_a_part_without_content_is_left_out_and_so_is_a_message_of_none(part: Any) -> None:
    assert contents(user(part)) == []
    assert contents(user(part, {"type": "text", "text": "a"}))[0]["parts"] == [{"text": "a"}]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "No."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "content": None, "refusal": "No."},
    ],
)
def test_what_the_model_said_is_said_by_the_model(message: Any) -> None:
    assert contents(message) == [{"role": "model", "parts": [{"text": "No."}]}]


def test_parallel_results_stand_in_one_content_in_the_order_of_their_calls() -> None:
    written = contents(
        called(("call_0_r", "add", '{"a": 1}'), ("call_1_r", "mul", "")),
        result("call_1_r", "6"),
        result("call_0_r", "5"),
        *HI,
    )
    assert written == [
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "add", "args": {"a": 1}}},
                {"functionCall": {"name": "mul", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "add", "response": {"output": "5"}}},
                {"functionResponse": {"name": "mul", "response": {"output": "6"}}},
            ],
        },
        SAID,
    ]


@pytest.mark.parametrize(
    ("call_id", "shown"),
    [("call_46063", True), ("x8i00o1q", True), ("toolu_1", True), ("call_0_ab-C_1", False)],
)
def test_ids_go_back_unless_they_are_our_own(call_id: str, shown: bool) -> None:
    model, tool = contents(called((call_id, "f", "{}")), result(call_id, "x"))
    ids = {"id": call_id} if shown else {}
    assert model["parts"] == [{"functionCall": {"name": "f", "args": {}, **ids}}]
    assert tool["parts"] == [
        {"functionResponse": {"name": "f", "response": {"output": "x"}, **ids}}
    ]


RESULTS: list[tuple[dict[str, Any], Any]] = [
    ({"content": "plain"}, {"output": "plain"}),
    ({"content": '{"a": 1}'}, {"a": 1}),
    ({"content": "[1, 2]"}, {"output": [1, 2]}),
    ({"content": "{broken"}, {"output": "{broken"}),
    ({"content": "5"}, {"output": "5"}),
    ({"content": "[" * 3000}, {"output": "[" * 3000}),
    ({"content": ""}, {"output": ""}),
    ({"content": "it broke", "is_error": True}, {"error": "it broke"}),
    ({"content": '{"code": 1}', "is_error": True}, {"error": {"code": 1}}),
    ({"content": '{"error": 1}', "is_error": True}, {"error": 1}),
    ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, {"output": "ab"}),
]


@pytest.mark.parametrize(("given", "response"), RESULTS, ids=[str(case[0]) for case in RESULTS])
def test_a_result_is_an_object(given: dict[str, Any], response: Any) -> None:
    call = called(("id", "f", "{}"))
    written = contents(call, {"role": "tool", "tool_call_id": "id", **given})
    assert written[1]["parts"][0]["functionResponse"]["response"] == response


def test_a_result_without_its_call_is_named_by_what_it_says() -> None:
    assert [
        content["parts"][0]["functionResponse"]["name"]
        for content in (
            contents(result("gone", "x", name="f"))[0],
            contents(result("gone", "x"))[0],
        )
    ] == ["f", "gone"]


def test_openais_deprecated_call_is_a_call_too() -> None:
    assert contents(
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "f", "arguments": '{"a":1}'},
        },
        {"role": "function", "name": "f", "content": "x"},
    ) == [
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
        {
            "role": "user",
            "parts": [{"functionResponse": {"name": "f", "response": {"output": "x"}}}],
        },
    ]


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWc="}}
INLINE = {"inlineData": {"mimeType": "image/png", "data": "aWc="}}
LINK = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}
LINKED = {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.png"}}


def response(**fields: Any) -> Any:
    return {"functionResponse": {"name": "f", "id": "i", "response": {"output": "see"}, **fields}}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "gemini-3-flash-preview",
            [[response(parts=[INLINE]), response(parts=[INLINE])], [LINKED, LINKED]],
        ),
        ("gemini-2.5-pro", [[response(), response()], [INLINE, LINKED, INLINE, LINKED]]),
    ],
)
def test_media_of_results_stand_in_them_or_behind_all_of_them(
    model: str, expected: list[list[Any]]
) -> None:
    seen = result("i", [{"type": "text", "text": "see"}, PICTURE, LINK])
    call = called(("i", "f", "{}"), reasoning_details=[{**SIGNED, "id": "i"}])
    written = contents(call, seen, seen, model=model)
    assert [content["parts"] for content in written[1:]] == expected
    assert [content["role"] for content in written[1:]] == ["user", "user"]


# --- Thought signatures ---------------------------------------------------------------------------


def test_a_calls_signature_goes_back_on_that_call() -> None:
    details = [
        {**SIGNED, "id": "b"},
        {**SIGNED, "id": "a", "format": "anthropic-claude-v1", "data": "other"},
    ]
    model = contents(called(("a", "f", "{}"), ("b", "g", "{}"), reasoning_details=details))[0]
    assert [part.get("thoughtSignature") for part in model["parts"]] == [None, "c2ln"]


def test_googles_own_place_for_a_signature_serves_as_well() -> None:
    message = called(("a", "f", "{}"))
    message["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "c2ln"}}
    assert contents(message)[0]["parts"][0]["thoughtSignature"] == "c2ln"


@pytest.mark.parametrize("extra", [{"google": None}, {"other": 1}, "x", None])
def test_other_extra_content_is_no_signature(extra: Any) -> None:
    message = called(("a", "f", "{}"))
    message["tool_calls"][0]["extra_content"] = extra
    assert "thoughtSignature" not in contents(message)[0]["parts"][0]


LOOSE: list[tuple[str, list[Any], Any, list[Any]]] = [
    ("on its text", [SIGNED], "a", [{"text": "a", "thoughtSignature": "c2ln"}]),
    (
        "on a text of several parts",
        [SIGNED, {**SIGNED, "data": "bw=="}],
        "a",
        [{"text": "a", "thoughtSignature": "c2ln"}, {"text": "", "thoughtSignature": "bw=="}],
    ),
    ("without text", [SIGNED], None, [{"text": "", "thoughtSignature": "c2ln"}]),
    (
        "on an empty text",
        [{**SIGNED, "part": {"text": ""}}],
        "a",
        [{"text": "a"}, {"text": "", "thoughtSignature": "c2ln"}],
    ),
    (
        "on a thought",
        [{"type": "reasoning.text", "text": "hm", "signature": "c2ln", "format": SIGNED["format"]}],
        "a",
        [{"text": "hm", "thought": True, "thoughtSignature": "c2ln"}, {"text": "a"}],
    ),
    (
        "of Google's own tools",
        [
            {**SIGNED, "part": {"executableCode": {"code": "1"}}},
            {**SIGNED, "data": "", "part": {"codeExecutionResult": {"output": "1"}}},
        ],
        "a",
        [
            {"executableCode": {"code": "1"}, "thoughtSignature": "c2ln"},
            {"codeExecutionResult": {"output": "1"}},
            {"text": "a"},
        ],
    ),
    ("of another", [{**SIGNED, "format": "openai-responses-v1"}], "a", [{"text": "a"}]),
    ("a mere summary", [{**SIGNED, "type": "reasoning.summary"}], "a", [{"text": "a"}]),
]


@pytest.mark.parametrize(
    ("name", "details", "text", "parts"), LOOSE, ids=[case[0] for case in LOOSE]
)
def test_other_signatures_go_back_where_they_were(
    name: str, details: list[Any], text: Any, parts: list[Any]
) -> None:
    message = {"role": "assistant", "content": text, "reasoning_details": details}
    assert contents(message) == [{"role": "model", "parts": parts}]


def test_pictures_that_the_model_made_go_back_with_their_signatures() -> None:
    made = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{d}"}} for d in "ab"]
    sketch = {"type": "hologram"}
    message = {
        "role": "assistant",
        "content": "Two",
        "images": [*made, sketch],
        "reasoning_details": [{**SIGNED, "part": {"image": 1}}],
    }
    first, second = ({"inlineData": {"mimeType": "image/png", "data": data}} for data in "ab")
    parts = [{"text": "Two"}, first, {**second, "thoughtSignature": "c2ln"}]
    assert contents(message) == [{"role": "model", "parts": parts}]


def test_gemini_3_is_told_not_to_check_calls_that_have_no_signature() -> None:
    """Only the first of a step, and only since the user spoke last: that is what it checks."""
    model = "gemini-3-flash-preview"
    step = called(("a", "f", "{}"), ("b", "f", "{}"))
    written = body([*HI, step, result("a", "x"), *HI, step, result("a", "x"), step], model=model)
    calls = [content["parts"] for content in written["contents"] if content["role"] == "model"]
    skip = "skip_thought_signature_validator"
    assert [[part.get("thoughtSignature") for part in parts] for parts in calls] == [
        [None, None],
        [skip, None],
        [skip, None],
    ]


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-2.0-flash", "gemma-3-27b-it"])
def test_older_models_check_nothing(model: str) -> None:
    part = contents(called(("a", "f", "{}")), model=model)[0]["parts"][0]
    assert "thoughtSignature" not in part


def test_an_answer_of_ours_goes_back_as_it_came() -> None:
    """Canonical -> wire -> canonical, through a whole answer of Gemini 3."""
    parts = [
        {"text": "Adding.", "thoughtSignature": "dGV4dA=="},
        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "x1"}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "g", "args": {}}},
    ]
    answer = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    assert contents(spoken(answer)) == [{"role": "model", "parts": parts}]


def spoken(answer: Any) -> Any:
    from headway.response_accumulator import ResponseAccumulator

    told = ResponseAccumulator()
    told.add(PROVIDER.decode_response(json.dumps(answer).encode()))
    return told.choices[0].message()


# --- Tools ----------------------------------------------------------------------------------------

SPEC = {"name": "f", "description": "d", "parameters": {"type": "object", "$defs": {}}}


def test_functions_are_declared_in_one_tool_with_their_schemas_as_they_are() -> None:
    tools = [
        {"googleSearch": {}},
        {"type": "function", "function": SPEC},
        {"type": "function", "function": {"name": "g"}},
        {"type": "function", "function": None},
    ]
    assert body(tools=tools)["tools"] == [
        {"googleSearch": {}},
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": SPEC["parameters"]},
                {"name": "g"},
            ]
        },
    ]


def test_older_models_have_another_field_for_schemas() -> None:
    tools = [{"type": "function", "function": SPEC}]
    declared = body(tools=tools, model="gemini-2.0-flash")["tools"][0]["functionDeclarations"]
    assert declared[0]["parameters"] == SPEC["parameters"]


NAMED = {"type": "function", "function": {"name": "f"}}
CHOICES: list[tuple[Any, Any]] = [
    ("auto", {"mode": "AUTO"}),
    ("none", {"mode": "NONE"}),
    ("required", {"mode": "ANY"}),
    ("validated", {"mode": "VALIDATED"}),
    (NAMED, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    (
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}},
        {"mode": "ANY", "allowedFunctionNames": ["f"]},
    ),
    (
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}},
        {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
    ),
]


@pytest.mark.parametrize(("choice", "calling"), CHOICES, ids=[str(case[0]) for case in CHOICES])
def test_the_choice_of_a_tool_is_a_mode(choice: Any, calling: Any) -> None:
    assert body(tool_choice=choice)["toolConfig"] == {"functionCallingConfig": calling}


def test_a_tool_config_is_merged_over_the_choice() -> None:
    config = {"retrievalConfig": {"languageCode": "de"}}
    assert body(tool_choice="auto", toolConfig=config)["toolConfig"] == {
        "functionCallingConfig": {"mode": "AUTO"},
        **config,
    }


@pytest.mark.parametrize("arguments", ["{broken", "[1]", '"text"'])
def test_arguments_that_are_no_object_are_refused_by_name(arguments: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        contents(called(("a", "f", arguments)))


def test_the_facts_name_googles_places() -> None:
    assert PROVIDER.base_url == "https://generativelanguage.googleapis.com/v1beta"
    assert PROVIDER.key_env == "GEMINI_API_KEY"
    assert {"top_k", "seed", "temperature"} <= {spec.id for spec in gemini.PARAMETERS}
