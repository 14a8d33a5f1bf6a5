"""Google's routes, used through Google's own client, over providers of several wire formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.gateway_process import SERVER_MODES, Gateway
from support.lazy_import import lazy_import
from support.scripted_server import answer, sse
from support.wire_scripts import Pieces
from support.wire_upstream import KEY, WireUpstream

genai = lazy_import("google.genai")

MODELS = {
    "gemini": "gemini/gemini-2.5-pro",
    "openai": "openai/gpt-4o",
    "anthropic": "anthropic/claude-sonnet-4-5",
    "openai_responses": "openai_responses/gpt-5",
}
WIRES = pytest.mark.parametrize("wire", MODELS)
HI = [{"role": "user", "parts": [{"text": "Hi"}]}]
WEATHER = {
    "name": "weather",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
}
CONFIG: Any = {
    "system_instruction": "Be kind.",
    "temperature": 1,
    "tools": [{"function_declarations": [WEATHER]}],
    "thinking_config": {"include_thoughts": True},
    "automatic_function_calling": {"disable": True},
}


@pytest.fixture(scope="module")
def wires() -> Iterator[WireUpstream]:
    with WireUpstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(wires: WireUpstream) -> WireUpstream:
    wires.reset()
    return wires


@pytest.fixture(scope="module", params=SERVER_MODES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, wires: WireUpstream
) -> Iterator[Gateway]:
    config = {"providers": wires.providers()}
    gateway = Gateway.start(tmp_path_factory.mktemp("gemini"), config, mode=request.param)
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def client(wires: WireUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One for all tests: its TLS settings take long to load."""
    config = {"providers": wires.providers()}
    gateway = Gateway.start(tmp_path_factory.mktemp("gemini-sdk"), config)
    options = {"base_url": f"{gateway.base_url}/gemini", "retry_options": {"attempts": 1}}
    with genai.Client(api_key="unused", http_options=options) as found:
        yield found
    gateway.stop()


@pytest.fixture
def sdk(client: Any, upstream: WireUpstream) -> Any:
    return client


def said(response: Any) -> list[tuple[str, Any]]:
    """What each part of a response says, adjacent texts as one."""
    found: list[tuple[str, Any]] = []
    for part in response.candidates[0].content.parts or ():
        if part.function_call is not None:
            found.append(("call", (part.function_call.name, dict(part.function_call.args))))
        elif part.text:
            kind = "thought" if part.thought else "text"
            if found and found[-1][0] == kind:
                found[-1] = (kind, found[-1][1] + part.text)
            else:
                found.append((kind, part.text))
    return found


EVERYTHING = [
    ("thought", "Let me"),
    ("text", "Hello there"),
    ("call", ("weather", {"city": "Bonn"})),
]


@WIRES
def test_a_whole_response_has_all_parts(sdk: Any, wire: str) -> None:
    response = sdk.models.generate_content(model=MODELS[wire], contents="Hi", config=CONFIG)
    assert said(response) == EVERYTHING
    assert response.text == "Hello there"
    assert response.candidates[0].finish_reason.name == "STOP"
    counts = response.usage_metadata
    assert (counts.prompt_token_count, counts.total_token_count) == (11, 18)
    assert counts.cached_content_token_count == 3
    assert response.model_version
    assert response.response_id


@WIRES
def test_a_stream_has_all_parts(sdk: Any, wire: str) -> None:
    stream = sdk.models.generate_content_stream(model=MODELS[wire], contents="Hi", config=CONFIG)
    chunks = list(stream)
    found: list[tuple[str, Any]] = []
    for chunk in chunks:
        for kind, value in said(chunk):
            if found and found[-1][0] == kind != "call":
                value = found.pop()[1] + value
            found.append((kind, value))
    assert found == EVERYTHING
    assert chunks[-1].candidates[0].finish_reason.name == "STOP"
    assert chunks[-1].usage_metadata.total_token_count == 18
    assert len({chunk.response_id for chunk in chunks}) == 1


def test_google_is_sent_the_clients_own_fields(sdk: Any, upstream: WireUpstream) -> None:
    sdk.models.generate_content(model=MODELS["gemini"], contents="Hi", config=CONFIG)
    sent = upstream.last_json
    assert list(sent) == ["contents", "systemInstruction", "tools", "generationConfig"]
    assert sent["generationConfig"] == {
        "temperature": 1,
        "thinkingConfig": {"include_thoughts": True},
    }
    assert upstream.last.header("x-goog-api-key") == KEY
    assert b"unused" not in upstream.last.body


def test_another_provider_is_sent_its_own_format(sdk: Any, upstream: WireUpstream) -> None:
    sdk.models.generate_content(model=MODELS["openai"], contents="Hi", config=CONFIG)
    sent = upstream.last_json
    assert sent["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
    ]
    assert sent["tools"][0]["function"]["parameters"]["type"] == "object"
    assert upstream.last.header("x-goog-api-key") is None


# --- Several turns --------------------------------------------------------------------------------


@WIRES
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_chat_brings_back_calls_and_reasoning(
    sdk: Any, upstream: WireUpstream, wire: str, is_stream: bool
) -> None:
    chat = sdk.chats.create(model=MODELS[wire], config=CONFIG)
    if is_stream:
        responses = list(chat.send_message_stream("Hi"))
    else:
        responses = [chat.send_message("Hi")]
    [call] = [
        part.function_call
        for each in responses
        for part in each.candidates[0].content.parts
        if part.function_call
    ]
    result = genai.types.Part(
        function_response={"id": call.id, "name": call.name, "response": {"output": "Sunny"}}
    )
    upstream.pieces = Pieces(thought=(), arguments=())
    assert chat.send_message([result]).text == "Hello there"
    TURNS[wire](upstream.last_json)


def check_gemini(sent: Any) -> None:
    signed = [
        part["thoughtSignature"]
        for content in sent["contents"]
        for part in content["parts"]
        if "thoughtSignature" in part
    ]
    assert set(signed) == {"c2ln"}


def check_openai(sent: Any) -> None:
    *_, called, result = sent["messages"]
    [call] = called["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Bonn"}
    assert result == {"role": "tool", "tool_call_id": call["id"], "content": "Sunny"}


def check_anthropic(sent: Any) -> None:
    *_, answer, result = sent["messages"]
    thinking, _, call = answer["content"]
    assert thinking == {"type": "thinking", "thinking": "Let me", "signature": "S"}
    assert result["content"][0]["tool_use_id"] == call["id"] == "toolu_1"


def check_responses(sent: Any) -> None:
    kinds = {item["type"]: item for item in sent["input"]}
    assert kinds["reasoning"]["encrypted_content"] == "E"
    assert kinds["function_call_output"]["call_id"] == kinds["function_call"]["call_id"]


TURNS = {
    "gemini": check_gemini,
    "openai": check_openai,
    "anthropic": check_anthropic,
    "openai_responses": check_responses,
}


def test_reasoning_of_another_provider_is_not_sent_to_google(
    sdk: Any, upstream: WireUpstream
) -> None:
    first = sdk.models.generate_content(model=MODELS["anthropic"], contents="Hi", config=CONFIG)
    history = [*HI, first.candidates[0].content]
    response = sdk.models.generate_content(model=MODELS["gemini"], contents=history, config=CONFIG)
    assert b"thought_signature" not in upstream.last.body
    assert b"thoughtSignature" not in upstream.last.body
    told = response.sdk_http_response.headers["x-headway-transformations"]
    assert told == "dropped contents[].parts[].thoughtSignature: another provider made it"


# --- Paths ----------------------------------------------------------------------------------------

PATHS = [
    "/v1beta/models/openai/gpt-4o:generateContent",
    "/v1beta/models/openai%2Fgpt-4o:generateContent",
    "/v1beta/models%2Fopenai%2Fgpt-4o%3AgenerateContent",
    "/v1beta/openai/gpt-4o:generateContent?key=unused",
    "/v1beta/models/models/openai/gpt-4o:generateContent",
    "/gemini/v1/models/openai/gpt-4o:generateContent",
    "/gemini/v1beta/models/openai/gpt-4o:generateContent",
    "/v1alpha/models/openai/gpt-4o:generateContent",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_model_in_a_path_may_be_written_in_several_ways(
    server: Gateway, upstream: WireUpstream, path: str
) -> None:
    reply = server.client.call("POST", path, {"contents": HI})
    assert reply.status == 200, reply.body
    assert reply.json["candidates"][0]["content"]["parts"][-1]["functionCall"]["name"] == "weather"
    assert upstream.last_json["model"] == "gpt-4o"
    assert "unused" not in upstream.last.target


@pytest.mark.parametrize("wire", ["gemini", "openai"])
def test_without_alt_sse_a_stream_is_an_array(
    server: Gateway, upstream: WireUpstream, wire: str
) -> None:
    path = f"/v1beta/models/{MODELS[wire]}:streamGenerateContent"
    reply = server.client.call("POST", path, {"contents": HI})
    assert reply.headers["content-type"] == "application/json; charset=UTF-8"
    assert len(reply.json) > 2
    assert reply.json[-1]["candidates"][0]["finishReason"] == "STOP"
    assert reply.json[-1]["usageMetadata"]["totalTokenCount"] == 18


@pytest.mark.parametrize("wire", MODELS)
def test_a_stream_has_no_end_mark_and_nothing_of_openais(
    server: Gateway, upstream: WireUpstream, wire: str
) -> None:
    path = f"/v1beta/models/{MODELS[wire]}:streamGenerateContent?alt=sse"
    reply = server.client.call("POST", path, {"contents": HI})
    assert reply.headers["content-type"].startswith("text/event-stream")
    *events, rest = reply.body.decode().split("\r\n\r\n")
    assert rest == ""
    assert b"[DONE]" not in reply.body
    assert b'"choices"' not in reply.body
    for event in events:
        assert "candidates" in json.loads(event.removeprefix("data: "))


# --- Errors ---------------------------------------------------------------------------------------


def error_of(status: int) -> bytes:
    return answer(b'{"error":{"message":"No, because"}}', status)


@WIRES
@pytest.mark.parametrize(
    ("status", "error", "name"),
    [
        (400, "ClientError", "INVALID_ARGUMENT"),
        (401, "ClientError", "UNAUTHENTICATED"),
        (404, "ClientError", "NOT_FOUND"),
        (429, "ClientError", "RESOURCE_EXHAUSTED"),
        (503, "ServerError", "UNAVAILABLE"),
    ],
)
def test_the_client_raises_its_own_error(
    sdk: Any, upstream: WireUpstream, wire: str, status: int, error: str, name: str
) -> None:
    upstream.reply = error_of(status)
    for method in (sdk.models.generate_content, sdk.models.generate_content_stream):
        with pytest.raises(getattr(genai.errors, error)) as caught:
            list(method(model=MODELS[wire], contents="Hi"))
        assert (caught.value.code, caught.value.status) == (status, name)
        assert "No, because" in caught.value.message


@pytest.mark.parametrize("wire", ["gemini", "openai"])
def test_an_error_in_a_stream_is_raised(sdk: Any, upstream: WireUpstream, wire: str) -> None:
    content = {"parts": [{"text": "Hel"}], "role": "model"}
    first = {
        "gemini": {"candidates": [{"content": content, "index": 0}]},
        "openai": {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hel"}}]},
    }[wire]
    broken = {"error": {"code": 503, "message": "It broke", "status": "UNAVAILABLE"}}
    upstream.reply = sse(json.dumps(first).encode(), json.dumps(broken).encode())
    got: list[str] = []
    stream = sdk.models.generate_content_stream(model=MODELS[wire], contents="Hi")
    with pytest.raises(genai.errors.ServerError, match="It broke"):
        got.extend(chunk.text for chunk in stream)
    assert got == ["Hel"]


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        ("/v1beta/models/nobody/m:generateContent", {"contents": HI}, 404, "NOT_FOUND"),
        ("/v1beta/models/openai/m:generateContent", {}, 400, "INVALID_ARGUMENT"),
        ("/v1beta/models/openai/m:streamGenerateContent", b"{", 400, "INVALID_ARGUMENT"),
        ("/v1/openai/m:generateContent", {"contents": [{"parts": [7]}]}, 400, "INVALID_ARGUMENT"),
    ],
)
def test_a_bad_request_is_refused(
    server: Gateway, upstream: WireUpstream, path: str, body: Any, status: int, name: str
) -> None:
    reply = server.client.call("POST", path, body)
    assert (reply.status, reply.json["error"]["status"]) == (status, name)
    assert reply.json["error"]["code"] == status
    assert upstream.requests == []


def test_a_route_takes_post_only(server: Gateway) -> None:
    reply = server.client.call("GET", "/v1beta/models/openai/m:generateContent")
    assert (reply.status, reply.json["error"]["status"]) == (405, "UNIMPLEMENTED")


# --- Other methods --------------------------------------------------------------------------------


def test_tokens_are_counted_where_a_provider_does_not(
    sdk: Any, server: Gateway, upstream: WireUpstream
) -> None:
    for wire in MODELS:
        found = sdk.models.count_tokens(model=MODELS[wire], contents="Hello there, how are you?")
        assert 4 < found.total_tokens < 20
    for path in (
        "/v1beta/models/openai/m:countTokens",
        "/gemini/v1/models%2Fopenai%2Fm%3AcountTokens",
    ):
        reply = server.client.call("POST", path, {"generateContentRequest": {"contents": HI}})
        assert reply.json["totalTokens"] > 0, reply.body
        assert reply.headers["x-headway-tokens-source"] in ("counted", "estimated")
    reply = server.client.call("POST", "/v1beta/models/openai/m:countTokens", {})
    assert (reply.status, reply.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
    asked = [each.target.partition("?")[0] for each in upstream.requests]
    assert all(path.endswith((":countTokens", "/count_tokens", "/input_tokens")) for path in asked)


@pytest.mark.parametrize("wire", ["gemini", "openai"])
def test_contents_are_embedded(sdk: Any, upstream: WireUpstream, wire: str) -> None:
    vectors = {
        "embeddings": [{"values": [0.5, 1.0]}],
        "data": [{"index": 0, "embedding": [0.5, 1.0]}],
    }
    upstream.reply = answer(json.dumps(vectors).encode())
    config = {"task_type": "RETRIEVAL_QUERY", "output_dimensionality": 2}
    found = sdk.models.embed_content(model=MODELS[wire], contents="Hi", config=config)
    assert [each.values for each in found.embeddings] == [[0.5, 1.0]]
    sent = upstream.last_json
    if wire == "openai":
        assert sent == {"model": "gpt-4o", "input": ["Hi"], "dimensions": 2}
    else:
        assert sent["requests"][0]["taskType"] == "RETRIEVAL_QUERY"


def test_one_content_is_embedded(server: Gateway, upstream: WireUpstream) -> None:
    upstream.reply = answer(b'{"data":[{"index":0,"embedding":[0.5]}]}')
    path = "/v1beta/models/openai/e:embedContent"
    reply = server.client.call("POST", path, {"content": HI[0]})
    assert reply.json["embedding"] == {"values": [0.5]}


def test_models_are_listed(sdk: Any, server: Gateway) -> None:
    names = [model.name for model in sdk.models.list(config={"page_size": 5})]
    assert "models/openai/gpt-4o" in names
    assert len(names) == len(set(names))
    found = sdk.models.get(model="openai/gpt-4o")
    assert (found.name, found.supported_actions[0]) == ("models/openai/gpt-4o", "generateContent")
    with pytest.raises(genai.errors.ClientError) as caught:
        sdk.models.get(model="openai/nothing")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
