"""Citations become fields of the reply's message."""

from __future__ import annotations

from typing import Any

from headway.events import ExtraFields
from headway.providers.citations import citation_fields

SPAN = {"start_index": 3, "end_index": 5}


def address(citation: dict[str, Any]) -> Any:
    return citation.get("at")


def test_citations_have_their_span_and_web_addresses_become_annotations() -> None:
    web, file, number = {"at": "https://a.example", "title": "A"}, {"at": "a.pdf"}, {"at": 7}
    link = {"url": "https://a.example", "title": "A", **SPAN}
    assert citation_fields([web, file, number], 3, 5, address) == ExtraFields(
        {
            "citations": [{**web, **SPAN}, {**file, **SPAN}, {**number, **SPAN}],
            "annotations": [{"type": "url_citation", "url_citation": link}],
        }
    )


def test_without_web_addresses_there_are_no_annotations() -> None:
    assert citation_fields([{"x": 1}], 3, 5, address) == ExtraFields(
        {"citations": [{"x": 1, **SPAN}]}
    )
