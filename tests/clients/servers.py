"""The servers of the matrix: one scripted provider of every wire format, and one real gateway.

The provider's conversation is the same in every format:

- tools are offered, and the last message is no result of theirs: it calls the first one. A tool of
  the weather gets ``{"city": "Bonn"}``, and also Rome where the text names it; ``ARGUMENTS`` has
  those of other tools, and all else is an example of the tool's schema;
- results came: ``It is sunny in Bonn.``, after a check of ids, arguments and results. What a strict
  provider would refuse is answered with status 400;
- a structured response is wanted: an example of its schema;
- otherwise ``Hello there``; with the reasoning ``Let me`` where it was asked for.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent_tasks import SEQUENCES, fill_in
from support.gateway_process import Gateway
from support.scripted_server import Received, Reply, ThreadedServer, answer, chunked
from support.wire_scripts import SCRIPTS, Pieces, Script, ToolCall
from upstream_requests import Conversation, read_request

KEY = "sk-clients-upstream"
ARGUMENTS: dict[str, Any] = {}
"""The name of a tool -> the arguments that it is called with. A value of None: it is not called."""
OUTPUT_TOOLS = frozenset({"final_result"})
"""Tools whose arguments are the client's answer: called at the end, in place of a text."""


@dataclass(frozen=True)
class Wire:
    """A wire format of providers: a column of the matrix."""

    name: str
    """Also the one in ``wire_scripts``."""
    kind: str
    base: str
    """The path of the provider's base URL, below the wire's own."""
    request_format: str
    """As ``upstream_requests`` names it."""
    model: str
    call_id: str = "call_{}"
    has_reasoning: bool = True
    always_reasons: bool = False
    options: tuple[tuple[str, str], ...] = ()

    @property
    def full_model(self) -> str:
        """The model as a client of the gateway names it."""
        return f"{self.name}/{self.model}"


CLAUDE = "claude-sonnet-4-5"
BEDROCK_CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
TOOL_USE = "toolu_{}"
WIRES = {
    wire.name: wire
    for wire in (
        Wire("openai", "openai", "/v1", "chat", "gpt-5", has_reasoning=False),
        Wire(
            "openai_responses",
            "openai_responses",
            "/v1",
            "responses",
            "gpt-5",
            options=(("reasoning_summary", "auto"),),
        ),
        Wire("azure", "azure_openai", "", "chat", "gpt-5", has_reasoning=False),
        Wire("deepseek", "deepseek", "/v1", "chat", "deepseek-reasoner", always_reasons=True),
        Wire(
            "mistral",
            "mistral",
            "/v1",
            "chat",
            "magistral-medium-latest",
            call_id="{:09}",
            always_reasons=True,
        ),
        Wire("anthropic", "anthropic", "", "messages", CLAUDE, call_id=TOOL_USE),
        Wire("vertex_anthropic", "vertex_anthropic", "", "messages", CLAUDE, call_id=TOOL_USE),
        Wire("bedrock", "bedrock", "", "converse", BEDROCK_CLAUDE, call_id="tooluse_{}"),
        Wire(
            "bedrock_invoke",
            "bedrock",
            "",
            "messages",
            BEDROCK_CLAUDE,
            call_id=TOOL_USE,
            options=(("api", "invoke"),),
        ),
        Wire("gemini", "gemini", "/v1beta", "contents", "gemini-3-pro-preview"),
        Wire("vertex", "vertex", "", "contents", "gemini-3-pro-preview"),
        Wire("cohere", "cohere", "", "chat", "command-a-reasoning-08-2025", always_reasons=True),
        Wire("ollama", "ollama", "", "chat", "qwen3"),
    )
}
CLOUD_OPTIONS = {
    "bedrock": {"region": "us-east-1"},
    "bedrock_invoke": {"region": "us-east-1"},
    "vertex": {"project": "p"},
    "vertex_anthropic": {"project": "p"},
}
ALIASES = {"gpt-5.5": WIRES["anthropic"].full_model}
"""A model that Codex knows by its name, and offers another tool for files."""
BROWSER_ORIGINS = ["http://127.0.0.1:8437", "http://127.0.0.1:8438"]
STREAM_PATHS = (":streamGenerateContent", ":streamRawPredict", "-stream")
WHOLE_PATHS = (":generateContent", ":rawPredict", "/converse", "/invoke")
RESPONSE_IDS = frozenset({"chatcmpl-1", "msg_1", "resp_1", "rs_1", "fc_1", "fc_2", "r1", "co-1"})
"""The ids of responses and their items in ``wire_scripts``. Clients join what has the same id."""
SEARCH_FIELDS = frozenset({"citationMetadata", "groundingMetadata"})
"""Google's report of a search, which no client here asks for: some show it as a tool call."""
PLAIN_REPLIES: dict[str, Any] = {
    "/count_tokens": {"input_tokens": 11},
    ":countTokens": {"totalTokens": 11},
    "/rerank": {
        "id": "r1",
        "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    },
}
"""The end of a path -> the reply of a route without a conversation."""


class ScriptedProvider:
    """Answers each request in the format of the wire that its path begins with."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._server = ThreadedServer([self._answer])

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def requests(self) -> list[Received]:
        return self._server.requests

    def __enter__(self) -> ScriptedProvider:
        self._server.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._server.__exit__(*details)

    def _answer(self, received: Received) -> Reply:
        path = received.target.partition("?")[0]
        for end, reply in PLAIN_REPLIES.items():
            if path.endswith(end):
                return answer(json.dumps(reply).encode())
        wire = wire_of(path)
        if received.method != "POST":
            return answer(json.dumps(model_list(wire, path)).encode())
        try:
            body = json.loads(received.body)
            conversation = read_request(wire.request_format, body)
        except (KeyError, TypeError, ValueError) as error:
            return refusal(400, f"Scripted {wire.name}: cannot read the request: {error!r}")
        if conversation.refusal:
            return refusal(400, "Not for this account.", error_code=conversation.refusal)
        if conversation.faults:
            return refusal(400, f"Scripted {wire.name}: {'; '.join(conversation.faults)}")
        script = self.write(wire, conversation)
        is_stream = path.endswith(STREAM_PATHS)
        if not path.endswith((*STREAM_PATHS, *WHOLE_PATHS)):
            is_stream = body.get("stream", wire.name == "ollama")
        if is_stream:
            pieces = [*(script.write(*each) for each in script.events), script.end]
            return chunked(*filter(None, pieces), headers=[("content-type", script.content_type)])
        return answer(json.dumps(script.whole).encode())

    def write(self, wire: Wire, conversation: Conversation) -> Script:
        calls = [
            ToolCall(wire.call_id.format(next(self._numbers)), name, split(json.dumps(arguments)))
            for name, arguments in calls_for(conversation)
        ]
        text = () if calls else split(text_for(conversation))
        reasons = wire.always_reasons or (conversation.wants_reasoning and wire.has_reasoning)
        thought = ("Let", " me") if reasons else ()
        script = SCRIPTS[wire.name](Pieces(text, thought, (), calls))
        number = next(self._numbers)
        events = [(name, with_new_ids(value, number)) for name, value in script.events]
        if calls and wire.request_format == "contents":
            # The signature of a call stands with it, and no empty text follows with another one.
            events[-1][1]["candidates"][0]["content"]["parts"] = []
        whole = with_new_ids(script.whole, number)
        if wire.request_format == "prompt":
            whole = with_prompts_fields(whole)
            events = [(name, with_prompts_fields(value)) for name, value in events]
        return script._replace(whole=whole, events=events)


def wire_of(path: str) -> Wire:
    """By the first part of the path. Two providers have a second wire format at other paths."""
    wire = WIRES[path.split("/")[1]]
    if wire.kind == "bedrock":
        return WIRES["bedrock_invoke" if "/invoke" in path else "bedrock"]
    return replace(wire, request_format="prompt") if path.endswith("/api/generate") else wire


def with_prompts_fields(value: Any) -> Any:
    """A line of Ollama's chat as one of its generate."""
    message = value.pop("message")
    return {**value, "response": message["content"], "thinking": message.get("thinking", "")}


def model_list(wire: Wire, path: str) -> Any:
    """One model, in the shapes of every provider's list."""
    if path.endswith("/inference-profiles"):
        return {"inferenceProfileSummaries": []}
    named = {"id": wire.model, "name": wire.model, "model": wire.model, "modelId": wire.model}
    model = {**named, "endpoints": ["chat"], "supportedGenerationMethods": ["generateContent"]}
    lists = ("data", "models", "modelSummaries", "publisherModels")
    return {name: [model] for name in lists}


def refusal(status: int, message: str, **details: str) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "details": details}
    body = {"type": "error", "error": error, "message": message}
    return answer(json.dumps(body).encode(), status=status)


def split(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def with_new_ids(value: Any, number: int) -> Any:
    if isinstance(value, dict):
        return {
            key: with_new_ids(each, number)
            for key, each in value.items()
            if key not in SEARCH_FIELDS
        }
    if isinstance(value, list):
        return [with_new_ids(each, number) for each in value]
    if isinstance(value, str) and value in RESPONSE_IDS:
        return f"{value}{number:06}"
    return value


# --- The conversation -----------------------------------------------------------------------------


def calls_for(conversation: Conversation) -> list[tuple[str, Any]]:
    """The calls of the next turn: the names of tools and their arguments."""
    made = [call.name for call in conversation.calls]
    for sequence in SEQUENCES:
        if all(name in conversation.tools for name, _ in sequence):
            results = [result.text for _, several in conversation.turns for result in several]
            return [
                (name, fill_in(arguments, conversation.texts, results))
                for name, arguments in sequence[len(conversation.turns) :][:1]
            ]
    wants_output = OUTPUT_TOOLS & conversation.tools.keys()
    if conversation.is_answered and not (conversation.must_call or wants_output):
        return []
    wanted = [
        name
        for name in conversation.tools
        if ARGUMENTS.get(name, ...) is not None and not (conversation.is_answered and name in made)
    ]
    if not wanted:
        return []
    name = next((name for name in wanted if "weather" in name), wanted[0])
    if "weather" in name:
        return [(name, {"city": city}) for city in cities_in(conversation)]
    arguments = ARGUMENTS.get(name)
    return [(name, example_of(conversation.tools[name]) if arguments is None else arguments)]


def cities_in(conversation: Conversation) -> list[str]:
    asked = conversation.texts[-1] if conversation.texts else ""
    return ["Bonn", "Rome"] if "Rome" in asked else ["Bonn"]


def text_for(conversation: Conversation) -> str:
    if conversation.schema is not None:
        return json.dumps(example_of(conversation.schema))
    if not conversation.is_answered:
        return "Hello there"
    cities = [call.arguments["city"] for call in conversation.calls if "weather" in call.name]
    return f"It is sunny in {' and '.join(cities)}." if cities else "Done."


def example_of(schema: Any, root: Any = None) -> Any:
    """The simplest value that a JSON schema allows, or Gemini's form of one: Bonn, 21, true."""
    root = schema if root is None else root
    if "$ref" in schema:
        target = root
        for key in schema["$ref"].split("/")[1:]:
            target = target[key]
        return example_of(target, root)
    for name in ("const", "enum"):
        if name in schema:
            return schema[name] if name == "const" else schema[name][0]
    for name in ("anyOf", "oneOf", "allOf"):
        if schema.get(name):
            return example_of(schema[name][0], root)
    kind = schema.get("type", "object")
    kind = (kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: example_of(each, root) for name, each in properties.items()}
    if kind == "array":
        return [example_of(schema.get("items") or {"type": "string"}, root)]
    return {"string": "Bonn", "integer": 21, "number": 21.0, "boolean": True}.get(kind)


# --- The gateway ----------------------------------------------------------------------------------


def gateway_config(provider_url: str) -> dict[str, Any]:
    """Every wire as a provider of its name, and ``echo``."""
    providers: dict[str, Any] = {"echo": {"kind": "echo"}}
    for name, wire in WIRES.items():
        providers[name] = {
            "kind": wire.kind,
            "base_url": f"{provider_url}/{name}{wire.base}",
            "api_key": KEY,
            **CLOUD_OPTIONS.get(name, {}),
            **dict(wire.options),
        }
    server = {"cors_origins": BROWSER_ORIGINS}
    ledger = {"content": "full"}  # clients refer to earlier responses
    return {"server": server, "providers": providers, "models": ALIASES, "ledger": ledger}


@contextmanager
def running(directory: Path) -> Iterator[tuple[Gateway, ScriptedProvider]]:
    """The gateway and the provider behind it. Raises AssertionError if it does not start, or does
    not stop."""
    with ScriptedProvider() as provider:
        gateway = Gateway.start(directory, gateway_config(provider.url))
        try:
            yield gateway, provider
        finally:
            gateway.stop()
