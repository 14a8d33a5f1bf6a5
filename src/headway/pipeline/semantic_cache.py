"""Answer a request with the response to one that means the same, or say what that would have been.

Two requests are compared only if all but the last text of the user is the same, and the vectors of
these texts at least as similar as the configured threshold. In shadow mode, which is the default,
the provider answers every request, and a feedback on its record says which kept answer would have
been given, and how similar that was to the provider's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, DecodedRequest
from headway.pipeline.attempt import Attempt
from headway.pipeline.cache_policy import SemanticRules
from headway.pipeline.cached_reply import replay
from headway.pipeline.drain import DiscardSink
from headway.pipeline.prepare import PlannedCall, prepare
from headway.ports import CachedResponse, Neighbour
from headway.record import Feedback, encode

SHADOW, SERVED = "semantic-cache-shadow", "semantic-cache-served"
"""Labels of the feedback."""
EMBED_S = 5.0
"""Longest time that a request waits for its vector."""
Vector = Sequence[float]
Found = tuple[CachedResponse, Neighbour]


class SemanticCall(PlannedCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    client_request: ClientRequest


class SemanticUse:
    """What one call has of the semantic cache. ``group`` identifies all that must be the same."""

    def __init__(self, call: SemanticCall, rules: SemanticRules, group: bytes, text: str) -> None:
        self._call = call
        self._rules = rules
        self._group = group
        self._text = text
        self._vector: Vector | None = None

    async def find(self) -> Found | None:
        """The kept response to the most similar request."""
        gateway = self._call.gateway
        self._vector = vector = await self._embed(self._text)
        if vector is None or gateway.semantic_index is None:
            return None
        found = gateway.semantic_index.find(self._group, vector, self._rules.threshold)
        if found is None:
            return None
        now = gateway.unix_time()
        response = await gateway.response_cache.load(found.key, now)
        return None if response is None else (response, found)

    def keep(self, key: bytes) -> None:
        """The call was answered, and its response kept under ``key``."""
        index = self._call.gateway.semantic_index
        if index is not None and self._vector is not None:
            index.add(self._group, self._vector, key, self._call.id)

    async def compare(self, found: Found, own: CachedResponse, decoded: DecodedRequest) -> None:
        """Put on record how similar the kept response is to the call's own."""
        kept, neighbour = found
        texts = [_text_of(self._call, each, decoded) for each in (kept, own)]
        similarity = None
        gateway = self._call.gateway
        if texts[0] == texts[1]:
            similarity = 1.0
        elif all(texts) and gateway.semantic_index is not None:
            one, other = await asyncio.gather(*(self._embed(text) for text in texts))
            if one is not None and other is not None:
                similarity = gateway.semantic_index.similarity(one, other)
        self._report(SHADOW, neighbour, similarity)

    def served(self, neighbour: Neighbour) -> None:
        """The kept response was given."""
        self._report(SERVED, neighbour, None)

    def _report(self, label: str, neighbour: Neighbour, similarity: float | None) -> None:
        """As a feedback on the call: its score is the similarity of the answers."""
        gateway = self._call.gateway
        said = {"prompt_similarity": round(neighbour.similarity, 6), "call_id": neighbour.call_id}
        feedback = Feedback(
            id=gateway.new_id(),
            call_id=self._call.id,
            timestamp=gateway.unix_time(),
            key_id=self._call.key_id,
            score=similarity,
            label=label,
            comment=msgspec.json.encode(said).decode(),
        )
        gateway.spool.append(encode(feedback))

    async def _embed(self, text: str) -> Vector | None:
        call, embed = self._call, self._call.gateway.embed
        if embed is None:
            return None
        headers, query = call.client_request.headers, call.client_request.query
        try:
            async with asyncio.timeout(EMBED_S):
                return await embed(self._rules.model, text, headers, query)
        except TimeoutError:
            return None


def _text_of(call: SemanticCall, response: CachedResponse, decoded: DecodedRequest) -> str:
    """The text of a kept response; empty where it cannot be read any more."""
    upstream = call.snapshot.upstreams.get(response.provider)
    if upstream is None:
        return ""
    request = replace(decoded.request, model=response.model)
    whole = replace(decoded, provider=upstream.name, request=request, stream=False)
    context = replace(prepare(call, upstream, whole), is_passthrough=False)
    clock, sink = call.gateway.clock, DiscardSink()
    attempt = Attempt(upstream, context, None, sink, clock(), 0.0, 0, False, _ignore)
    replay(response, b"".join(response.pieces), attempt, clock())
    return attempt.accumulator.produced()


def _ignore(attempt: Attempt) -> None:
    """Its text is all that is wanted."""
