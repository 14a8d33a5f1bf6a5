"""Hypothesis strategies for chat requests in OpenAI's format, and a naive parser of the sent
requests.

This module is independent of the code under test: bodies are parsed with the standard library's
scanner, which keeps the text of every value, so that a number is equal only to the same digits.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from msgspec import Raw

from headway.providers.base import Provider
from headway.types import ChatRequest, Target, Transformation


@dataclass(frozen=True)
class Number:
    """A JSON number by its text."""

    text: str


@dataclass(frozen=True)
class Style:
    """How a client writes JSON."""

    ascii: bool
    spaced: bool

    def write(self, value: Any) -> str:
        if isinstance(value, Number):
            return value.text
        comma, colon, pad = (" , ", " :\n", " ") if self.spaced else (",", ":", "")
        if isinstance(value, Mapping):
            pairs = (f"{self.write(k)}{colon}{self.write(v)}" for k, v in value.items())
            return f"{{{pad}{comma.join(pairs)}{pad}}}"
        if isinstance(value, list):
            return f"[{pad}{comma.join(map(self.write, value))}{pad}]"
        return json.dumps(value, ensure_ascii=self.ascii)


# --- Reading --------------------------------------------------------------------------------------

_scan = json.JSONDecoder(parse_int=Number, parse_float=Number, strict=False).raw_decode


def parsed(text: str) -> Any:
    """Every number as it was written."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def members(text: str) -> dict[str, str]:
    """The fields of an object, each with its value's own text."""
    found: dict[str, str] = {}
    at = _past_space(text, 1)
    while text[at] != "}":
        name, at = _scan(text, at)
        colon = _past_space(text, at)
        assert text[colon] == ":"
        start = _past_space(text, colon + 1)
        _, at = _scan(text, start)
        assert name not in found, f"{name} is there twice"
        found[name] = text[start:at]
        at = _past_comma(text, at)
    return found


def elements(text: str) -> list[str]:
    """The items of a list, each by its own text."""
    found = []
    at = _past_space(text, 1)
    while text[at] != "]":
        start = at
        _, at = _scan(text, start)
        found.append(text[start:at])
        at = _past_comma(text, at)
    return found


def _past_space(text: str, at: int) -> int:
    while text[at] in " \n\r\t":
        at += 1
    return at


def _past_comma(text: str, at: int) -> int:
    at = _past_space(text, at)
    return _past_space(text, at + 1) if text[at] == "," else at


# --- Values ---------------------------------------------------------------------------------------

words = st.text(max_size=12)
some = st.text(min_size=1, max_size=12)
names = st.from_regex(r"[a-zA-Z0-9_-]{1,9}", fullmatch=True)
odd_numbers = st.sampled_from(
    ["0", "-0", "1e400", "1E+2", "0.10", "-1.50e-7", "18446744073709551616", "9" * 40, "1.0"]
).map(Number)
numbers = st.integers(-(2**70), 2**70).map(lambda n: Number(str(n))) | odd_numbers
any_json = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(words, any_json, max_size=3)
schemas = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": objects}, optional={"description": words}
)
MARK = {"type": "ephemeral"}


def has(required: Mapping[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of the optional fields; plain values are themselves."""
    fixed = {name: _strategy(value) for name, value in required.items()}
    more = {name: _strategy(value) for name, value in optional.items()}
    return st.fixed_dictionaries(fixed, optional=more)


def _strategy(value: Any) -> st.SearchStrategy[Any]:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


urls = st.sampled_from(
    ["https://a.example/b.png", "data:image/png;base64,eA==", "https://ä.example/?q=1&r=\u2028"]
)
texts = has({"type": "text", "text": words}, cache_control=MARK)
images = has(
    {"type": "image_url", "image_url": has({"url": urls}, detail=st.sampled_from(["auto", "low"]))},
    cache_control=MARK,
)
sounds = has(
    {"type": "input_audio", "input_audio": has({"data": "eA==", "format": "wav"})},
)
files = has(
    {
        "type": "file",
        "file": has({"file_id": names})
        | has({"file_data": "data:application/pdf;base64,eA=="}, filename=some),
    },
    cache_control=MARK,
)
refusals = has({"type": "refusal", "refusal": some})


def content(*kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return words | st.lists(st.one_of(*kinds), min_size=1, max_size=4)


calls = has(
    {
        "id": names,
        "type": "function",
        "function": has({"name": names, "arguments": objects.map(Style(False, False).write)}),
    },
    extra_content=any_json,
)
details = has({"type": "reasoning.text", "text": words}, signature=some, index=Number("0")) | has(
    {"type": "reasoning.encrypted", "data": some}, id=names
)
system = has(
    {"role": st.sampled_from(["system", "developer"]), "content": content(texts)},
    name=names,
)
user = has(
    {"role": "user", "content": content(texts, images, sounds, files)},
    name=names,
    cache_control=MARK,
    x_note=any_json,
)
assistant = has(
    {"role": "assistant", "content": st.none() | content(texts, refusals)},
    name=names,
    tool_calls=st.lists(calls, min_size=1, max_size=3),
    reasoning_content=st.none() | words,
    reasoning=st.none() | words,
    reasoning_details=st.lists(details, max_size=2),
    refusal=st.none() | some,
    audio=st.none() | has({"id": names}),
    annotations=st.lists(objects, max_size=1),
    x_note=any_json,
)
tool = has(
    {"role": "tool", "tool_call_id": names, "content": content(texts)},
    name=names,
    is_error=st.booleans(),
    cache_control=MARK,
)


def with_results(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with distinct ids of calls, and one result for each, right after it."""
    results = [message for message in messages if message["role"] == "tool"]
    made: list[dict[str, Any]] = []
    count = 0
    for message in (each for each in messages if each["role"] != "tool"):
        calls_made = []
        answers = []
        for call in message.get("tool_calls", ()):
            count += 1
            call_id = f"call{count:05}"
            calls_made.append({**call, "id": call_id})
            result = results.pop(0) if results else {"role": "tool", "content": "1"}
            answers.append({**result, "tool_call_id": call_id})
        made += [{**message, "tool_calls": calls_made} if calls_made else message, *answers]
    return made or [{"role": "user", "content": "Hi"}]


conversations = st.lists(st.one_of(system, user, assistant, tool), min_size=1, max_size=5).map(
    with_results
)

tools = has(
    {
        "type": "function",
        "function": has({"name": names}, description=words, parameters=schemas, strict=True),
    },
    cache_control=MARK,
)
formats = has({"type": st.sampled_from(["text", "json_object"])}) | has(
    {
        "type": "json_schema",
        "json_schema": has({"name": names, "schema": schemas}, strict=st.booleans()),
    }
)
unit = st.sampled_from(["0", "0.5", "1", "1.0", "2", "1.990"]).map(Number)
count = st.integers(1, 2**40).map(lambda n: Number(str(n)))
efforts = st.sampled_from(["none", "low", "high", "odd"])
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "temperature": unit, "top_p": unit, "frequency_penalty": unit, "presence_penalty": unit,
    "max_tokens": count, "max_completion_tokens": count, "n": count, "seed": count,
    "stop": words | st.lists(words, max_size=2), "logprobs": st.booleans(), "top_logprobs": count,
    "logit_bias": st.dictionaries(names, unit), "tools": st.lists(tools, max_size=2),
    "tool_choice": st.sampled_from(["auto", "none", "required"])
    | has({"type": "function", "function": has({"name": names})}),
    "parallel_tool_calls": st.booleans(), "response_format": formats, "user": words,
    "reasoning_effort": efforts,
    "reasoning": words | st.booleans() | has({}, effort=efforts, max_tokens=count),
    "metadata": objects, "store": st.booleans(), "top_k": count, "min_p": unit,
    "service_tier": words, "thinking": has({"type": "enabled"}, budget_tokens=count),
    "random_seed": count, "prediction": objects, "functions": st.lists(objects, max_size=1),
}  # fmt: skip
OURS = frozenset({"model", "messages", "stream", "stream_options"})
unknown_names = words.filter(lambda name: name not in KNOWN and name not in OURS)
NONE: Mapping[str, str] = {}
DEFAULTS = ("temperature", "max_tokens", "top_p", "frequency_penalty", "presence_penalty")
OPTIONAL_FIELDS = ("tools", "tool_choice", "response_format", "functions")
"""Fields that a client may give while the default parameters are in effect."""


@dataclass(frozen=True)
class GeneratedRequest:
    """One generated request, and the texts that it is made of."""

    request: ChatRequest
    messages: str
    parameters: Mapping[str, str]

    def is_given(self, name: str) -> bool:
        return self.parameters.get(name, "null") != "null"


@st.composite
def asking(draw: st.DrawFn, models: Collection[str]) -> GeneratedRequest:
    style = draw(st.builds(Style, st.booleans(), st.booleans()))
    messages = style.write(draw(conversations))
    uses_default_parameters = draw(st.booleans())
    values = draw(_defaulted() if uses_default_parameters else _free())
    parameters = {name: style.write(value) for name, value in values.items()}
    request = ChatRequest(
        model=draw(st.sampled_from(sorted(models))),
        messages=Raw(messages.encode()),
        parameters={name: Raw(text.encode()) for name, text in parameters.items()},
        stream=draw(st.booleans()),
        uses_default_parameters=uses_default_parameters,
    )
    return GeneratedRequest(request, messages, parameters)


def _free() -> st.SearchStrategy[dict[str, Any]]:
    nullable = {name: st.none() | strategy for name, strategy in KNOWN.items()}
    known = st.lists(st.sampled_from(sorted(KNOWN)), max_size=5, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({name: nullable[name] for name in chosen})
    )
    strange = st.dictionaries(unknown_names, any_json, max_size=3)
    return st.builds(lambda a, b: {**a, **b}, known, strange)


def _defaulted() -> st.SearchStrategy[dict[str, Any]]:
    ours = dict.fromkeys(DEFAULTS, st.just(Number("1")))
    allowed = {name: KNOWN[name] for name in OPTIONAL_FIELDS}
    return st.fixed_dictionaries(ours, optional=allowed)


# --- What was sent, held against what was asked ---------------------------------------------------


Names = tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    body: Mapping[str, str]
    """The fields of the body, each by its own text."""
    changes: tuple[Transformation, ...]

    def action_on(self, parameter: str) -> str | None:
        """The action of the transformation of the parameter, or of a field of it."""
        return next((c.action for c in self.changes if _root(c) == parameter), None)

    def says(self, action: str, parameter: str) -> bool:
        return any((c.action, _root(c)) == (action, parameter) for c in self.changes)

    def says_of_messages(self, action: str, field: str) -> bool:
        paths = (f"messages[].{field}", f"messages[].content[].{field}")
        return any(c.action == action and c.parameter in paths for c in self.changes)


def _root(change: Transformation) -> str:
    return change.parameter.partition(".")[0]


def sent(provider: Provider, generated: GeneratedRequest, target: Target) -> Sent:
    adapted, changes = provider.adapt(generated.request)
    body = provider.encode_request(adapted, target).body.decode()
    json.loads(body)
    return Sent(members(body), changes)


def check_parameters(
    generated: GeneratedRequest,
    found: Sent,
    renamed: Mapping[str, Names],
    neutral: Collection[str] = (),
) -> None:
    """Check that every parameter is sent unchanged unless a transformation is listed, and that the
    listed transformations are correct. ``renamed`` are the wire's own names, of which it may take
    one; ``neutral`` are parameters whose value 0, which has no effect, may be removed without a
    transformation."""
    silent = DEFAULTS if generated.request.uses_default_parameters else ()
    allowed = set(OURS)
    for name, own in renamed.items():
        if name in silent or found.says("renamed", name):
            allowed |= {*own}
    assert set(found.body) - set(generated.parameters) <= allowed
    for name, text in generated.parameters.items():
        if found.body.get(name) == text:
            assert found.action_on(name) is None, f"{name} was not changed"
        elif name not in silent and name not in allowed:
            is_nothing = text == "null" or (name in neutral and text in ("0", "-0"))
            _check_change(name, text, found, renamed.get(name, ()), is_nothing)


def _check_change(name: str, text: str, found: Sent, own: Names, is_nothing: bool) -> None:
    if is_nothing:
        assert name not in found.body
        return
    assert found.action_on(name) is not None, f"{name} was changed without a word"
    if found.says("dropped", name):
        assert name not in found.body
    elif found.says("renamed", name):
        values = [parsed(found.body[other]) for other in own if other in found.body]
        assert values
        assert len(own) > 1 or values[0] in _values_of(parsed(text))


def _values_of(value: Any) -> list[Any]:
    """A renamed parameter keeps its value, or one of its fields."""
    return [value, *value.values()] if isinstance(value, Mapping) else [value]


def check_messages(
    given: list[Any], found: Sent, got: list[Any], renamed: Mapping[str, str] = NONE
) -> None:
    """Check that every field of every message is sent unchanged unless a transformation is
    listed."""
    for message, received in zip(given, got, strict=True):
        _check_fields(message, received, found, renamed)
        if received["role"] == "user" and message["role"] in ("system", "developer"):
            assert found.says("emulated", "messages")
        elif received["role"] != message["role"]:
            assert (message["role"], received["role"]) == ("developer", "system")
            assert found.says("renamed", "developer")


def _check_fields(
    given: Mapping[str, Any], got: Mapping[str, Any], found: Sent, renamed: Mapping[str, str]
) -> None:
    for name, value in given.items():
        own = renamed.get(name, name)
        if name in ("role", "content") or value is None:
            continue
        if not value and name in {*renamed, *renamed.values()}:
            continue  # a thought of nothing is none
        if got.get(own) == value:
            assert own == name or given.get(own) == value or found.says_of_messages("renamed", name)
        else:
            assert own not in got or own in given
            assert found.says_of_messages("dropped", name) or _is_said(given, got, found, name)
    added = {"prefix"} if found.says("emulated", "messages") else set()
    assert set(got) - added <= set(given) | {renamed[name] for name in given if name in renamed}
    _check_content(given, got, found)


def _is_said(given: Mapping[str, Any], got: Mapping[str, Any], found: Sent, name: str) -> bool:
    """A refusal has become what the message says."""
    if name != "refusal" or given.get("content") or not found.says_of_messages("emulated", name):
        return False
    return got["content"] in (given[name], [{"type": "text", "text": given[name]}])


def _check_content(given: Mapping[str, Any], got: Mapping[str, Any], found: Sent) -> None:
    sent_content, received = given.get("content"), got.get("content")
    if sent_content == received or (
        given.get("refusal") and _is_said(given, got, found, "refusal")
    ):
        return
    if isinstance(sent_content, list) and isinstance(received, str):
        assert found.says_of_messages("emulated", "content")
        assert "".join(part[part["type"]] for part in sent_content) == received
        return
    for part, other in zip(sent_content, received, strict=True):
        if other["type"] != part["type"]:
            assert part["type"] == "refusal"
            assert found.says_of_messages("emulated", "refusal")
            assert other == {"type": "text", "text": part["refusal"]}
            continue
        lost = set(part) - set(other)
        assert {name: part[name] for name in part if name not in lost} == other
        assert all(found.says_of_messages("dropped", name) for name in lost)
        assert part["type"] in other, "a part went out without what it is"
