"""The routes that are answered from bytes, as a table that describes them to clients.

FastAPI describes what it serves; these it does not serve. ``document`` turns the rows into OpenAPI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from pydantic import BaseModel

from headway.server.openapi import error_examples, examples
from headway.server.openapi.error_examples import Failure
from headway.server.openapi.examples import Example
from headway.server.openapi.schemas import engine, openai

JSON = "application/json"
NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"


class Body(Struct, frozen=True):
    """What one media type holds: a value of any of ``models``, for a stream one value an event."""

    models: tuple[type[BaseModel], ...]
    examples: tuple[Example, ...]
    media_type: str = JSON


class Parameter(Struct, frozen=True):
    name: str
    place: str
    """``path``, ``query`` or ``header``."""
    description: str
    example: str
    required: bool = True


class Route(Struct, frozen=True, kw_only=True):
    """One route; ``id`` is unique and names it in generated clients."""

    method: str
    path: str
    id: str
    tag: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...] = ()
    request: Body | None = None
    answer: str
    """What the answer of status 200 is."""
    answers: tuple[Body, ...]
    headers: Mapping[str, Any] = {}
    failures: tuple[Failure, ...] = ()
    open: bool = False
    """Wants no key, even where the server has keys."""


STREAM = (*examples.ENGINE_CHUNKS, error_examples.BROKEN_STREAM)
REQUEST_ID = {
    "x-request-id": {
        "description": "Names the request in the log and in its record.",
        "schema": {"type": "string", "format": "uuid"},
    }
}
METRICS_HEADERS = {
    **REQUEST_ID,
    **{
        name: {
            "description": f"{text} Not on a stream; absent if unknown.",
            "schema": {"type": kind},
        }
        for name, kind, text in (
            ("x-headway-input-tokens", "integer", "Tokens in."),
            ("x-headway-output-tokens", "integer", "Tokens out."),
            ("x-headway-cost-usd", "number", "US dollars."),
            ("x-headway-latency-s", "number", "Seconds to the last byte of the answer."),
            ("x-headway-attempts", "integer", "How many requests to providers it took."),
        )
    },
    "x-headway-transformation": {
        "description": "What was changed for the provider, one header a change. Not on a stream.",
        "schema": {"type": "string"},
    },
}

_CHAT = """\
The engine asks the provider for a stream on every call, so that a whole answer too has a true \
time to first token.

With `is_stream` the answer has one JSON object an event: by default as `application/x-ndjson`, \
one object a line and each line an HTTP chunk of its own; with `Accept: text/event-stream` as \
server-sent events, closed by `data: [DONE]`. A failure before the first event is an ordinary \
HTTP error. After it, the last object is `{"error": {...}}` in the same framing, and the \
connection closes cleanly."""

_OPENAI_CHAT = """\
For clients of OpenAI's API: set their base URL to `/v1` of this server and the model to \
`provider/model`. With `stream` the answer is server-sent events, closed by `data: [DONE]`. \
A whole answer has its metrics in its headers."""

_MODELS = """\
Of every provider those that are configured for it, else those that the data that the gateway \
ships knows; of a server of one's own that speaks a vendor's API under a name of its own, none.

With `live` each provider is asked for its own list, with the configured key, all at once and for \
10 seconds at most; what it answers is remembered for a minute. One that fails has its error \
beside the others' models. A provider whose list is not read shows what it shows without `live`."""

_EMBEDDINGS = """\
For clients of OpenAI's API. An answer is always whole, with its metrics in its headers; a \
provider that has no embeddings is a 400."""

LIVE = Parameter(
    "live",
    "query",
    "Anything but empty, `0` and `false`: ask the providers for their own lists.",
    "true",
    required=False,
)

TAGS = {
    "Engine": "One chat call with its measurements, and what there is to call.",
    "OpenAI": "The same models for clients that speak OpenAI's API.",
    "Service": "The server itself, and its documentation.",
}

ROUTES = (
    Route(
        method="post",
        path="/api/engine/chat/{provider}",
        id="engine_chat",
        tag="Engine",
        summary="Chat with a model, measured",
        description=_CHAT,
        parameters=(
            Parameter("provider", "path", "The configured name of the provider.", "openai"),
        ),
        request=Body((engine.EngineRequest,), examples.ENGINE_REQUESTS),
        answer="The answer, whole or as a stream of events.",
        answers=(
            Body((engine.EngineReply,), examples.ENGINE_REPLIES),
            Body((engine.EngineChunk, engine.ErrorReply), STREAM, NDJSON),
            Body((engine.EngineChunk, engine.ErrorReply), STREAM, EVENTS),
        ),
        headers=METRICS_HEADERS,
        failures=error_examples.CHAT_FAILURES,
    ),
    Route(
        method="get",
        path="/api/engine/providers",
        id="engine_providers",
        tag="Engine",
        summary="List the providers",
        description="The names that the chat route takes.",
        answer="The configured names.",
        answers=(Body((engine.ProviderNames,), examples.PROVIDERS),),
        failures=(error_examples.UNAUTHORIZED,),
    ),
    Route(
        method="get",
        path="/api/engine/models",
        id="engine_models",
        tag="Engine",
        summary="List the models",
        description=_MODELS,
        parameters=(
            Parameter("provider", "query", "Only this provider's models.", "local", required=False),
            LIVE,
        ),
        answer="Models by provider; with `provider`, the inner object of that one.",
        answers=(Body((engine.ModelsByProvider, engine.ProviderModels), examples.MODELS),),
        failures=(error_examples.UNAUTHORIZED, error_examples.UNKNOWN_PROVIDER),
    ),
    Route(
        method="get",
        path="/api/engine/parameters",
        id="engine_parameters",
        tag="Engine",
        summary="List the generation parameters",
        description="The parameters that a provider, or one of its models, takes.",
        parameters=(
            Parameter("provider", "query", "The configured name of the provider.", "openai"),
            Parameter("model", "query", "One of its models.", "gpt-4o", required=False),
        ),
        answer="The parameters, with what a form needs to show them.",
        answers=(Body((engine.Parameters,), examples.PARAMETERS),),
        failures=(
            error_examples.UNAUTHORIZED,
            error_examples.UNKNOWN_PROVIDER,
            error_examples.NO_PROVIDER,
        ),
    ),
    Route(
        method="post",
        path="/v1/chat/completions",
        id="openai_chat",
        tag="OpenAI",
        summary="Chat completion",
        description=_OPENAI_CHAT,
        parameters=(
            Parameter(
                "x-headway-metrics",
                "header",
                "Anything but empty, `0` and `false`: a stream ends with an event of metrics.",
                "1",
                required=False,
            ),
        ),
        request=Body((openai.OpenAIRequest,), examples.OPENAI_REQUESTS),
        answer="The completion, whole or as a stream of chunks.",
        answers=(
            Body((openai.OpenAIReply,), examples.OPENAI_REPLIES),
            Body(
                (openai.OpenAIChunk, engine.ErrorReply),
                (*examples.OPENAI_CHUNKS, error_examples.BROKEN_STREAM),
                EVENTS,
            ),
        ),
        headers=METRICS_HEADERS,
        failures=error_examples.CHAT_FAILURES,
    ),
    Route(
        method="post",
        path="/v1/embeddings",
        id="openai_embeddings",
        tag="OpenAI",
        summary="Embeddings",
        description=_EMBEDDINGS,
        request=Body((openai.OpenAIEmbeddingsRequest,), examples.EMBEDDINGS_REQUESTS),
        answer="A vector for each text.",
        answers=(Body((openai.OpenAIEmbeddings,), examples.EMBEDDINGS_REPLIES),),
        headers=METRICS_HEADERS,
        failures=error_examples.CHAT_FAILURES,
    ),
    Route(
        method="get",
        path="/v1/models",
        id="openai_models",
        tag="OpenAI",
        summary="List the models",
        description=f"Each model is named as `/v1/chat/completions` takes it. {_MODELS}",
        parameters=(
            Parameter("provider", "query", "Only this provider's models.", "local", required=False),
            LIVE,
        ),
        answer="The models.",
        answers=(Body((openai.OpenAIModels,), examples.OPENAI_MODELS),),
        failures=(error_examples.UNAUTHORIZED, error_examples.UNKNOWN_PROVIDER),
    ),
    Route(
        method="get",
        path="/health",
        id="health",
        tag="Service",
        summary="Say that the server runs",
        description="Answers while streams are running, and needs no key.",
        answer="The server runs.",
        answers=(Body((engine.Health,), examples.HEALTH),),
        open=True,
    ),
)

SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer KEY`, one of the server's keys.",
    },
    "x-api-key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "`x-api-key: KEY`, one of the server's keys.",
    },
}
