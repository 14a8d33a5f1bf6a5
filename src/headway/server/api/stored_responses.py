"""Stored responses of OpenAI's Responses API."""

from __future__ import annotations

from headway.dialects.openai_responses.reply_storage import input_list, whole_response
from headway.errors import RequestError
from headway.pipeline.history import is_stored_response
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest, answer
from headway.server.api.list_pages import read_page, unknown_after
from headway.server.api.stored_reply_lookup import find_reply, forget

CANCEL = "Only a response with `background: true` can be cancelled, and the gateway has none."
WHOLE = "A stored response is given whole: leave `stream` out."


async def response(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET`` and ``DELETE /v1/responses/{id}``."""
    query = dict(request.pairs)
    if query.get("stream", "false").lower() == "true":
        raise RequestError(WHOLE, param="stream", code="unsupported_parameter")
    kept = await find_reply(ledger, request, "Response", is_stored_response)
    if request.method == "DELETE":
        await forget(ledger, kept, request)
        return answer({"id": request.argument, "object": "response", "deleted": True})
    return Answer(whole_response(kept.response, kept.parameters))


async def input_items(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``GET /v1/responses/{id}/input_items``."""
    page = read_page(request, "desc")
    kept = await find_reply(ledger, request, "Response", is_stored_response)
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
        raise unknown_after() from None


async def cancel(ledger: Ledger, request: LedgerRequest) -> Answer:
    """``POST /v1/responses/{id}/cancel``."""
    raise RequestError(CANCEL, param="response_id", code="invalid_request")
