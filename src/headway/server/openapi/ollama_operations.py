"""The operations of Ollama's API, for the table in ``operations``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from headway.server.openapi import error_examples
from headway.server.openapi.examples import ollama as examples
from headway.server.openapi.operation import NDJSON, Body, Operation, Parameter
from headway.server.openapi.schemas import ollama

TAG = "Ollama"
_CHAT = """\
For clients of Ollama: set their host to this server (or to `/ollama` of it) and the model to \
`provider/model`. Any provider answers. The response is a stream of lines unless `stream` is \
false; one that Ollama sends is passed through. An error after the first line is the last one."""


def operations(headers: Mapping[str, Any], key: Parameter) -> tuple[Operation, ...]:
    """``headers`` are those of a whole reply, ``key`` is a parameter of every call."""

    def post(path: str, id: str, summary: str, text: str, *bodies: Body) -> Operation:  # noqa: A002
        request, *replies = bodies
        return Operation(
            method="post",
            path=path,
            id=id,
            tag=TAG,
            summary=summary,
            description=text,
            parameters=(key,),
            request=request,
            response="The answer.",
            responses=tuple(replies),
            headers=headers,
            errors=error_examples.OPENAI_ERRORS,
            error_format=error_examples.OLLAMA,
        )

    def streamed(model: type[BaseModel], lines: tuple[Any, ...]) -> Body:
        return Body(
            (model, ollama.OllamaErrorReply), (*lines, error_examples.OLLAMA_STREAM_ERROR), NDJSON
        )

    return (
        post(
            "/api/chat",
            "ollama_chat",
            "Chat",
            _CHAT,
            Body((ollama.OllamaChatRequest,), examples.CHAT_REQUESTS),
            Body((ollama.OllamaChatReply,), examples.CHAT_REPLIES),
            streamed(ollama.OllamaChatReply, examples.CHAT_LINES),
        ),
        post(
            "/api/generate",
            "ollama_generate",
            "Complete a prompt",
            "Like `/api/chat`, with a prompt instead of messages.",
            Body((ollama.OllamaGenerateRequest,), examples.GENERATE_REQUESTS),
            Body((ollama.OllamaGenerateReply,), examples.GENERATE_REPLIES),
            streamed(ollama.OllamaGenerateReply, examples.GENERATE_LINES),
        ),
        post(
            "/api/embed",
            "ollama_embed",
            "Embed texts",
            "A provider without embeddings is a 400.",
            Body((ollama.OllamaEmbedRequest,), examples.EMBED_REQUESTS),
            Body((ollama.OllamaEmbedReply,), examples.EMBED_REPLIES),
        ),
        post(
            "/api/embeddings",
            "ollama_embeddings",
            "Embed a text",
            "The older form of `/api/embed`.",
            Body((ollama.OllamaEmbeddingsRequest,), examples.EMBEDDINGS_REQUESTS),
            Body((ollama.OllamaEmbeddingsReply,), examples.EMBEDDINGS_REPLIES),
        ),
        _get(
            "/api/tags",
            "ollama_models",
            "List the models",
            Body((ollama.OllamaModels,), examples.MODELS),
        ),
        _get(
            "/api/version",
            "ollama_version",
            "Show the version of the API",
            Body((ollama.OllamaVersion,), examples.VERSIONS),
        ),
    )


def _get(path: str, id: str, summary: str, reply: Body) -> Operation:  # noqa: A002
    return Operation(
        method="get",
        path=path,
        id=id,
        tag=TAG,
        summary=summary,
        description="For clients of Ollama.",
        response="The answer.",
        responses=(reply,),
        errors=(error_examples.UNAUTHORIZED,),
        error_format=error_examples.OLLAMA,
    )
