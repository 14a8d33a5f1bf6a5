"""The operations that FastAPI does not serve, as a table from which ``document`` makes OpenAPI."""

from headway.server.openapi import (
    anthropic_operations,
    catalog_operations,
    compare_operations,
    completions_operations,
    error_examples,
    explain_operations,
    gemini_operations,
    ledger_operations,
    native_operations,
    ollama_operations,
    relayed_operations,
    responses_operations,
    spend_operations,
    stored_operations,
    tracker_operations,
)
from headway.server.openapi.examples import engine as engine_examples
from headway.server.openapi.examples import info as info_examples
from headway.server.openapi.examples import openai as openai_examples
from headway.server.openapi.operation import EVENTS, NDJSON, Body, Operation, Parameter
from headway.server.openapi.response_headers import (
    ANTHROPIC_LIMITS,
    METRICS_HEADERS,
    OPENAI_LIMITS,
)
from headway.server.openapi.schemas import base, engine, models, openai

STREAM = (*engine_examples.ENGINE_CHUNKS, error_examples.STREAM_ERROR)
_CHAT = """\
The engine asks the provider for a stream on every call, so that a whole answer too has a true \
time to first token.

With `is_stream` the response has one JSON object for each event: by default as \
`application/x-ndjson`, one object a line and each line an HTTP chunk of its own; with \
`Accept: text/event-stream` as server-sent events, ended by `data: [DONE]`. An error before the \
first event is an ordinary HTTP error. After it, the last object is `{"error": {...}}` in the same \
framing, and the response ends properly."""

_OPENAI_CHAT = """\
For clients of OpenAI's API: set their base URL to `/v1` of this server and the model to \
`provider/model`. With `stream` the response is server-sent events, ended by `data: [DONE]`. \
A whole response has its metrics in its headers."""

_MODELS = """\
For each provider that can be used without a key in the request, the configured models, or else \
those in the data bundled with the gateway. A self-hosted server that speaks a vendor's API under \
another name has none of the vendor's models.

With `live` the gateway fetches each provider's own list, with the configured key, all at once and \
within 10 seconds, and caches it for a minute. The error of a provider that fails is shown with \
the models of the others. A provider whose list the gateway cannot read is shown as without \
`live`."""

_EMBEDDINGS = """\
For clients of OpenAI's API. The response is always whole, with its metrics in its headers. A \
provider without embeddings is a 400."""

LIVE = Parameter(
    "live",
    "query",
    "Any value but empty, `0` and `false`: fetch the providers' own lists.",
    "true",
    required=False,
)

ALL = Parameter(
    "all",
    "query",
    "Any value but empty, `0` and `false`: also the providers that can be used only with a key in "
    "the request.",
    "true",
    required=False,
)

KEY_HEADER = Parameter(
    "x-headway-provider-key",
    "header",
    "Your own key for the provider, in place of the one that the server's configuration holds.",
    "sk-...",
    required=False,
)

ID_HEADER = Parameter(
    "x-request-id",
    "header",
    "Your own id of the request, for the log, the record and the reply: 1 to 128 letters, digits "
    "and `._:+/=@-`. Any other value is replaced.",
    "trace-72f34d3b",
    required=False,
)

SESSION_HEADER = Parameter(
    "x-headway-session",
    "header",
    "The session that the request belongs to, for its record. The headers in which agents name "
    "theirs are read, too.",
    "session-1",
    required=False,
)

USER_HEADER = Parameter(
    "x-headway-user",
    "header",
    "The end user on whose behalf the request is made, for its record.",
    "user-17",
    required=False,
)

TAGS_HEADER = Parameter(
    "x-headway-tags",
    "header",
    "Tags for the record of the request, with commas between: words, or `name:value`.",
    "team:search,beta",
    required=False,
)

LABEL_HEADERS = (SESSION_HEADER, USER_HEADER, TAGS_HEADER)

METRICS_HEADER = Parameter(
    "x-headway-metrics",
    "header",
    "Any value but empty, `0` and `false`: a stream ends with an event of metrics, and a whole "
    "reply has them in the header of the same name.",
    "1",
    required=False,
)

ROUTING_HEADERS = (
    Parameter(
        "x-headway-no-fallback",
        "header",
        "Any value but empty, `0` and `false`: no other target of a route follows where the first "
        "one fails.",
        "1",
        required=False,
    ),
    Parameter(
        "x-headway-timeout",
        "header",
        "Seconds for the whole call, with all of its attempts.",
        "30",
        required=False,
    ),
    Parameter(
        "x-headway-retries",
        "header",
        "Further attempts on each target, from 0 to 10, in place of those of the route.",
        "2",
        required=False,
    ),
)

CALL_HEADERS = (METRICS_HEADER, KEY_HEADER, ID_HEADER, *LABEL_HEADERS, *ROUTING_HEADERS)
"""Parameters of every route that calls a model, but for the engine's."""

OPENAI_HEADERS = {**METRICS_HEADERS, **OPENAI_LIMITS}

TAGS = {
    "Engine": "Chat calls with their measurements, and lists of providers, models and parameters.",
    "OpenAI": "The same models for clients of OpenAI's API.",
    "Anthropic": "The same models for clients of Anthropic's API.",
    "Gemini": "The same models for clients of Google's API.",
    "Ollama": "The same models for clients of Ollama.",
    "Pass-through": "Any request to a provider's own API.",
    "Ledger": "What was called, what it cost, and how long it took.",
    "LLMstudio": "Its tracker's routes, over the ledger.",
    "LiteLLM": "The routes on which clients of its proxy read spend, over the ledger.",
    "Service": "The server itself.",
}

PROVIDER_OR_ROUTE = (
    "The configured name of the provider. `route`: `model` is named as on the other routes, by a "
    "name of `models` in the configuration, or as `provider/model`."
)
OPERATIONS = (
    Operation(
        method="post",
        path="/api/engine/chat/{provider}",
        id="engine_chat",
        tag="Engine",
        summary="Chat with a model, measured",
        description=_CHAT,
        parameters=(
            Parameter("provider", "path", PROVIDER_OR_ROUTE, "openai"),
            ID_HEADER,
            *LABEL_HEADERS,
            *ROUTING_HEADERS,
        ),
        request=Body((engine.EngineRequest,), engine_examples.ENGINE_REQUESTS),
        response="The answer, whole or as a stream of events.",
        responses=(
            Body((engine.EngineReply,), engine_examples.ENGINE_REPLIES),
            Body((engine.EngineChunk, base.ErrorReply), STREAM, NDJSON),
            Body((engine.EngineChunk, base.ErrorReply), STREAM, EVENTS),
        ),
        headers=OPENAI_HEADERS,
        errors=error_examples.ENGINE_ERRORS,
    ),
    Operation(
        method="get",
        path="/api/engine/providers",
        id="engine_providers",
        tag="Engine",
        summary="List the providers",
        description="The names that the chat route takes: those of the providers that are "
        "configured, have a key or credentials in the server's environment, or are built in.",
        parameters=(
            ALL,
            Parameter(
                "details",
                "query",
                "Any value but empty, `0` and `false`: what is known of each provider.",
                "true",
                required=False,
            ),
        ),
        response="The names; with `details`, an object by name.",
        responses=(Body((engine.ProviderNames, models.ProvidersByName), info_examples.PROVIDERS),),
        errors=(error_examples.UNAUTHORIZED,),
    ),
    Operation(
        method="get",
        path="/api/engine/models",
        id="engine_models",
        tag="Engine",
        summary="List the models",
        description=_MODELS,
        parameters=(
            Parameter("provider", "query", "Only this provider's models.", "local", required=False),
            ALL,
            LIVE,
        ),
        response="Models by provider; with `provider`, the inner object of that one.",
        responses=(Body((models.ModelsByProvider, models.ProviderModels), info_examples.MODELS),),
        errors=(error_examples.UNAUTHORIZED, error_examples.UNKNOWN_PROVIDER),
    ),
    Operation(
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
        response="The parameters, with names, types and limits for a form.",
        responses=(Body((engine.Parameters,), info_examples.PARAMETERS),),
        errors=(
            error_examples.UNAUTHORIZED,
            error_examples.UNKNOWN_PROVIDER,
            error_examples.NO_PROVIDER,
        ),
    ),
    *catalog_operations.OPERATIONS,
    *explain_operations.OPERATIONS,
    *compare_operations.operations((KEY_HEADER, ID_HEADER, *LABEL_HEADERS, *ROUTING_HEADERS)),
    Operation(
        method="post",
        path="/v1/chat/completions",
        id="openai_chat",
        tag="OpenAI",
        summary="Chat completion",
        description=_OPENAI_CHAT,
        parameters=CALL_HEADERS,
        request=Body((openai.OpenAIRequest,), openai_examples.OPENAI_REQUESTS),
        response="The completion, whole or as a stream of chunks.",
        responses=completions_operations.CHAT_BODIES,
        headers=OPENAI_HEADERS,
        errors=error_examples.OPENAI_ERRORS,
    ),
    *responses_operations.operations(OPENAI_HEADERS, CALL_HEADERS),
    *stored_operations.OPERATIONS,
    *completions_operations.operations(OPENAI_HEADERS, CALL_HEADERS),
    Operation(
        method="post",
        path="/v1/embeddings",
        id="openai_embeddings",
        tag="OpenAI",
        summary="Embeddings",
        description=_EMBEDDINGS,
        parameters=CALL_HEADERS,
        request=Body((openai.OpenAIEmbeddingsRequest,), openai_examples.EMBEDDINGS_REQUESTS),
        response="A vector for each text.",
        responses=(Body((openai.OpenAIEmbeddings,), openai_examples.EMBEDDINGS_REPLIES),),
        headers=OPENAI_HEADERS,
        errors=error_examples.OPENAI_ERRORS,
    ),
    *relayed_operations.operations(OPENAI_HEADERS, CALL_HEADERS),
    Operation(
        method="get",
        path="/v1/models",
        id="openai_models",
        tag="OpenAI",
        summary="List the models",
        description="Each model is named as `/v1/chat/completions` takes it, and the names of the "
        "configuration (`models`) come first. With the header `anthropic-version` the list has "
        f"Anthropic's shape. {_MODELS}",
        parameters=(
            Parameter("provider", "query", "Only this provider's models.", "local", required=False),
            ALL,
            LIVE,
        ),
        response="The models.",
        responses=(Body((openai.OpenAIModels,), info_examples.OPENAI_MODELS),),
        errors=(error_examples.UNAUTHORIZED, error_examples.UNKNOWN_PROVIDER),
    ),
    Operation(
        method="get",
        path="/v1/models/{id}",
        id="openai_model",
        tag="OpenAI",
        summary="One model",
        description="A model of the list, by any name that a request may have for it. With the "
        "header `anthropic-version`, in Anthropic's shape, like the list.",
        parameters=(
            Parameter("id", "path", "Its id, which may have slashes.", "openai/gpt-4o-mini"),
        ),
        response="The model.",
        responses=(Body((openai.OpenAIModel,), info_examples.OPENAI_MODEL),),
        errors=(error_examples.UNAUTHORIZED, error_examples.UNKNOWN_PROVIDER),
    ),
    *anthropic_operations.operations({**METRICS_HEADERS, **ANTHROPIC_LIMITS}, CALL_HEADERS),
    *gemini_operations.operations(METRICS_HEADERS, CALL_HEADERS),
    *ollama_operations.operations(METRICS_HEADERS, CALL_HEADERS),
    *native_operations.OPERATIONS,
    *ledger_operations.OPERATIONS,
    *tracker_operations.OPERATIONS,
    *spend_operations.OPERATIONS,
    Operation(
        method="get",
        path="/health",
        id="health",
        tag="Service",
        summary="Check that the server runs",
        description="Answers also while streams are running, and requires no key.",
        response="The server runs.",
        responses=(Body((engine.Health,), info_examples.HEALTH),),
        is_open=True,
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
