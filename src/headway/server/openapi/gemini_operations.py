"""The operations of Google's API, for the table in ``operations``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.server.openapi import error_examples
from headway.server.openapi.examples import gemini as examples
from headway.server.openapi.operation import EVENTS, JSON, Body, Operation, Parameter
from headway.server.openapi.schemas import gemini

TAG = "Gemini"
BASE = "/v1beta/models"
_GENERATE = """\
For clients of Google's API: set their base URL to this server (or to `/gemini` of it) and the \
model to `provider/model`, with or without `models/` before it, escaped or not. Any provider \
answers. One that speaks this format gets the client's fields as they are, and its response is \
passed through. `v1` and `v1alpha` are the same as `v1beta`. The key of this server may also be \
in `x-goog-api-key` or `?key=`."""
_STREAM = """\
With `alt=sse` the response is server-sent events, otherwise one JSON array that is sent element \
by element. There is no end mark. An error after the first element is the last one."""
_COUNT = error_examples.COUNTED_BY
_EMBED = """\
A provider of another format is sent the text and the length of the vector; a provider without \
embeddings is a 400."""
_MODEL = Parameter("model", "path", "`provider/model`, also with slashes in it.", examples.CALLED)
_EMBEDDER = Parameter("model", "path", _MODEL.description, examples.EMBEDDER)
_EMBED_BODIES = (
    Body((gemini.GeminiEmbedRequest,), examples.EMBED_REQUESTS),
    Body((gemini.GeminiEmbedReply,), examples.EMBED_REPLIES),
)
_BATCH_BODIES = (
    Body((gemini.GeminiBatchEmbedRequest,), examples.BATCH_REQUESTS),
    Body((gemini.GeminiBatchEmbedReply,), examples.BATCH_REPLIES),
)
_PAGES = (
    Parameter("pageSize", "query", "Models on a page: 1000 at most.", "50", required=False),
    Parameter("pageToken", "query", "The next page's.", "50", required=False),
)
_ALT = Parameter("alt", "query", "`sse`, or `json` (the default).", "sse", required=False)


def operations(
    headers: Mapping[str, Any], parameters: tuple[Parameter, ...]
) -> tuple[Operation, ...]:
    """``headers`` are those of a whole reply; ``parameters`` those of every call."""
    common = {
        "headers": headers,
        "errors": error_examples.OPENAI_ERRORS,
        "parameters": (_MODEL, *parameters),
    }
    embedded = {**common, "parameters": (_EMBEDDER, *parameters)}
    streamed = {**common, "parameters": (_MODEL, _ALT, *parameters)}
    counted = {
        "headers": {"x-request-id": headers["x-request-id"], **error_examples.COUNT_HEADERS},
        "errors": error_examples.COUNT_ERRORS,
        "parameters": (_MODEL,),
    }
    request = Body((gemini.GeminiRequest,), examples.REQUESTS)
    element = (gemini.GeminiReply, gemini.GeminiErrorReply)
    elements = (*examples.ELEMENTS, error_examples.GEMINI_STREAM_ERROR)
    reply = Body((gemini.GeminiReply,), examples.REPLIES)
    events, array = Body(element, elements, EVENTS), Body(element, examples.LISTS, JSON, True)
    count = Body((gemini.GeminiTokenCount,), examples.COUNTS)
    return (
        _post("generateContent", "Generate a response", _GENERATE, (request, reply), common),
        _post(
            "streamGenerateContent",
            "Generate a response as a stream",
            _STREAM,
            (request, events, array),
            streamed,
        ),
        _post("countTokens", "Count the tokens of a request", _COUNT, (request, count), counted),
        _post("embedContent", "Embed a text", _EMBED, _EMBED_BODIES, embedded),
        _post("batchEmbedContents", "Embed several texts", _EMBED, _BATCH_BODIES, embedded),
        *_lists(),
    )


def _post(
    method: str, summary: str, text: str, bodies: tuple[Body, ...], more: Mapping[str, Any]
) -> Operation:
    """``bodies`` are those of the request and of the replies."""
    request, *replies = bodies
    return Operation(
        method="post",
        path=f"{BASE}/{{model}}:{method}",
        id=f"gemini_{method}",
        tag=TAG,
        summary=summary,
        description=text,
        request=request,
        response="The answer.",
        responses=tuple(replies),
        error_format=error_examples.GEMINI,
        **more,
    )


def _lists() -> tuple[Operation, ...]:
    return (
        Operation(
            method="get",
            path=BASE,
            id="gemini_models",
            tag=TAG,
            summary="List the models",
            description="The models of `/v1/models` in Google's shape.",
            parameters=_PAGES,
            response="A page of models.",
            responses=(Body((gemini.GeminiModels,), examples.MODELS),),
            errors=(error_examples.UNAUTHORIZED, error_examples.WRONG_PAGE),
            error_format=error_examples.GEMINI,
        ),
        Operation(
            method="get",
            path=f"{BASE}/{{id}}",
            id="gemini_model",
            tag=TAG,
            summary="Show a model",
            description="One model of that list.",
            parameters=(Parameter("id", "path", "The name of the model.", examples.MODEL),),
            response="The model.",
            responses=(Body((gemini.GeminiModel,), examples.MODEL_REPLIES),),
            errors=(error_examples.UNAUTHORIZED, error_examples.UNKNOWN_PROVIDER),
            error_format=error_examples.GEMINI,
        ),
    )
