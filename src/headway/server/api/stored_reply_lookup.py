"""Finds replies that clients ask for again, where the ledger keeps content."""

from __future__ import annotations

from collections.abc import Callable

from headway.dialects.input_items.ids import call_id_of
from headway.errors import NotFound
from headway.pipeline.history import HOW_TO_KEEP
from headway.ports import KeptReply
from headway.server.api.ledger_requests import Ledger, LedgerRequest


async def find_reply(
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


async def forget(ledger: Ledger, kept: KeptReply, request: LedgerRequest) -> None:
    assert ledger.gateway.history is not None
    await ledger.gateway.history.forget(kept.call_id, request.key_id)
