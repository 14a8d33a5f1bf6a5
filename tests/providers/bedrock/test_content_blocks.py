"""Content blocks of Converse that carry more than text: each whole, and as a stream of the same.

Shapes: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html and
API_runtime_ContentBlockDelta.html. ``type`` of a server tool's blocks: Amazon Nova's web grounding.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.events import Event, ExtraFields, Reasoning, ReasoningDetail, Text
from headway.providers import KINDS
from support.event_stream_messages import encode_message

PROVIDER = KINDS["bedrock"]

CALL = {
    "type": "server_tool_use",
    "toolUseId": "t1",
    "name": "nova_grounding",
    "input": {"query": "a"},
}
RESULT = {"type": "nova_grounding_result", "toolUseId": "t1", "status": "success"}
DOCUMENT = {"title": "facts", "location": {"documentChar": {"documentIndex": 0, "end": 4}}}
SEARCH = {"title": "Facts", "source": "https://a.example/facts", "location": {}}
WEB = {"location": {"web": {"url": "http://b.example/"}}}
SPAN = {"start_index": 2, "end_index": 5}


def link(url: str, title: str) -> dict[str, Any]:
    return {"type": "url_citation", "url_citation": {"url": url, "title": title, **SPAN}}


# what it shows, the block, its start in a stream, its deltas, the events
BLOCKS: list[tuple[str, Any, Any, list[Any], list[Event]]] = [
    (
        "signed reasoning",
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        None,
        [{"reasoningContent": {"text": "hm"}}, {"reasoningContent": {"signature": "s"}}],
        [
            Reasoning("hm"),
            ReasoningDetail(
                {
                    "type": "reasoning.text",
                    "text": "hm",
                    "signature": "s",
                    "format": "anthropic-claude-v1",
                    "index": 1,
                }
            ),
        ],
    ),
    (
        "a server tool's call",
        {"toolUse": CALL},
        {"toolUse": {name: value for name, value in CALL.items() if name != "input"}},
        [{"toolUse": {"input": '{"query":'}}, {"toolUse": {"input": '"a"}'}}],
        [ExtraFields({"content_blocks": [{"toolUse": CALL, "index": 1}]})],
    ),
    (
        "a server tool's result",
        {"toolResult": {**RESULT, "content": [{"text": "b"}]}},
        {"toolResult": RESULT},
        [{"toolResult": [{"text": "b"}]}],
        [
            ExtraFields(
                {
                    "content_blocks": [
                        {"toolResult": {**RESULT, "content": [{"text": "b"}]}, "index": 1}
                    ]
                }
            )
        ],
    ),
    (
        "a text that cites a document",
        {"citationsContent": {"content": [{"text": "c"}, {"text": "de"}], "citations": [DOCUMENT]}},
        None,
        [{"text": "cde"}, {"citation": DOCUMENT}],
        [Text("cde"), ExtraFields({"citations": [{**DOCUMENT, **SPAN}]})],
    ),
    (
        "a text that cites web pages",
        {"citationsContent": {"content": [{"text": "cde"}], "citations": [SEARCH, WEB]}},
        None,
        [{"text": "cde"}, {"citation": SEARCH}, {"citation": WEB}],
        [
            Text("cde"),
            ExtraFields(
                {
                    "citations": [{**SEARCH, **SPAN}, {**WEB, **SPAN}],
                    "annotations": [
                        link("https://a.example/facts", "Facts"),
                        link("http://b.example/", ""),
                    ],
                }
            ),
        ],
    ),
    (
        "an image",
        {"image": {"format": "webp", "source": {"bytes": "eA=="}}},
        {"image": {"format": "webp"}},
        [{"image": {"source": {"bytes": "eA=="}}}],
        [
            ExtraFields(
                {
                    "images": [
                        {
                            "type": "image_url",
                            "image_url": {"url": "data:image/webp;base64,eA=="},
                        }
                    ]
                }
            )
        ],
    ),
    ("an image without bytes", {"image": {"format": "png"}}, {"image": {"format": "png"}}, [], []),
]
NAMES = [row[0] for row in BLOCKS]


@pytest.mark.parametrize(("block", "events"), [(row[1], row[4]) for row in BLOCKS], ids=NAMES)
def test_a_block_of_a_whole_response_becomes_events(block: Any, events: list[Event]) -> None:
    message = {"role": "assistant", "content": [{"text": "ab"}, block]}
    body = {"output": {"message": message}, "stopReason": "end_turn"}
    found = PROVIDER.decode_response(json.dumps(body).encode())
    start = found.index(Text("ab")) + 1
    assert found[start : start + len(events)] == events
    assert not any(isinstance(event, ExtraFields) for event in found[start + len(events) :])


@pytest.mark.parametrize(("start", "deltas", "events"), [row[2:] for row in BLOCKS], ids=NAMES)
def test_a_block_of_a_stream_becomes_the_same_events(
    start: Any, deltas: list[Any], events: list[Event]
) -> None:
    sent: list[tuple[str, Any]] = [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "ab"}})
    ]
    if start is not None:
        sent.append(("contentBlockStart", {"contentBlockIndex": 1, "start": start}))
    sent += [("contentBlockDelta", {"contentBlockIndex": 1, "delta": delta}) for delta in deltas]
    sent.append(("contentBlockStop", {"contentBlockIndex": 1}))
    assert decode(sent) == [Text("ab"), *events]


def decode(sent: list[tuple[str, Any]]) -> list[Event]:
    framer = PROVIDER.framer()
    state: dict[str, Any] = {}
    found: list[Event] = []
    for name, payload in sent:
        headers = {":event-type": name, ":message-type": "event"}
        for frame in framer.feed(encode_message(headers, json.dumps(payload).encode())):
            found += PROVIDER.decode_event(frame, state)
    return found


def test_the_input_of_a_server_tool_that_was_cut_off_is_kept_as_a_text() -> None:
    use = {name: value for name, value in CALL.items() if name != "input"}
    found = decode(
        [
            ("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": use}}),
            ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"q'}}}),
            ("contentBlockStop", {"contentBlockIndex": 1}),
        ]
    )
    block = {"toolUse": {**use, "input": '{"q'}, "index": 1}
    assert found == [ExtraFields({"content_blocks": [block]})]


@pytest.mark.parametrize("given", [None, "x", {"a": 1}])
def test_the_results_of_a_server_tool_are_added_to_what_is_a_list(given: Any) -> None:
    start = {"toolResult": {**RESULT, "content": given}}
    found = decode(
        [
            ("contentBlockStart", {"contentBlockIndex": 1, "start": start}),
            ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolResult": [{"json": 1}]}}),
            ("contentBlockStop", {"contentBlockIndex": 1}),
        ]
    )
    result = {**RESULT, "content": [{"json": 1}]}
    assert found == [ExtraFields({"content_blocks": [{"toolResult": result, "index": 1}]})]
