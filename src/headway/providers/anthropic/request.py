"""Requests in Anthropic's Messages format, whatever platform serves them.

``body`` is for every platform: the Claude API puts model and stream beside it, Vertex AI and Amazon
Bedrock an ``anthropic_version`` (and have the model in the URL). The request must have been through
``anthropic_limits.adapt``, which turns parameters into Anthropic's; here only messages are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headway.providers.anthropic.messages import conversation
from headway.types import ChatRequest

encode = msgspec.json.Encoder().encode


def body(request: ChatRequest) -> dict[str, Any]:
    """The body without model, stream and version, ready for ``encode``. Parameters that nobody
    knows stand at the top level, as given.

    Raises msgspec.ValidationError for messages that are none, and RequestError for content that
    Claude cannot be given (audio)."""
    system, messages = conversation(request)
    fields: dict[str, Any] = {"messages": messages, **request.parameters}
    if system:
        given = request.parameters.get("system")
        fields["system"] = system if given is None else [*_blocks(given), *system]
    return fields


def _blocks(given: msgspec.Raw) -> list[Any]:
    """A ``system`` parameter of Anthropic's own, a text or blocks, before system messages."""
    value = msgspec.json.decode(given)
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


def betas(options: Mapping[str, Any]) -> list[str]:
    """The option ``beta``: names of beta features, as a list or as the header has them."""
    given = options.get("beta") or ()
    names = given.split(",") if isinstance(given, str) else given
    return [name.strip() for name in names]
