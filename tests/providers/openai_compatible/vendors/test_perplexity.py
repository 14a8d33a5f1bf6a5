"""Perplexity's sources, and its embeddings' addresses."""

from __future__ import annotations

from support.compatible_responses import collect, decoded, streamed
from support.openai_completions import finish, text

SOURCES = [{"url": "https://a.example", "title": "A", "date": None}, {"url": "https://b.example"}]


def test_sources_that_every_chunk_repeats_are_reported_once() -> None:
    found = {"citations": ["https://a.example", "https://b.example"], "search_results": SOURCES}
    extra = (
        collect(
            streamed(
                "perplexity", {**text("Hi"), **found}, {**text("!"), **found}, {**finish(), **found}
            )
        )
        .choices[0]
        .extra
    )
    cited = [{"url": "https://a.example", "title": "A"}, {"url": "https://b.example"}]
    notes = [{"type": "url_citation", "url_citation": one} for one in cited]
    assert extra == {"annotations": notes, **found}


def test_citations_without_results_are_sources() -> None:
    extra = collect(
        decoded("perplexity", {"content": "Hi"}, citations=["https://a.example"])
    ).choices[0]
    assert extra.extra["annotations"][0]["url_citation"] == {"url": "https://a.example"}
    assert collect(decoded("perplexity", {"content": "Hi"})).choices[0].extra == {}
