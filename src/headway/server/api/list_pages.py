"""Pages of lists, as OpenAI's API has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from headway.errors import InvalidField
from headway.server.api.ledger_requests import LedgerRequest

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
"""Items of a page."""


class Page(NamedTuple):
    """Which items of a list are asked for."""

    limit: int
    after: str | None
    newest_first: bool


def read_page(request: LedgerRequest, order: str) -> Page:
    """Raises InvalidField."""
    query = dict(request.pairs)
    limit, order = query.get("limit") or str(DEFAULT_LIMIT), query.get("order") or order
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= MAX_LIMIT):
        message = f"`limit` must be a whole number from 1 to {MAX_LIMIT}."
        raise InvalidField(message, param="limit", status=400)
    if order not in ("asc", "desc"):
        raise InvalidField("`order` must be asc or desc.", param="order", status=400)
    return Page(int(limit), query.get("after") or None, order == "desc")


def unknown_after() -> InvalidField:
    return InvalidField("`after` must be the id of an item of the list.", param="after", status=400)


def cut(rows: Sequence[dict[str, Any]], page: Page) -> dict[str, Any]:
    """The page of ``rows``, which are in the order asked for and have an ``id`` each."""
    if page.after is not None:
        names = [row["id"] for row in rows]
        if page.after not in names:
            raise unknown_after()
        rows = rows[names.index(page.after) + 1 :]
    return make_list(rows, page.limit)


def make_list(rows: Sequence[Any], limit: int) -> dict[str, Any]:
    """``rows`` are those of the page, and one more where there are more."""
    found = rows[:limit]
    return {
        "object": "list",
        "data": found,
        "first_id": found[0]["id"] if found else None,
        "last_id": found[-1]["id"] if found else None,
        "has_more": len(rows) > limit,
    }
