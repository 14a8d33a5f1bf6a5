"""What is sent to Anthropic: messages and parameters in its own words, and what had to change."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from headway.errors import RequestError
from headway.providers.anthropic.provider import PROVIDER
from headway.providers.anthropic.response import decode_response
from headway.types import ChatRequest, ReasoningDetail, Target, Text, ToolArguments, ToolStarted

PDF = b64encode(b"%PDF-1.4").decode()
WORDS = b64encode("Grüße".encode()).decode()
HI = [{"role": "user", "content": "Hi"}]
MARK = {"type": "ephemeral", "ttl": "1h"}
TARGET = Target(provider="anthropic", base_url="https://api.anthropic.com", api_key="sk-planted")


def chat(
    messages: Any = HI,
    model: str = "claude-sonnet-4-5",
    *,
    stream: bool = False,
    uses_default_parameters: bool = False,
    **parameters: Any,
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        stream=stream,
        uses_default_parameters=uses_default_parameters,
    )


def sent(request: ChatRequest) -> tuple[dict[str, Any], list[str]]:
    """The body, and what was changed on the way to it."""
    adapted, changes = PROVIDER.adapt(request)
    body = json.loads(PROVIDER.encode_request(adapted, TARGET).body)
    return body, [str(change) for change in changes]


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **more}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def call(call_id: str, name: str, arguments: str = "{}") -> dict[str, Any]:
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


# --- Messages -------------------------------------------------------------------------------------

# what it shows, OpenAI's messages, Anthropic's system, Anthropic's messages
MESSAGES: list[tuple[str, list[Any], list[Any] | None, list[Any]]] = [
    ("a text", HI, None, [user(text("Hi"))]),
    (
        "system and developer messages are hoisted in their order",
        [
            {"role": "system", "content": "Be kind."},
            {"role": "developer", "content": [text("Be brief.", cache_control=MARK)]},
            *HI,
        ],
        [text("Be kind."), text("Be brief.", cache_control=MARK)],
        [user(text("Hi"))],
    ),
    (
        "neighbours of one role become one turn",
        [*HI, user(text("there")), {"role": "assistant", "content": "Yes"}],
        None,
        [user(text("Hi"), text("there")), assistant(text("Yes"))],
    ),
    (
        "empty texts are not sent, nor turns that are empty of all",
        [{"role": "system", "content": ""}, {"role": "assistant", "content": None},
         {"role": "user", "content": [text(""), text("Hi")]}],
        None,
        [user(text("Hi"))],
    ),
    (
        "an image's address",
        [user({"type": "image_url", "image_url": {"url": "https://a.example/b.png"}})],
        None,
        [user({"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}})],
    ),
    (
        "an image's data, and its mark for the cache",
        [user({"type": "image_url", "image_url": "data:image/jpg;base64,QUJD",
               "cache_control": MARK})],
        None,
        [user({"type": "image", "cache_control": MARK,
               "source": {"type": "base64", "media_type": "image/jpeg", "data": "QUJD"}})],
    ),
    (
        "a PDF as a data URL",
        [user({"type": "file", "file": {"filename": "a.pdf",
                                        "file_data": f"data:application/pdf;base64,{PDF}"}})],
        None,
        [user({"type": "document", "title": "a.pdf",
               "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}})],
    ),
    (
        "a PDF in bare base64",
        [user({"type": "file", "file": {"file_data": PDF}})],
        None,
        [user({"type": "document",
               "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}})],
    ),
    (
        "a PDF's address",
        [user({"type": "file", "file": {"file_data": "https://a.example/a.pdf"}})],
        None,
        [user({"type": "document", "source": {"type": "url", "url": "https://a.example/a.pdf"}})],
    ),
    (
        "a document of text, with citations asked for",
        [user({"type": "file", "file": {"filename": "a.txt", "file_data": WORDS},
               "citations": {"enabled": True}, "title": "Letter"})],
        None,
        [user({"type": "document", "title": "Letter", "citations": {"enabled": True},
               "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"}})],
    ),
    (
        "a document by its id",
        [user({"type": "file", "file": {"file_id": "file_1"}})],
        None,
        [user({"type": "document", "source": {"type": "file", "file_id": "file_1"}})],
    ),
    (
        "an image in a file",
        [user({"type": "file", "file": {"filename": "a.png",
                                        "file_data": "data:image/png;base64,QUJD"}})],
        None,
        [user({"type": "image",
               "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}})],
    ),
    (
        "data of no stated kind",
        [user({"type": "image_url", "image_url": {"url": "data:;base64,QUJD"}})],
        None,
        [user({"type": "image", "source": {
            "type": "base64", "media_type": "application/octet-stream", "data": "QUJD"}})],
    ),
    (
        "Anthropic's own blocks as they are",
        [user({"type": "search_result", "source": "s", "title": "t", "content": []})],
        None,
        [user({"type": "search_result", "source": "s", "title": "t", "content": []})],
    ),
    (
        "calls and their results, the results first in the turn after them",
        [*HI,
         {"role": "assistant", "content": "Let me see.",
          "tool_calls": [call("a.1:0", "look", '{"at": 1.50}'), call("b", "listen", " ")]},
         {"role": "tool", "tool_call_id": "a.1:0", "content": "A cat"},
         {"role": "tool", "tool_call_id": "b", "content": "", "is_error": True},
         {"role": "user", "content": "And?"}],
        None,
        [user(text("Hi")),
         assistant(text("Let me see."),
                   {"type": "tool_use", "id": "a_1_0", "name": "look", "input": {"at": 1.5}},
                   {"type": "tool_use", "id": "b", "name": "listen", "input": {}}),
         user({"type": "tool_result", "tool_use_id": "a_1_0", "content": "A cat"},
              {"type": "tool_result", "tool_use_id": "b", "is_error": True},
              text("And?"))],
    ),
    (
        "a result in parts: images within, the mark for the cache without",
        [{"role": "tool", "tool_call_id": "a", "content": [
            text("See:", cache_control=MARK),
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]}],
        None,
        [user({"type": "tool_result", "tool_use_id": "a", "cache_control": MARK, "content": [
            text("See:"),
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}]})],
    ),
    (
        "a message's own mark stands on its last block",
        [{"role": "user", "content": [text("a"), text("b")], "cache_control": MARK},
         {"role": "assistant", "content": "c", "tool_calls": [call("x", "f")],
          "cache_control": MARK},
         {"role": "tool", "tool_call_id": "x", "content": "d", "cache_control": MARK}],
        None,
        [user(text("a"), text("b", cache_control=MARK)),
         assistant(text("c"), {"type": "tool_use", "id": "x", "name": "f", "input": {},
                               "cache_control": MARK}),
         user({"type": "tool_result", "tool_use_id": "x", "content": "d", "cache_control": MARK})],
    ),
    (
        "the deprecated functions, which have no ids",
        [*HI,
         {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
         {"role": "function", "name": "f", "content": "1"},
         {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
         {"role": "function", "name": "f", "content": "2"}],
        None,
        [user(text("Hi")),
         assistant({"type": "tool_use", "id": "function_call_1", "name": "f", "input": {}}),
         user({"type": "tool_result", "tool_use_id": "function_call_1", "content": "1"}),
         assistant({"type": "tool_use", "id": "function_call_2", "name": "f", "input": {}}),
         user({"type": "tool_result", "tool_use_id": "function_call_2", "content": "2"})],
    ),
    (
        "refusals are what was said",
        [{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
         {"role": "assistant", "content": None, "refusal": "Never."}],
        None,
        [assistant(text("No."), text("Never."))],
    ),
    (
        "signed and encrypted thoughts, and server tools between them, in their order",
        [{"role": "assistant", "content": "Done.",
          "content_blocks": [{"type": "server_tool_use", "id": "s", "index": 1}],
          "reasoning_details": [
              {"type": "reasoning.text", "text": "Hm", "signature": "S", "index": 0,
               "format": "anthropic-claude-v1"},
              {"type": "reasoning.encrypted", "data": "E", "index": 2,
               "format": "anthropic-claude-v1"}]}],
        None,
        [assistant({"type": "thinking", "thinking": "Hm", "signature": "S"},
                   {"type": "server_tool_use", "id": "s"},
                   {"type": "redacted_thinking", "data": "E"},
                   text("Done."))],
    ),
    (
        "thoughts of other vendors and thoughts without a signature mean nothing to Claude",
        [{"role": "assistant", "content": "Done.", "reasoning_details": [
            {"type": "reasoning.encrypted", "data": "E", "format": "openai-responses-v1"},
            {"type": "reasoning.text", "text": "Hm", "format": "anthropic-claude-v1"}]}],
        None,
        [assistant(text("Done."))],
    ),
    (
        "thoughts that stand in the content are not said twice, and take no mark",
        [{"role": "assistant", "cache_control": MARK,
          "content": [{"type": "thinking", "thinking": "", "signature": "S"}],
          "reasoning_details": [{"type": "reasoning.text", "text": "", "signature": "S",
                                 "format": "anthropic-claude-v1"}]}],
        None,
        [assistant({"type": "thinking", "thinking": "", "signature": "S"})],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given_messages", "system", "messages"),
    [row[1:] for row in MESSAGES],
    ids=[row[0] for row in MESSAGES],
)
def test_messages_become_turns_of_blocks(given_messages: Any, system: Any, messages: Any) -> None:
    body, changes = sent(chat(given_messages, max_tokens=9))
    assert body["messages"] == messages
    assert body.get("system") == system
    assert changes == []


# what it shows, messages, a word of the complaint
IMPOSSIBLE: list[tuple[str, list[Any], str]] = [
    ("sound", [user({"type": "input_audio", "input_audio": {"data": ""}})], "audio"),
    ("a role that is none", [{"role": "wizard", "content": "Hi"}], "wizard"),
    ("an image without an address", [user({"type": "image_url", "image_url": {}})], "image_url"),
    ("a file without anything", [user({"type": "file", "file": {"filename": "a"}})], "file_data"),
    ("a text that is none", [user({"type": "file", "file": {
        "filename": "a.txt", "file_data": "//79"}})], "UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "word"), [row[1:] for row in IMPOSSIBLE], ids=[row[0] for row in IMPOSSIBLE]
)
def test_what_claude_cannot_be_given_is_refused_in_words(messages: Any, word: str) -> None:
    with pytest.raises(RequestError, match=word) as caught:
        sent(chat(messages))
    assert caught.value.param == "messages"


@pytest.mark.parametrize("arguments", ["[1]", "{", "none"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        sent(chat([{"role": "assistant", "tool_calls": [call("a", "f", arguments)]}]))


def test_arguments_keep_every_digit() -> None:
    arguments = '{"big":12345678901234567890123,"small":0.10}'
    request, _ = PROVIDER.adapt(
        chat([{"role": "assistant", "tool_calls": [call("a", "f", arguments)]}])
    )
    assert arguments.encode() in PROVIDER.encode_request(request, TARGET).body


# --- Parameters -----------------------------------------------------------------------------------

FUNCTION = {"name": "f", "description": "d", "parameters": {"properties": {"a": {}}}}
TOOL = {"type": "function", "function": FUNCTION}
THEIRS = {"name": "f", "description": "d",
          "input_schema": {"type": "object", "properties": {"a": {}}}}  # fmt: skip
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}}
CLOSED = {
    "type": "object",
    "properties": {"n": {"type": "integer", "description": "{maximum: 9}"}},
    "additionalProperties": False,
}
AS_SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
JSON_ONLY = "Answer with one JSON object and nothing else: no Markdown fence, no text around it."

# what it shows, model, parameters, what is sent of them, changes
PARAMETERS: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("what goes as it is", "sonnet-4-5",
     {"temperature": 0.5, "top_k": 3, "mcp_servers": [{}]},
     {"temperature": 0.5, "top_k": 3, "mcp_servers": [{}]}, []),
    ("null is not given", "sonnet-4-5", {"temperature": None, "stop": None, "seed": None}, {}, []),
    ("one stop", "sonnet-4-5", {"stop": "x"}, {"stop_sequences": ["x"]},
     ["renamed stop -> stop_sequences"]),
    ("several stops", "sonnet-4-5", {"stop": ["x", "y"]}, {"stop_sequences": ["x", "y"]},
     ["renamed stop -> stop_sequences"]),
    ("too warm", "sonnet-4-5", {"temperature": 1.7}, {"temperature": 1},
     ["clamped temperature: 1.7 -> 1 (maximum)"]),
    ("one of two samplings", "sonnet-4-5", {"temperature": 1, "top_p": 0.5}, {"temperature": 1},
     ["dropped top_p: unsupported by claude-sonnet-4-5 together with temperature"]),
    ("both of them", "3-haiku-20240307", {"temperature": 1, "top_p": 0.5},
     {"temperature": 1, "top_p": 0.5}, []),
    ("no sampling at all", "opus-5", {"temperature": 1, "top_p": 0.5, "top_k": 1}, {},
     [f"dropped {name}: unsupported by claude-opus-5" for name in
      ("temperature", "top_p", "top_k")]),
    ("what it has no word for", "sonnet-4-5", {"seed": 7, "n": 2, "logit_bias": {}}, {},
     [f"dropped {name}: unsupported by Anthropic" for name in ("seed", "n", "logit_bias")]),
    ("what asks for nothing", "sonnet-4-5",
     {"n": 1, "frequency_penalty": 0.0, "logprobs": False, "store": False,
      "stream_options": {"include_usage": True}}, {}, []),
    ("a user", "sonnet-4-5", {"user": "u"}, {"metadata": {"user_id": "u"}},
     ["renamed user -> metadata.user_id"]),
    ("metadata", "sonnet-4-5", {"metadata": {"user_id": "u", "b": "1", "a": "2"}},
     {"metadata": {"user_id": "u"}},
     ["dropped metadata.a: unsupported by Anthropic",
      "dropped metadata.b: unsupported by Anthropic"]),
    ("a tier by its own name", "sonnet-4-5", {"service_tier": "auto"},
     {"service_tier": "auto"}, []),
    ("a tier by OpenAI's", "sonnet-4-5", {"service_tier": "default"},
     {"service_tier": "standard_only"}, ["renamed service_tier: default -> standard_only"]),
    ("a tier that is none", "sonnet-4-5", {"service_tier": "flex"}, {},
     ["dropped service_tier: flex is unsupported by Anthropic"]),
    # Tools
    ("a tool", "sonnet-4-5", {"tools": [TOOL]}, {"tools": [THEIRS]}, []),
    ("a tool with what is Anthropic's", "sonnet-4-5",
     {"tools": [{"type": "function", "function": {"name": "f", "input_examples": [{}]},
                 "cache_control": MARK, "defer_loading": True}]},
     {"tools": [{"name": "f", "input_schema": {"type": "object"}, "input_examples": [{}],
                 "cache_control": MARK, "defer_loading": True}]}, []),
    ("a server's tool", "sonnet-4-5", {"tools": [{"type": "web_search_20250305", "name": "w"}]},
     {"tools": [{"type": "web_search_20250305", "name": "w"}]}, []),
    ("a strict tool", "sonnet-4-5",
     {"tools": [{"type": "function", "function": {"name": "f", "strict": True,
                                                  "parameters": SCHEMA}}]},
     {"tools": [{"name": "f", "input_schema": CLOSED, "strict": True}]},
     ["emulated tools[].function.strict: schema keywords described, not enforced: maximum"
      " (tool f)"]),
    ("a strict tool that can be kept to", "sonnet-4-5",
     {"tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}]},
     {"tools": [{**THEIRS, "strict": True,
                 "input_schema": {**THEIRS["input_schema"],
                                  "additionalProperties": False}}]},  # type: ignore[dict-item]
     []),
    ("a strict tool of an old model", "sonnet-4-0",
     {"tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}]},
     {"tools": [THEIRS]},
     ["dropped tools[].function.strict: unsupported by claude-sonnet-4-0 (tool f)"]),
    ("a tool with free input", "sonnet-4-5",
     {"tools": [TOOL, {"type": "custom", "custom": {"name": "sql"}}]}, {"tools": [THEIRS]},
     ["dropped tools[].custom: unsupported by Anthropic (tool sql)"]),
    ("the deprecated functions", "sonnet-4-5", {"functions": [FUNCTION],
                                                "function_call": {"name": "f"}},
     {"tools": [THEIRS], "tool_choice": {"type": "tool", "name": "f"}},
     ["renamed functions -> tools",
      "renamed function_call -> tool_choice"]),
    ("the deprecated functions, left to it", "sonnet-4-5",
     {"functions": [FUNCTION], "function_call": "auto"},
     {"tools": [THEIRS], "tool_choice": {"type": "auto"}},
     ["renamed functions -> tools",
      "renamed function_call -> tool_choice"]),
    *[(f"the choice {given}", "sonnet-4-5", {"tools": [TOOL], "tool_choice": given},
       {"tools": [THEIRS], "tool_choice": there}, [])
      for given, there in [
          ("auto", {"type": "auto"}), ("none", {"type": "none"}), ("required", {"type": "any"}),
          ("odd", {"type": "odd"}), ({"type": "any"}, {"type": "any"}),
          ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"})]],
    ("some of the tools", "sonnet-4-5",
     {"tools": [TOOL, {"type": "function", "function": {"name": "g"}}],
      "tool_choice": {"type": "allowed_tools", "allowed_tools": {
          "mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}}},
     {"tools": [THEIRS], "tool_choice": {"type": "any"}},
     ["emulated tool_choice: by sending the allowed tools only"]),
    ("calls one at a time", "sonnet-4-5", {"tools": [TOOL], "parallel_tool_calls": False},
     {"tools": [THEIRS], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, []),
    ("calls one at a time, when there are to be none", "sonnet-4-5",
     {"tools": [TOOL], "parallel_tool_calls": False, "tool_choice": "none"},
     {"tools": [THEIRS], "tool_choice": {"type": "none"}}, []),
    ("calls one at a time of no tools", "sonnet-4-5", {"parallel_tool_calls": False}, {}, []),
    ("a call that must be made", "opus-5-5",
     {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
     {"tools": [THEIRS], "tool_choice": {"type": "auto"},
      "system": [text("Answer by calling the tool f, whatever else is asked of you.")]},
     ["emulated tool_choice: as an instruction in the system prompt"]),
    ("some call that must be made", "sonnet-5-5", {"tools": [TOOL], "tool_choice": "required"},
     {"tools": [THEIRS], "tool_choice": {"type": "auto"},
      "system": [text("Answer by calling a tool, whatever else is asked of you.")]},
     ["emulated tool_choice: as an instruction in the system prompt"]),
    ("a choice that is free", "sonnet-5-5", {"tools": [TOOL], "tool_choice": "auto"},
     {"tools": [THEIRS], "tool_choice": {"type": "auto"}}, []),
    # Formats
    ("text", "sonnet-4-5", {"response_format": {"type": "text"}}, {}, []),
    ("an object", "sonnet-4-5", {"response_format": {"type": "json_object"}},
     {"system": [text(JSON_ONLY)]},
     ["emulated response_format: as an instruction in the system prompt"]),
    ("a schema", "sonnet-4-5",
     {"response_format": {"type": "json_schema", "json_schema": {
         "name": "x", "description": "A person", "schema": {"type": "object"}}},
      "output_config": {"effort": "low"}},
     {"output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {
         "description": "A person", "type": "object", "additionalProperties": False}}}}, []),
    ("a schema with limits", "sonnet-4-5", {"response_format": AS_SCHEMA},
     {"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}},
     ["emulated response_format: schema keywords described, not enforced: maximum"]),
    ("a schema for an old model", "3-7-sonnet-20250219", {"response_format": AS_SCHEMA},
     {"system": [text("Answer with JSON that is valid against this JSON schema and with nothing"
                      " else: no Markdown fence, no text around it.\n"
                      + json.dumps(SCHEMA, separators=(",", ":")))]},
     ["emulated response_format: as an instruction in the system prompt"]),
    ("a system prompt of Anthropic's own", "sonnet-4-5",
     {"system": "Be kind.", "response_format": {"type": "json_object"}},
     {"system": [text("Be kind."), text(JSON_ONLY)]},
     ["emulated response_format: as an instruction in the system prompt"]),
    ("blocks of a system prompt", "sonnet-4-5",
     {"system": [text("Be kind.")], "response_format": {"type": "json_object"}},
     {"system": [text("Be kind."), text(JSON_ONLY)]},
     ["emulated response_format: as an instruction in the system prompt"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "parameters", "expected", "changes"),
    [row[1:] for row in PARAMETERS],
    ids=[row[0] for row in PARAMETERS],
)
def test_parameters_are_put_in_anthropics_words(
    model: str, parameters: Any, expected: Any, changes: list[str]
) -> None:
    body, made = sent(chat(model=f"claude-{model}", max_tokens=100, **parameters))
    rest = {k: v for k, v in body.items() if k not in ("model", "messages", "max_tokens")}
    assert rest == expected
    assert made == changes


# what it shows, model, parameters, max_tokens, changes
BOUNDS: list[tuple[str, str, dict[str, Any], int, list[str]]] = [
    ("given", "sonnet-4-5", {"max_tokens": 7}, 7, []),
    ("by OpenAI's new name", "sonnet-4-5", {"max_completion_tokens": 7, "max_tokens": 9}, 7,
     ["renamed max_completion_tokens -> max_tokens"]),
    ("not given", "sonnet-4-5", {}, 16384,
     ["emulated max_tokens: as the default 16384"]),
    ("not given, of a model that writes less", "3-5-haiku-latest", {}, 8192,
     ["emulated max_tokens: as the default 8192"]),
    ("not given, with thinking", "opus-4-1", {"reasoning": {"max_tokens": 20000}}, 32000,
     ["emulated max_tokens: as the default 32000"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "parameters", "expected", "changes"),
    [row[1:] for row in BOUNDS],
    ids=[row[0] for row in BOUNDS],
)
def test_an_answer_is_always_bounded(
    model: str, parameters: Any, expected: int, changes: list[str]
) -> None:
    body, made = sent(chat(model=f"claude-{model}", **parameters))
    assert body["max_tokens"] == expected
    assert made == changes


# --- Thinking -------------------------------------------------------------------------------------

ADAPTIVE = {"type": "adaptive", "display": "summarized"}


def budget(tokens: int, **more: Any) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": tokens, **more}


def effort(level: str) -> dict[str, str]:
    return {"effort": level}


HIGH = {"reasoning_effort": "high"}

# what it shows, model, parameters beside max_tokens 40000, thinking, output_config, changes
THINKING: list[tuple[str, str, dict[str, Any], Any, Any, list[str]]] = [
    ("nothing asked", "opus-5-5", {}, None, None, []),
    ("effort, where it is understood", "opus-5-5", HIGH, ADAPTIVE, effort("high"), []),
    ("effort in an object", "opus-5", {"reasoning": effort("low")}, ADAPTIVE, effort("low"), []),
    ("effort on what shows its thoughts anyway", "opus-4-6", HIGH, {"type": "adaptive"},
     effort("high"), []),
    ("effort as a budget", "sonnet-4-5", HIGH, budget(16384), None,
     ["renamed reasoning_effort -> thinking.budget_tokens"]),
    ("effort and a budget", "opus-4-5", HIGH, budget(16384), effort("high"),
     ["renamed reasoning_effort -> thinking.budget_tokens"]),
    ("no effort is known there", "3-haiku", HIGH, None, None,
     ["dropped reasoning_effort: unsupported by claude-3-haiku"]),
    ("more effort than there is", "opus-4-6", {"reasoning_effort": "xhigh"}, {"type": "adaptive"},
     effort("max"), ["clamped reasoning_effort: xhigh -> max (nearest)"]),
    ("far more effort than there is", "opus-4-5", {"reasoning_effort": "xhigh"}, budget(20000),
     effort("high"), ["renamed reasoning_effort -> thinking.budget_tokens",
                      "clamped reasoning_effort: xhigh -> high (nearest)"]),
    ("less effort than there is", "opus-5", {"reasoning_effort": "minimal"}, ADAPTIVE,
     effort("low"), ["clamped reasoning_effort: minimal -> low (nearest)"]),
    ("an effort of one's own", "opus-5", {"reasoning_effort": "odd"}, ADAPTIVE, effort("odd"), []),
    ("an odd effort as a budget", "sonnet-4-5", {"reasoning_effort": "odd"}, budget(8192), None,
     ["renamed reasoning_effort -> thinking.budget_tokens"]),
    ("the caller's own output_config", "opus-5",
     {**HIGH, "output_config": effort("low")}, ADAPTIVE, effort("low"), []),
    ("a budget", "sonnet-4-5", {"reasoning": {"max_tokens": 5000}}, budget(5000), None, []),
    ("a budget where either is taken", "opus-4-6", {"reasoning": {"max_tokens": 5000}},
     budget(5000), None, []),
    ("a budget as effort", "opus-5", {"reasoning": {"max_tokens": 5000}}, ADAPTIVE,
     effort("medium"), ["renamed reasoning.max_tokens -> output_config.effort"]),
    ("a great budget as effort", "opus-5", {"reasoning": {"max_tokens": 99000}}, ADAPTIVE,
     effort("xhigh"), ["renamed reasoning.max_tokens -> output_config.effort"]),
    ("a budget that is too small", "sonnet-4-5", {"reasoning": {"max_tokens": 10}}, budget(1024),
     None, ["clamped reasoning.max_tokens: 10 -> 1024 (minimum)"]),
    ("a budget that is too great", "sonnet-4-5", {"reasoning": {"max_tokens": 50000}},
     budget(20000), None, ["clamped reasoning.max_tokens: 50000 -> 20000 (half of max_tokens)"]),
    ("thoughts not to be shown", "opus-5", {"reasoning": {"effort": "low", "exclude": True}},
     {"type": "adaptive", "display": "omitted"}, effort("low"), []),
    ("thought and no more said", "sonnet-4-5", {"reasoning": {"enabled": True}}, budget(8192),
     None, ["renamed reasoning -> thinking.budget_tokens"]),
    ("Anthropic's own budget", "sonnet-4-5", {"thinking": budget(2000, display="omitted")},
     budget(2000, display="omitted"), None, []),
    ("Anthropic's own adaptive, of a model that takes a budget", "sonnet-4-5",
     {"thinking": {"type": "adaptive"}}, budget(8192), None,
     ["emulated thinking: as a budget of 8192 tokens"]),
    ("Anthropic's own budget, of a model that takes none", "opus-5",
     {"thinking": budget(2000)}, ADAPTIVE, effort("low"),
     ["renamed thinking.budget_tokens -> output_config.effort"]),
    ("Anthropic's own adaptive", "opus-5", {"thinking": {"type": "adaptive"}}, ADAPTIVE, None, []),
    ("Anthropic's own, not to be shown", "opus-5",
     {"thinking": {"type": "adaptive", "display": "omitted"}},
     {"type": "adaptive", "display": "omitted"}, None, []),
    ("off, where it is off", "sonnet-4-5", {"reasoning_effort": "none"}, None, None, []),
    ("off, where it must be said", "opus-5", {"reasoning_effort": "none"}, {"type": "disabled"},
     None, []),
    ("off, under another name", "sonnet-5-5", {"thinking": {"type": "disabled"}},
     {"type": "between_tools"}, None, []),
    ("off, where it cannot be", "opus-5-5", {"reasoning": {"enabled": False}}, None, effort("low"),
     ["emulated reasoning: as effort low: claude-opus-5-5 always thinks"]),
    ("a budget, and a call that is forced", "sonnet-4-5",
     {**HIGH, "tools": [TOOL], "tool_choice": "required"}, None, None,
     ["dropped reasoning_effort: unsupported by claude-sonnet-4-5 with a forced tool call"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "parameters", "thinking", "config", "changes"),
    [row[1:] for row in THINKING],
    ids=[row[0] for row in THINKING],
)
def test_thinking_is_asked_for_in_the_models_own_way(
    model: str, parameters: Any, thinking: Any, config: Any, changes: list[str]
) -> None:
    body, made = sent(chat(model=f"claude-{model}", max_tokens=40000, **parameters))
    assert body.get("thinking") == thinking
    assert body.get("output_config") == config
    assert made == changes
    assert {"reasoning", "reasoning_effort"}.isdisjoint(body)


# max_tokens, what comes of a budget of 5000
ROOM: list[tuple[int, int | None]] = [
    (5001, 5000), (5000, 2500), (2000, 1024), (1025, 1024), (1024, None), (1, None),
]  # fmt: skip


@pytest.mark.parametrize(("limit", "tokens"), ROOM)
def test_a_budget_is_smaller_than_the_answer(limit: int, tokens: int | None) -> None:
    reasoning = {"max_tokens": 5000}
    body, made = sent(chat(max_tokens=limit, reasoning=reasoning))
    assert body.get("thinking", {}).get("budget_tokens") == tokens
    assert body["max_tokens"] == limit
    if tokens is None:
        assert made == ["dropped reasoning: max_tokens must exceed 1024, the minimum budget"]


SAMPLED: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"temperature": 0.5, "top_p": 0.5, "top_k": 1}, {}, ["top_k", "temperature", "top_p"]),
    ({"temperature": 1}, {"temperature": 1}, []),
    ({"temperature": 1, "top_p": 0.99}, {"temperature": 1}, ["top_p"]),
    ({"temperature": 0.5, "top_p": 0.99}, {"top_p": 0.99}, ["temperature"]),
]


@pytest.mark.parametrize(("given_sampling", "kept", "dropped"), SAMPLED)
def test_a_model_that_thinks_is_hardly_sampled(
    given_sampling: Any, kept: Any, dropped: list[str]
) -> None:
    request = chat(max_tokens=9000, reasoning={"max_tokens": 2000}, **given_sampling)
    body, made = sent(request)
    assert {k: v for k, v in body.items() if k in ("temperature", "top_p", "top_k")} == kept
    assert [change.split()[1].rstrip(":") for change in made] == dropped


def ask(*more: Any) -> ChatRequest:
    return chat([*HI, *more], max_tokens=9000, reasoning={"max_tokens": 2000})


CALLED = {"role": "assistant", "content": None, "tool_calls": [call("a", "f")]}
SIGNED = {**CALLED, "reasoning_details": [{
    "type": "reasoning.text", "text": "Hm", "signature": "S",
    "format": "anthropic-claude-v1"}]}  # fmt: skip
RESULT = {"role": "tool", "tool_call_id": "a", "content": "1"}

# what it shows, messages after the first, does it think
GOING_ON: list[tuple[str, list[Any], bool]] = [
    ("nothing called yet", [], True),
    ("a call without its thought", [CALLED, RESULT], False),
    ("a call with its thought", [SIGNED, RESULT], True),
    ("a call with its thought in the content",
     [{**CALLED, "content": [{"type": "thinking", "thinking": "", "signature": "S"}]}, RESULT],
     True),
    ("an unthinking call long ago", [CALLED, RESULT, *HI], True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "thinks"), [row[1:] for row in GOING_ON], ids=[row[0] for row in GOING_ON]
)
def test_a_budget_needs_the_signed_thought_that_led_to_a_call(
    messages: list[Any], thinks: bool
) -> None:
    body, made = sent(ask(*messages))
    assert ("thinking" in body) is thinks
    if not thinks:
        assert made == [
            "dropped reasoning: messages lack the signed thinking before the last tool call"
        ]


# --- What is lost of messages, and our own defaults -----------------------------------------------

PICTURE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "high"}}

# what it shows, messages, changes
LOSSES: list[tuple[str, list[Any], list[str]]] = [
    ("a speaker's name", [{**HI[0], "name": "Ada"}], ["name: unsupported by Anthropic"]),
    ("how closely to look", [user(text('"detail"'), PICTURE)],
     ["content[].image_url.detail: unsupported by Anthropic"]),
    ("as closely as it likes",
     [user({"type": "image_url", "image_url": {"url": "https://a.example", "detail": "auto"}},
           {"type": "image_url", "image_url": "https://a.example"})], []),
    ("a thought without a signature",
     [*HI, {"role": "assistant", "content": "Yes", "reasoning_content": "Hm"}],
     ["reasoning_content: unsupported by Anthropic without a signature"]),
    ("a thought with one", [*HI, {**SIGNED, "reasoning_content": "Hm"}, RESULT], []),
    ("the name of a tool", [*HI, SIGNED, {**RESULT, "name": "f"}], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "changes"), [row[1:] for row in LOSSES], ids=[row[0] for row in LOSSES]
)
def test_what_is_lost_of_messages_is_told(messages: list[Any], changes: list[str]) -> None:
    _, made = sent(chat(messages, max_tokens=9))
    assert made == [f"dropped messages[].{change}" for change in changes]


def test_a_system_message_in_the_middle_is_moved_and_told() -> None:
    body, made = sent(chat([*HI, {"role": "system", "content": "Be kind."}], max_tokens=9))
    assert body["system"] == [text("Be kind.")]
    assert made == ["emulated messages: system messages moved before all others"]


DEFAULTS = {"temperature": 1, "max_tokens": 2048, "top_p": 1, "frequency_penalty": 0,
            "presence_penalty": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        ("claude-3-haiku-20240307", ["temperature", "max_tokens", "top_p"]),
        ("claude-sonnet-4-5", ["temperature", "max_tokens"]),
        ("claude-opus-5-5", ["max_tokens"]),
    ],
)
def test_our_own_defaults_go_without_a_word(model: str, kept: list[str]) -> None:
    adapted, changes = PROVIDER.adapt(chat(model=model, uses_default_parameters=True, **DEFAULTS))
    assert list(adapted.parameters) == kept
    assert changes == ()


def test_what_the_caller_gave_beside_our_defaults_does_not() -> None:
    request = chat(
        uses_default_parameters=True, response_format={"type": "json_object"}, **DEFAULTS
    )
    assert [change.parameter for change in PROVIDER.adapt(request)[1]] == ["response_format"]


@pytest.mark.parametrize(
    "parameters",
    [{"tools": 1}, {"tools": [{"type": "function", "function": {}}]}, {"tool_choice": 1},
     {"reasoning": "high"}, {"response_format": {"type": "yaml"}}, {"metadata": "m"},
     {"max_tokens": "many", "reasoning": {"max_tokens": 2000}}],
)  # fmt: skip
def test_what_is_no_request_is_refused_as_such(parameters: Any) -> None:
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        PROVIDER.adapt(chat(**parameters))


# --- The request ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("https://api.anthropic.com", "/v1/messages"),
        ("https://api.anthropic.com/", "/v1/messages"),
        ("http://127.0.0.1:9/v1", "/v1/messages"),
        ("http://127.0.0.1:9/proxy/v1/", "/proxy/v1/messages"),
    ],
)
def test_the_address_may_have_the_version_or_not(base_url: str, path: str) -> None:
    http = PROVIDER.encode_request(chat(), Target(provider="a", base_url=base_url))
    assert http.url.path == path
    assert "x-api-key" not in dict(http.headers)


def test_the_head_has_key_version_and_what_was_configured() -> None:
    target = msgspec.structs.replace(
        TARGET,
        options={"api_version": "2026-10-21", "beta": "a-1, b-2"},
        headers={"x-team": "blue"},
    )
    http = PROVIDER.encode_request(chat(stream=True), target)
    assert http.headers == (
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("anthropic-version", "2026-10-21"),
        ("x-api-key", "sk-planted"),
        ("anthropic-beta", "a-1,b-2"),
        ("x-team", "blue"),
    )


def test_the_usual_head_is_short() -> None:
    headers = dict(PROVIDER.encode_request(chat(), TARGET).headers)
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["accept"] == "application/json"
    assert "anthropic-beta" not in headers


@pytest.mark.parametrize(("stream", "asked"), [(True, True), (False, None)])
def test_a_stream_is_asked_for(stream: bool, asked: bool | None) -> None:
    body, _ = sent(chat(stream=stream))
    assert body["model"] == "claude-sonnet-4-5"
    assert body.get("stream") is asked


# --- There and back -------------------------------------------------------------------------------

names = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
words = st.text(min_size=1, max_size=40)
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
calls = st.lists(
    st.tuples(names, names, st.dictionaries(st.text(max_size=5), plain_json)),
    max_size=3,
    unique_by=lambda one: one[0],
)
thoughts = st.lists(st.tuples(st.text(max_size=20), words), max_size=2)


@given(said=words, made=calls, thought=thoughts)
def test_an_answer_goes_back_as_it_came(
    said: str, made: list[tuple[str, str, Any]], thought: list[tuple[str, str]]
) -> None:
    """Anthropic's blocks, to events, to an assistant's message, and to the same blocks."""
    blocks: list[Any] = [
        {"type": "thinking", "thinking": text, "signature": signature}
        for text, signature in thought
    ]
    blocks.append({"type": "text", "text": said})
    blocks += [
        {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
        for call_id, name, arguments in made
    ]
    message: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": []}
    whole = {"type": "message", "content": blocks, "stop_reason": "end_turn"}
    for event in decode_response(json.dumps(whole).encode()):
        if isinstance(event, Text):
            message["content"] += event.text
        elif isinstance(event, ReasoningDetail):
            message.setdefault("reasoning_details", []).append(event.value)
        elif isinstance(event, ToolStarted):
            message["tool_calls"].append(call(event.id, event.name, ""))
        elif isinstance(event, ToolArguments):
            message["tool_calls"][event.tool]["function"]["arguments"] += event.text
    body, _ = sent(chat([message], max_tokens=9))
    assert body["messages"] == [{"role": "assistant", "content": blocks}]
