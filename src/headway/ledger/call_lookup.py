"""Find a call by any id that its client may have of it."""

from __future__ import annotations

from headway.ledger.store import Call, Store
from headway.record import call_id_in


async def find_call(store: Store, name: str, owner: str | None = None) -> Call | None:
    """The call with this id, or whose reply or request has it. Raises StoreError."""
    found = await store.call(name, owner)
    if found is None and (call_id := call_id_in(name)) is not None:
        return await store.call(call_id, owner)
    return found
