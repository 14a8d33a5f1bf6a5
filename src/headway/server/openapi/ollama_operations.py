"""The operations of Ollama's API, for the table in ``operations``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.server.openapi import error_examples
from headway.server.openapi.examples import ollama as examples
from headway.server.openapi.operation import NDJSON, Body, Operation, Parameter
from headway.server.openapi.schemas import ollama

TAG = "Ollama"
_CHAT = """\
For clients of Ollama: set their host to this server (or to `/ollama` of it) and the model to \
`provider/model`. Any provider answers. The response is a stream of lines unless `stream` is \
false; one that Ollama sends is passed through. An error after the first line is the last one."""


_EMBED = "A provider without embeddings is a 400."
_CHAT_BODIES = (
    Body((ollama.OllamaChatRequest,), examples.CHAT_REQUESTS),
    Body((ollama.OllamaChatReply,), examples.CHAT_REPLIES),
    Body(
        (ollama.OllamaChatReply, ollama.OllamaErrorReply),
        (*examples.CHAT_LINES, error_examples.OLLAMA_STREAM_ERROR),
        NDJSON,
    ),
)
_GENERATE_BODIES = (
    Body((ollama.OllamaGenerateRequest,), examples.GENERATE_REQUESTS),
    Body((ollama.OllamaGenerateReply,), examples.GENERATE_REPLIES),
    Body(
        (ollama.OllamaGenerateReply, ollama.OllamaErrorReply),
        (*examples.GENERATE_LINES, error_examples.OLLAMA_STREAM_ERROR),
        NDJSON,
    ),
)
_EMBED_BODIES = (
    Body((ollama.OllamaEmbedRequest,), examples.EMBED_REQUESTS),
    Body((ollama.OllamaEmbedReply,), examples.EMBED_REPLIES),
)
_OLD_BODIES = (
    Body((ollama.OllamaEmbeddingsRequest,), examples.EMBEDDINGS_REQUESTS),
    Body((ollama.OllamaEmbeddingsReply,), examples.EMBEDDINGS_REPLIES),
)


def operations(
    headers: Mapping[str, Any], parameters: tuple[Parameter, ...]
) -> tuple[Operation, ...]:
    """``headers`` are those of a whole reply, ``parameters`` those of every call."""
    more = {"headers": headers, "parameters": parameters}
    generate = "Like `/api/chat`, with a prompt instead of messages."
    return (
        _post("chat", "Chat", _CHAT, _CHAT_BODIES, more),
        _post("generate", "Complete a prompt", generate, _GENERATE_BODIES, more),
        _post("embed", "Embed texts", _EMBED, _EMBED_BODIES, more),
        _post("embeddings", "Embed a text", f"The older `/api/embed`. {_EMBED}", _OLD_BODIES, more),
        _show(),
        _get("ps", "List the loaded models", Body((ollama.OllamaRunning,), examples.RUNNING)),
        _get("tags", "List the models", Body((ollama.OllamaModels,), examples.MODELS)),
        _get(
            "version",
            "Show the version of the API",
            Body((ollama.OllamaVersion,), examples.VERSIONS),
        ),
    )


def _post(
    name: str, summary: str, text: str, bodies: tuple[Body, ...], more: Mapping[str, Any]
) -> Operation:
    """``bodies`` are those of the request and of the replies."""
    request, *replies = bodies
    return Operation(
        method="post",
        path=f"/api/{name}",
        id=f"ollama_{name}",
        tag=TAG,
        summary=summary,
        description=text,
        request=request,
        response="The answer.",
        responses=tuple(replies),
        errors=error_examples.OPENAI_ERRORS,
        error_format=error_examples.OLLAMA,
        **more,
    )


def _show() -> Operation:
    return Operation(
        method="post",
        path="/api/show",
        id="ollama_show",
        tag=TAG,
        summary="Show a model",
        description="What is known of a model of `/api/tags`.",
        request=Body((ollama.OllamaShowRequest,), examples.SHOW_REQUESTS),
        response="The details.",
        responses=(Body((ollama.OllamaDetails,), examples.DETAILS),),
        errors=(*error_examples.COUNT_ERRORS, error_examples.UNKNOWN_PROVIDER),
        error_format=error_examples.OLLAMA,
    )


def _get(name: str, summary: str, reply: Body) -> Operation:
    return Operation(
        method="get",
        path=f"/api/{name}",
        id=f"ollama_{name}",
        tag=TAG,
        summary=summary,
        description="For clients of Ollama.",
        response="The answer.",
        responses=(reply,),
        errors=(error_examples.UNAUTHORIZED,),
        error_format=error_examples.OLLAMA,
    )
