"""Legacy completions as chat completions, for providers that have only those."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import ConvertedRequest
from headway.errors import RequestError
from headway.types import ChatRequest, Transformation

ONLY_TEXT = "This model is asked through chat completions, which take no {}: {}."
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def convert_completion(request: ChatRequest) -> ConvertedRequest:
    """The prompt as the only message of the user. Parameters of the same name keep their values.
    Raises RequestError for what no message can say."""
    assert request.native is not None
    fields = dict(request.native.fields)
    prompt, suffix = _one_text(_decode(fields.pop("prompt"))), fields.pop("suffix", b"null")
    if _decode(suffix):
        raise _refused("suffix", "suffix", "use a model whose provider has completions")
    noted: list[Transformation] = []
    echo, best_of = (_decode(fields.pop(name, b"null")) for name in ("echo", "best_of"))
    if echo:
        noted.append(Transformation("emulated", "echo", "the prompt before the output"))
    if best_of is not None and best_of != _decode(fields.get("n", b"1")):
        noted.append(Transformation("dropped", "best_of", "chat completions have none"))
    logprobs = _logprobs(fields.pop("logprobs", Raw(b"null")))
    message = {"role": "user", "content": prompt}
    converted = replace(
        request, messages=Raw(_encode([message])), parameters={**fields, **logprobs}, native=None
    )
    return converted, tuple(noted)


def _one_text(prompt: Any) -> str:
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str):
        return prompt[0]
    if isinstance(prompt, str):
        return prompt
    if all(isinstance(each, str) for each in prompt):
        raise _refused("list of prompts", "prompt", "send a request for each text")
    raise _refused("tokens", "prompt", "send their text")


def _refused(what: str, param: str, remedy: str) -> RequestError:
    return RequestError(ONLY_TEXT.format(what, remedy), param=param)


def _logprobs(raw: Raw) -> dict[str, Raw]:
    """The number of the most likely tokens is a parameter of its own there."""
    asked = _decode(raw)
    if asked is None or isinstance(asked, bool):
        return {} if asked is None else {"logprobs": raw}
    return {"logprobs": Raw(b"true"), **({"top_logprobs": raw} if asked else {})}
