"""The vendors that speak OpenAI's wire, as a table: adding one is a row.

What a vendor does otherwise stands in its row, as rules for requests and as readers of answers; the
facts are from each one's own documentation and from recordings. A row with a wire name of its own
streams in ways that clients of OpenAI do not bear, so it is translated where others are relayed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from headway.errors import InvalidField
from headway.providers.base import Provider
from headway.providers.model_lists import ModelList
from headway.providers.openai import provider as openai
from headway.providers.openai_compatible.hosts import HOSTS, OWN
from headway.providers.openai_compatible.request_rules import adapt
from headway.providers.openai_compatible.request_transforms import mended
from headway.providers.openai_compatible.response_transforms import (
    Reader,
    reading,
    reasoning_beside,
    searches,
    usage_in_choice,
    x_groq,
)
from headway.providers.openai_compatible.usage import cache_creation
from headway.providers.openai_compatible.vendor import Place, Row
from headway.providers.openai_compatible.vendor_table import VENDORS
from headway.providers.registry import TABLE, Kind
from headway.types import ChatRequest, EmbeddingsRequest, HttpRequest, Target

ROWS: tuple[Row, ...] = (*VENDORS, *HOSTS, *OWN)
QUIET: Mapping[Reader, bytes | None] = {
    cache_creation: None,
    reasoning_beside: None,
    searches: None,
    usage_in_choice: b'"usage"',
    x_groq: b'"x_groq"',
}
"""Readers that leave a mere text as it is: always, or where this word is not in its chunk."""


def provider_of(row: Row, facts: Kind) -> Provider:
    provider = replace(
        openai.PROVIDER,
        name=row.kind,
        title=facts.title,
        base_url=facts.base_url,
        key_env=facts.key_env,
        wire=row.wire,
        price_id=row.price_id,
        list_models=row.list_models,
        encode_request=row.encode,
        adapt=partial(adapt, row.rules),
        decode_error=row.decode_error,
        encode_embeddings=row.encode_embeddings,
        decode_embeddings=row.decode_embeddings,
        capabilities=row.capabilities,
    )
    if row.mends:
        provider = replace(provider, adapt=partial(mended, row.mends, provider.adapt))
    if row.readers or row.judge is not None:
        whole, event = reading(*row.readers, judge=row.judge)
        provider = replace(
            provider,
            decode_response=whole,
            decode_event=event,
            summarize=None,
            read_text=None if row.judge is not None else _read_text(row.readers),
        )
    if row.place is not None:
        provider = _placed(provider, row.place, facts)
    if not row.embeddings:
        provider = replace(provider, encode_embeddings=None, decode_embeddings=None)
    return provider


def _read_text(readers: Sequence[Reader]) -> Callable[[bytes], str | None] | None:
    """The plain adapter's, where these readers have nothing to say of a text."""
    if not QUIET.keys() >= set(readers):
        return None
    words = [word for reader in readers if (word := QUIET[reader]) is not None]
    if not words:
        return openai.read_text

    def read_text(data: bytes) -> str | None:
        for word in words:
            if data.find(word) >= 0:
                return None
        return openai.read_text(data)

    return read_text


def _placed(provider: Provider, place: Place, facts: Kind) -> Provider:
    variable = facts.environ.get(place.option)
    named = None if variable is None else variable.name
    encode_chat, encode_embeddings = provider.encode_request, provider.encode_embeddings

    def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
        return encode_chat(request, _target(target, place, named))

    def encode_vectors(request: EmbeddingsRequest, target: Target) -> HttpRequest:
        assert encode_embeddings is not None
        return encode_embeddings(request, _target(target, place, named))

    return replace(
        provider,
        encode_request=encode_request,
        encode_embeddings=encode_vectors,
        list_models=provider.list_models and _placed_list(provider.list_models, place, named),
        options={place.option: place.meaning},
    )


def _placed_list(how: ModelList, place: Place, named: str | None) -> ModelList:
    encode = how.encode
    return replace(how, encode=lambda target, page: encode(_target(target, place, named), page))


def _target(target: Target, place: Place, named: str | None) -> Target:
    """``named`` is the variable that may fill it in. Raises InvalidField where the configuration
    says neither the address nor what fills it in."""
    if target.base_url:
        return target
    filled = target.options.get(place.option)
    if not filled:
        variable = "" if named is None else f"{named} in the gateway's environment, or "
        raise InvalidField(
            f"{target.provider} has no address yet: set {variable}{place.option} or base_url of"
            f" providers.{target.provider} in its configuration.",
            param=place.option,
        )
    return replace(target, base_url=place.template.format(filled))


FACTS = {kind.name: kind for kind in TABLE}
PROVIDERS: tuple[Provider, ...] = tuple(provider_of(row, FACTS[row.kind]) for row in ROWS)
