"""What plans read of requests, in the clients' formats and in their bytes."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, DecodedRequest, Dialect
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.pipeline.routed_requests import (
    FILE_TOKENS,
    fields_of,
    find_max_output,
    find_needs,
    find_prefix,
    read_request,
)
from headway.pipeline.target_facts import Interests
from headway.routing.route import Route, RouteTarget
from headway.types import EmbeddingsRequest, FormBody, RelayedRequest
from support.for_each import for_each

CHAT, MESSAGES, RESPONSES = OpenAIChat(), AnthropicMessages(), OpenAIResponses()
GEMINI, OLLAMA = GenerateContent(), OllamaChat()
ROUTE = Route(name="r", targets=(RouteTarget(provider="openai", model="m"),))
NONE = Interests(frozenset(), frozenset(), None)
NOW = 1_780_000_000.0
HELLO = [{"role": "user", "content": "Hello"}]


def decode(dialect: Dialect, body: dict[str, Any]) -> DecodedRequest:
    named = body if dialect is GEMINI else {"model": "r", **body}
    return dialect.decode(ClientRequest("openai/m", [], json.dumps(named).encode()))


def image(**part: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": "What?"}, part]}]


# dialect, body, what it needs
NEEDS: list[tuple[Dialect, dict[str, Any], str]] = [
    (CHAT, {"messages": HELLO}, ""),
    (CHAT, {"messages": [{"role": "user", "content": '"type":"image_url" "images":["'}]}, ""),
    (CHAT, {"messages": image(type="image_url", image_url={"url": "data:"})}, "images"),
    (CHAT, {"messages": image(type="file", file={"file_id": "f"})}, "documents"),
    (CHAT, {"messages": image(type="input_audio", input_audio={})}, "audio"),
    (CHAT, {"messages": HELLO, "tools": [{}]}, "tools"),
    (CHAT, {"messages": HELLO, "tools": [], "reasoning_effort": "none", "logprobs": False}, ""),
    (CHAT, {"messages": HELLO, "functions": [{}], "logprobs": True}, "logprobs tools"),
    (CHAT, {"messages": HELLO, "response_format": {"type": "json_schema"}}, "json_schema"),
    (CHAT, {"messages": HELLO, "response_format": {"type": "json_object"}}, "json_object"),
    (CHAT, {"messages": HELLO, "response_format": {"type": "text"}}, ""),
    (CHAT, {"messages": HELLO, "reasoning_effort": "low", "top_logprobs": 2}, "logprobs reasoning"),
    (CHAT, {"messages": HELLO, "reasoning": {"effort": "none"}, "top_logprobs": 0}, ""),
    (CHAT, {"messages": HELLO, "reasoning": {"max_tokens": 9}}, "reasoning"),
    (MESSAGES, {"messages": image(type="image", source={})}, "images"),
    (MESSAGES, {"messages": image(type="document", source={})}, "documents"),
    (MESSAGES, {"messages": HELLO, "thinking": {"type": "disabled"}}, ""),
    (MESSAGES, {"messages": HELLO, "thinking": {"type": "adaptive"}}, "reasoning"),
    (MESSAGES, {"messages": HELLO, "output_config": {"effort": "low"}}, "reasoning"),
    (MESSAGES, {"messages": HELLO, "output_format": {"type": "json_schema"}}, "json_schema"),
    (RESPONSES, {"input": "Hello"}, ""),
    (RESPONSES, {"input": image(type="input_image", image_url="x")}, "images"),
    (RESPONSES, {"input": image(type="input_file", file_id="x")}, "documents"),
    (RESPONSES, {"input": "Hello", "text": {"format": {"type": "json_schema"}}}, "json_schema"),
    (RESPONSES, {"input": "Hello", "reasoning": {"effort": "low"}}, "reasoning"),
    (RESPONSES, {"input": "Hello", "reasoning": {"summary": "auto"}}, ""),
    (GEMINI, {"contents": [{"parts": [{"text": "Hello"}]}]}, ""),
    (
        GEMINI,
        {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "x"}}]}]},
        "images",
    ),
    (
        GEMINI,
        {"contents": [{"parts": [{"inline_data": {"mime_type": "audio/wav", "data": "x"}}]}]},
        "audio",
    ),
    (
        GEMINI,
        {"contents": [{"parts": [{"fileData": {"mimeType": "application/pdf"}}]}]},
        "documents",
    ),
    (
        GEMINI,
        {
            "contents": [{"parts": [{"text": "Hello"}]}],
            "tools": [{"functionDeclarations": []}],
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseSchema": {},
                "thinkingConfig": {"thinkingBudget": 5},
                "responseLogprobs": True,
            },
        },
        "json_object json_schema logprobs reasoning tools",
    ),
    (OLLAMA, {"messages": [{"role": "user", "content": "?", "images": ["aGk="]}]}, "images"),
    (OLLAMA, {"messages": HELLO, "format": "json", "think": True}, "json_object reasoning"),
    (OLLAMA, {"messages": HELLO, "format": {"type": "object"}, "think": False}, "json_schema"),
]


@for_each(("dialect", "body", "needs"), NEEDS)
def test_what_a_request_needs_is_found_in_every_format(
    dialect: Dialect, body: dict[str, Any], needs: str
) -> None:
    request = decode(dialect, body).request
    assert sorted(find_needs(request, fields_of(request))) == needs.split()


EMBEDDINGS = EmbeddingsRequest(model="m", input=Raw(b'"' + b"x" * 398 + b'"'))
SPEECH = RelayedRequest(
    operation="audio/speech", model="m", form=FormBody("multipart/form-data", b"", 0, 0)
)


def test_what_is_no_chat_needs_nothing_and_has_no_conversation() -> None:
    for request in (EMBEDDINGS, SPEECH):
        assert find_needs(request, {"tools": Raw(b"[1]")}) == frozenset()
        assert find_prefix(request, {}) == ""


def read(decoded: DecodedRequest, interests: Interests = NONE, **more: Any) -> Any:
    route = more.pop("route", ROUTE)
    return read_request(
        decoded,
        route=route,
        interests=interests,
        dialect="openai",
        headers=more.pop("headers", []),
        key_id="k",
        now=NOW,
    )


ALL = Interests(frozenset({"headers", "tags", "user", "needs", "input_tokens"}), frozenset(), None)
FULL = {
    "messages": HELLO,
    "user": "ann",
    "metadata": {"team": "red"},
    "tools": [{}],
    "max_tokens": 77,
}


def test_a_form_is_read_as_a_json_body() -> None:
    fields = {"user": Raw(b'"ann"'), "metadata": Raw(b'{"team":"red"}')}
    form = FormBody("multipart/form-data", b"", 0, 0, fields)
    request = RelayedRequest(operation="images/edits", model="m", form=form)
    found = read(DecodedRequest(provider="", request=request), ALL)
    assert (found.user, found.tags) == ("ann", ("team:red",))


def test_only_what_is_of_interest_is_read() -> None:
    decoded = replace(decode(CHAT, FULL), session_id="s", tags=("vip",), stream=True)
    headers = [(b"authorization", b"Bearer x"), (b"x-team", b"r\xe9d"), (b"x-api-key", b"x")]
    found = read(decoded, headers=headers)
    assert (found.headers, found.tags, found.user, found.needs) == ({}, (), "", frozenset())
    assert (found.model, found.dialect, found.operation) == ("r", "openai", "chat")
    assert (found.key_id, found.session_id, found.stream) == ("k", "s", True)
    assert (found.max_output_tokens, found.now, found.prefix) == (77, NOW, "")
    found = read(decoded, ALL, headers=headers)
    assert found.headers == {"x-team": "r\xe9d"}
    assert found.tags == ("vip", "team:red")
    assert found.user == "ann"
    assert found.needs == {"tools"}
    assert read(replace(decoded, user="bob"), ALL).user == "bob"
    lacking = Interests(frozenset(), frozenset({"audio"}), None)
    assert read(decoded, lacking).needs == {"tools"}


def test_the_operation_is_that_of_the_request() -> None:
    for request, operation, tokens in (
        (EMBEDDINGS, "embeddings", 100),
        (SPEECH, "audio/speech", 0),
    ):
        found = read(DecodedRequest(provider="openai", request=request))
        assert (found.model, found.operation, found.input_tokens) == ("m", operation, tokens)


# --- Length -------------------------------------------------------------------------------------


def tokens(body: dict[str, Any], window: int | None = None, dialect: Dialect = CHAT) -> int:
    interests = Interests(frozenset(), frozenset(), window)
    return int(read(decode(dialect, body), interests).input_tokens)


def test_the_length_of_a_prompt_is_estimated_with_its_tools_and_instructions() -> None:
    assert tokens({"messages": HELLO}) == len(json.dumps(HELLO)) // 4
    tools = [{"x": "y" * 4000}]
    assert 1000 < tokens({"messages": HELLO, "tools": tools}) < 1030
    assert 1000 < tokens({"messages": HELLO, "system": "z" * 4000}, dialect=MESSAGES) < 1020


def test_where_it_decides_files_count_with_what_they_take() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "Ab9+" * 9000}}
    long = {"messages": image(**part)}
    assert tokens(long) > 9000
    assert tokens(long, window=10_000) > 9000
    assert FILE_TOKENS < tokens(long, window=8000) < FILE_TOKENS + 100
    read_by_condition = Interests(frozenset({"input_tokens"}), frozenset(), None)
    assert read(decode(CHAT, long), read_by_condition).input_tokens < FILE_TOKENS + 100
    text = {"messages": [{"role": "user", "content": "some words " * 4000}]}
    assert tokens(text, window=8000) > 10_000


MAX_OUTPUTS = [
    ({"max_tokens": "77"}, 77),
    ({"max_tokens": "5", "max_completion_tokens": "6"}, 6),
    ({"max_output_tokens": "9"}, 9),
    ({"max_tokens": "null"}, None),
    ({"max_tokens": "-1"}, None),
    ({"max_tokens": '"5"'}, None),
    ({"generationConfig": '{"topK": 5, "maxOutputTokens": 12}'}, 12),
    ({"options": '{"num_predict":13}'}, 13),
    ({"options": '{"num_predict":-1}'}, None),
    ({}, None),
]


@for_each(("fields", "most"), MAX_OUTPUTS)
def test_the_longest_answer_is_read_in_every_format(
    fields: dict[str, str], most: int | None
) -> None:
    assert find_max_output({name: Raw(raw.encode()) for name, raw in fields.items()}) == most


# --- The beginning of the prompt ----------------------------------------------------------------

MORE = [{"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Bye"}]
SYSTEM = {"role": "system", "content": "Be brief."}
LONG_SYSTEM = {"role": "system", "content": "Be brief. " * 500}


def prefix(dialect: Dialect, body: dict[str, Any]) -> str:
    sticky = replace(ROUTE, strategy="weighted", sticky="prefix")
    return str(read(decode(dialect, body), route=sticky).prefix)


CONVERSATIONS: list[tuple[Dialect, str, dict[str, Any], list[Any]]] = [
    (CHAT, "messages", {}, HELLO),
    (CHAT, "messages", {"tools": [{"a": 1}]}, [SYSTEM, *HELLO]),
    (MESSAGES, "messages", {"system": "Be brief."}, HELLO),
    (RESPONSES, "input", {"instructions": "Be brief."}, HELLO),
    (GEMINI, "contents", {}, [{"role": "user", "parts": [{"text": "Hello"}]}]),
]


@for_each(("dialect", "name", "fixed", "first"), CONVERSATIONS)
def test_the_beginning_stays_the_same_over_a_conversation(
    dialect: Dialect, name: str, fixed: dict[str, Any], first: list[Any]
) -> None:
    begun = prefix(dialect, {**fixed, name: first})
    assert begun
    assert prefix(dialect, {**fixed, name: [*first, *MORE], "temperature": 0}) == begun
    other = json.loads(json.dumps(first).replace("Hello", "Good day"))
    assert prefix(dialect, {**fixed, name: other}) != begun


def test_long_instructions_are_a_beginning_that_conversations_share() -> None:
    others = [{"role": "user", "content": "Good day"}]
    assert prefix(CHAT, {"messages": [LONG_SYSTEM, *HELLO]}) == prefix(
        CHAT, {"messages": [LONG_SYSTEM, *others]}
    )
    assert prefix(CHAT, {"messages": [SYSTEM, *HELLO]}) != prefix(
        CHAT, {"messages": [SYSTEM, *others]}
    )


def test_a_prompt_that_is_one_text_is_its_own_beginning() -> None:
    decoded = decode(CHAT, {"messages": HELLO})
    text = replace(decoded, request=replace(decoded.request, messages=Raw(b'"Hello"')))
    sticky = replace(ROUTE, strategy="weighted", sticky="prefix")
    assert read(text, route=sticky).prefix
