"""Bedrock's own count of tokens
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html), which it has for
Claude. It takes the ids of models, and not those of inference profiles, which have a geography
before them."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from headway.errors import RequestError
from headway.providers.bedrock.converse_request import converse_body
from headway.providers.bedrock.endpoint import model_url
from headway.providers.bedrock.models import family_of
from headway.providers.bedrock.request import request_headers
from headway.providers.token_counts import TokenCount, encode, read_count
from headway.types import ChatRequest, HttpRequest, Target

GEOGRAPHY = re.compile(r"^(?:apac|au|ca|eu|global|jp|us|us-gov)\.")
COUNTED = ("messages", "system", "toolConfig")
"""The fields of Converse that are counted."""


def encode_count(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError for a model that is not Claude, and what ``converse_body`` raises."""
    if not family_of(request.model).is_claude:
        raise RequestError(f"Bedrock does not count the tokens of {request.model}.", param="model")
    body = converse_body(request, [])
    return count_request(
        request, target, {"converse": {k: v for k, v in body.items() if k in COUNTED}}
    )


def count_request(request: ChatRequest, target: Target, counted: dict[str, Any]) -> HttpRequest:
    url = model_url(GEOGRAPHY.sub("", request.model), "count-tokens", target)
    return HttpRequest(url, request_headers(target, stream=False), encode({"input": counted}))


CONVERSE_COUNT = TokenCount(encode_count, partial(read_count, "inputTokens"))
