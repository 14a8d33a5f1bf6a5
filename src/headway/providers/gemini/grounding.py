"""Grounding and citations as OpenAI's ``annotations`` (GroundingMetadata and CitationMetadata in
ai.google.dev/api/generate-content).

Google gives the offsets of a passage in bytes of UTF-8, OpenAI in characters. In a stream the
offsets count from the start of the whole text, without what server-side tools put between its
parts: a passage that is not at its offsets is searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.providers.citations import url_citation
from headway.wire.lenient_json import Count, Position, lenient_decoder


class Segment(Struct, rename="camel"):
    """A passage of the output: offsets in bytes of UTF-8."""

    start_index: Count = 0
    end_index: Count = 0
    text: str = ""


class GroundingSupport(Struct, rename="camel"):
    segment: Segment | None = None
    grounding_chunk_indices: list[Position] | None = None


class GroundingSource(Struct):
    uri: str | None = None
    title: str | None = None


class GroundingChunk(Struct, rename="camel"):
    web: GroundingSource | None = None
    retrieved_context: GroundingSource | None = None
    maps: GroundingSource | None = None


class GroundingMetadata(Struct, rename="camel"):
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None
    web_search_queries: list[str] | None = None
    image_search_queries: list[str] | None = None


@dataclass
class ToolUses:
    """What the provider searched for a response, as its stream repeats it."""

    queries: set[str] = field(default_factory=set)
    has_maps: bool = False

    def add(self, grounding: Raw) -> None:
        found = _decode_grounding(grounding)
        queries = (*(found.web_search_queries or ()), *(found.image_search_queries or ()))
        self.queries.update(query for query in queries if query)
        self.has_maps = self.has_maps or any(
            chunk.maps is not None for chunk in found.grounding_chunks or ()
        )

    def searches(self, model: str | None) -> int:
        """As they are billed: each query, before Gemini 3 each response that has any
        (ai.google.dev/gemini-api/docs/pricing, "Grounding with Google Search")."""
        if self.queries and BILLED_ONCE.match(model or ""):
            return 1
        return len(self.queries)


class Citation(Struct, rename="camel"):
    start_index: Count = 0
    end_index: Count = 0
    uri: str | None = None
    title: str | None = None


class CitationMetadata(Struct, rename="camel"):
    """AI Studio names the list citationSources, Vertex AI citations."""

    citation_sources: list[Citation] | None = None
    citations: list[Citation] | None = None


BILLED_ONCE = re.compile(r"(?:models/)?gemini-[12]")
_decode_grounding = lenient_decoder(GroundingMetadata)
_decode_any = msgspec.json.Decoder().decode

Span = tuple[int, int] | None
"""Start and end in characters; None where the passage is unknown."""
Annotation = dict[str, Any]


def read_sources(
    grounding: Raw, citations: CitationMetadata | None, text: str, seen: set[Any]
) -> dict[str, Any]:
    """Message fields: ``annotations`` that are not in ``seen``, which a stream repeats in several
    chunks, and ``grounding_metadata`` unchanged (Google requires clients to display its search
    suggestions). ``text`` is the output so far. Adds to ``seen``."""
    fields: dict[str, Any] = {}
    found = [*_grounding_annotations(grounding, text), *_citation_annotations(citations, text)]
    if fresh := [annotation for annotation in found if _is_new(annotation, seen)]:
        fields["annotations"] = fresh
    if grounding and (metadata := _decode_any(grounding)):
        fields["grounding_metadata"] = metadata
    return fields


def _is_new(annotation: Annotation, seen: set[Any]) -> bool:
    key = tuple(sorted(annotation["url_citation"].items()))
    if key in seen:
        return False
    seen.add(key)
    return True


def _grounding_annotations(raw: Raw, text: str) -> Iterator[Annotation]:
    if bytes(raw)[:1] != b"{":
        return
    grounding = _decode_grounding(raw)
    sources = [_source(chunk) for chunk in grounding.grounding_chunks or ()]
    if not grounding.grounding_supports:
        yield from (_annotation(source, None) for source in sources if source.uri)
        return
    for support in grounding.grounding_supports:
        span = None if support.segment is None else _locate(support.segment, text)
        for index in support.grounding_chunk_indices or ():
            if index < len(sources) and sources[index].uri:
                yield _annotation(sources[index], span)


def _citation_annotations(metadata: CitationMetadata | None, text: str) -> Iterator[Annotation]:
    if metadata is None:
        return
    for citation in (*(metadata.citation_sources or ()), *(metadata.citations or ())):
        if citation.uri:
            span = _locate(Segment(citation.start_index, citation.end_index), text)
            yield _annotation(GroundingSource(citation.uri, citation.title), span)


def _source(chunk: GroundingChunk) -> GroundingSource:
    return chunk.web or chunk.retrieved_context or chunk.maps or GroundingSource()


def _locate(segment: Segment, text: str) -> Span:
    encoded = text.encode()
    start = len(encoded[: segment.start_index].decode(errors="ignore"))
    end = len(encoded[: segment.end_index].decode(errors="ignore"))
    if not segment.text or text[start:end] == segment.text:
        return start, end
    start = text.find(segment.text)
    return None if start < 0 else (start, start + len(segment.text))


def _annotation(source: GroundingSource, span: Span) -> Annotation:
    return url_citation(source.uri or "", source.title, span)
