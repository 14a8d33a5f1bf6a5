"""OpenAI's annotation for a page of the web, all of whose fields its clients require."""

from __future__ import annotations

from headway.providers.citations import citation_fields, url_citation


def test_a_citation_has_every_field_whatever_the_provider_says() -> None:
    link = {"url": "https://a.example", "title": "A", "start_index": 2, "end_index": 5}
    assert url_citation("https://a.example", "A", (2, 5))["url_citation"] == link
    for title in ("", None, 3):
        found = url_citation("https://a.example", title)
        assert found == {
            "type": "url_citation",
            "url_citation": {**link, "title": "", "start_index": 0, "end_index": 0},
        }


def test_only_pages_of_the_web_are_annotations() -> None:
    given = [{"source": "https://a.example", "title": "A"}, {"source": "file.txt"}, {}]
    fields = citation_fields(given, 2, 5, lambda each: each.get("source")).fields
    assert fields["annotations"] == [url_citation("https://a.example", "A", (2, 5))]
    assert [each["start_index"] for each in fields["citations"]] == [2, 2, 2]
