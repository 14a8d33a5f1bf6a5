"""The operations of OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.server.openapi import error_examples
from headway.server.openapi.examples import responses as examples
from headway.server.openapi.operation import EVENTS, Body, Operation, Parameter
from headway.server.openapi.schemas import responses

TAG = "OpenAI"
_RESPONSES = """\
For clients of OpenAI's Responses API and coding agents that speak it: set their base URL to `/v1` \
of this server and the model to `provider/model`. With `stream` the response is server-sent events \
in OpenAI's order, each with its `sequence_number`. Send the items of `output` back in `input`: \
signed and encrypted reasoning of every provider is in them, and is left out, and said, where \
another provider takes the next turn.

Where the gateway keeps content (`ledger.content: full`), `previous_response_id` and items of the \
type `item_reference` refer to earlier responses of the same key, whatever provider gave them; \
elsewhere only a provider that has OpenAI's Responses API itself gets them. `background` and \
`conversation` are refused. A WebSocket is refused with 426."""
_COUNT = error_examples.COUNTED_BY


def operations(
    headers: Mapping[str, Any], parameters: tuple[Parameter, ...]
) -> tuple[Operation, ...]:
    """``headers`` and ``parameters`` are those of every route of this kind."""
    return _responses(headers, parameters), _input_tokens(headers)


def _responses(headers: Mapping[str, Any], parameters: tuple[Parameter, ...]) -> Operation:
    return Operation(
        method="post",
        path="/v1/responses",
        id="responses",
        tag=TAG,
        summary="Response",
        description=_RESPONSES,
        parameters=parameters,
        request=Body((responses.ResponsesRequest,), examples.RESPONSES_REQUESTS),
        response="The response, whole or as a stream of events.",
        responses=(
            Body((responses.ResponsesReply,), examples.RESPONSES_REPLIES),
            Body((responses.ResponsesEvent,), examples.RESPONSES_EVENTS, EVENTS),
        ),
        headers=headers,
        errors=error_examples.OPENAI_ERRORS,
        error_format=error_examples.RESPONSES,
    )


def _input_tokens(headers: Mapping[str, Any]) -> Operation:
    return Operation(
        method="post",
        path="/v1/responses/input_tokens",
        id="responses_input_tokens",
        tag=TAG,
        summary="Count the tokens of a response's input",
        description=_COUNT,
        request=Body((responses.ResponsesRequest,), examples.COUNT_REQUESTS),
        response="The number of tokens.",
        responses=(Body((responses.InputTokens,), examples.COUNTS),),
        headers={
            "x-request-id": headers["x-request-id"],
            **error_examples.COUNT_HEADERS,
        },
        errors=error_examples.COUNT_ERRORS,
        error_format=error_examples.RESPONSES,
    )
