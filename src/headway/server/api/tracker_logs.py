"""The logs of LLMstudio's tracker: what its clients send as records, and records as they read them
(github.com/TensorOpsAI/LLMstudio, libs/tracker/llmstudio_tracker/db).

Ids are whole numbers there: the microseconds of a record's time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import Field, decode_object, field
from headway.errors import InvalidField
from headway.ledger.json_views import iso_time
from headway.ledger.store import Conversation
from headway.policy.request_labels import parameters_in
from headway.record import Feedback, Record

DIALECT = "llmstudio_tracker"
"""The dialect of records that such clients sent."""
LOG_ROUTE, SESSION_ROUTE = "/api/tracking/logs", "/api/tracking/session"
EXTRAS = "llmstudio_extras"
"""The label of the feedback that holds a log's ``extras`` as JSON."""
WIRE = "openai_chat"
MAX_NAME = 500
"""Characters of a name or an id."""
MICROSECONDS = 10**6
Message = dict[str, Any]

TEXT = "a string"
CHAT_INPUT = field("chat_input", str | list[Any] | None, "a string")
CHAT_OUTPUT = field("chat_output", str | None, TEXT)
SESSION_ID = field("session_id", str | None, TEXT)
CONTEXT = field("context", list[Message] | None, "a list of messages")
PROVIDER = field("provider", str | None, TEXT)
MODEL = field("model", str | None, TEXT)
DEPLOYMENT = field("deployment", str | None, TEXT)
PARAMETERS = field("parameters", dict[str, Raw] | None, "an object")
METRICS = field("metrics", dict[str, Any] | None, "an object")
EXTRAS_FIELD = field("extras", dict[str, Any] | None, "an object")
REPLY_ID = field("id", str | None, TEXT)
CHAT_HISTORY = field("chat_history", list[Message] | None, "a list of messages")
SESSION = field("session_id", str, "a string: the id of the session")
NAMES = (SESSION_ID, PROVIDER, MODEL, DEPLOYMENT)

_encode = msgspec.json.Encoder().encode


class PostedLog(Struct, frozen=True, kw_only=True):
    """A log that a client sent, read and checked."""

    chat_input: Any
    chat_output: str | None
    session_id: str | None
    context: list[Message] | None
    provider: str | None
    model: str | None
    deployment: str | None
    parameters: Mapping[str, Raw]
    metrics: Mapping[str, Any]
    extras: Mapping[str, Any] | None
    reply_id: str | None
    """The id of a reply of this gateway that the log is about; None for any other."""

    @property
    def messages(self) -> list[Message]:
        """Those of the request, in OpenAI's chat format."""
        if self.context:
            return self.context
        return [] if self.chat_input is None else [{"role": "user", "content": self.chat_input}]

    @property
    def output(self) -> list[Message]:
        text = self.chat_output
        return [] if text is None else [{"role": "assistant", "content": text}]


class PostedSession(Struct, frozen=True):
    """A conversation that a client sent."""

    session_id: str
    chat_history: list[Message] | None
    extras: Mapping[str, Any] | None


# --- What clients send ----------------------------------------------------------------------------


def read_log(body: bytes) -> PostedLog:
    """Raises InvalidBody, InvalidField. What else a log has is ignored, as there."""
    fields = decode_object(body)
    names = {each.name: _read_name(each, fields) for each in NAMES}
    is_reply = "transformations" in fields  # a key that only replies of this gateway have
    return PostedLog(
        chat_input=CHAT_INPUT.read(fields),
        chat_output=CHAT_OUTPUT.read(fields),
        session_id=names["session_id"],
        context=CONTEXT.read(fields),
        provider=names["provider"],
        model=names["model"],
        deployment=names["deployment"],
        parameters=PARAMETERS.read(fields) or {},
        metrics=METRICS.read(fields) or {},
        extras=EXTRAS_FIELD.read(fields),
        reply_id=_read_name(REPLY_ID, fields) if is_reply else None,
    )


def read_session(body: bytes) -> PostedSession:
    """Raises InvalidBody, InvalidField."""
    fields = decode_object(body)
    SESSION.require(fields)
    session_id = _read_name(SESSION_ID, fields)
    if not session_id:
        raise SESSION.invalid()
    return PostedSession(session_id, CHAT_HISTORY.read(fields), EXTRAS_FIELD.read(fields))


def read_extras(body: bytes) -> Mapping[str, Any]:
    """Raises InvalidBody."""
    decode_object(body)
    found: dict[str, Any] = msgspec.json.decode(body)
    return found


def _read_name(each: Field, fields: Mapping[str, Raw]) -> str | None:
    text: str | None = each.read(fields)
    if text is not None and (len(text) > MAX_NAME or "\x00" in text):
        message = f"`{each.name}` must be at most {MAX_NAME} characters, none of them NUL."
        raise InvalidField(message, param=each.name)
    return text or None


def log_record(log: PostedLog, record_id: str, key_id: str, now: float) -> Record:
    """The record of a call that was made without this gateway: tokens and cost are its client's
    own figures. Times are in seconds."""
    latency = _number(log.metrics.get("latency_s"))
    cost = _number(log.metrics.get("cost_usd"))
    output_tokens = _whole(log.metrics.get("output_tokens"))
    return Record(
        id=record_id,
        request_id=record_id,
        call_id=record_id,
        timestamp=now,
        started=now - (latency or 0.0),
        route=LOG_ROUTE,
        dialect=DIALECT,
        outcome="ok",
        provider=log.provider,
        model=log.model,
        deployment=log.deployment,
        session_id=log.session_id,
        key_id=key_id,
        status=200,
        input_tokens=_whole(log.metrics.get("input_tokens")),
        output_tokens=output_tokens,
        cache_read_tokens=_whole(log.metrics.get("cached_tokens")),
        reasoning_tokens=_whole(log.metrics.get("reasoning_tokens")),
        tokens_source=None if output_tokens is None else "counted",
        cost_usd=None if cost is None else f"{Decimal(repr(cost)):f}",
        latency_s=latency,
        time_to_first_token_s=_number(log.metrics.get("time_to_first_token_s")),
        inter_token_latency_s=_number(log.metrics.get("inter_token_latency_s")),
        tokens_per_second=_number(log.metrics.get("tokens_per_second")),
        parameters=parameters_in(log.parameters),
    )


def marker_record(
    route: str, record_id: str, session_id: str | None, key_id: str, now: float
) -> Record:
    """The record of something that is no call, and counts as none in any sum: its call's attempt is
    never the last."""
    return Record(
        id=record_id,
        request_id=record_id,
        call_id=record_id,
        timestamp=now,
        started=now,
        route=route,
        dialect=DIALECT,
        outcome="ok",
        attempt=0,
        attempts=0,
        session_id=session_id,
        key_id=key_id,
        is_last=False,
    )


def _number(value: Any) -> float | None:
    """Finite and not negative, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        return None
    return float(value)


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None or number != int(number) else int(number)


# --- What clients read ----------------------------------------------------------------------------


def log_id(record: Record) -> int:
    return round(record.timestamp * MICROSECONDS)


def log_view(
    record: Record,
    conversation: Conversation | None,
    feedback: Sequence[Feedback] = (),
    session_id: str | None = None,
) -> dict[str, Any]:
    """A record as a log. Its texts are null where they are not kept."""
    kept = conversation if conversation is not None and conversation.mode == "full" else None
    messages = () if kept is None else kept.messages
    return {
        "chat_input": text_of(messages[-1]) if messages else None,
        "chat_output": text_of(kept.output[0]) if kept is not None and kept.output else None,
        "session_id": session_id or record.session_id,
        "context": None if kept is None else kept.messages,
        "provider": record.provider,
        "model": record.model,
        "deployment": record.deployment,
        "parameters": record.parameters,
        "metrics": _metrics(record),
        "extras": find_extras(feedback),
        "log_id": log_id(record),
        "created_at": iso_time(record.timestamp),
    }


def posted_log_view(log: PostedLog, record: Record) -> dict[str, Any]:
    """The reply to a log that was just sent: what it has, and its id."""
    return {
        "chat_input": log.chat_input
        if isinstance(log.chat_input, str)
        else _joined(log.chat_input),
        "chat_output": log.chat_output,
        "session_id": log.session_id,
        "context": log.context,
        "provider": log.provider,
        "model": log.model,
        "deployment": log.deployment,
        "parameters": log.parameters,
        "metrics": log.metrics,
        "extras": log.extras,
        "log_id": log_id(record),
        "created_at": iso_time(record.timestamp),
    }


def session_view(
    record: Record, history: Sequence[Any], feedback: Sequence[Feedback] = ()
) -> dict[str, Any]:
    """One entry of a session."""
    changed = max((each.timestamp for each in feedback), default=record.timestamp)
    return {
        "session_id": record.session_id,
        "chat_history": history,
        "extras": find_extras(feedback),
        "message_id": log_id(record),
        "created_at": iso_time(record.timestamp),
        "updated_at": iso_time(max(changed, record.timestamp)),
    }


def find_extras(feedback: Sequence[Feedback]) -> Raw | None:
    """The latest ``extras`` of a log."""
    found = [each for each in feedback if each.label == EXTRAS and each.comment]
    if not found:
        return None
    latest = max(reversed(found), key=lambda each: each.timestamp)
    return Raw((latest.comment or "").encode())


def extras_feedback(
    extras: Mapping[str, Any], feedback_id: str, call_id: str, key_id: str, now: float
) -> Feedback:
    text = _encode(extras).decode()
    return Feedback(
        id=feedback_id, call_id=call_id, timestamp=now, key_id=key_id, label=EXTRAS, comment=text
    )


def text_of(raw: Raw) -> str | None:
    """The text of a message in any wire format: its content, or the arguments of its calls."""
    message = msgspec.json.decode(raw)
    if not isinstance(message, dict):
        return str(message)
    content = message.get("content", message.get("parts"))
    if content:
        return content if isinstance(content, str) else _joined(content)
    calls = message.get("tool_calls") or []
    arguments = [str(_member(_member(call, "function"), "arguments") or "") for call in calls]
    return "\n".join(arguments) if calls else content


def _joined(content: Any) -> str | None:
    if not isinstance(content, list):
        return None if content is None else _encode(content).decode()
    texts = (_member(part, "text") for part in content)
    return "\n".join(text for text in texts if isinstance(text, str))


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _metrics(record: Record) -> dict[str, Any]:
    known = record.input_tokens is not None and record.output_tokens is not None
    total = (record.input_tokens or 0) + (record.output_tokens or 0) if known else None
    return {
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "reasoning_tokens": record.reasoning_tokens,
        "total_tokens": total,
        "cached_tokens": record.cache_read_tokens,
        "cost_usd": None if record.cost_usd is None else float(record.cost_usd),
        "latency_s": record.latency_s,
        "time_to_first_token_s": record.time_to_first_token_s,
        "inter_token_latency_s": record.inter_token_latency_s,
        "tokens_per_second": record.tokens_per_second,
    }


# --- Export ---------------------------------------------------------------------------------------


def semicolon_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as that system's CSV: the names of the first row, then each value as JSON."""
    import json  # its way of writing JSON is part of the format

    if not rows:
        return ""
    lines = [";".join(rows[0])]
    lines += [";".join(json.dumps(value) for value in row.values()) for row in rows]
    return "\n".join(lines) + "\n"
