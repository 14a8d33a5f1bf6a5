"""Cohere's citations, and OpenAI's ``annotations`` for those whose source is a web page
(docs.cohere.com/docs/rag-citations)."""

from __future__ import annotations

from typing import Any

from headway.events import Event, ExtraFields
from headway.providers.citations import url_citation
from headway.wire.lenient_json import as_count


class BlockOffsets:
    """Where the text of each content block begins in the text of the whole response, in characters:
    Cohere counts a citation's position from the start of its block, OpenAI from the start of the
    response."""

    __slots__ = ("length", "starts")

    def __init__(self) -> None:
        self.starts: dict[int, int] = {}
        self.length = 0

    def add(self, index: int, text: str) -> None:
        self.starts.setdefault(index, self.length)
        self.length += len(text)


def read_citations(citations: list[dict[str, Any]], offsets: BlockOffsets) -> list[Event]:
    """At most one ExtraFields, with ``citations`` as received and ``annotations`` if any."""
    if not citations:
        return []
    fields: dict[str, Any] = {"citations": citations}
    annotations = [each for citation in citations for each in _annotations(citation, offsets)]
    return [ExtraFields({**fields, "annotations": annotations} if annotations else fields)]


def _annotations(citation: dict[str, Any], offsets: BlockOffsets) -> list[dict[str, Any]]:
    if citation.get("type") not in (None, "TEXT_CONTENT"):
        return []
    first, last = as_count(citation.get("start")), as_count(citation.get("end"))
    start = offsets.starts.get(as_count(citation.get("content_index")) or 0, 0)
    span = None
    if first is not None and last is not None:
        span = (start + first, start + last)
    sources = citation.get("sources")
    return [
        url_citation(page["url"], page["title"], span)
        for source in (sources if isinstance(sources, list) else ())
        if (page := _web_page(source)) is not None
    ]


def _web_page(source: Any) -> dict[str, str] | None:
    fields = source if isinstance(source, dict) else {}
    found = fields.get("document") or fields.get("tool_output")
    data = found if isinstance(found, dict) else {}
    url = data.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    return {"url": url, "title": str(data.get("title") or url)}
