"""Grounding and citations as OpenAI's annotations."""

from __future__ import annotations

from typing import Any

import pytest

from headway.events import ExtraFields
from headway.response_accumulator import ResponseAccumulator
from support.gemini_wire import answer, streamed, whole

WEB = {"web": {"uri": "https://a.test", "title": "A"}}


def support(text: str, start: int, end: int, *chunks: int) -> dict[str, Any]:
    segment = {"startIndex": start, "endIndex": end, "text": text}
    return {"segment": segment, "groundingChunkIndices": list(chunks)}


def cited(url: str, title: str, start: int = 0, end: int = 0) -> dict[str, Any]:
    fields = {"url": url, "title": title, "start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": fields}


GROUNDINGS: list[tuple[str, dict[str, Any], list[Any]]] = [
    (
        "bytes are characters",
        {"groundingChunks": [WEB], "groundingSupports": [support("Köln", 0, 5, 0)]},
        [cited("https://a.test", "A", 0, 4)],
    ),
    (
        "a passage elsewhere is found",
        {"groundingChunks": [WEB], "groundingSupports": [support("Rhein", 90, 95, 0)]},
        [cited("https://a.test", "A", 8, 13)],
    ),
    (
        "one that is nowhere is empty",
        {"groundingChunks": [WEB], "groundingSupports": [support("Elbe", 0, 4, 0)]},
        [cited("https://a.test", "A")],
    ),
    (
        "a support without a segment is of an empty one",
        {"groundingChunks": [WEB], "groundingSupports": [{"groundingChunkIndices": [0]}]},
        [cited("https://a.test", "A")],
    ),
    (
        "several sources, one of them unknown and one without an address",
        {
            "groundingChunks": [
                {"retrievedContext": {"uri": "gs://b"}},
                {"maps": {"uri": "https://m.test", "title": "M"}},
                {},
            ],
            "groundingSupports": [support("Köln", 0, 5, 0, 1, 2, 9), {}],
        },
        [cited("gs://b", "", 0, 4), cited("https://m.test", "M", 0, 4)],
    ),
    ("sources without passages", {"groundingChunks": [WEB, {}]}, [cited("https://a.test", "A")]),
]


@pytest.mark.parametrize(
    ("name", "metadata", "annotations"), GROUNDINGS, ids=[case[0] for case in GROUNDINGS]
)
def test_grounding_becomes_annotations_and_is_returned_unchanged(
    name: str, metadata: dict[str, Any], annotations: list[Any]
) -> None:
    decoded = whole(answer({"text": "Köln am Rhein"}, groundingMetadata=metadata))
    assert decoded[2] == ExtraFields({"annotations": annotations, "grounding_metadata": metadata})


def test_grounding_that_a_stream_repeats_is_reported_once() -> None:
    grounding = {"groundingChunks": [WEB], "groundingSupports": [support("ab", 0, 2, 0)]}
    decoded = ResponseAccumulator()
    decoded.add(
        streamed(
            answer({"text": "a"}, finish=None, groundingMetadata={}),
            answer({"text": "b"}, finish=None, groundingMetadata=grounding),
            answer({"text": "c"}, groundingMetadata=grounding, urlContextMetadata={"u": 1}),
        )
    )
    assert decoded.choices[0].extra == {
        "annotations": [cited("https://a.test", "A", 0, 2)],
        "grounding_metadata": grounding,
        "url_context_metadata": {"u": 1},
    }


@pytest.mark.parametrize("field", ["citationSources", "citations"])
def test_citations_become_annotations(field: str) -> None:
    metadata = {field: [{"startIndex": 2, "endIndex": 4, "uri": "https://a.test"}, {}]}
    decoded = whole(answer({"text": "abcdef"}, citationMetadata=metadata))
    assert decoded[2] == ExtraFields({"annotations": [cited("https://a.test", "", 2, 4)]})
