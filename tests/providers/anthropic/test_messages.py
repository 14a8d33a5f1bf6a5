"""OpenAI's messages become Anthropic's."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import RequestError
from headway.events import ReasoningDetail, Text, ToolArguments, ToolStarted
from headway.providers.anthropic.provider import PROVIDER
from headway.providers.anthropic.response import decode_response
from support.anthropic_requests import (
    CACHE_CONTROL,
    HI,
    TARGET,
    assistant,
    call,
    chat,
    sent,
    text,
    user,
)
from support.for_each import for_each

PDF = b64encode(b"%PDF-1.4").decode()
WORDS = b64encode("Grüße".encode()).decode()


# what it shows, OpenAI's messages, Anthropic's system, Anthropic's messages
MESSAGES: list[tuple[str, list[Any], list[Any] | None, list[Any]]] = [
    ("a text", HI, None, [user(text("Hi"))]),
    (
        "system and developer messages move into the system prompt in their order",
        [
            {"role": "system", "content": "Be kind."},
            {"role": "developer", "content": [text("Be brief.", cache_control=CACHE_CONTROL)]},
            *HI,
        ],
        [text("Be kind."), text("Be brief.", cache_control=CACHE_CONTROL)],
        [user(text("Hi"))],
    ),
    (
        "adjacent messages of one role are merged",
        [*HI, user(text("there")), {"role": "assistant", "content": "Yes"}],
        None,
        [user(text("Hi"), text("there")), assistant(text("Yes"))],
    ),
    (
        "empty texts are not sent, nor messages without content",
        [{"role": "user", "content": [text(""), text("Hi")]},
         {"role": "assistant", "content": None}],
        None,
        [user(text("Hi"))],
    ),
    (
        "the address of an image",
        [user({"type": "image_url", "image_url": {"url": "https://a.example/b.png"}})],
        None,
        [user({"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}})],
    ),
    (
        "the data of an image, with cache_control",
        [user({"type": "image_url", "image_url": "data:image/jpeg;base64,QUJD",
               "cache_control": CACHE_CONTROL})],
        None,
        [user({"type": "image", "cache_control": CACHE_CONTROL,
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
        "the address of a PDF",
        [user({"type": "file", "file": {"file_data": "https://a.example/a.pdf"}})],
        None,
        [user({"type": "document", "source": {"type": "url", "url": "https://a.example/a.pdf"}})],
    ),
    (
        "a text document with citations",
        [user({"type": "file", "file": {"filename": "a.txt", "file_data": WORDS},
               "citations": {"enabled": True}, "title": "Letter"})],
        None,
        [user({"type": "document", "title": "Letter", "citations": {"enabled": True},
               "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"}})],
    ),
    (
        "a document by file_id",
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
        "a file without a media type",
        [user({"type": "file", "file": {"file_data": "data:;base64,QUJD"}})],
        None,
        [user({"type": "document", "source": {
            "type": "base64", "media_type": "application/octet-stream", "data": "QUJD"}})],
    ),
    (
        "Anthropic's own blocks are unchanged",
        [user({"type": "search_result", "source": "s", "title": "t", "content": []})],
        None,
        [user({"type": "search_result", "source": "s", "title": "t", "content": []})],
    ),
    (
        "tool calls, and their results before the next text",
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
        "a tool result of parts, whose cache_control becomes its own",
        [*HI, {"role": "assistant", "content": None, "tool_calls": [call("a", "f")]},
         {"role": "tool", "tool_call_id": "a", "content": [
            text("See:", cache_control=CACHE_CONTROL),
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]}],
        None,
        [user(text("Hi")), assistant({"type": "tool_use", "id": "a", "name": "f", "input": {}}),
         user({"type": "tool_result", "tool_use_id": "a", "cache_control": CACHE_CONTROL,
               "content": [
            text("See:"),
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}]})],
    ),
    (
        "the cache_control of a message becomes that of its last block",
        [{"role": "user", "content": [text("a"), text("b")], "cache_control": CACHE_CONTROL},
         {"role": "assistant", "content": "c", "tool_calls": [call("x", "f")],
          "cache_control": CACHE_CONTROL},
         {"role": "tool", "tool_call_id": "x", "content": "d", "cache_control": CACHE_CONTROL}],
        None,
        [user(text("a"), text("b", cache_control=CACHE_CONTROL)),
         assistant(text("c"), {"type": "tool_use", "id": "x", "name": "f", "input": {},
                               "cache_control": CACHE_CONTROL}),
         user({"type": "tool_result", "tool_use_id": "x", "content": "d",
               "cache_control": CACHE_CONTROL})],
    ),
    (
        "deprecated function calls get ids",
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
        "refusals become texts",
        [{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
         {"role": "assistant", "content": None, "refusal": "Never."}],
        None,
        [assistant(text("No."), text("Never."))],
    ),
    (
        "signed and encrypted thinking with server tools between, by index",
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
        "thinking of other vendors or without a signature is left out",
        [{"role": "assistant", "content": "Done.", "reasoning_details": [
            {"type": "reasoning.encrypted", "data": "E", "format": "openai-responses-v1"},
            {"type": "reasoning.text", "text": "Hm", "format": "anthropic-claude-v1"}]}],
        None,
        [assistant(text("Done."))],
    ),
    (
        "thinking in the content is not repeated and gets no cache_control",
        [{"role": "assistant", "cache_control": CACHE_CONTROL,
          "content": [{"type": "thinking", "thinking": "", "signature": "S"}],
          "reasoning_details": [{"type": "reasoning.text", "text": "", "signature": "S",
                                 "format": "anthropic-claude-v1"}]}],
        None,
        [assistant({"type": "thinking", "thinking": "", "signature": "S"})],
    ),
]  # fmt: skip


@for_each(
    ("given_messages", "system", "messages"),
    [row[1:] for row in MESSAGES],
    ids=[row[0] for row in MESSAGES],
)
def test_messages_are_converted_to_blocks(given_messages: Any, system: Any, messages: Any) -> None:
    before = [user(text("Hi"))] if given_messages[0]["role"] == "assistant" else []
    body, transformations = sent(chat([*before, *given_messages], max_tokens=9))
    assert body["messages"] == [*before, *messages]
    assert body.get("system") == system
    changed = "emulated messages[].tool_calls[].id: as ids that the provider takes, each once"
    assert set(transformations) <= {"dropped messages[]: a message without content", changed}


# what it shows, messages, a word of the error
UNSUPPORTED: list[tuple[str, list[Any], str]] = [
    ("audio", [user({"type": "input_audio", "input_audio": {"data": ""}})], "audio"),
    ("an unknown role", [{"role": "wizard", "content": "Hi"}], "wizard"),
    ("an image without an address", [user({"type": "image_url", "image_url": {}})], "image_url"),
    ("a file without data and id", [user({"type": "file", "file": {"filename": "a"}})],
     "file_data"),
    ("a text file that is not UTF-8", [user({"type": "file", "file": {
        "filename": "a.txt", "file_data": "//79"}})], "UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "word"), [row[1:] for row in UNSUPPORTED], ids=[row[0] for row in UNSUPPORTED]
)
def test_unsupported_content_is_rejected_with_a_message(messages: Any, word: str) -> None:
    with pytest.raises(RequestError, match=word) as caught:
        sent(chat(messages))
    assert caught.value.param == "messages"


@pytest.mark.parametrize(("arguments", "given"), [("[1]", [1]), ("{", "{"), ("none", "none")])
def test_arguments_that_are_not_an_object_become_one(arguments: str, given: Any) -> None:
    body, noted = sent(chat([{"role": "assistant", "tool_calls": [call("a", "f", arguments)]}]))
    assert body["messages"][1]["content"][0]["input"] == {"arguments": given}
    assert any("function.arguments" in str(each) for each in noted)


def test_arguments_keep_every_digit() -> None:
    arguments = '{"big":12345678901234567890123,"small":0.10}'
    request, _ = PROVIDER.adapt(
        chat([{"role": "assistant", "tool_calls": [call("a", "f", arguments)]}])
    )
    assert arguments.encode() in PROVIDER.encode_request(request, TARGET).body


# --- From a response to the next request ----------------------------------------------------------

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


@given(said=words.map(str.strip).filter(bool), made=calls, thought=thoughts)
def test_the_blocks_of_a_response_are_the_same_when_sent_back(
    said: str, made: list[tuple[str, str, Any]], thought: list[tuple[str, str]]
) -> None:
    """From blocks to events, to an assistant's message, and back to the same blocks."""
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
    body, _ = sent(chat([user(text("Hi")), message], max_tokens=9))
    assert body["messages"][1] == {"role": "assistant", "content": blocks}
