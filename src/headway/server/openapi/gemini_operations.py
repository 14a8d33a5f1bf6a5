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
_COUNT = """\
Counted by the gateway, with the tokenizer of the model's family: nothing is sent to the provider, \
and nothing is recorded. Images are not counted."""
_EMBED = """\
A provider of another format is sent the text and the length of the vector; a provider without \
embeddings is a 400."""
_MODEL = Parameter(
    "model", "path", "`provider/model`, also with slashes in it.", "local/smollm2-135m-instruct"
)
_PAGES = (
    Parameter("pageSize", "query", "Models on a page: 1000 at most.", "50", required=False),
    Parameter("pageToken", "query", "The next page's.", "50", required=False),
)
_ALT = Parameter("alt", "query", "`sse`, or `json` (the default).", "sse", required=False)


def operations(
    headers: Mapping[str, Any], parameters: tuple[Parameter, ...], key: Parameter
) -> tuple[Operation, ...]:
    """``headers`` are those of a whole reply; ``parameters`` those of a streamed call, of which
    ``key`` is for every call."""

    def post(method: str, id: str, summary: str, text: str, **more: Any) -> Operation:  # noqa: A002
        fields: dict[str, Any] = {
            "parameters": (_MODEL, key),
            "headers": headers,
            "errors": error_examples.OPENAI_ERRORS,
            **more,
        }
        return Operation(
            method="post",
            path=f"{BASE}/{{model}}:{method}",
            id=id,
            tag=TAG,
            summary=summary,
            description=text,
            error_format=error_examples.GEMINI,
            **fields,
        )

    request = Body((gemini.GeminiRequest,), examples.REQUESTS)
    element = (gemini.GeminiReply, gemini.GeminiErrorReply)
    elements = (*examples.ELEMENTS, error_examples.GEMINI_STREAM_ERROR)
    return (
        post(
            "generateContent",
            "gemini_generate",
            "Generate a response",
            _GENERATE,
            request=request,
            response="The response.",
            responses=(Body((gemini.GeminiReply,), examples.REPLIES),),
        ),
        post(
            "streamGenerateContent",
            "gemini_stream",
            "Generate a response as a stream",
            _STREAM,
            parameters=(_MODEL, _ALT, *parameters),
            request=request,
            response="The elements of the response.",
            responses=(Body(element, elements, EVENTS), Body(element, elements, JSON)),
        ),
        post(
            "countTokens",
            "gemini_count_tokens",
            "Count the tokens of a request",
            _COUNT,
            parameters=(_MODEL,),
            request=request,
            response="The number of tokens.",
            responses=(Body((gemini.GeminiTokenCount,), examples.COUNTS),),
            headers={"x-request-id": headers["x-request-id"], **error_examples.COUNT_HEADERS},
            errors=error_examples.COUNT_ERRORS,
        ),
        post(
            "embedContent",
            "gemini_embed",
            "Embed a text",
            _EMBED,
            request=Body((gemini.GeminiEmbedRequest,), examples.EMBED_REQUESTS),
            response="The vector.",
            responses=(Body((gemini.GeminiEmbedReply,), examples.EMBED_REPLIES),),
        ),
        post(
            "batchEmbedContents",
            "gemini_embed_batch",
            "Embed several texts",
            _EMBED,
            request=Body((gemini.GeminiBatchEmbedRequest,), examples.BATCH_REQUESTS),
            response="A vector for each request.",
            responses=(Body((gemini.GeminiBatchEmbedReply,), examples.BATCH_REPLIES),),
        ),
        *_lists(),
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
            errors=(error_examples.UNAUTHORIZED,),
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
