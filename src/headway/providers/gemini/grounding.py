"""Grounding and citations, as OpenAI's ``annotations``.

Google marks passages by offsets in bytes of UTF-8, OpenAI by characters. In a stream the offsets
count from the start of the whole text; what server-side tools put between its parts is not counted,
so a passage that is not where its offsets say is searched for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.gemini.wire_types import (
    Candidate,
    Citation,
    Citations,
    Grounding,
    GroundingChunk,
    Segment,
    Source,
    Support,
)

_grounding = msgspec.json.Decoder(Grounding).decode
_any = msgspec.json.Decoder().decode

Span = tuple[int, int] | None


def read_sources(candidate: Candidate, text: str, seen: set[Any]) -> dict[str, Any]:
    """Fields for the message: ``annotations`` that are not in ``seen`` yet, and what has no word in
    OpenAI's: ``grounding_metadata`` (Google wants its search suggestions shown) and
    ``url_context_metadata``, verbatim. Empty where the candidate has none."""
    fields: dict[str, Any] = {}
    found = list(_found(candidate, text))
    if fresh := [annotation for annotation in found if _is_new(annotation, seen)]:
        fields["annotations"] = fresh
    raw = candidate.grounding_metadata
    if raw and (metadata := _any(raw)):
        fields["grounding_metadata"] = metadata
    if candidate.url_context_metadata:
        fields["url_context_metadata"] = candidate.url_context_metadata
    return fields


def _found(candidate: Candidate, text: str) -> Iterator[dict[str, Any]]:
    if candidate.grounding_metadata:
        yield from _grounded(candidate.grounding_metadata, text)
    if candidate.citation_metadata is not None:
        yield from _cited(candidate.citation_metadata, text)


def _is_new(annotation: dict[str, Any], seen: set[Any]) -> bool:
    """A stream repeats its grounding in several chunks."""
    key = tuple(sorted(annotation["url_citation"].items()))
    if key in seen:
        return False
    seen.add(key)
    return True


def _grounded(raw: Raw, text: str) -> Iterator[dict[str, Any]]:
    grounding = _grounding(raw)
    sources = [_source(chunk) for chunk in grounding.grounding_chunks or ()]
    if not grounding.grounding_supports:
        yield from (_annotation(source, None) for source in sources if source.uri)
        return
    for support in grounding.grounding_supports:
        yield from _supported(support, sources, text)


def _supported(support: Support, sources: list[Source], text: str) -> Iterator[dict[str, Any]]:
    span = None if support.segment is None else locate(support.segment, text)
    for index in support.grounding_chunk_indices or ():
        if index < len(sources) and sources[index].uri:
            yield _annotation(sources[index], span)


def _cited(citations: Citations, text: str) -> Iterator[dict[str, Any]]:
    cited: list[Citation] = [*(citations.citation_sources or ()), *(citations.citations or ())]
    for citation in cited:
        if citation.uri:
            span = locate(Segment(citation.start_index, citation.end_index), text)
            yield _annotation(Source(citation.uri, citation.title), span)


def _source(chunk: GroundingChunk) -> Source:
    return chunk.web or chunk.retrieved_context or chunk.maps or Source()


def locate(segment: Segment, text: str) -> Span:
    """Start and end in characters; None where the passage is not in the text."""
    encoded = text.encode()
    start = len(encoded[: segment.start_index].decode(errors="ignore"))
    end = len(encoded[: segment.end_index].decode(errors="ignore"))
    if not segment.text or text[start:end] == segment.text:
        return start, end
    start = text.find(segment.text)
    return None if start < 0 else (start, start + len(segment.text))


def _annotation(source: Source, span: Span) -> dict[str, Any]:
    citation: dict[str, Any] = {"url": source.uri, "title": source.title or ""}
    if span is not None:
        citation["start_index"], citation["end_index"] = span
    return {"type": "url_citation", "url_citation": citation}
