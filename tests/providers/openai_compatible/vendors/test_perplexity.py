"""Perplexity's sources, and its embeddings' addresses."""

from __future__ import annotations

from headway.providers.citations import url_citation
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
    cited = [url_citation("https://a.example", "A"), url_citation("https://b.example", "")]
    assert extra == {"annotations": cited, **found}


def test_citations_without_results_are_sources() -> None:
    extra = collect(
        decoded("perplexity", {"content": "Hi"}, citations=["https://a.example"])
    ).choices[0]
    assert extra.extra["annotations"] == [url_citation("https://a.example", None)]
    assert collect(decoded("perplexity", {"content": "Hi"})).choices[0].extra == {}
