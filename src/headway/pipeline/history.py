"""Complete a request with what it refers to of earlier calls: the messages of its session, or
responses and items of OpenAI's Responses API. It comes from the content that the ledger keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import DecodedRequest, Dialect, Recall
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.input_items import stored
from headway.dialects.input_items.convert import prompt_messages
from headway.dialects.input_items.ids import call_id_of, input_id_of
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.dialects.openai_responses.reply_storage import is_kept_by_provider, output_items
from headway.errors import BodyTooLarge, HeadwayError, InvalidField, LedgerUnavailable, RequestError
from headway.pipeline.content import SESSION
from headway.pipeline.gateway import Gateway, Snapshot, Upstream
from headway.pipeline.provider_calls import prompt_of
from headway.ports import History, KeptReply
from headway.types import ChatRequest, NativeRequest

CHAT = "openai_chat"
MAX_CALLS = 1000
"""Calls of a session that are read at most."""
DIALECTS: tuple[tuple[str, Dialect], ...] = (
    ("messages", AnthropicMessages()),
    ("input", OpenAIResponses()),
    ("contents", GenerateContent()),
    ("messages", OllamaChat()),
)
"""Those with a wire format of their own, and the field that has the messages."""
HOW_TO_KEEP = (
    "The gateway keeps no prompts and answers of this key: set `ledger.content: full` in its "
    "configuration, or `ledger.content_by_key` for this key"
)

_encode = msgspec.json.Encoder().encode


class Caller(Protocol):
    """What of a call is needed."""

    gateway: Gateway
    snapshot: Snapshot
    key_id: str | None


async def complete(call: Caller, upstream: Upstream, decoded: DecodedRequest) -> DecodedRequest:
    """The request of a call, which has a ``recall``, with what that refers to. Raises
    HeadwayError."""
    limit = call.snapshot.body_limit
    completed = await recall(call.gateway, call.snapshot, upstream, decoded, call.key_id or "")
    size = len(prompt_of(completed.request))
    if size > limit and completed is not decoded:
        raise BodyTooLarge(
            f"With its earlier turns the conversation has {size} bytes; server.body_limit sets how "
            "much is taken."
        )
    return completed


async def recall(
    gateway: Gateway, snapshot: Snapshot, upstream: Upstream, decoded: DecodedRequest, key_id: str
) -> DecodedRequest:
    """``decoded`` with what its ``recall`` refers to. Raises HeadwayError."""
    wanted = decoded.recall
    assert wanted is not None
    is_kept = snapshot.content.mode_for(key_id) == "full"
    history = gateway.history if is_kept else None
    if wanted.session_turns is not None:
        return await _with_session(history, decoded, wanted.session_turns, key_id)
    try:
        return await _with_items(history, upstream, decoded, wanted, key_id)
    except LedgerUnavailable:
        if _is_same_api(upstream, decoded) and not any(map(call_id_of, _names_in(wanted))):
            return decoded  # the provider may well know what it is
        raise


def _is_same_api(upstream: Upstream, decoded: DecodedRequest) -> bool:
    native = decoded.request.native
    return native is not None and upstream.provider.wire == native.wire


def _names_in(wanted: Recall) -> Sequence[str]:
    previous = wanted.previous_response_id
    return wanted.item_ids if previous is None else (previous, *wanted.item_ids)


# --- Sessions -------------------------------------------------------------------------------------


async def _with_session(
    history: History | None, decoded: DecodedRequest, max_turns: int, owner: str
) -> DecodedRequest:
    request = decoded.request
    assert isinstance(request, ChatRequest)
    if decoded.session_id is None:
        message = "`session.remember` needs a `session_id`, which says whose history is meant."
        raise InvalidField(message, param="session_id")
    if history is None:
        raise RequestError(f"{HOW_TO_KEEP}, to use `session.remember`.", param="session.remember")
    calls = await _read_session(history, decoded.session_id, owner)
    own = msgspec.json.decode(request.messages, type=list[Raw])
    messages = Raw(_encode([*session_messages(calls, own, max_turns), *own]))
    completed = replace(request, messages=messages, is_converted=True)
    return replace(decoded, request=completed, messages=messages)


async def _read_session(history: History, session_id: str, owner: str) -> list[KeptReply]:
    """The calls of a session, the oldest first: back to one that has all earlier ones itself."""
    calls: list[KeptReply] = []
    for call_id in reversed((await history.session(session_id, owner))[-MAX_CALLS:]):
        kept = await history.reply(call_id, owner)
        if kept is None:
            continue
        calls.append(kept)
        if SESSION in kept.parameters:
            break
    calls.reverse()
    return calls


def session_messages(
    calls: Sequence[KeptReply], own: Sequence[Raw], max_turns: int
) -> Sequence[Raw]:
    """The messages and answers of ``calls`` before the messages ``own`` of a new one, at most
    ``max_turns`` of the user's messages with what follows them. A call that begins with the
    messages of the one before continues it. System messages are those of the new call, or else of
    the last that had some."""
    found: list[Raw] = []
    system: list[Raw] = []
    earlier: list[Raw] = []
    for kept in calls:
        messages = chat_messages(kept)
        if len(messages) > len(earlier) and messages[: len(earlier)] == earlier:
            found = []
        system = [m for m in messages if _role(m) in ("system", "developer")] or system
        found += [m for m in messages if _role(m) not in ("system", "developer")]
        found += kept.output[:1]
        earlier = messages
    if any(_role(message) in ("system", "developer") for message in own):
        system = []
    starts = [place for place, message in enumerate(found) if _role(message) == "user"]
    if len(starts) > max_turns:
        found = found[starts[-max_turns] :]
    return [*system, *found]


def chat_messages(kept: KeptReply) -> list[Raw]:
    """The messages of a request in OpenAI's chat format. None of a request that was no chat."""
    if kept.wire == CHAT:
        return list(kept.messages)
    for name, dialect in DIALECTS:
        if dialect.wire == kept.wire:
            messages = Raw(_encode(kept.messages))
            native = NativeRequest(kept.wire, {**kept.parameters, name: messages})
            request = ChatRequest(model="", messages=messages, native=native)
            try:
                converted, _ = dialect.convert_request(request)
            except HeadwayError:
                return []
            return msgspec.json.decode(converted.messages, type=list[Raw])
    return []


class _Role(msgspec.Struct):
    role: str = ""


_decode_role = msgspec.json.Decoder(_Role).decode


def _role(message: Raw) -> str:
    return _decode_role(message).role


# --- Responses ------------------------------------------------------------------------------------


async def _with_items(
    history: History | None,
    upstream: Upstream,
    decoded: DecodedRequest,
    wanted: Recall,
    owner: str,
) -> DecodedRequest:
    """A provider of the same API gets what it keeps itself as a reference."""
    native = decoded.request.native
    assert native is not None
    is_same_api = _is_same_api(upstream, decoded)
    if history is None:
        if is_same_api:
            return decoded
        raise _not_kept(wanted)
    reader = _Reader(history, owner, decoded.provider if is_same_api else None)
    earlier: Sequence[Raw] = ()
    keeps_previous = False
    if wanted.previous_response_id is not None:
        kept = await reader.response(wanted.previous_response_id)
        if kept is None:
            if not is_same_api or call_id_of(wanted.previous_response_id) is not None:
                raise _not_found(wanted.previous_response_id)
            keeps_previous = True
        else:
            earlier = [*kept.messages, *output_items(kept.response)]
            keeps_previous = await reader.is_at_provider(wanted.previous_response_id, kept)
    found: dict[str, Raw | None] = {**await reader.items(wanted.item_ids, earlier)}
    sent = () if keeps_previous else earlier
    if is_same_api:
        sent = list(filter(stored.is_provable, sent))
        found = {
            n: item if item and stored.is_provable(item) else None for n, item in found.items()
        }
    fields = stored.complete(native.fields, sent, found, keeps_previous=keeps_previous)
    request = replace(
        decoded.request,
        messages=prompt_messages(fields),
        native=replace(native, fields=fields),
    )
    return replace(decoded, request=request, history=tuple(earlier) if keeps_previous else ())


def is_stored_response(kept: KeptReply) -> bool:
    """The client of the Responses API may ask for it again."""
    return kept.wire == OpenAIResponses.wire and bytes(kept.response) != b"null"


class _Reader:
    """Reads responses of one request's conversation, each once."""

    def __init__(self, history: History, owner: str, provider: str | None) -> None:
        """``provider`` is the name of one that may keep responses itself."""
        self._history = history
        self._owner = owner
        self._provider = provider
        self._read: dict[str, KeptReply | None] = {}

    async def response(self, name: str) -> KeptReply | None:
        """By its id, or that of one of its items; None where it is not kept."""
        key = call_id_of(name) or name
        if key not in self._read:
            kept = await self._history.reply(key, self._owner)
            self._read[key] = kept if kept is not None and is_stored_response(kept) else None
        return self._read[key]

    async def is_at_provider(self, name: str, kept: KeptReply) -> bool:
        """The provider that the request goes to gave the response this id, and keeps it."""
        if self._provider is None or call_id_of(name) or not is_kept_by_provider(kept.response):
            return False
        return await self._history.provider_of(kept.call_id, self._owner) == self._provider

    async def items(self, names: Sequence[str], earlier: Sequence[Raw]) -> dict[str, Raw]:
        """The items of these ids that are known, and that the provider does not keep itself."""
        known = {stored.head_of(item).id: item for item in earlier}
        found: dict[str, Raw] = {}
        for name in names:
            item = known.get(name)
            if item is None and (kept := await self.response(name)) is not None:
                if await self.is_at_provider(name, kept):
                    continue
                known.update(_items_by_id(kept))
                item = known.get(name)
            if item is not None:
                found[name] = item
        return found


def _items_by_id(kept: KeptReply) -> Iterator[tuple[str | None, Raw]]:
    """Those of the input without an id have the one that the gateway shows them with."""
    for place, item in enumerate(kept.messages):
        yield stored.head_of(item).id or input_id_of(kept.call_id, place), item
    for item in output_items(kept.response):
        yield stored.head_of(item).id, item


def _not_kept(recall: Recall) -> RequestError:
    if recall.previous_response_id is not None:
        return _error(f"{HOW_TO_KEEP}; or send the whole conversation as `input`.")
    message = f"{HOW_TO_KEEP}; or send the items themselves (clients do so with `store: false`)."
    return RequestError(message, param="input", code="unsupported_item")


def _not_found(name: str) -> RequestError:
    return _error(f"Previous response with id '{name}' not found.")


def _error(message: str) -> RequestError:
    """As OpenAI's API has it, whose clients send the whole conversation then."""
    code = "previous_response_not_found"
    return RequestError(message, param="previous_response_id", code=code)
