"""OpenAI's legacy completions, which continue a text (platform.openai.com/docs/api-reference/
completions), and the same API of other providers.

Responses differ from those of chat completions in that a choice has a ``text`` in place of a
message or a delta, and ``logprobs`` in another shape: ``response`` decodes both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.base import Adapted, OtherWire, Provider
from headway.providers.http_headers import bearer_headers
from headway.providers.model_lists import root_of
from headway.providers.openai.request import TRUE, with_usage
from headway.providers.transformations import dropped, renamed
from headway.types import NO_RAW, ChatRequest, HttpRequest, NativeRequest, Target, Transformation
from headway.wire.url import join

WIRE = "openai_completions"
OPENAI_MODELS = r"gpt-3\.?5-turbo-instruct|(?:davinci|babbage)-002"
"""OpenAI's models that have completions; all others answer that they are chat models."""
NEUTRAL: Mapping[str, Any] = {
    "best_of": 1,
    "echo": False,
    "frequency_penalty": 0,
    "logit_bias": {},
    "n": 1,
    "presence_penalty": 0,
}
"""Values with which a parameter changes nothing: OpenAI's defaults, which some clients send."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Completions(Struct, frozen=True, kw_only=True):
    """The completions API of one provider, in what it differs from OpenAI's."""

    path: str = "/completions"
    """Below the base URL."""
    root_suffixes: tuple[str, ...] = ()
    """Removed from the end of the base URL before ``path``."""
    models: str = ""
    """A regular expression that is found in the names of the models that have it. Other models are
    asked through chat completions."""
    unsupported: tuple[str, ...] = ()
    renamed: Mapping[str, str] = {}
    """OpenAI's name of a parameter -> the provider's."""
    has_one_prompt: bool = False
    """Takes one text only, neither a list nor tokens."""
    has_stream_options: bool = True
    """Reports usage at the end of a stream on request; otherwise always."""


def same_target(target: Target, model: str) -> Target:
    return target


def with_completions(
    provider: Provider,
    facts: Completions,
    target_of: Callable[[Target, str], Target] = same_target,
) -> Provider:
    """``provider``, which has completions as well. ``target_of``: (target, model) -> the target
    with the base URL and the headers of the API."""

    def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
        return encode_completion(facts, request, target_of(target, request.model))

    completions = replace(
        provider,
        wire=WIRE,
        encode_native=encode_native,
        adapt_native=partial(_adapt, facts, provider.title),
        summarize=None,
        read_text=None,
    )
    pattern = re.compile(facts.models)

    def serves(model: str, options: Mapping[str, Any]) -> bool:
        return pattern.search(str(options.get("model_name") or model)) is not None

    return replace(provider, other_wires={WIRE: OtherWire(completions, serves)})


def encode_completion(facts: Completions, request: ChatRequest, target: Target) -> HttpRequest:
    """The client's own JSON with the model's name put in. Raises msgspec.DecodeError for
    ``stream_options`` that are no object."""
    body: dict[str, Any] = {"model": request.model, **_native(request).fields}
    options = body.pop("stream_options", NO_RAW)
    if request.stream:
        body["stream"] = TRUE
        if facts.has_stream_options:
            body["stream_options"] = with_usage(options)
    headers = bearer_headers(target.api_key, tuple(target.headers.items()), request.stream)
    url = join(root_of(target.base_url, *facts.root_suffixes), facts.path)
    return HttpRequest(url, headers, _encode(body))


def _adapt(facts: Completions, title: str, request: ChatRequest) -> Adapted:
    native = _native(request)
    fields: dict[str, Raw] = {}
    noted: list[Transformation] = []
    for name, raw in native.fields.items():
        if name in facts.unsupported:
            value = _decode(raw)
            if value is not None and value != NEUTRAL.get(name):
                noted.append(dropped(name, f"unsupported by {title}"))
        elif name in facts.renamed:
            fields[facts.renamed[name]] = raw
            noted.append(renamed(name, facts.renamed[name]))
        else:
            fields[name] = raw
    if facts.has_one_prompt:
        fields["prompt"] = _one_prompt(fields["prompt"], title)
    return replace(request, native=replace(native, fields=fields)), tuple(noted)


def _one_prompt(raw: Raw, title: str) -> Raw:
    prompt = _decode(raw)
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        message = f"{title} takes one text as `prompt`: send a request for each, and no tokens."
        raise RequestError(message, param="prompt")
    return Raw(_encode(prompt))


def _native(request: ChatRequest) -> NativeRequest:
    assert request.native is not None  # the pipeline calls this only for such requests
    return request.native
