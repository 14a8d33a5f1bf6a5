"""Replies that clients ask for again: stored responses of OpenAI's Responses API and stored chat
completions, where the ledger keeps content."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from headway.dialects.input_items.ids import call_id_of
from headway.dialects.openai_responses.reply_storage import input_list, whole_response
from headway.errors import InvalidField, NotFound, RequestError
from headway.pipeline.history import HOW_TO_KEEP, is_stored_response
from headway.ports import KeptReply
from headway.server.api.ledger_requests import Answer, Handler, Ledger, LedgerRequest, answer

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
"""Items of a page, as OpenAI's API has it."""
NO_IDS = ("input_tokens", "compact")
"""What stands in the place of a response's id, and is none."""
METHODS = ("GET", "HEAD", "DELETE")
READ = ("GET", "HEAD")
CANCEL = "Only a response with `background: true` can be cancelled, and the gateway has none."
WHOLE = "A stored response is given whole: leave `stream` out."


class Page(NamedTuple):
    """Which items of a list are asked for."""

    limit: int
    after: str | None
    newest_first: bool


async def response(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET`` and ``DELETE /v1/responses/{id}``."""
    query = dict(request.pairs)
    if query.get("stream", "false").lower() == "true":
        raise RequestError(WHOLE, param="stream", code="unsupported_parameter")
    kept = await _find(ledger, request, "Response", is_stored_response)
    if request.method == "DELETE":
        await _forget(ledger, kept, request)
        return answer({"id": request.argument, "object": "response", "deleted": True})
    return Answer(whole_response(kept.response, kept.parameters))


async def input_items(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /v1/responses/{id}/input_items``."""
    page = _read_page(request, "desc")
    kept = await _find(ledger, request, "Response", is_stored_response)
    try:
        return Answer(
            input_list(
                kept.call_id,
                kept.messages,
                limit=page.limit,
                after=page.after,
                newest_first=page.newest_first,
            )
        )
    except KeyError:
        raise _unknown_after() from None


async def cancel(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``POST /v1/responses/{id}/cancel``."""
    raise RequestError(CANCEL, param="response_id", code="invalid_request")


async def completion(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET`` and ``DELETE /v1/chat/completions/{id}``."""
    kept = await _find(ledger, request, "Chat completion", _is_stored_completion)
    if request.method == "DELETE":
        await _forget(ledger, kept, request)
        deleted = {"object": "chat.completion.deleted", "id": request.argument, "deleted": True}
        return answer(deleted)
    fields: dict[str, Any] = msgspec.json.decode(kept.response, type=dict[str, Raw])
    metadata = kept.parameters.get("metadata", Raw(b"null"))
    return answer({**fields, "metadata": metadata})


async def messages(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /v1/chat/completions/{id}/messages``."""
    page = _read_page(request, "asc")
    kept = await _find(ledger, request, "Chat completion", _is_stored_completion)
    rows = [_message(request.argument, place, raw) for place, raw in enumerate(kept.messages)]
    return answer(_cut(rows, page))


def _message(name: str, place: int, raw: Raw) -> dict[str, Any]:
    return {"id": f"{name}-{place}", **msgspec.json.decode(raw, type=dict[str, Raw])}


def _cut(rows: list[dict[str, Any]], page: Page) -> dict[str, Any]:
    if page.newest_first:
        rows.reverse()
    if page.after is not None:
        names = [row["id"] for row in rows]
        if page.after not in names:
            raise _unknown_after()
        rows = rows[names.index(page.after) + 1 :]
    found = rows[: page.limit]
    return {
        "object": "list",
        "data": found,
        "first_id": found[0]["id"] if found else None,
        "last_id": found[-1]["id"] if found else None,
        "has_more": len(rows) > page.limit,
    }


# --- Looking up -----------------------------------------------------------------------------------


async def _find(
    ledger: Ledger, request: LedgerRequest, what: str, is_it: Callable[[KeptReply], bool]
) -> KeptReply:
    """The reply of this id, which the key's owner has had. Raises NotFound."""
    name, history = request.argument, ledger.gateway.history
    kept = None
    if history is not None:
        kept = await history.reply(call_id_of(name) or name, request.key_id)
    if kept is not None and is_it(kept):
        return kept
    message = f"{what} with id '{name}' not found."
    if ledger.gateway.snapshot.content.mode_for(request.key_id) != "full":
        message = f"{message} {HOW_TO_KEEP}."
    param = "response_id" if what == "Response" else "completion_id"
    raise NotFound(message, param=param, code=f"{param.removesuffix('_id')}_not_found")


def _is_stored_completion(kept: KeptReply) -> bool:
    return kept.wire == "openai_chat" and bytes(kept.response) != b"null"


async def _forget(ledger: Ledger, kept: KeptReply, request: LedgerRequest) -> None:
    assert ledger.gateway.history is not None
    await ledger.gateway.history.forget(kept.call_id, request.key_id)


def _read_page(request: LedgerRequest, order: str) -> Page:
    """Raises InvalidField."""
    query = dict(request.pairs)
    limit, order = query.get("limit") or str(DEFAULT_LIMIT), query.get("order") or order
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= MAX_LIMIT):
        message = f"`limit` must be a whole number from 1 to {MAX_LIMIT}."
        raise InvalidField(message, param="limit", status=400)
    if order not in ("asc", "desc"):
        raise InvalidField("`order` must be asc or desc.", param="order", status=400)
    return Page(int(limit), query.get("after") or None, order == "desc")


def _unknown_after() -> InvalidField:
    return InvalidField("`after` must be the id of an item of the list.", param="after", status=400)


# --- Routes ---------------------------------------------------------------------------------------

ROUTES: Mapping[str, tuple[Handler, tuple[str, ...]]] = {
    "/v1/responses/{id}": (response, METHODS),
    "/v1/responses/{id}/input_items": (input_items, READ),
    "/v1/responses/{id}/cancel": (cancel, ("POST",)),
    "/v1/chat/completions/{id}": (completion, METHODS),
    "/v1/chat/completions/{id}/messages": (messages, READ),
}
"""By the template of the path. Each is below ``/openai`` as well."""
PATTERNS = [
    (re.compile(f"(?:/openai)?{template.replace('{id}', '([^/]+)')}"), *route)
    for template, route in ROUTES.items()
]


def find(path: str) -> tuple[Handler, tuple[str, ...], str] | None:
    """The handler of a path, its methods, and the id in it; None for a path of none of these."""
    for pattern, handler, methods in PATTERNS:
        found = pattern.fullmatch(path)
        if found is not None and found[1] not in NO_IDS:
            return handler, methods, found[1]
    return None
