"""The citations of a text block, as fields of the reply's message."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from headway.events import ExtraFields

Citation = dict[str, Any]


def url_citation(url: str, title: Any, span: tuple[int, int] | None = None) -> dict[str, Any]:
    """OpenAI's annotation, all of whose fields its clients require (platform.openai.com/docs/
    api-reference/chat/object). ``span``: start and end in characters. None: the provider names no
    passage; it is empty then."""
    start, end = span or (0, 0)
    named = title if isinstance(title, str) else ""
    link = {"url": url, "title": named, "start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": link}


def citation_fields(
    citations: Iterable[Citation], start: int, end: int, address_of: Callable[[Citation], Any]
) -> ExtraFields:
    """``citations`` has the provider's values, ``annotations`` OpenAI's url_citation for each that
    has a web address. ``start`` and ``end`` are the place of the block in the text of the whole
    response, in characters; ``address_of`` finds what may be the address of a citation."""
    span = {"start_index": start, "end_index": end}
    listed = list(citations)
    fields: dict[str, Any] = {"citations": [{**citation, **span} for citation in listed]}
    annotations = []
    for citation in listed:
        url = address_of(citation)
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            annotations.append(url_citation(url, citation.get("title"), (start, end)))
    if annotations:
        fields["annotations"] = annotations
    return ExtraFields(fields)
