"""Shared by the property tests of providers: hypothesis strategies for conversations in OpenAI's
chat format, and functions to send a request and read a response.

In a conversation every call has its result, in any order. The tests of one wire format add what
only that format has (details of reasoning, further parts).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from msgspec import Raw

from headway.providers.base import Provider, State
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Target, Transformation

Json = Any
Message = dict[str, Any]
Part = dict[str, Any]
Whole = TypeVar("Whole", str, bytes, list[Any])


texts = st.text(min_size=1, max_size=20)
names = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
ids = st.from_regex(r"(?:call_|toolu_|fc-)?[a-zA-Z0-9]{1,12}", fullmatch=True)
base64s = st.binary(min_size=1, max_size=12).map(lambda data: base64.b64encode(data).decode())
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
objects = st.dictionaries(st.text(max_size=5), values, max_size=3)
addresses = st.builds("https://h.test/{}{}".format, names, st.sampled_from(["", ".png", ".pdf"]))
marks = st.sampled_from([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])


def maybe(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.none() | strategy


def data_urls(*kinds: str) -> SearchStrategy[str]:
    return st.builds("data:{};base64,{}".format, st.sampled_from(kinds), base64s)


# --- Parts and messages ---------------------------------------------------------------------------

text_parts = st.builds(lambda text: {"type": "text", "text": text}, texts)
image_urls = addresses | data_urls("image/png", "image/jpeg", "image/webp")
image_parts = st.builds(lambda url: {"type": "image_url", "image_url": {"url": url}}, image_urls)
audio_parts = st.builds(
    lambda data, kind: {"type": "input_audio", "input_audio": {"data": data, "format": kind}},
    base64s,
    st.sampled_from(["wav", "mp3"]),
)
file_parts = st.builds(
    lambda url: {"type": "file", "file": {"file_data": url}},
    data_urls("application/pdf", "text/plain", "text/csv"),
)


@st.composite
def marked(draw: DrawFn, things: SearchStrategy[Any]) -> Any:
    """Now and then with a mark for a cache."""
    thing, mark = draw(things), draw(maybe(marks))
    return thing if mark is None else {**thing, "cache_control": mark}


@st.composite
def calls(draw: DrawFn, used: set[str], most: int = 3) -> list[dict[str, Any]]:
    """Tool calls with ids that the conversation has not ``used`` before."""
    found = []
    fresh = st.lists(ids.filter(lambda i: i not in used), max_size=most, unique=True)
    for call_id in draw(fresh):
        function = {"name": draw(names), "arguments": json.dumps(draw(objects))}
        found.append({"id": call_id, "type": "function", "function": function})
        used.add(call_id)
    return found


@st.composite
def results(draw: DrawFn, call_id: str, parts: SearchStrategy[Part]) -> Message:
    content = draw(st.text(max_size=20) | objects.map(json.dumps) | st.lists(parts, max_size=3))
    message: Message = {"role": "tool", "tool_call_id": call_id, "content": content}
    return {**message, "is_error": True} if draw(st.booleans()) else message


Thoughts = Callable[[list[str]], SearchStrategy[list[dict[str, Any]]]]
"""From the ids of a message's calls, its ``reasoning_details``."""


@st.composite
def turns(
    draw: DrawFn,
    used: set[str],
    thoughts: Thoughts,
    user_parts: SearchStrategy[Part],
    result_parts: SearchStrategy[Part],
) -> list[Message]:
    """Something of the user's, an answer to it, and the results of the calls that it makes."""
    said = draw(texts | st.lists(user_parts, min_size=1, max_size=3))
    made = draw(calls(used))
    answered = draw(texts) if not made else draw(maybe(texts))
    message: Message = {"role": "assistant", "content": answered}
    if made:
        message["tool_calls"] = made
    if details := draw(thoughts([call["id"] for call in made])):
        message["reasoning_details"] = details
    order = draw(st.permutations([call["id"] for call in made]))
    done = [draw(results(call_id, result_parts)) for call_id in order]
    return [{"role": "user", "content": said}, message, *done]


def no_thoughts(call_ids: list[str]) -> SearchStrategy[list[dict[str, Any]]]:
    return st.just([])


@st.composite
def conversations(
    draw: DrawFn,
    thoughts: Thoughts = no_thoughts,
    user_parts: SearchStrategy[Part] = text_parts | image_parts,
    result_parts: SearchStrategy[Part] = text_parts,
) -> list[Message]:
    """At most two turns, after whatever a system and a developer have to say."""
    roles = draw(st.lists(st.sampled_from(["system", "developer"]), max_size=2))
    content = texts | st.lists(text_parts, min_size=1, max_size=2)
    messages: list[Message] = [{"role": role, "content": draw(content)} for role in roles]
    used: set[str] = set()
    for _ in range(draw(st.integers(1, 2))):
        messages += draw(turns(used, thoughts, user_parts, result_parts))
    return messages


# --- Tools and formats ----------------------------------------------------------------------------

leaves = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "integer", "number", "boolean"])},
    optional={"description": texts},
)
schemas = st.recursive(
    leaves,
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(
            lambda of, closed: {"type": "object", "properties": of, "required": list(of), **closed},
            st.dictionaries(names, inner, max_size=2),
            st.sampled_from([{}, {"additionalProperties": False}]),
        )
    ),
    max_leaves=4,
)
object_schemas = st.builds(
    lambda properties: {"type": "object", "properties": properties},
    st.dictionaries(names, schemas, max_size=2),
)
functions = st.fixed_dictionaries(
    {"name": names, "parameters": object_schemas},
    optional={"description": texts, "strict": st.booleans()},
)
tools = st.builds(lambda function: {"type": "function", "function": function}, functions)
json_schemas = st.builds(
    lambda inner: {"type": "json_schema", "json_schema": inner},
    st.fixed_dictionaries(
        {"name": names, "schema": object_schemas},
        optional={"description": texts, "strict": st.booleans()},
    ),
)


def choices_of(given: list[dict[str, Any]]) -> SearchStrategy[Any]:
    """A choice among such tools."""
    words = st.sampled_from(["auto", "none", "required"])
    if not given:
        return words
    named = [{"type": "function", "function": {"name": t["function"]["name"]}} for t in given]
    allowed = st.builds(
        lambda mode, some: {
            "type": "allowed_tools",
            "allowed_tools": {"mode": mode, "tools": some},
        },
        st.sampled_from(["auto", "required"]),
        st.lists(st.sampled_from(named), min_size=1, max_size=2),
    )
    return words | st.sampled_from(named) | allowed


# --- Sending and reading --------------------------------------------------------------------------


def chat(model: str, messages: Json, stream: bool = False, **parameters: Json) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=raw(messages),
        parameters={name: raw(value) for name, value in parameters.items()},
        stream=stream,
    )


def raw(value: Json) -> Raw:
    return Raw(json.dumps(value).encode())


def sent(
    provider: Provider, request: ChatRequest, target: Target
) -> tuple[Json, tuple[Transformation, ...]]:
    """The body as it goes over the wire, and what was changed on the way."""
    adapted, changes = provider.adapt(request)
    return json.loads(provider.encode_request(adapted, target).body), changes


def read_whole(provider: Provider, body: bytes) -> ResponseAccumulator:
    answer = ResponseAccumulator()
    answer.add(provider.decode_response(body))
    return answer


def read_stream(provider: Provider, stream: bytes, cuts: list[int]) -> ResponseAccumulator:
    """The stream as it arrives when it is cut there."""
    answer, framer = ResponseAccumulator(), provider.framer()
    frames = [frame for piece in pieces(stream, cuts) for frame in framer.feed(piece)]
    state: State = {}
    for frame in [*frames, *framer.end()]:
        answer.add(provider.decode_event(frame, state))
    return answer


places = st.lists(st.integers(0, 5000), max_size=8)
"""Where to cut something, of whatever length it is."""


def pieces(whole: Whole, cuts: list[int]) -> list[Whole]:
    """It in pieces, none of them empty."""
    found = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return [whole[start:end] for start, end in pairwise(found)]
