"""Find the call that a user means by a shortened id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headway.cli.errors import ERROR_REPLY, CommandError

if TYPE_CHECKING:
    from headway.cli.ledger_access import Ledger
    from headway.ledger.store import Call
    from headway.record import Record

SEARCHED = 5000
"""The latest calls, in which a shortened id is looked for."""
SHORTEST_ID = 4


async def find_call(ledger: Ledger, call_id: str | None) -> Call | None:
    """The call with that id or request id, or the only recent one whose id begins so. Without an
    id the latest call, or None. Raises CommandError where there is none, or more than one."""
    from headway.ledger import call_lookup
    from headway.ledger.store import Filter

    if call_id is None:
        latest = (await ledger.store.logs(Filter(), limit=1)).rows
        return await ledger.store.call(_id_of(latest[0].last)) if latest else None
    found = await call_lookup.find_call(ledger.store, call_id)
    if found is not None:
        return found
    matches = await _search(ledger, call_id) if len(call_id) >= SHORTEST_ID else []
    if len(matches) > 1:
        listed = "\n".join(matches[:10])
        raise CommandError(
            f"{len(matches)} calls have an id that begins with {call_id}",
            details=listed,
            hint="give more characters of the one that is meant",
            code=ERROR_REPLY,
        )
    if not matches:
        raise CommandError(
            f"there is no call {call_id}",
            hint="`headway logs` lists the latest calls; a shortened id is looked for in the last "
            f"{SEARCHED:,},\nwhole ids, which --json shows, in all",
            code=ERROR_REPLY,
        )
    return await ledger.store.call(matches[0])


async def _search(ledger: Ledger, prefix: str) -> list[str]:
    from headway.ledger.store import MAX_LIMIT, Filter

    found: list[str] = []
    cursor = None
    for _ in range(SEARCHED // MAX_LIMIT):
        page = await ledger.store.logs(Filter(), limit=MAX_LIMIT, cursor=cursor)
        ids = [_id_of(row.last) for row in page.rows]
        found += [each for each in ids if each.startswith(prefix.lower())]
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _id_of(record: Record) -> str:
    return record.call_id or record.id
