"""Hypothesis strategies for chat responses in OpenAI's wire format: whole, and as a stream whose
deltas, frames and bytes are split anywhere.

A ``Writer`` has the differences of a vendor; ``expected`` is the decoded response, and is
independent of the code under test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec import Raw

from headway.providers.base import Provider, State
from headway.response_accumulator import ChoiceAccumulator, ResponseAccumulator
from headway.types import Usage

Json = dict[str, Any]
Fields = Mapping[str, Any]
HEAD = {"id": "chatcmpl-1", "created": 1718622757, "model": "m-2026", "service_tier": "default"}


@dataclass(frozen=True)
class GeneratedChoice:
    """One choice of an answer."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    """The id, the name and the arguments of each."""
    logprobs: tuple[Json, ...] = ()
    annotations: tuple[Json, ...] = ()
    audio: tuple[str, str] | None = None
    """Its data and its transcript."""
    details: tuple[Json, ...] = ()
    finish: str = "stop"


@dataclass(frozen=True)
class Whole:
    choices: tuple[GeneratedChoice, ...]
    usage: Json | None
    head: Json = field(default_factory=lambda: dict(HEAD))


@dataclass(frozen=True)
class Writer:
    """The differences of a vendor's wire format from OpenAI's."""

    thought: Callable[[str], Json] = lambda text: {"reasoning_content": text}
    text: Callable[[str], Json] = lambda text: {"content": text}
    both: Callable[[str, str], Json] | None = None
    """A whole message's thought and text, where they stand in one field."""
    block: Callable[[list[Json]], Json] = lambda details: {"reasoning_details": details}
    call: Callable[[int, Json], Json] = lambda index, call: {"index": index, **call}
    cuts_calls: bool = True
    finish: Callable[[str], str] = lambda reason: reason
    opening: tuple[Json, ...] = ()
    """Chunks before the answer."""
    choice_fields: Json = field(default_factory=dict)
    """Fields of every choice."""
    usage: Callable[[Json], Json] = lambda usage: {"choices": [], "usage": usage}
    """The chunk that tells it."""
    usage_at_finish: bool = False


OPENAI = Writer()

# --- Values ---------------------------------------------------------------------------------------

words = st.text(max_size=20)
some = st.text(min_size=1, max_size=20)
ids = st.from_regex(r"[a-zA-Z0-9_-]{1,9}", fullmatch=True)
counts = st.integers(0, 2**51)  # their sums are read, too: at most 2**53
tokens = st.fixed_dictionaries(
    {"token": words, "logprob": st.just(-0.5), "top_logprobs": st.just([])}
)
cited = st.builds(lambda url: {"type": "url_citation", "url_citation": {"url": url}}, words)
arguments = st.one_of(st.just("{}"), words.map(lambda word: json.dumps({"a": word})))
calls = st.lists(st.tuples(ids, ids, arguments), max_size=3, unique_by=lambda call: call[0])
FINISHES = ("stop", "length", "tool_calls", "content_filter")
usages = st.fixed_dictionaries(
    {"prompt_tokens": counts, "completion_tokens": counts, "total_tokens": counts},
    optional={
        "prompt_tokens_details": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "cached_tokens": st.none() | counts,
                "cache_write_tokens": counts,
                "audio_tokens": counts,
            },
        ),
        "completion_tokens_details": st.none()
        | st.fixed_dictionaries(
            {}, optional={"reasoning_tokens": counts, "audio_tokens": st.none() | counts}
        ),
        "cost": st.just(0.1),
    },
)


def choices(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[GeneratedChoice]:
    """``more`` are fields that only some wires have."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "text": words,
        "reasoning": words,
        "refusal": st.just("") | some,
        "calls": calls.map(tuple),
        "logprobs": st.lists(tokens, max_size=3).map(tuple),
        "finish": st.sampled_from(FINISHES),
    }
    return st.builds(GeneratedChoice, **{**fields, **more})


def answers(
    usage: st.SearchStrategy[Json] = usages, most: int = 3, **more: st.SearchStrategy[Any]
) -> st.SearchStrategy[Whole]:
    choice = st.lists(choices(**more), min_size=1, max_size=most)
    return st.builds(Whole, choice.map(tuple), st.none() | usage)


# --- Writing a whole answer -----------------------------------------------------------------------


def whole(answer: Whole, writer: Writer = OPENAI) -> bytes:
    sent_values = [
        _whole_choice(index, choice, writer) for index, choice in enumerate(answer.choices)
    ]
    body: Json = {**answer.head, "object": "chat.completion", "choices": sent_values}
    if answer.usage is not None:
        body["usage"] = answer.usage
    return json.dumps(body).encode()


def _whole_choice(index: int, choice: GeneratedChoice, writer: Writer) -> Json:
    message: Json = {"role": "assistant", "content": None, "refusal": choice.refusal or None}
    if writer.both is not None:
        message |= writer.both(choice.reasoning, choice.text)
    else:
        message |= writer.text(choice.text) if choice.text else {}
        message |= writer.thought(choice.reasoning) if choice.reasoning else {}
    if choice.calls:
        message["tool_calls"] = [_call(*call) for call in choice.calls]
    if choice.annotations:
        message["annotations"] = list(choice.annotations)
    if choice.audio is not None:
        message["audio"] = _audio(*choice.audio)
    if choice.details:
        message |= writer.block(list(choice.details))
    logprobs = {"content": list(choice.logprobs), "refusal": None} if choice.logprobs else None
    finish = writer.finish(choice.finish)
    sent_values = {
        "index": index,
        "message": message,
        "logprobs": logprobs,
        "finish_reason": finish,
    }
    return {**sent_values, **writer.choice_fields}


def _call(call_id: str, name: str, arguments: str) -> Json:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def _audio(data: str, transcript: str) -> Json:
    return {"id": "audio_1", "data": data, "transcript": transcript, "expires_at": 1718622857}


# --- Writing a stream -----------------------------------------------------------------------------


@st.composite
def streams(draw: st.DrawFn, answer: Whole, writer: Writer = OPENAI) -> list[bytes]:
    """The answer as pieces of bytes: choices in turns, fields in any order, pieces of any size."""
    queues = [
        [(index, one) for one in draw(_deltas(choice, writer))]
        for index, choice in enumerate(answer.choices)
    ]
    sent_values = [{"choices": [_opened(index)]} for index in range(len(queues))]
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        index, (delta, more) = queue.pop(0)
        choice = {
            "index": index,
            "delta": delta,
            "finish_reason": None,
            **more,
            **writer.choice_fields,
        }
        sent_values.append({"choices": [choice]})
    if answer.usage is not None:
        usage = writer.usage(answer.usage)
        sent_values = (
            [*sent_values[:-1], {**sent_values[-1], **usage}]
            if writer.usage_at_finish
            else [*sent_values, usage]
        )
    head = {**answer.head, "object": "chat.completion.chunk"}
    chunks = [*writer.opening, *({**head, **chunk} for chunk in sent_values)]
    return draw(_cut_bytes(draw(_framed(chunks))))


def _opened(index: int) -> Json:
    return {"index": index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}


@st.composite
def _deltas(draw: st.DrawFn, choice: GeneratedChoice, writer: Writer) -> list[tuple[Json, Json]]:
    """Deltas, each with the other fields of its choice; the last has the finish reason."""
    lanes = [
        [(writer.thought(piece), {}) for piece in draw(cut(choice.reasoning))],
        [(writer.text(piece), {}) for piece in draw(cut(choice.text))],
        [({"refusal": piece}, {}) for piece in draw(cut(choice.refusal))],
        [({"annotations": [one]}, {}) for one in choice.annotations],
        [({}, {"logprobs": {"content": [one], "refusal": None}}) for one in choice.logprobs],
        [(writer.block([piece]), {}) for piece in draw(_cut_details(choice.details))],
        [({"audio": piece}, {}) for piece in draw(_cut_audio(choice.audio))],
        [
            ({"tool_calls": [piece]}, {})
            for index, call in enumerate(choice.calls)
            for piece in draw(_cut_call(index, call, writer))
        ],
    ]
    found: list[tuple[Json, Json]] = []
    while waiting := [lane for lane in lanes if lane]:
        delta, choice_fields = draw(st.sampled_from(waiting)).pop(0)
        if found and draw(st.booleans()) and _apart(found[-1], (delta, choice_fields)):
            found[-1] = ({**found[-1][0], **delta}, {**found[-1][1], **choice_fields})
        else:
            found.append((delta, choice_fields))
    finish = {"finish_reason": writer.finish(choice.finish)}
    if found and draw(st.booleans()):
        return [*found[:-1], (found[-1][0], {**found[-1][1], **finish})]
    return [*found, ({}, finish)]


def _apart(one: tuple[Json, Json], other: tuple[Json, Json]) -> bool:
    """They can be one delta: they have no field in common."""
    return one[0].keys().isdisjoint(other[0]) and one[1].keys().isdisjoint(other[1])


@st.composite
def cut(draw: st.DrawFn, text: str, most: int = 4) -> list[str]:
    """The text in pieces, empty ones among them; of nothing, none."""
    if not text:
        return []
    at = sorted(draw(st.lists(st.integers(0, len(text)), max_size=most)))
    return [text[i:j] for i, j in zip([0, *at], [*at, len(text)], strict=True)]


@st.composite
def _cut_call(
    draw: st.DrawFn, index: int, call: tuple[str, str, str], writer: Writer
) -> list[Json]:
    if not writer.cuts_calls:
        return [writer.call(index, _call(*call))]
    pieces = draw(cut(call[2]))
    first = draw(st.booleans()) and bool(pieces)
    begun = writer.call(index, _call(*call[:2], pieces.pop(0) if first else ""))
    return [begun, *(writer.call(index, {"function": {"arguments": one}}) for one in pieces)]


@st.composite
def _cut_audio(draw: st.DrawFn, audio: tuple[str, str] | None) -> list[Json]:
    if audio is None:
        return []
    heard = [{"data": piece} for piece in draw(cut(audio[0]))]
    read = [{"transcript": piece} for piece in draw(cut(audio[1]))]
    return [{"id": "audio_1"}, *heard, *read, {"expires_at": 1718622857}]


@st.composite
def _cut_details(draw: st.DrawFn, details: Sequence[Json]) -> list[Json]:
    """Each block in pieces of its text; what else it has is on the first."""
    found: list[Json] = []
    for detail in details:
        if "index" not in detail:
            found.append(detail)
            continue
        name = next(name for name in ("text", "summary", "data") if name in detail)
        pieces = draw(cut(detail[name])) or [""]
        found.append({**detail, name: pieces[0]})
        rest = {"type": detail["type"], "index": detail["index"]}
        found += [{**rest, name: piece} for piece in pieces[1:]]
    return found


@st.composite
def _framed(draw: st.DrawFn, chunks: Sequence[Json]) -> bytes:
    end = draw(st.sampled_from([b"\n\n", b"\r\n\r\n"]))
    start = draw(st.sampled_from([b"data: ", b"data:"]))
    aside = draw(st.sampled_from([b"", b": ping" + end]))
    is_ascii = draw(st.booleans())
    texts = [json.dumps(chunk, ensure_ascii=is_ascii).encode() for chunk in chunks]
    return aside.join(start + text + end for text in [*texts, b"[DONE]"])


@st.composite
def _cut_bytes(draw: st.DrawFn, data: bytes) -> list[bytes]:
    at = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[i:j] for i, j in zip([0, *at], [*at, len(data)], strict=True)]


# --- Reading --------------------------------------------------------------------------------------


def read_whole(provider: Provider, body: bytes) -> ResponseAccumulator:
    answer = ResponseAccumulator()
    answer.add(provider.decode_response(body))
    return answer


def read_stream(provider: Provider, pieces: Sequence[bytes]) -> ResponseAccumulator:
    answer, framer = ResponseAccumulator(), provider.framer()
    state: State = {}
    for piece in pieces:
        for frame in framer.feed(piece):
            answer.add(provider.decode_event(frame, state))
    for frame in framer.end():
        answer.add(provider.decode_event(frame, state))
    return answer


def seen(answer: ResponseAccumulator) -> Json:
    """All fields of a response, for comparison."""
    assert answer.failed is None
    assert answer.started is not None
    assert answer.done
    started = answer.started
    usage = answer.usage
    return {
        "id": started.id, "created": started.created, "model": started.model,
        "service_tier": started.service_tier,
        "choices": [_seen_choice(answer.choices[index]) for index in sorted(answer.choices)],
        "usage": None if usage is None else usage.usage,
        "shown": None if usage is None else _decoded(usage.openai_usage),
    }  # fmt: skip


def _decoded(counts: Any) -> Json:
    """Counts as objects: one report is kept as it was received, several are merged."""
    return json.loads(bytes(counts)) if isinstance(counts, Raw) else counts


def _seen_choice(choice: ChoiceAccumulator) -> Json:
    made = choice.tools.values()
    return {
        "text": "".join(choice.text),
        "reasoning": "".join(choice.reasoning),
        "refusal": "".join(choice.refusal),
        "calls": [(call.id, call.name, "".join(call.arguments)) for call in made],
        "logprobs": (choice.logprobs or {}).get("content"),
        "finish": choice.finish_reason,
        **choice.extra,
    }


def expected(answer: Whole, usage: Usage | None, choice_fields: Fields = {}) -> Json:  # noqa: B006
    """``choice_fields`` are on every choice."""
    sent_values = [{**_expected_choice(choice), **choice_fields} for choice in answer.choices]
    shown = None if answer.usage is None else answer.usage
    return {**answer.head, "choices": sent_values, "usage": usage, "shown": shown}


def _expected_choice(choice: GeneratedChoice) -> Json:
    extra: Json = {
        "annotations": list(choice.annotations),
        "audio": None if choice.audio is None else _audio(*choice.audio),
        "reasoning_details": list(choice.details),
    }
    return {
        "text": choice.text,
        "reasoning": choice.reasoning,
        "refusal": choice.refusal,
        "calls": list(choice.calls),
        "logprobs": list(choice.logprobs) or None,
        "finish": choice.finish,
        **{name: value for name, value in extra.items() if value},
    }


def counted(usage: Json | None) -> Usage | None:
    """OpenAI's counts by our names."""
    if usage is None:
        return None
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    return Usage(
        input_tokens=usage["prompt_tokens"],
        output_tokens=usage["completion_tokens"],
        cache_read_tokens=prompt.get("cached_tokens"),
        cache_write_tokens=prompt.get("cache_write_tokens"),
        reasoning_tokens=completion.get("reasoning_tokens"),
        input_audio_tokens=prompt.get("audio_tokens"),
        output_audio_tokens=completion.get("audio_tokens"),
        cost_usd=Decimal("0.1") if "cost" in usage else None,
    )
