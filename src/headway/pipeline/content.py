"""Keep the messages of a call, where ``ledger.content`` says so: one line of the spool, written
when the call ends and before its last record.

The messages are those of the decoded request in the client's own wire format, never a raw body; the
answer is in OpenAI's chat format, whole or as far as it came.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.dialects.base import NULL, DecodedRequest, decode_object
from headway.pipeline.accounting import RequestFacts
from headway.pipeline.attempt import Attempt
from headway.pipeline.content_rules import (
    RedactionError,
    clean,
    clean_fields,
    has_secret_fields,
    hash_of,
    remove_secrets,
)
from headway.pipeline.failure_log import fields as log_fields
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.pipeline.native_request import NativeHttpRequest
from headway.pipeline.provider_calls import MALFORMED
from headway.pipeline.usage_reader import UsageReader
from headway.providers import KINDS
from headway.providers.native_api import find_route
from headway.record import Content, ContentMode, encode
from headway.response_accumulator import ChoiceAccumulator, ResponseAccumulator
from headway.types import ChatRequest, EmbeddingsRequest, FormBody, RelayedRequest, Request
from headway.wire.multipart import find_boundary, find_parts

log = logging.getLogger("headway")
NO_MESSAGES = Raw(b"[]")
NOTHING = Raw(NULL)
INPUT_FIELDS = ("messages", "contents", "input", "prompt")
"""Fields of a request in a client's own format that have what ``ChatRequest.messages`` has."""
NOT_PARAMETERS = frozenset((*INPUT_FIELDS, "images", "model", "stream"))
PROMPTS = ("prompt", "input", "query")
"""Fields of relayed requests with the text that the provider works on."""
LONGEST_FIELD = 64 * 1024
"""Bytes of a field of a form that are kept."""
SESSION = "session"
"""The parameter of a call whose messages have those of the session's earlier calls."""
REMEMBERED = Raw(b'{"remember":true}')
NOT_KEPT = "the content of a request could not be kept; further failures are not logged"

_encode = msgspec.json.Encoder().encode


class Choice(Struct):
    """One choice of a response in OpenAI's chat format."""

    message: Raw = NOTHING


class Completion(Struct):
    """A response in that format."""

    choices: list[Choice] = []


_decode_completion = msgspec.json.Decoder(Completion).decode


class Asked(NamedTuple):
    """What a client sent."""

    wire: str
    messages: Raw
    parameters: Mapping[str, Raw] = {}


class Reply(NamedTuple):
    """What a client got."""

    messages: Sequence[Any] = ()
    """In OpenAI's chat format."""
    stored: Raw = NOTHING
    """The whole reply in the client's format, where it may be asked for again."""
    aliases: tuple[str, ...] = ()


NO_REPLY = Reply()


class Caller(Protocol):
    """What of a call is needed: both kinds of call have it."""

    gateway: Gateway
    snapshot: Snapshot
    id: str
    key_id: str | None
    request_id: str

    def secrets(self) -> list[str]:
        """Keys that the content must not contain."""


class PassedCaller(Caller, Protocol):
    """A call that is passed through to a provider's own API."""

    request: NativeHttpRequest
    reader: UsageReader | None


def keep_call(
    call: Caller, facts: RequestFacts, attempt: Attempt | None, last_piece: bytes = b""
) -> RequestFacts:
    """Write the content of a call that has ended, if it is to be kept; ``attempt`` is its last one.
    ``last_piece`` is the body, or the last bytes of the stream, that the client gets if the
    response is complete. Returns ``facts`` with what was kept. A failure is logged once, and the
    call goes on without content."""
    decoded = facts.decoded
    if call.snapshot.content.is_off or decoded is None:
        return facts

    def read() -> tuple[Asked, Reply]:
        return read_request(decoded, facts.dialect.name), reply_of(attempt, last_piece)

    return _keep(call, facts, read)


def keep_passed(call: PassedCaller, facts: RequestFacts) -> RequestFacts:
    """Like ``keep_call``. Nothing is kept of a route whose bodies no adapter can read."""
    reader = call.reader
    if call.snapshot.content.is_off or reader is None:
        return facts

    def read() -> tuple[Asked, Reply]:
        asked, output = read_passed(call, facts), reader.accumulator
        is_chat = facts.decoded is not None and isinstance(facts.decoded.request, ChatRequest)
        return asked, Reply(chat_output(output) if is_chat else relayed_output(output))

    return _keep(call, facts, read)


def keep_session(call: Caller, facts: RequestFacts, messages: Sequence[Any]) -> RequestFacts:
    """Like ``keep_call``, for a WebSocket whose conversation has these messages, in OpenAI's chat
    format: the last ones of the assistant are the answer."""
    if not messages:
        return facts
    at = len(messages)
    while at and messages[at - 1]["role"] == "assistant":
        at -= 1
    asked = Asked("openai_chat", Raw(_encode(messages[:at])))
    return _keep(call, facts, lambda: (asked, Reply(messages[at:])))


def _keep(
    call: Caller, facts: RequestFacts, read: Callable[[], tuple[Asked, Reply]]
) -> RequestFacts:
    mode = call.snapshot.content.mode_for(call.key_id)
    if mode == "off":
        return facts
    try:
        line = encode_content(call, mode, facts.now, *read())
        call.gateway.spool.append(remove_secrets(line, call.secrets()))
    except Exception as defect:
        _log_failure(call, defect)
        return facts
    return replace(facts, content=mode)


def _log_failure(call: Caller, defect: Exception) -> None:
    """Once. Without the message of an error of the operator's hook: it may quote the text."""
    rules = call.snapshot.content
    if not rules.has_failed:
        rules.has_failed = True
        traced = None if isinstance(defect, RedactionError) else defect
        text = f"{NOT_KEPT}: {defect}" if traced is None else NOT_KEPT
        log.error(text, exc_info=traced, extra=log_fields(request_id=call.request_id))


def encode_content(
    call: Caller, mode: ContentMode, now: float, asked: Asked, reply: Reply
) -> bytes:
    """The line without secrets, and redacted. Raises what the operator's hook raises."""
    redact = call.snapshot.content.redact
    messages, parameters = asked.messages, asked.parameters
    output, response = Raw(_encode(reply.messages)), reply.stored

    def encoded() -> bytes:
        return encode(
            Content(
                call_id=call.id,
                timestamp=now,
                key_id=call.key_id,
                wire=asked.wire,
                mode=mode,
                messages=messages,
                output=output,
                parameters=parameters,
                response=response,
                aliases=reply.aliases,
            )
        )

    if mode == "full" and redact is None and not has_secret_fields(messages, parameters):
        return encoded()  # mostly
    messages, output = clean(messages, redact), clean(output, redact)
    parameters, response = clean_fields(parameters, redact), clean(response, redact)
    if mode == "hash":
        messages, output, response = _hashes(messages), _hashes(output), NOTHING
        parameters = {name: Raw(_encode(hash_of(raw))) for name, raw in parameters.items()}
    return encoded()


def _hashes(items: Raw) -> Raw:
    return Raw(_encode(list(map(hash_of, msgspec.json.decode(items, type=list[Raw])))))


# --- The request ----------------------------------------------------------------------------------


def read_request(decoded: DecodedRequest, dialect: str) -> Asked:
    """The messages, and the other fields, of a request that its dialect has decoded."""
    request: Request = decoded.request
    if isinstance(request, ChatRequest):
        native = request.native
        if native is None:
            return Asked("openai_chat", _listed(request.messages), _chat_parameters(decoded))
        parameters = {
            name: raw for name, raw in native.fields.items() if name not in NOT_PARAMETERS
        }
        messages = _listed(request.messages)
        if decoded.history:
            messages = prepend(decoded.history, messages)
        return Asked(native.wire, messages, parameters)
    if isinstance(request, EmbeddingsRequest):
        return Asked("openai_embeddings", _listed(request.input), request.parameters)
    return _read_relayed(request, dialect)


def _chat_parameters(decoded: DecodedRequest) -> Mapping[str, Raw]:
    """With a mark where the messages have those of the session's earlier calls."""
    parameters, recall = decoded.request.parameters, decoded.recall
    return parameters if recall is None else {**parameters, SESSION: REMEMBERED}


def read_passed(call: PassedCaller, facts: RequestFacts) -> Asked:
    """Of a request that is passed through as it is. Raises InvalidBody for a compressed one."""
    decoded = facts.decoded
    assert decoded is not None
    assert facts.upstream is not None
    if isinstance(decoded.request, RelayedRequest):
        return _read_relayed(decoded.request, facts.upstream.provider.wire or "")
    found = decode_object(call.request.body)
    name = next((name for name in INPUT_FIELDS if name in found), None)
    parameters = {key: raw for key, raw in found.items() if key not in NOT_PARAMETERS}
    messages = NO_MESSAGES if name is None else _listed(found[name])
    return Asked(wire_of(call, facts.upstream), messages, parameters)


def wire_of(call: PassedCaller, upstream: Upstream) -> str:
    """The wire format of the route that the client called."""
    found = find_route(upstream.provider.native, call.request.path)
    kind = None if found is None else found[0].kind
    provider = upstream.provider if kind is None else KINDS[kind]
    return provider.wire or provider.name


def prepend(history: tuple[Raw, ...], messages: Raw) -> Raw:
    """A JSON array with ``history`` before the items of the array ``messages``."""
    return Raw(_encode([*history, *msgspec.json.decode(messages, type=list[Raw])]))


def _listed(raw: Raw) -> Raw:
    """A JSON array: ``raw`` itself, or one with it as its only item."""
    data = bytes(raw).lstrip()
    return raw if data[:1] == b"[" else Raw(b"[%b]" % data)


def _read_relayed(request: RelayedRequest, dialect: str) -> Asked:
    """The prompt is the only message. Of a form's files nothing but their size is kept."""
    fields = dict(request.parameters)
    if request.form is not None:
        fields |= _read_form(request.form)
    name = next((name for name in PROMPTS if bytes(fields.get(name, NOTHING)) != NULL), None)
    if name is None:
        return Asked(dialect, NO_MESSAGES, fields)
    message = Raw(b'[{"role":"user","content":%b}]' % bytes(fields.pop(name)))
    return Asked(dialect, message, fields)


def _read_form(form: FormBody) -> dict[str, Raw]:
    fields: dict[str, Raw] = {}
    for part in find_parts(form.body, find_boundary(form.content_type)):
        size = part.end - part.start
        if part.is_file or size > LONGEST_FIELD:
            fields[part.name] = Raw(_encode({"bytes": size}))
        elif part.name != "model":
            text = form.body[part.start : part.end].decode(errors="replace")
            fields[part.name] = Raw(_encode(text))
    return fields


# --- The answer -----------------------------------------------------------------------------------


def reply_of(attempt: Attempt | None, last_piece: bytes) -> Reply:
    """What the client got of ``attempt``."""
    if attempt is None:
        return NO_REPLY
    context = attempt.context
    if not isinstance(context.sent, ChatRequest):
        return Reply(relayed_output(attempt.accumulator))
    if attempt.is_summarized:  # the body was passed on without being decoded to events
        messages = messages_of(attempt.body)
    else:
        messages = chat_output(attempt.response)
    storage = context.call.reply_storage
    if storage is None or not context.is_stored or not last_piece:
        return Reply(messages)
    whole = storage.whole_reply(context, attempt.response, last_piece)
    stored, aliases = storage.prepare(whole)
    return Reply(messages, Raw(stored), aliases)


def messages_of(body: bytes) -> list[Raw]:
    """Those of a response in OpenAI's chat format, verbatim."""
    try:
        return [choice.message for choice in _decode_completion(body).choices]
    except MALFORMED:
        return []


def chat_output(accumulator: ResponseAccumulator) -> list[Any]:
    """The messages of an answer, one for each choice."""
    return [
        {name: value for name, value in choice.message().items() if value is not None}
        for _, choice in sorted(accumulator.choices.items())
        if not _is_empty(choice)
    ]


def _is_empty(choice: ChoiceAccumulator) -> bool:
    """Nothing came of it."""
    return not (
        choice.text or choice.finish_reason or choice.tools or choice.reasoning or choice.refusal
        or choice.extra
    )  # fmt: skip


def relayed_output(accumulator: ResponseAccumulator) -> list[Any]:
    """The body of a response that is passed on, where it is text: JSON, or a transcription. Of
    audio and of vectors nothing is kept."""
    try:
        text = accumulator.body.decode()
    except UnicodeDecodeError:
        return []
    return [{"role": "assistant", "content": text}] if text else []
