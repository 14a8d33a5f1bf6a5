"""The operations of Anthropic's API, for the table in ``operations``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.server.openapi import error_examples
from headway.server.openapi.examples import anthropic as examples
from headway.server.openapi.operation import EVENTS, Body, Operation, Parameter
from headway.server.openapi.schemas import anthropic

TAG = "Anthropic"
_MESSAGES = """\
For clients of Anthropic's API: set their base URL to this server (or to `/anthropic` of it) and \
the model to `provider/model`. Any provider answers. One that speaks this format gets the client's \
fields, `anthropic-beta` and `anthropic-version` as they are, and its response is passed through. \
Thinking of any vendor comes as `thinking` blocks, whose signatures are valid for their vendor on \
the next turn."""
_COUNT = error_examples.COUNTED_BY
_VERSION = Parameter(
    "anthropic-version",
    "header",
    "Sent to a provider that speaks this format, as is `anthropic-beta`.",
    "2023-06-01",
    required=False,
)


def operations(
    headers: Mapping[str, Any], parameters: tuple[Parameter, ...]
) -> tuple[Operation, ...]:
    """``headers`` and ``parameters`` are those of every route of this kind."""
    return _messages(headers, (_VERSION, *parameters)), _count_tokens(headers)


def _messages(headers: Mapping[str, Any], parameters: tuple[Parameter, ...]) -> Operation:
    return Operation(
        method="post",
        path="/v1/messages",
        id="anthropic_messages",
        tag=TAG,
        summary="Message",
        description=_MESSAGES,
        parameters=parameters,
        request=Body((anthropic.AnthropicRequest,), examples.REQUESTS),
        response="The message, whole or as a stream of events.",
        responses=(
            Body((anthropic.AnthropicReply,), examples.REPLIES),
            Body(
                (anthropic.AnthropicEvent, anthropic.AnthropicErrorReply),
                (*examples.EVENTS, error_examples.ANTHROPIC_STREAM_ERROR),
                EVENTS,
            ),
        ),
        headers={**headers, "request-id": headers["x-request-id"]},
        errors=error_examples.OPENAI_ERRORS,
        error_format=error_examples.ANTHROPIC,
    )


def _count_tokens(headers: Mapping[str, Any]) -> Operation:
    return Operation(
        method="post",
        path="/v1/messages/count_tokens",
        id="anthropic_count_tokens",
        tag=TAG,
        summary="Count the tokens of a message",
        description=_COUNT,
        parameters=(_VERSION,),
        request=Body((anthropic.AnthropicRequest,), examples.COUNT_REQUESTS),
        response="The number of tokens.",
        responses=(Body((anthropic.AnthropicTokenCount,), examples.COUNTS),),
        headers={
            "x-request-id": headers["x-request-id"],
            "request-id": headers["x-request-id"],
            **error_examples.COUNT_HEADERS,
        },
        errors=error_examples.COUNT_ERRORS,
        error_format=error_examples.ANTHROPIC,
    )
