from __future__ import annotations

import json
from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers import KINDS
from headway.providers.media_rules import refuse_image_addresses
from headway.providers.tool_rules import (
    json_as_instruction,
    json_format_as_instruction,
    json_mode_as_instruction,
    original_name,
    plain_object_schemas,
    prefix_function_names,
    recursive_schema_as_instruction,
)
from headway.types import ChatRequest, Frame, Target
from support.adapter_requests import chat, sent_body
from support.wire_rule_examples import (
    DRAFT,
    FLAT_FORMAT,
    FORMAT,
    HI,
    IMAGE,
    OBJECT,
    PNG,
    RESULT,
    TREE,
    function,
    text,
    user,
)

JSON_MODE = {"type": "json_object"}
TARGET = Target(provider="p", base_url="https://a/v1", options={"region": "r", "project": "p"})


def parameter(request: ChatRequest, name: str) -> Any:
    return json.loads(bytes(request.parameters[name]))


# --- The format of the answer ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "said"),
    [({"type": "json_object"}, "one JSON object"), (FORMAT, '"#/$defs/node"'),
     ({"type": "json_schema", "json_schema": {}}, "one JSON object")],
)  # fmt: skip
@pytest.mark.parametrize("tools", [{"tools": [function("f", OBJECT)]}, {"web_search_options": {}}])
def test_json_beside_tools_is_asked_for_in_the_prompt(
    wanted: Any, said: str, tools: dict[str, Any]
) -> None:
    adapted, told = json_format_as_instruction(chat("m", [HI], response_format=wanted, **tools))
    assert "response_format" not in adapted.parameters
    assert said in json.loads(bytes(adapted.messages))[0]["content"]
    assert [each.parameter for each in told] == ["response_format"]


def test_a_schema_that_refers_to_itself_is_asked_for_in_the_prompt() -> None:
    adapted, told = recursive_schema_as_instruction(chat("m", [HI], response_format=FORMAT))
    assert "response_format" not in adapted.parameters
    assert '"#/$defs/node"' in json.loads(bytes(adapted.messages))[0]["content"]
    assert str(told[0]).endswith("because the schema refers to itself")
    for wanted in (FLAT_FORMAT, {"type": "json_object"}, {"type": "json_schema"}, None):
        request = chat("m", [HI], response_format=wanted)
        assert recursive_schema_as_instruction(request) == (request, ())


def test_json_mode_is_asked_for_in_the_prompt() -> None:
    adapted, told = json_mode_as_instruction(chat("m", [HI], response_format=JSON_MODE))
    assert "response_format" not in adapted.parameters
    assert "one JSON object" in json.loads(bytes(adapted.messages))[0]["content"]
    assert str(told[0]) == "emulated response_format: as an instruction in the system prompt"
    for wanted in (FORMAT, {"type": "text"}, None):
        request = chat("m", [HI], response_format=wanted)
        assert json_mode_as_instruction(request) == (request, ())


@pytest.mark.parametrize(
    "parameters",
    [{"response_format": FORMAT}, {"response_format": FORMAT, "tools": []}, {"tools": [{}]},
     {"response_format": {"type": "text"}, "tools": [{}]},
     {"response_format": None, "tools": [{}]}],
)  # fmt: skip
def test_either_alone_is_sent(parameters: dict[str, Any]) -> None:
    request = chat("m", [HI], **parameters)
    assert json_format_as_instruction(request) == (request, ())


def test_a_provider_without_a_json_mode_gets_an_instruction() -> None:
    adapted, told = json_as_instruction(chat("m", [HI], response_format=FORMAT))
    assert "response_format" not in adapted.parameters
    assert json.loads(bytes(adapted.messages))[0]["role"] == "system"
    method = "as an instruction in the system prompt"
    assert [str(each) for each in told] == [f"emulated response_format: {method}"]
    for parameters in ({}, {"response_format": None}, {"response_format": {"type": "text"}}):
        request = chat("m", [HI], **parameters)
        assert json_as_instruction(request) == (request, ())


@pytest.mark.parametrize(
    ("model", "is_sent"),
    [("gemini-2.5-pro", False), ("gemini-2.0-flash", False), ("gemini-3-flash", True),
     ("gemini-flash-latest", True), ("tunedModels/mine", True)],
)  # fmt: skip
def test_gemini_takes_tools_and_json_from_version_3_on(model: str, is_sent: bool) -> None:
    request = chat(model, [HI], response_format=FORMAT, tools=[function("f", OBJECT)])
    for kind in ("gemini", "vertex"):
        body = sent_body(KINDS[kind], TARGET, request)
        assert ("responseMimeType" in body.get("generationConfig", {})) is is_sent


# --- Schemas --------------------------------------------------------------------------------------


def test_nova_gets_schemas_of_plain_objects() -> None:
    schema = TREE | {"$schema": DRAFT, "title": "T", "additionalProperties": False}
    request = chat("us.amazon.nova-pro-v1:0", [HI], tools=[function("f", schema)])
    tool = sent_body(KINDS["bedrock"], TARGET, request)["toolConfig"]["tools"][0]["toolSpec"]
    inner = {"type": "object", "properties": {"next": {"type": "object"}}}
    assert tool["inputSchema"]["json"] == {
        "type": "object",
        "properties": {"root": inner},
        "additionalProperties": False,
    }
    (told,) = KINDS["bedrock"].adapt(request)[1]
    keywords = "$defs, $schema, title"
    assert str(told) == (
        f"dropped tools[].function.parameters: {keywords} at the top level of a schema"
    )


@pytest.mark.parametrize(
    "tool",
    [
        function("f", OBJECT),
        {"type": "function", "function": {"name": "f"}},
        {"type": "web_search"},
    ],
)
def test_plain_tools_keep_their_bytes(tool: Any) -> None:
    request = chat("m", [HI], tools=[tool])
    assert plain_object_schemas(request) == (request, ())


def test_deprecated_functions_get_plain_schemas() -> None:
    request = chat("m", [HI], functions=[{"name": "f", "parameters": OBJECT | {"title": "T"}}])
    adapted, told = plain_object_schemas(request)
    assert parameter(adapted, "functions") == [{"name": "f", "parameters": OBJECT}]
    assert len(told) == 1


def test_a_recursive_schema_is_not_enforced_by_claude() -> None:
    strict = {"type": "function", "function": {"name": "f", "parameters": TREE, "strict": True}}
    request = chat("claude-sonnet-4-5", [HI], tools=[strict], response_format=FORMAT)
    told = [str(each) for each in KINDS["anthropic"].adapt(request)[1]]
    assert "dropped tools[].function.strict: recursive schema (tool f)" in told
    assert "emulated response_format: as an instruction in the system prompt" in told


# --- Names of functions ---------------------------------------------------------------------------


def test_functions_of_gemini_do_not_begin_with_a_digit() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "1st", "arguments": "{}"}}
    messages = [
        HI,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "name": "1st", "content": "2"},
    ]
    request = chat(
        "gemini-3-flash", messages, tools=[function("1st", OBJECT), function("b", OBJECT)],
        tool_choice={"type": "function", "function": {"name": "1st"}},
    )  # fmt: skip
    body = json.dumps(sent_body(KINDS["gemini"], TARGET, request))
    assert '"1st"' not in body
    assert body.count('"fn__1st"') == 4
    (told,) = [each for each in KINDS["gemini"].adapt(request)[1] if "name" in each.parameter]
    assert str(told) == "renamed tools[].function.name: 1st -> fn__1st"


def test_functions_in_the_history_alone_get_their_prefix() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "1st", "arguments": "{}"}}
    messages = [HI, {"role": "assistant", "tool_calls": [call]}, RESULT | {"tool_call_id": "c"}]
    body = json.dumps(sent_body(KINDS["gemini"], TARGET, chat("gemini-3-flash", messages)))
    assert body.count('"fn__1st"') == 2
    named = chat("m", [{"role": "user", "name": "1st", "content": "Hi"}])
    assert prefix_function_names(named) == (named, ())


def test_deprecated_function_calls_get_their_prefix() -> None:
    called = {"name": "1st", "arguments": "{}"}
    messages = [
        HI,
        {"role": "assistant", "content": None, "function_call": called},
        {"role": "function", "name": "1st", "content": "2"},
    ]
    functions = [{"name": "1st", "parameters": OBJECT}]
    request = chat("gemini-3-flash", messages, functions=functions, function_call={"name": "1st"})
    body = json.dumps(sent_body(KINDS["gemini"], TARGET, request))
    assert '"1st"' not in body
    assert body.count('"fn__1st"') == 4


def test_a_choice_among_functions_has_their_new_names() -> None:
    allowed = {"mode": "auto", "tools": [function("-a", OBJECT)]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    request = chat("m", [HI], tools=[function("-a", OBJECT)], tool_choice=choice)
    adapted, _ = prefix_function_names(request)
    (tool,) = parameter(adapted, "tool_choice")["allowed_tools"]["tools"]
    assert tool["function"]["name"] == "fn__-a"
    adapted, _ = prefix_function_names(
        chat("m", [HI], tools=[function("-a", OBJECT)], tool_choice="auto")
    )
    assert parameter(adapted, "tool_choice") == "auto"


@pytest.mark.parametrize("name", ["a", "_1", None])
def test_other_names_are_sent(name: Any) -> None:
    request = chat("m", [HI], tools=[function(name, OBJECT)])
    assert prefix_function_names(request) == (request, ())


def test_a_call_has_the_clients_name_of_the_function() -> None:
    assert [original_name(name) for name in ("fn__1st", "fn__a", "a")] == ["1st", "fn__a", "a"]
    part = {"functionCall": {"name": "fn__1st", "args": {}}}
    chunk = {"candidates": [{"content": {"parts": [part]}}]}
    frame = Frame(json.dumps(chunk).encode(), None, b"")
    names = [getattr(each, "name", None) for each in KINDS["gemini"].decode_event(frame, {})]
    assert "1st" in names


# --- Addresses of images --------------------------------------------------------------------------


def test_an_image_by_its_address_is_refused() -> None:
    refuse = refuse_image_addresses("X")
    for image in (IMAGE, {"type": "image_url", "image_url": " HTTPS://a/b.png"}):
        with pytest.raises(RequestError, match="X fetches no images") as caught:
            refuse(chat("m", [HI, user([text("a"), image])]))
        assert caught.value.param == "messages"


@pytest.mark.parametrize(
    "content", ["a", [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}],
                [{"type": "file", "url": "https://a"}]]
)  # fmt: skip
def test_other_content_is_sent(content: Any) -> None:
    request = chat("m", [user(content)])
    assert refuse_image_addresses("X")(request) == (request, ())
