"""OpenAI's Responses API (platform.openai.com/docs/api-reference/responses), used without its
memory: every request brings the whole conversation, and nothing is stored unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.providers import model_lists as listing
from headway.providers.base import Provider
from headway.providers.http_errors import decode_error
from headway.providers.http_headers import bearer_headers
from headway.providers.openai import models as openai_models
from headway.providers.openai import provider as openai
from headway.providers.openai.embeddings import decode_embeddings, encode_embeddings
from headway.providers.openai_responses.messages import conversation
from headway.providers.openai_responses.parameters import adapt
from headway.providers.openai_responses.response import decode_event, decode_response
from headway.types import ChatRequest, HttpRequest, Target
from headway.wire.url import join

PATH = "/responses"
ENCRYPTED = "reasoning.encrypted_content"
FALSE, TRUE = Raw(b"false"), Raw(b"true")

OPTIONS = {
    "encrypted_reasoning": "whether to ask for reasoning that can be sent back; by default of"
    " OpenAI's reasoning models, and wherever a request asks for reasoning",
    "reasoning_summary": "auto, concise or detailed: the summary to ask for with reasoning where a"
    " request does not say (OpenAI gives it to verified organizations)",
}

_object = msgspec.json.Decoder(dict[str, Any]).decode
_names = msgspec.json.Decoder(list[str]).decode
_encode = msgspec.json.Encoder().encode


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises msgspec.ValidationError or RequestError for messages that are none."""
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), request.stream)
    body = _encode(fields(request, target.options))
    return HttpRequest(join(target.base_url, PATH), headers, body)


def fields(request: ChatRequest, options: Mapping[str, Any]) -> dict[str, Any]:
    """The body. Parameters that nobody knows stand at the top level, as given."""
    instructions, items = conversation(request)
    body: dict[str, Any] = {"model": request.model, "input": items, "store": FALSE}
    if instructions is not None:
        body["instructions"] = instructions
    body.update(request.parameters)
    reasons = bool(
        openai_models.is_reasoning_model(str(options.get("model_name") or request.model))
    )
    reasoning = _reasoning(request, options, reasons)
    if reasoning is not None:
        body["reasoning"] = reasoning
    if _is_replayed(request, options, reasons):
        given = request.parameters.get("include")
        names = [] if given is None else _names(given)
        body["include"] = names if ENCRYPTED in names else [*names, ENCRYPTED]
    if request.stream:
        body["stream"] = TRUE
    return body


def _reasoning(
    request: ChatRequest, options: Mapping[str, Any], reasons: bool
) -> dict[str, Any] | None:
    """With the summary that the configuration wants, if it wants one of what reasons."""
    given = request.parameters.get("reasoning")
    wanted = options.get("reasoning_summary")
    if wanted is None or (given is None and not reasons):
        return None
    return {"summary": wanted, **({} if given is None else _object(given))}


def _is_replayed(request: ChatRequest, options: Mapping[str, Any], reasons: bool) -> bool:
    """Whether to ask for thoughts in the form in which they can be sent back. Models that do not
    reason refuse that, so it is not asked of those that we do not know."""
    wanted = options.get("encrypted_reasoning")
    if wanted is not None:
        return bool(wanted)
    return "reasoning" in request.parameters or reasons


PARAMETERS = openai.PARAMETERS[:3]
CAPABILITIES = {
    "stream": "native",
    "tools": "native",
    "tool_choice": "native",
    "images": "native",
    "documents": "native",
    "json_object": "native",
    "json_schema": "native",
    "reasoning": "native: effort in, summaries out where they are asked for",
    "reasoning_replay": "native",
    "caching": "partial: automatic, read and write counts out",
    "citations": "native",
    "logprobs": "native",
    "embeddings": "native",
}

PROVIDER = Provider(
    name="openai_responses",
    title="OpenAI (Responses)",
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    wire="openai_responses",
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    adapt=adapt,
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    price_id="openai",
    list_models=listing.OPENAI,
    parameters=PARAMETERS,
    options=OPTIONS,
    capabilities=CAPABILITIES,
)
