"""Stored chat completions
(developers.openai.com/api/reference/resources/chat/subresources/completions)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from headway.dialects.base import decode_object
from headway.errors import InvalidField
from headway.ledger.store import Store, StoredReply
from headway.ports import KeptReply
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer
from headway.server.api.list_pages import cut, make_list, read_page, unknown_after
from headway.server.api.stored_reply_lookup import find_reply, forget

WIRE = "openai_chat"
WHAT = "Chat completion"
MAX_PAIRS, MAX_KEY, MAX_VALUE = 16, 64, 512
"""Of metadata: pairs, and characters."""
AT_ONCE = 200
"""Completions that are compared with a filter together."""
NULL = Raw(b"null")
_FILTER = re.compile(r"metadata\[(.*)\]")


async def completion(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET``, ``POST`` and ``DELETE /v1/chat/completions/{id}``."""
    metadata = _read_metadata(request.body) if request.method == "POST" else None
    kept = await find_reply(ledger, request, WHAT, _is_stored)
    if request.method == "DELETE":
        await forget(ledger, kept, request)
        deleted = {"object": "chat.completion.deleted", "id": request.argument, "deleted": True}
        return answer(deleted)
    parameters = kept.parameters
    if metadata is not None:
        value = None if bytes(metadata) == b"null" else metadata
        await ledger.reader.ask(
            lambda store: store.set_parameter(kept.call_id, "metadata", value, request.key_id)
        )
        parameters = {"metadata": metadata}
    return answer(_describe(kept.response, parameters))


async def messages(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /v1/chat/completions/{id}/messages``."""
    page = read_page(request, "asc")
    kept = await find_reply(ledger, request, WHAT, _is_stored)
    rows = [_message(request.argument, place, raw) for place, raw in enumerate(kept.messages)]
    return answer(cut(rows[::-1] if page.newest_first else rows, page))


async def completions(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /v1/chat/completions``."""
    page, after = read_page(request, "asc"), None
    question = Question(request.key_id, page.newest_first, *_read_filters(request))
    if page.after is not None:
        history = ledger.gateway.history
        last = None if history is None else await history.reply(page.after, request.key_id)
        if last is None or not _is_stored(last):
            raise unknown_after()
        after = last.call_id
    await ledger.reader.catch_up()
    found: list[StoredReply] = []
    while len(found) <= page.limit:
        replies, chosen = await ledger.reader.ask(partial(question.ask, after=after))
        found += chosen
        if len(replies) < AT_ONCE:
            break
        after = replies[-1].call_id
    rows = [_describe(each.response, each.parameters) for each in found]
    return answer(make_list(rows, page.limit))


class Question(NamedTuple):
    """What completions are asked for."""

    owner: str
    newest_first: bool
    model: str | None
    metadata: Mapping[str, str]

    async def ask(
        self, store: Store, after: str | None
    ) -> tuple[Sequence[StoredReply], list[StoredReply]]:
        """Some completions after one of them, and those of them that are meant."""
        replies = await store.stored_replies(
            WIRE, self.owner, after=after, newest_first=self.newest_first, limit=AT_ONCE
        )
        chosen = [each for each in replies if self._has_metadata(each)]
        if self.model is not None:
            chosen = [each for each in chosen if await self._is_of_model(store, each)]
        return replies, chosen

    def _has_metadata(self, reply: StoredReply) -> bool:
        metadata = msgspec.json.decode(reply.parameters.get("metadata", NULL)) or {}
        return isinstance(metadata, dict) and self.metadata.items() <= metadata.items()

    async def _is_of_model(self, store: Store, reply: StoredReply) -> bool:
        """By the name in the completion, or by that in the request, which the record has."""
        if msgspec.json.decode(reply.response, type=dict[str, Any]).get("model") == self.model:
            return True
        call = await store.call(reply.call_id, self.owner)
        if call is None:
            return False
        return self.model in (call.last.model, f"{call.last.provider}/{call.last.model}")


def _read_filters(request: LedgerRequest) -> tuple[str | None, Mapping[str, str]]:
    """The model and the metadata. Raises InvalidField."""
    known = ("limit", "order", "after", "model")
    metadata = {}
    for name, value in request.pairs:
        match = _FILTER.fullmatch(name)
        if match is not None:
            metadata[match[1]] = value
        elif name not in known:
            names = ", ".join(f"`{each}`" for each in (*known, "metadata[key]"))
            message = f"`{name[:40]}` is no parameter of this list; there are {names}."
            raise InvalidField(message, param=name, status=400)
    return dict(request.pairs).get("model") or None, metadata


def _read_metadata(body: bytes) -> Raw:
    """Raises InvalidBody, InvalidField."""
    fields = decode_object(body)
    for name in fields:
        if name != "metadata":
            message = f"`{name[:40]}` cannot be changed: only `metadata` can."
            raise InvalidField(message, param=name, status=400)
    message = (
        f"`metadata` must be null, or an object of at most {MAX_PAIRS} texts: names up to "
        f"{MAX_KEY} characters, values up to {MAX_VALUE}."
    )
    wrong = InvalidField(message, param="metadata", status=400)
    if "metadata" not in fields:
        raise wrong
    try:
        pairs = msgspec.json.decode(fields["metadata"], type=dict[str, str] | None) or {}
    except msgspec.ValidationError:
        raise wrong from None
    is_long = any(len(key) > MAX_KEY or len(value) > MAX_VALUE for key, value in pairs.items())
    if is_long or len(pairs) > MAX_PAIRS:
        raise wrong
    return fields["metadata"]


def _describe(response: Raw, parameters: Mapping[str, Raw]) -> dict[str, Any]:
    fields = msgspec.json.decode(response, type=dict[str, Any])
    return {**fields, "metadata": parameters.get("metadata", NULL)}


def _message(name: str, place: int, raw: Raw) -> dict[str, Any]:
    return {"id": f"{name}-{place}", **msgspec.json.decode(raw, type=dict[str, Raw])}


def _is_stored(kept: KeptReply) -> bool:
    return kept.wire == WIRE and bytes(kept.response) != b"null"
