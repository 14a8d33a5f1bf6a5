"""OpenAI's Responses API, used through OpenAI's own client, over providers of many wire formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pydantic
import pytest

from support.gateway_process import SERVER_KEY, Gateway
from support.lazy_import import lazy_import
from support.openai_client import openai_client
from support.scripted_server import Received, ThreadedServer, answer
from support.wire_scripts import SCRIPTS, Pieces, Script

openai = lazy_import("openai")

KINDS = ("openai_responses", "openai", "anthropic", "gemini")
TRANSLATED = KINDS[1:]
TOOL: Any = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
PATCH: Any = {"type": "custom", "name": "patch", "description": "Applies a patch."}
SPOKEN = Pieces(thought=(), arguments=())
EVENTS_OF_A_TEXT = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]
Play = Callable[[Any], None]


class Scripted:
    """What the provider answers, and what it was sent."""

    def __init__(self) -> None:
        self.pieces = Pieces()
        self.failure: bytes | None = None
        self.ends_early = False
        self.received: list[Received] = []

    def __call__(self, request: Received) -> bytes:
        self.received.append(request)
        kind = request.target.split("/")[1]
        if self.failure is not None:
            return answer(self.failure, 429, [*JSON, ("retry-after", "7")])
        script = SCRIPTS[kind](self.pieces)
        if not asks_for_stream(request):
            return answer(json.dumps(script.whole).encode())
        return answer(self.streamed(script), headers=[("content-type", script.content_type)])

    def streamed(self, script: Script) -> bytes:
        events = [each for event in script.events for each in with_parts(event)]
        if self.ends_early:
            return b"".join(script.write(*event) for event in events[:3])
        return script.streamed(events)

    @property
    def last(self) -> Any:
        return json.loads(self.received[-1].body)


JSON = (("content-type", "application/json"),)


def asks_for_stream(request: Received) -> bool:
    return bool(json.loads(request.body).get("stream")) or ":stream" in request.target


def with_parts(event: Any) -> list[Any]:
    """A message's beginning with that of its part, which the SDK's helper needs."""
    kind, value = event
    if kind != "response.output_item.added" or value["item"]["type"] != "message":
        return [event]
    part = {"type": "output_text", "text": "", "annotations": []}
    where = {"item_id": "msg_1", "output_index": value["output_index"], "content_index": 0}
    added = {"type": "response.content_part.added", **where, "part": part}
    return [event, (added["type"], added)]


@pytest.fixture(scope="module")
def script() -> Scripted:
    return Scripted()


@pytest.fixture(scope="module")
def running(script: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with ThreadedServer([script]) as server:
        providers = {
            kind: {"kind": kind, "base_url": f"{server.url}/{kind}", "api_key": SERVER_KEY}
            for kind in KINDS
        }
        gateway = Gateway.start(tmp_path_factory.mktemp("responses"), {"providers": providers})
        yield gateway
        gateway.terminate()
        assert gateway.wait() == 0
        assert "Traceback" not in "".join(gateway.output)


@pytest.fixture
def upstream(script: Scripted) -> Scripted:
    script.__init__()  # type: ignore[misc]
    return script


@pytest.fixture
def sdk(running: Gateway, upstream: Scripted) -> Iterator[Any]:
    with openai_client(f"{running.base_url}/v1") as client:
        yield client


def types(output: Any) -> list[str]:
    return [item.type for item in output]


def model(kind: str) -> str:
    return f"{kind}/some-model"


# --- Texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_response_has_its_text(kind: str, sdk: Any, upstream: Scripted) -> None:
    response = sdk.responses.create(model=model(kind), input="Hello", instructions="Be brief.")
    assert response.object == "response"
    assert response.status == "completed"
    assert response.output_text == "Hello there"
    assert types(response.output) == ["reasoning", "message", "function_call"]
    assert response.usage.input_tokens == 11
    assert response.usage.output_tokens == 7
    assert response.usage.input_tokens_details.cached_tokens == 3
    assert b"Be brief." in upstream.received[-1].body
    assert upstream.received[-1].header("authorization") != "Bearer unused"


@pytest.mark.parametrize("kind", TRANSLATED)
def test_a_streamed_text_has_every_event_in_its_order(
    kind: str, sdk: Any, upstream: Scripted
) -> None:
    upstream.pieces = SPOKEN
    stream = sdk.responses.create(model=model(kind), input="Hello", stream=True)
    events = list(stream)
    names = [event.type for event in events]
    end = names.index("response.output_item.done") + 1  # Google's signature is an item of its own
    assert [name for name in (*names[:end], names[-1]) if "annotation" not in name] == [
        *EVENTS_OF_A_TEXT
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.output_text == "Hello there"
    assert len({event.response.id for event in events if hasattr(event, "response")}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_stream_helper_reads_the_response(kind: str, sdk: Any) -> None:
    with sdk.responses.stream(model=model(kind), input="Hello", tools=[TOOL]) as stream:
        texts = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert texts == ["Hello", " there"]
    assert final.output_text == "Hello there"
    assert types(final.output[:3]) == ["reasoning", "message", "function_call"]


class City(pydantic.BaseModel):
    city: str


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_parsed(kind: str, sdk: Any, upstream: Scripted) -> None:
    upstream.pieces = Pieces(text=('{"city":', '"Bonn"}'), thought=(), arguments=())
    parsed = sdk.responses.parse(model=model(kind), input="Where?", text_format=City)
    assert parsed.output_parsed == City(city="Bonn")
    assert b'"city"' in upstream.received[-1].body  # the schema


# --- Tools and reasoning over two turns -----------------------------------------------------------


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_call_and_its_reasoning_go_back(
    kind: str, is_streamed: bool, sdk: Any, upstream: Scripted
) -> None:
    asked: dict[str, Any] = {
        "model": model(kind),
        "tools": [TOOL],
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
    }
    history: list[Any] = [{"role": "user", "content": "The weather?"}]
    response = ask(sdk, is_streamed, input=history, **asked)
    call = response.output[2]
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Bonn"})
    history += [item.model_dump(exclude_none=True) for item in response.output]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "Rain"}
    ask(sdk, is_streamed, input=[*history, result], **asked)
    SENT_BACK[kind](upstream.last, call.call_id)


def ask(sdk: Any, is_streamed: bool, **asked: Any) -> Any:
    if not is_streamed:
        return sdk.responses.create(**asked)
    *_, last = sdk.responses.create(stream=True, **asked)
    assert last.type == "response.completed"
    return last.response


def sent_by_responses(body: Any, call_id: str) -> None:
    said, reasoning, message, call, result = body["input"]
    assert said == {"role": "user", "content": "The weather?"}
    assert (reasoning["id"], reasoning["encrypted_content"]) == ("rs_1", "E")
    assert message["content"][0]["text"] == "Hello there"
    assert call["call_id"] == result["call_id"] == call_id
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]


def sent_by_chat(body: Any, call_id: str) -> None:
    _, said, result = body["messages"]
    assert said["role"] == "assistant"
    assert said["content"] == "Hello there"
    assert said["tool_calls"][0]["id"] == call_id
    assert result == {"role": "tool", "tool_call_id": call_id, "content": "Rain"}


def sent_by_anthropic(body: Any, call_id: str) -> None:
    _, said, result = body["messages"]
    thinking, text, use = said["content"]
    assert thinking == {"type": "thinking", "thinking": "Let me", "signature": "S"}
    assert text["text"] == "Hello there"
    assert use["id"] == result["content"][0]["tool_use_id"] == call_id


def sent_by_gemini(body: Any, call_id: str) -> None:
    _, said, result = body["contents"]
    assert [part for part in said["parts"] if "thoughtSignature" in part]
    assert result["parts"][0]["functionResponse"]["name"] == "weather"


SENT_BACK = {
    "openai_responses": sent_by_responses,
    "openai": sent_by_chat,
    "anthropic": sent_by_anthropic,
    "gemini": sent_by_gemini,
}


def test_reasoning_of_another_provider_is_left_out_and_said(sdk: Any, upstream: Scripted) -> None:
    response = sdk.responses.create(model=model("anthropic"), input="Hello")
    history: list[Any] = [item.model_dump(exclude_none=True) for item in response.output[:2]]
    raw = sdk.responses.with_raw_response.create(
        model=model("openai_responses"), input=[*history, {"role": "user", "content": "And?"}]
    )
    assert [item["type"] for item in upstream.last["input"][:-1]] == ["message"]
    assert "dropped input[].reasoning" in raw.headers["x-headway-transformations"]


@pytest.mark.parametrize("kind", TRANSLATED)
def test_reasoning_of_a_provider_without_a_place_for_it_is_left_out_and_said(
    kind: str, sdk: Any, upstream: Scripted
) -> None:
    """Each provider gets what the next one of the list made."""
    maker = (*TRANSLATED, *TRANSLATED)[TRANSLATED.index(kind) + 1]
    response = sdk.responses.create(model=model(maker), input="Hello")
    history: list[Any] = [item.model_dump(exclude_none=True) for item in response.output[:2]]
    asked = [*history, {"role": "user", "content": "And?"}]
    raw = sdk.responses.with_raw_response.create(model=model(kind), input=asked)
    assert "reasoning" in raw.headers["x-headway-transformations"]
    assert b"signature" not in upstream.received[-1].body.lower()


@pytest.mark.parametrize("kind", TRANSLATED)
def test_a_custom_tool_is_a_function_with_one_text(kind: str, sdk: Any, upstream: Scripted) -> None:
    tool = {**PATCH, "name": "weather"}
    upstream.pieces = Pieces(arguments=('{"input": "*** Begin', '\\n\\u00e4 \\"x\\""}'))
    stream = sdk.responses.create(model=model(kind), input="Hello", tools=[tool], stream=True)
    events = list(stream)
    deltas = [e.delta for e in events if e.type == "response.custom_tool_call_input.delta"]
    call = events[-1].response.output[2]
    assert call.type == "custom_tool_call"
    assert call.name == "weather"
    assert call.input == "".join(deltas) == '*** Begin\nä "x"'
    result = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "Done"}
    history = [item.model_dump(exclude_none=True) for item in events[-1].response.output]
    sdk.responses.create(model=model(kind), input=[*history, result], tools=[tool])
    assert b"Begin" in upstream.received[-1].body


# --- Errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_of_the_provider_is_a_rate_limit_error(
    kind: str, sdk: Any, upstream: Scripted
) -> None:
    upstream.failure = b'{"error":{"message":"Too many","type":"rate_limit_error"}}'
    with pytest.raises(openai.RateLimitError) as caught:
        sdk.responses.create(model=model(kind), input="Hello", stream=True)
    assert caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_breaks_off_raises(kind: str, sdk: Any, upstream: Scripted) -> None:
    upstream.ends_early = True
    with pytest.raises(openai.APIError, match="without finishing"):
        list(sdk.responses.create(model=model(kind), input="Hello", stream=True))


@pytest.mark.parametrize(
    "field", [{"background": True}, {"previous_response_id": "resp_1"}, {"conversation": "conv_1"}]
)
def test_what_refers_to_stored_responses_is_refused(field: dict[str, Any], sdk: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model=model("openai"), input="Hello", **field)
    assert caught.value.param == next(iter(field))


def test_a_compaction_needs_a_provider_that_compacts(sdk: Any, upstream: Scripted) -> None:
    asked: Any = [{"role": "user", "content": "Hello"}, {"type": "compaction_trigger"}]
    sdk.responses.create(model=model("openai_responses"), input=asked)
    assert upstream.last["input"] == asked
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model=model("anthropic"), input=asked)
    assert caught.value.param == "input[1]"


# --- Cursor ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_items_on_the_chat_route_get_a_chat_completion(
    kind: str, is_streamed: bool, sdk: Any, upstream: Scripted
) -> None:
    body = {
        "model": model(kind),
        "input": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "The weather?"}]},
        ],
        "tools": [TOOL],
        "stream": is_streamed,
        "stream_options": {"include_usage": True} if is_streamed else None,
    }
    reply = sdk.post("/chat/completions", body=body, cast_to=object)
    text = (reply if isinstance(reply, str) else json.dumps(reply)).replace(": ", ":")
    kinds = '"object":"chat.completion.chunk"' if is_streamed else '"object":"chat.completion"'
    assert kinds in text
    assert ("data:[DONE]" in text) == is_streamed
    assert "weather" in text
    assert '"completion_tokens":' in text
    assert b"The weather?" in upstream.received[-1].body


# --- Routes ---------------------------------------------------------------------------------------

HANDSHAKE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize("path", ["/v1/responses", "/openai/v1/responses", "/v1/responses?a=1"])
def test_a_websocket_is_refused_at_once(path: str, gateway: Gateway) -> None:
    reply = gateway.client.call("GET", path, headers=HANDSHAKE)
    assert reply.status == 426
    assert reply.headers["upgrade"] == "HTTP/1.1"
    assert reply.json["error"]["code"] == "websocket_unsupported"


def test_other_methods_are_not_allowed(gateway: Gateway) -> None:
    for method in ("GET", "PUT", "DELETE"):
        reply = gateway.client.call(method, "/v1/responses")
        assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_input_tokens_are_counted_and_nothing_is_sent(sdk: Any, upstream: Scripted) -> None:
    asked = {"model": model("openai"), "input": "Hello there", "instructions": "Be brief."}
    few = sdk.responses.input_tokens.count(**asked)
    many = sdk.responses.input_tokens.count(**asked, tools=[TOOL])
    assert few.object == "response.input_tokens"
    assert 0 < few.input_tokens < many.input_tokens
    assert upstream.received == []


def test_compaction_has_no_route_of_its_own(server: Gateway) -> None:
    reply = server.client.call("POST", "/v1/responses/compact", {"model": "m", "input": []})
    assert reply.status == 404
    assert "compaction_trigger" in reply.json["error"]["message"]


def test_a_stored_response_is_not_found_by_the_sdk(sdk: Any) -> None:
    with pytest.raises(openai.NotFoundError, match=r"ledger\.content: full"):
        sdk.responses.retrieve("resp_1")
    with pytest.raises(openai.NotFoundError, match="'resp_1' not found"):
        sdk.responses.delete("resp_1")
