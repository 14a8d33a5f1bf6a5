"""Mistral's SDK as the reference: we send what it sends, and it decodes a response as we do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from headway.providers.mistral import PROVIDER
from support.canned_responses import JSON, OPENAI, SSE, Played
from support.for_each import for_each
from support.lazy_import import lazy_import
from support.openai_completions import (
    DONE,
    chunk,
    finish,
    join_chunks,
    role,
    text,
    tool_start,
    usage,
)
from support.openai_upstream import sse_event
from support.recordings import Recording, chosen, each
from support.scripted_server import ThreadedServer
from support.sdk_reference import (
    DecodedResponse,
    SentRequest,
    asked_by_sdk,
    asked_by_us,
    read_by_us,
    serving,
)

mistral = lazy_import("mistralai.client")

MODEL = "mistral-large-latest"
ANSWERS = chosen(lambda r: r.provider == "mistral" and r.api == "chat" and r.status == 200)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOLS = [{"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}]
CALL = {"id": "abcdefgh1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA==", "detail": "low"}}
USER = {"role": "user", "content": "Hello"}
RESULT = {"role": "tool", "tool_call_id": "abcdefgh1", "content": "1", "name": "f"}
NAMED = {"type": "function", "function": {"name": "f"}}
FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "n", "description": "d", "schema": SCHEMA, "strict": True},
}
SAMPLING = {
    "temperature": 0.5, "top_p": 0.5, "stop": ["x"], "presence_penalty": 0.25,
    "frequency_penalty": 0.5, "n": 2, "parallel_tool_calls": False, "top_k": 5,
    "metadata": {"a": "b"},
}  # fmt: skip

# The request in OpenAI's words, and the same in Mistral's.
REQUESTS: list[tuple[str, Any, Any]] = [
    ("sampling",
     {"messages": [{"role": "developer", "content": "Be brief."}, USER],
      "max_completion_tokens": 9, "seed": 7, **SAMPLING},
     {"messages": [{"role": "system", "content": "Be brief."}, USER],
      "max_tokens": 9, "random_seed": 7, **SAMPLING}),
    ("tools and their results",
     {"messages": [USER, {"role": "assistant", "content": "I look.", "tool_calls": [CALL]},
                   RESULT, {"role": "assistant", "content": "1"}, USER],
      "tools": TOOLS, "tool_choice": "required"},
     {"messages": [USER, {"role": "assistant", "content": "I look.", "tool_calls": [CALL]},
                   RESULT, {"role": "assistant", "content": "1"}, USER],
      "tools": TOOLS, "tool_choice": "required"}),
    ("a named tool",
     {"messages": [USER], "tools": TOOLS, "tool_choice": NAMED},
     {"messages": [USER], "tools": TOOLS, "tool_choice": NAMED}),
    ("an image, a document and sound",
     {"messages": [{"role": "user", "content": [
         {"type": "text", "text": "See:"}, IMAGE,
         {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://x/a.pdf"}},
         {"type": "file", "file": {"file_id": "f1"}},
         {"type": "input_audio", "input_audio": "eA=="}]}]},
     {"messages": [{"role": "user", "content": [
         {"type": "text", "text": "See:"}, IMAGE,
         {"type": "document_url", "document_url": "https://x/a.pdf", "document_name": "a.pdf"},
         {"type": "file", "file_id": "f1"},
         {"type": "input_audio", "input_audio": "eA=="}]}]}),
    ("a schema",
     {"messages": [USER], "response_format": FORMAT},
     {"messages": [USER], "response_format": FORMAT}),
    ("thought",
     {"messages": [USER, {"role": "assistant", "content": "b", "reasoning_content": "hm"}, USER],
      "reasoning": {"effort": "high"}},
     {"messages": [USER, {"role": "assistant", "content": [
         {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
         {"type": "text", "text": "b"}]}, USER],
      "reasoning_effort": "high"}),
]  # fmt: skip

# The SDK writes out what goes without saying: a field by its name, and the value it fills in.
FILLED: dict[str, Any] = {"stream": False, "index": 0, "strict": False, "prefix": False}


def plain(value: Any) -> Any:
    """Without what the SDK fills in."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: plain(item)
        for name, item in value.items()
        if name not in FILLED or item is not FILLED[name]
    }


@pytest.fixture(scope="module", autouse=True)
def _client() -> Iterator[None]:
    """One client for all tests: it takes longer to make than all that it does here."""
    with mistral.Mistral(api_key="k") as made:
        CLIENT.append(made)
        yield
        CLIENT.clear()


CLIENT: list[Any] = []


def sdk_response(server: ThreadedServer, streamed: bool, **given: Any) -> Any:
    (client,) = CLIENT
    if not streamed:
        return client.chat.complete(model=MODEL, server_url=server.url, **given)
    with client.chat.stream(model=MODEL, server_url=server.url, **given) as stream:
        return [event.data for event in stream]


def ours(server_url: str, given: Any, streamed: bool) -> SentRequest:
    parameters = {name: value for name, value in given.items() if name != "messages"}
    base_url = f"{server_url}/v1"
    return asked_by_us(PROVIDER, base_url, MODEL, given["messages"], parameters, streamed)


@for_each("streamed", [False, True])
@for_each(("openai", "native"), [row[1:] for row in REQUESTS], ids=[row[0] for row in REQUESTS])
def test_requests_equal_those_of_the_sdk(openai: Any, native: Any, streamed: bool) -> None:
    with serving(OPENAI.streamed if streamed else OPENAI.whole) as server:
        sdk_response(server, streamed, **native)
        theirs = asked_by_sdk(server.requests[0])
        asked = ours(server.url, openai, streamed)
    assert asked._replace(body=plain(asked.body)) == theirs._replace(body=plain(theirs.body))


# --- Answers --------------------------------------------------------------------------------------


def played(*chunks: dict[str, Any]) -> Played:
    return Played(SSE, b"".join(sse_event(one) for one in chunks) + DONE)


def thinking(piece: str) -> dict[str, Any]:
    part = {"type": "thinking", "thinking": [{"type": "text", "text": piece}]}
    return chunk({"content": [part]})


CALLS = (
    role(), tool_start(0, "a", "f", '{"a": 1}'), tool_start(1, "b", "g", "{}"),
    finish("tool_calls"), usage(),
)  # fmt: skip
PLAYED: list[tuple[str, Played, bool]] = [
    ("whole", OPENAI.whole, False),
    ("streamed", OPENAI.streamed, True),
    ("calls, whole", Played(JSON, json.dumps(join_chunks(CALLS)).encode()), False),
    ("calls, streamed", played(*CALLS), True),
    ("thought, streamed",
     played(role(), thinking("h"), thinking("m"), text("ab"), finish("length"), usage()), True),
]  # fmt: skip


class Heard:
    """The first choice as it is gathered from the SDK's types: a message, or its deltas."""

    def __init__(self) -> None:
        self.text = self.thought = ""
        self.calls: list[tuple[str, str, Any]] = []
        self.finish: str | None = None
        self.tokens: tuple[int | None, int | None] = (None, None)

    def hear(self, answer: Any) -> None:
        if answer.usage:
            count = answer.usage  # the tokens of sound are in the total alone
            self.tokens = (count.total_tokens - count.completion_tokens, count.completion_tokens)
        for choice in (one for one in answer.choices if one.index == 0):
            response = getattr(choice, "message", None) or choice.delta
            self.content(response.content or "")
            for call in response.tool_calls or []:
                self.call(call)
            self.finish = choice.finish_reason or self.finish

    def content(self, content: Any) -> None:
        if isinstance(content, str):
            self.text += content
            return
        for part in content:
            if part.type == "text":
                self.text += part.text
            else:
                assert part.type == "thinking"
                self.thought += "".join(piece.text for piece in part.thinking)

    def call(self, call: Any) -> None:
        """In a stream, too, it comes whole: the SDK's type wants its name and its arguments."""
        made = call.function
        self.calls.append((call.id, made.name, json.loads(made.arguments)))

    def reading(self) -> DecodedResponse:
        return DecodedResponse(self.text, self.thought, tuple(self.calls), self.finish, self.tokens)


def read_by_sdk(answer: Played, streamed: bool) -> DecodedResponse:
    with serving(answer) as server:
        response = sdk_response(server, streamed, messages=[USER])
    heard = Heard()
    for one in response if streamed else [response]:
        heard.hear(one)
    return heard.reading()


@pytest.mark.parametrize(
    ("answer", "streamed"), [row[1:] for row in PLAYED], ids=[row[0] for row in PLAYED]
)
def test_the_sdk_decodes_a_response_as_we_do(answer: Played, streamed: bool) -> None:
    assert read_by_sdk(answer, streamed) == read_by_us(PROVIDER, answer, streamed)


@each(ANSWERS)
def test_the_sdk_decodes_a_recorded_response_as_we_do(recording: Recording) -> None:
    answer = Played(SSE if recording.stream else JSON, recording.body)
    assert read_by_sdk(answer, recording.stream) == read_by_us(PROVIDER, answer, recording.stream)
