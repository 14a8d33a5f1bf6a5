"""Hugging Face's Text Generation Inference, at the address where it listens by default; no longer
developed (its README).

Source: huggingface/text-generation-inference (its router: server.rs, also completions,
GrammarType). A 429 may be ``{"error": "Model is overloaded", "error_type": "overloaded"}``, and a
424 a response that broke off: the server fails, not the request.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from headway.errors import UpstreamError, UpstreamOverloaded
from headway.providers.base import Adapted
from headway.providers.openai.completions import Completions
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.request_rules import RequestRules
from headway.providers.openai_compatible.request_transforms import (
    ANY_OBJECT,
    response_format_of,
    stop_as_list,
    with_parameters,
    without_parameters,
)
from headway.providers.openai_compatible.response_transforms import is_present
from headway.providers.openai_compatible.vendor import TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import json_without_tools
from headway.types import ChatRequest

_encode = msgspec.json.Encoder().encode


def _grammar(request: ChatRequest) -> Adapted:
    """``response_format`` is ``{"type": "json", "value": schema}``, and has no form for text.
    Other types are TGI's and are sent as they are."""
    wanted = response_format_of(request)
    if wanted.type == "text":
        return without_parameters(request, "response_format"), ()
    if wanted.type not in ("json_object", "json_schema"):
        return request, ()
    schema = ANY_OBJECT if wanted.json_schema is None else wanted.json_schema.schema
    form = {"type": "json", "value": schema if is_present(schema) else ANY_OBJECT}
    return with_parameters(request, response_format=Raw(_encode(form))), ()


VENDOR = Vendor(
    title="Text Generation Inference",
    order=330,
    base_url="http://127.0.0.1:8080/v1",
    wire="openai_chat_tgi",
    request_transforms=(stop_as_list, _grammar),
    # presence_penalty is a repetition penalty less 2, and that is above 0: OpenAI's 0 would be a
    # penalty of 2. The bounds of top_p are open.
    request_rules=RequestRules(
        unsupported=("logit_bias",),
        neutral={"top_p": 1, "presence_penalty": 0},
        bounds={"top_p": (0.001, 0.999), "presence_penalty": (-1.999, 2)},
        single_choice=True,
    ),
    errors=ErrorFormat(
        code_field="error_type",
        classes={"generation": UpstreamError, "overloaded": UpstreamOverloaded},
    ),
    wire_rules=(json_without_tools("https://github.com/huggingface/text-generation-inference"),),
    completions=Completions(),
    capabilities={
        **TOOLS,
        "tools": "partial: not together with a response format",
        "images": "native: depends on the model",
        "json_schema": "native",
        "logprobs": "native",
    },
)
