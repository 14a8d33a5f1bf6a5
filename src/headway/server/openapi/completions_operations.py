"""The operation of OpenAI's legacy completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.server.openapi import error_examples
from headway.server.openapi.examples import completions as examples
from headway.server.openapi.examples import openai as openai_examples
from headway.server.openapi.operation import Body, Operation, Parameter, whole_and_stream
from headway.server.openapi.schemas import completions, openai

_DESCRIPTION = """\
For programs that continue a text, such as the autocompletion of editors. A provider with \
completions gets the request as it is. Any other is asked through chat completions, with the \
prompt as the user's message: it has to be one text then, and no `suffix`, which would be a 400; \
`max_tokens` has the provider's default then, not OpenAI's 16. Mistral's Codestral is asked to \
fill in the middle. With `stream` the response is server-sent events, ended by `data: [DONE]`."""

_FIM = """\
For the autocompletion of editors that ask as Mistral's clients do. The request is the one of \
`/v1/completions`, and goes to the same providers; the response has the shape of \
`/v1/chat/completions`."""


CHAT_BODIES = whole_and_stream(
    Body((openai.OpenAIReply,), openai_examples.OPENAI_REPLIES),
    Body((openai.OpenAIChunk,), openai_examples.OPENAI_CHUNKS),
)
"""Of a chat completion."""


def operations(
    headers: Mapping[str, Any], parameters: tuple[Parameter, ...]
) -> tuple[Operation, ...]:
    """``headers`` and ``parameters`` are those of every route of this kind."""
    common = {
        "method": "post",
        "tag": "OpenAI",
        "parameters": parameters,
        "headers": headers,
        "errors": error_examples.OPENAI_ERRORS,
    }
    return _completions(common), _fim(common)


def _completions(common: Mapping[str, Any]) -> Operation:
    return Operation(
        path="/v1/completions",
        id="openai_completions",
        summary="Completion of a text (legacy)",
        description=_DESCRIPTION,
        request=Body((completions.CompletionRequest,), examples.REQUESTS),
        response="The completion, whole or as a stream of pieces.",
        responses=whole_and_stream(
            Body((completions.CompletionReply,), examples.REPLIES),
            Body((completions.CompletionChunk,), examples.CHUNKS),
        ),
        **common,
    )


def _fim(common: Mapping[str, Any]) -> Operation:
    return Operation(
        path="/v1/fim/completions",
        id="fim_completions",
        summary="Code between a prompt and a suffix",
        description=_FIM,
        request=Body((completions.CompletionRequest,), examples.FIM_REQUESTS),
        response="A chat completion, whole or as a stream of chunks.",
        responses=CHAT_BODIES,
        **common,
    )
