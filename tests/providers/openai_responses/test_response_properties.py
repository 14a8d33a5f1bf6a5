"""Any response of the Responses API is decoded, however its bytes are cut, and sent back on the
next turn. Responses are generated after the API's reference
(platform.openai.com/docs/api-reference/responses).

These are not sent back: reasoning that is only a summary, which the API cannot continue from;
annotations and log probabilities; the ids of messages and of calls as items.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from headway.providers.openai_responses.provider import PROVIDER
from headway.response_accumulator import ResponseAccumulator
from headway.types import Target, Usage
from support.conversation_strategies import (
    base64s,
    chat,
    ids,
    maybe,
    names,
    objects,
    pieces,
    places,
    read_stream,
    read_whole,
    sent,
    texts,
)

Json = Any
FORMAT = "openai-responses-v1"
TARGET = Target(provider="responses", base_url="https://r.test/v1")
USUAL = [{"role": "user", "content": "Hi"}]

# --- Responses ------------------------------------------------------------------------------------

logprobs = st.lists(
    st.builds(
        lambda token, log: {"token": token, "logprob": log, "bytes": [], "top_logprobs": []},
        texts,
        st.floats(-9, 0, allow_subnormal=False),
    ),
    max_size=2,
)
phases = maybe(st.sampled_from(["commentary", "final_answer"]))


@st.composite
def annotations(draw: DrawFn, text: str) -> list[Json]:
    start = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(start + 1, len(text)))
    span = {"start_index": start, "end_index": end}
    web = {"type": "url_citation", "url": "https://h.test/", "title": draw(texts), **span}
    file = {"type": "file_citation", "index": draw(st.integers(0, 9)), "file_id": draw(names)}
    return draw(st.sampled_from([[], [], [web], [web, file]]))


@st.composite
def text_parts(draw: DrawFn) -> Json:
    text = draw(texts)
    return {
        "type": "output_text",
        "text": text,
        "annotations": draw(annotations(text)),
        "logprobs": draw(logprobs),
    }


@st.composite
def messages(draw: DrawFn) -> Json:
    content = draw(st.lists(text_parts(), min_size=1, max_size=2))
    item = {"type": "message", "role": "assistant", "status": "completed", "content": content}
    phase = draw(phases)
    return {**item, **({"phase": phase} if phase else {})}


@st.composite
def reasoning_items(draw: DrawFn) -> Json:
    item: Json = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": t} for t in draw(st.lists(texts, max_size=2))],
    }
    if plain := draw(st.lists(texts, max_size=2)):
        item["content"] = [{"type": "reasoning_text", "text": text} for text in plain]
    if (data := draw(maybe(base64s))) is not None:
        item["encrypted_content"] = data
    return item


calls = st.builds(
    lambda call_id, name, arguments: {
        "type": "function_call",
        "status": "completed",
        "call_id": f"call_{call_id}",
        "name": name,
        "arguments": json.dumps(arguments),
    },
    ids,
    names,
    objects,
)
CUSTOM = {"type": "custom", "custom": {"name": "takes_free_text"}}
customs = st.builds(
    lambda call_id, text: {
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": f"call_{call_id}",
        "name": "takes_free_text",
        "input": text,
    },
    ids,
    st.text(max_size=9),
)
CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
searches = st.builds(
    lambda query: {
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": query},
    },
    texts,
)
PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "web_search_call": "ws",
}
usages = st.builds(
    lambda given, made, cached, tokens: {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": tokens},
        "total_tokens": given + made,
    },
    *[st.integers(0, 10**6)] * 4,
)
ENDS = [
    ("completed", None, None),
    ("incomplete", {"reason": "max_output_tokens"}, "length"),
    ("incomplete", {"reason": "content_filter"}, "content_filter"),
]


@st.composite
def answers(draw: DrawFn) -> Json:
    """A Response object: items of any kind in any order, at last perhaps a refusal."""
    items = draw(st.lists(messages() | reasoning_items() | calls | customs | searches, max_size=5))
    if draw(st.booleans()):
        content = [{"type": "refusal", "refusal": draw(texts)}]
        items.append({"type": "message", "role": "assistant", "content": content})
    for index, item in enumerate(items):
        item["id"] = f"{PREFIXES[item['type']]}_{index}"
        if item["type"] in CALLS:
            item["call_id"] += f"_{index}"
    status, details, _ = draw(st.sampled_from(ENDS))
    return {
        "id": f"resp_{draw(ids)}",
        "object": "response",
        "created_at": draw(st.integers(1, 2**31)),
        "model": draw(names),
        "status": status,
        "incomplete_details": details,
        "error": None,
        "output": items,
        "usage": draw(usages),
    }


# --- The stream -----------------------------------------------------------------------------------


@st.composite
def events_of(draw: DrawFn, whole: Json) -> list[Json]:
    """The same response as a stream of events, after the reference."""
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    events: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(whole["output"]):
        at = {"output_index": index, "item_id": item["id"]}
        events.append(
            {"type": "response.output_item.added", "output_index": index, "item": opened(item)}
        )
        events += [{**event, **at} for event in FILL[item["type"]](draw, item)]
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": f"response.{whole['status']}", "response": whole})
    return [{**event, "sequence_number": n} for n, event in enumerate(events)]


def opened(item: Json) -> Json:
    empty = {"content": [], "summary": [], "arguments": "", "input": "", "status": "in_progress"}
    return {name: empty.get(name, value) for name, value in item.items()}


def deltas(draw: DrawFn, kind: str, text: str, **more: Json) -> list[Json]:
    return [
        {"type": f"response.{kind}.delta", "delta": piece, "obfuscation": "x", **more}
        for piece in pieces(text, draw(places))
    ]


def fill_message(draw: DrawFn, item: Json) -> list[Json]:
    events = []
    for index, part in enumerate(item["content"]):
        at = {"content_index": index}
        if part["type"] == "refusal":
            events += deltas(draw, "refusal", part["refusal"], **at)
            continue
        events.append({"type": "response.content_part.added", "part": {**part, "text": ""}, **at})
        said = deltas(draw, "output_text", part["text"], logprobs=[], **at)
        said[-1]["logprobs"] = part["logprobs"]
        events += said
        events.append({"type": "response.output_text.done", "text": part["text"], **at})
        events.append({"type": "response.content_part.done", "part": part, **at})
    return events


def fill_reasoning(draw: DrawFn, item: Json) -> list[Json]:
    events = []
    for index, part in enumerate(item["summary"]):
        at = {"summary_index": index}
        events.append({"type": "response.reasoning_summary_part.added", "part": part, **at})
        events += deltas(draw, "reasoning_summary_text", part["text"], **at)
    for index, part in enumerate(item.get("content", ())):
        events += deltas(draw, "reasoning_text", part["text"], content_index=index)
    return events


def fill_call(draw: DrawFn, item: Json) -> list[Json]:
    name = CALLS[item["type"]]
    kind = f"{item['type']}_{name}"
    text = item[name]
    return [*deltas(draw, kind, text), {"type": f"response.{kind}.done", name: text}]


def fill_search(draw: DrawFn, item: Json) -> list[Json]:
    return [{"type": "response.web_search_call.searching"}]


FILL: Json = {
    "message": fill_message,
    "reasoning": fill_reasoning,
    "function_call": fill_call,
    "custom_tool_call": fill_call,
    "web_search_call": fill_search,
}


def as_stream(events: list[Json], end: str, is_ascii: bool) -> bytes:
    return "".join(
        f"event: {event['type']}{end}data: {json.dumps(event, ensure_ascii=is_ascii)}{end}{end}"
        for event in events
    ).encode()


# --- The expected message -------------------------------------------------------------------------


def of_type(whole: Json, *kinds: str) -> list[tuple[int, Json]]:
    return [(index, item) for index, item in enumerate(whole["output"]) if item["type"] in kinds]


def parts_of_type(whole: Json, kind: str) -> list[Json]:
    parts = [part for _, item in of_type(whole, "message") for part in item["content"]]
    return [part for part in parts if part["type"] == kind]


def expected_details(index: int, item: Json) -> list[Json]:
    same = {"id": item["id"], "format": FORMAT, "index": index}
    found = [{"type": "reasoning.summary", "summary": p["text"], **same} for p in item["summary"]]
    plain = item.get("content", ())
    found += [{"type": "reasoning.text", "text": p["text"], **same} for p in plain]
    if "encrypted_content" in item:
        found.append({"type": "reasoning.encrypted", "data": item["encrypted_content"], **same})
    return found


def position_of(index: int, whole: Json) -> int:
    """Its position among the items with content."""
    before = whole["output"][:index]
    return sum(item["type"] != "reasoning" or bool(expected_details(0, item)) for item in before)


def expected_annotations(whole: Json) -> list[Json]:
    """Positions count from the start of the joined text; a citation of a web page is nested."""
    found, start = [], 0
    for part in parts_of_type(whole, "output_text"):
        for note in part["annotations"]:
            ends = {name: note[name] + start for name in note if name.endswith("_index")}
            moved = {**note, **ends}
            if moved["type"] == "url_citation":
                del moved["type"]
                moved = {"type": "url_citation", "url_citation": moved}
            found.append(moved)
        start += len(part["text"])
    return found


def check(answer: ResponseAccumulator, whole: Json) -> None:
    """The accumulated message has everything in the response."""
    assert answer.failed is None
    assert answer.is_finished
    assert answer.done
    choice, usage, started = answer.choices[0], whole["usage"], answer.started
    message = choice.message()
    assert started is not None
    assert (started.id, started.model, started.created) == (
        whole["id"],
        whole["model"],
        whole["created_at"],
    )
    assert (message["content"] or "") == "".join(
        p["text"] for p in parts_of_type(whole, "output_text")
    )
    assert message.get("refusal", "") == "".join(
        p["refusal"] for p in parts_of_type(whole, "refusal")
    )
    made = [item for _, item in of_type(whole, *CALLS)]
    assert [(c["id"], c["function"]) for c in message["tool_calls"] or ()] == [
        (c["call_id"], {"name": c["name"], "arguments": c[CALLS[c["type"]]]}) for c in made
    ]
    reasoning = of_type(whole, "reasoning")
    assert message.get("reasoning_content", "") == "".join(
        "\n\n".join(part["text"] for part in [*item["summary"], *item.get("content", ())])
        for _, item in reasoning
    )
    details = [
        d for index, item in reasoning for d in expected_details(position_of(index, whole), item)
    ]
    assert message.get("reasoning_details", []) == details
    searches_ = of_type(whole, "web_search_call")
    searched = [{**item, "index": position_of(index, whole)} for index, item in searches_]
    assert message.get("output_items", []) == searched
    assert message.get("annotations", []) == expected_annotations(whole)
    spoken = [p for part in parts_of_type(whole, "output_text") for p in part["logprobs"]]
    assert choice.logprobs == ({"content": spoken} if spoken else None)
    ends = {status: end for status, reason, end in ENDS if reason == whole["incomplete_details"]}
    usual = "tool_calls" if made else "stop"
    assert choice.finish_reason == (ends[whole["status"]] or usual)
    assert answer.reported() == Usage(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cache_read_tokens=usage["input_tokens_details"]["cached_tokens"],
        reasoning_tokens=usage["output_tokens_details"]["reasoning_tokens"],
        web_searches=len(searches_) or None,
    )


@given(whole=answers(), indent=maybe(st.just(2)))
def test_a_whole_response_is_decoded(whole: Json, indent: Any) -> None:
    check(read_whole(PROVIDER, json.dumps(whole, indent=indent).encode()), whole)


@given(data=st.data(), cuts=places, end=st.sampled_from(["\n", "\r\n"]), is_ascii=st.booleans())
def test_a_stream_is_decoded_however_it_is_cut(
    data: Any, cuts: list[int], end: str, is_ascii: bool
) -> None:
    whole = data.draw(answers())
    events = data.draw(events_of(whole))
    check(read_stream(PROVIDER, as_stream(events, end, is_ascii), cuts), whole)


# --- The next turn --------------------------------------------------------------------------------


def comparable(item: Json) -> Json:
    """The fields of an item that are sent back; None for an item that is not sent back."""
    kind = item["type"]
    if kind == "reasoning":
        goes_on = item.get("encrypted_content") or item.get("content")
        return item if goes_on else None
    if kind in CALLS:
        return {name: item[name] for name in ("type", "call_id", "name", CALLS[kind])}
    if kind != "message":
        return item
    content = item["content"]
    parts = [{"text": content}] if isinstance(content, str) else content
    return {
        "type": kind,
        "text": "".join(part.get("text", "") for part in parts),
        "refusal": "".join(part.get("refusal", "") for part in parts),
        "phase": item.get("phase"),
    }


@given(whole=answers(), data=st.data(), cuts=places, streamed=st.booleans())
def test_a_response_is_sent_back_whole_on_the_next_turn(
    whole: Json, data: Any, cuts: list[int], streamed: bool
) -> None:
    if streamed:
        stream = as_stream(data.draw(events_of(whole)), "\n", True)
        answer = read_stream(PROVIDER, stream, cuts)
    else:
        answer = read_whole(PROVIDER, json.dumps(whole).encode())
    message = answer.choices[0].message()
    made = [call["id"] for call in message["tool_calls"] or ()]
    done = [
        {"role": "tool", "tool_call_id": i, "content": i} for i in data.draw(st.permutations(made))
    ]
    body, _ = sent(PROVIDER, chat("gpt-5", [*USUAL, message, *done], tools=[CUSTOM]), TARGET)
    _, *back = body["input"]
    split = len(back) - len(made)
    expected = [item for item in map(comparable, whole["output"]) if item is not None]
    assert [comparable(item) for item in back[:split]] == expected
    kinds = {item["call_id"]: f"{item['type']}_output" for _, item in of_type(whole, *CALLS)}
    assert {item["call_id"]: (item["type"], item["output"]) for item in back[split:]} == {
        call_id: (kinds[call_id], call_id) for call_id in made
    }
