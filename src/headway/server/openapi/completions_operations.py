"""The operation of OpenAI's legacy completions."""

from __future__ import annotations

from typing import Any

from headway.server.openapi import error_examples
from headway.server.openapi.examples import completions as examples
from headway.server.openapi.operation import EVENTS, Body, Operation, Parameter
from headway.server.openapi.schemas import base, completions

_DESCRIPTION = """\
For programs that continue a text, such as the autocompletion of editors. A provider with \
completions gets the request as it is. Any other is asked through chat completions, with the \
prompt as the user's message: it has to be one text then, and no `suffix`, which would be a 400; \
`max_tokens` has the provider's default then, not OpenAI's 16. Mistral's Codestral is asked to \
fill in the middle. With `stream` the response is server-sent events, ended by `data: [DONE]`."""


def operations(headers: Any, parameters: tuple[Parameter, ...]) -> tuple[Operation, ...]:
    return (
        Operation(
            method="post",
            path="/v1/completions",
            id="openai_completions",
            tag="OpenAI",
            summary="Completion of a text (legacy)",
            description=_DESCRIPTION,
            parameters=parameters,
            request=Body((completions.CompletionRequest,), examples.REQUESTS),
            response="The completion, whole or as a stream of pieces.",
            responses=(
                Body((completions.CompletionReply,), examples.REPLIES),
                Body(
                    (completions.CompletionChunk, base.ErrorReply),
                    (*examples.CHUNKS, error_examples.STREAM_ERROR),
                    EVENTS,
                ),
            ),
            headers=headers,
            errors=error_examples.OPENAI_ERRORS,
        ),
    )
