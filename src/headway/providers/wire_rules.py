"""The rules of wire formats: for each subject in which OpenAI accepts what a provider refuses, what
an adapter does with it.

An adapter declares its rules as a tuple of ``Rule`` (``<package>/wire_rules.py``) and applies them
with ``with_rules`` before its own conversion, so that docs/wire-rules.md, which is generated from
them, describes the code that runs. Transforms get and return requests in OpenAI's format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

from msgspec import Struct

from headway.errors import RequestError
from headway.providers.request_draft import MALFORMED, has_any
from headway.types import ChatRequest, Transformation

Adapted = tuple[ChatRequest, tuple[Transformation, ...]]
"""The request as the provider accepts it, and the transformations that the client sees."""
Adapt = Callable[[ChatRequest], Adapted]
Outcome = Literal["mended", "refused", "allowed"]

SUBJECTS: dict[str, str] = {
    "blank_text": "a message that is only white space",
    "blank_text_part": "a text part that is only white space, beside others",
    "empty_text": "a message of the user with an empty text",
    "empty_answer": "a message of the assistant with an empty text and without tool calls",
    "call_without_content": "a tool call whose message has the content null",
    "trailing_whitespace": "the last message is the assistant's and ends in white space",
    "prefill": "the last message is the assistant's, for the model to continue",
    "system_only": "a system message alone",
    "assistant_first": "a conversation that begins with the assistant",
    "system_later": "a system message behind others",
    "user_after_user": "two messages of the user in a row",
    "assistant_after_assistant": "two messages of the assistant in a row",
    "user_after_tool": "a message of the user right after a tool's",
    "call_id_other": "a tool call id as OpenAI makes it: `call_` and 24 letters and digits",
    "call_id_characters": "a tool call id with other characters: `functions.f:0`",
    "call_ids_alike": "two tool call ids that differ in such a character: `f.1` and `f:1`",
    "call_id_long": "a tool call id of 70 characters",
    "call_id_empty": "an empty tool call id",
    "call_ids_repeated": "the same tool call id in two turns",
    "result_without_call": "a tool's result whose id is that of no call",
    "call_without_result": "a tool call without a result",
    "result_apart": "a message between a tool call and its result",
    "arguments_cut": 'a tool call whose arguments are cut off: `{"a":1,"b`',
    "arguments_list": "a tool call whose arguments are the text of a list",
    "arguments_empty": "a tool call whose arguments are an empty text",
    "arguments_null": "a tool call whose arguments are null",
    "arguments_object": "a tool call whose arguments are an object, and not its text",
    "text_parts": "content as a list of text parts",
    "image_type": "a JPEG whose data URL says image/png",
    "image_type_alias": "an image whose data URL says image/jpg",
    "image_type_capitals": "an image whose data URL has capitals: `DATA:IMAGE/PNG;base64,`",
    "image_type_missing": "an image whose data URL has no type: `data:;base64,`",
    "image_line_breaks": "an image whose base64 has line breaks",
    "image_alphabet": "an image whose base64 is of the alphabet for URLs, without padding",
    "image_gif": "a GIF",
    "pdf_as_image": "a PDF in an `image_url` part",
    "document_alone": "a document without a text",
    "image_address": "an image by its address",
    "schema_keywords": "a tool whose schema has `$schema`, `$defs` and `title`",
    "schema_recursion": "an answer by a schema that refers to itself",
    "tools_with_json": "tools together with a JSON format of the answer",
    "function_name_digit": "a function whose name begins with a digit",
    "stop": "a stop sequence",
    "blank_stop": "a stop sequence that is only white space",
    "empty_stop": "an empty stop sequence",
    "many_stops": "more stop sequences than the provider takes",
}
"""Subject -> what a request has. docs/wire-rules.md has a section for each, in this order; the
tests have an example of each (tests/support/wire_rule_examples.py)."""


class Rule(Struct, frozen=True, kw_only=True):
    """What a wire format does with one subject."""

    subject: str
    """A key of ``SUBJECTS``."""
    outcome: Outcome
    """mended: changed, and told as a transformation. refused: RequestError with ``param`` before
    anything is sent. allowed: sent as it is, converted to the wire's form at most."""
    source: str
    """The URL of the documentation, or of the report, that says so."""
    transform: Adapt | None = None
    """Applied by ``with_rules``: it looks for the subject and mends or refuses it."""
    marks: tuple[bytes, ...] = ()
    """One of these is in the JSON of all messages that ``transform`` changes. Empty if there is
    nothing of that kind."""
    function: Callable[..., Any] | None = None
    """The function that mends or refuses it elsewhere in the adapter."""
    models: str = ""
    """The models that it concerns, in words; by default all."""
    example_model: str = ""
    """A model that it concerns, where not all are concerned."""
    note: str = ""


def allowed(source: str, *subjects: str) -> tuple[Rule, ...]:
    """A rule for each of ``subjects``, which the provider accepts."""
    return tuple(Rule(subject=each, outcome="allowed", source=source) for each in subjects)


def mended(subject: str, transform: Adapt | None, source: str, **more: Any) -> Rule:
    """``more`` are further fields of the rule."""
    return Rule(subject=subject, outcome="mended", source=source, transform=transform, **more)


def refused(subject: str, transform: Adapt | None, source: str, **more: Any) -> Rule:
    """``more`` are further fields of the rule."""
    return Rule(subject=subject, outcome="refused", source=source, transform=transform, **more)


def override(rules: Iterable[Rule], *changed: Rule) -> tuple[Rule, ...]:
    """``rules`` with ``changed`` in place of those about the same subjects."""
    subjects = {rule.subject for rule in changed}
    return (*(rule for rule in rules if rule.subject not in subjects), *changed)


def chain(transforms: Iterable[Adapt], request: ChatRequest) -> Adapted:
    """The request through each of ``transforms`` in order, and all their transformations."""
    transformations: tuple[Transformation, ...] = ()
    for transform in transforms:
        request, more = transform(request)
        transformations += more
    return request, transformations


def with_rules(rules: Iterable[Rule], adapt: Adapt) -> Adapt:
    """``adapt`` after the transforms of ``rules``, each applied once, in order."""
    transforms: dict[Adapt, tuple[bytes, ...]] = {
        rule.transform: rule.marks for rule in rules if rule.transform is not None
    }
    has_marks = all(transforms.values())
    marks = {mark for each in transforms.values() for mark in each} if has_marks else ()
    return partial(_apply, tuple(transforms), tuple(marks), adapt)


def _apply(
    transforms: tuple[Adapt, ...], marks: tuple[bytes, ...], adapt: Adapt, request: ChatRequest
) -> Adapted:
    """Raises RequestError for a request that is not in OpenAI's chat format, and for what a rule
    refuses."""
    if marks and not has_any(request.messages, marks):  # most conversations call no tool
        return adapt(request)
    try:
        mended_request, first = chain(transforms, request)
    except MALFORMED as exc:
        raise RequestError(f"This is no request in OpenAI's chat format: {exc}.") from exc
    adapted, then = adapt(mended_request)
    return adapted, first + then
