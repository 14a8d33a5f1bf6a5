"""``GET /api/export``: the records of all attempts as a file, streamed. ``POST`` converts rows that
the client sends, for clients of LLMstudio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from headway.errors import RequestError
from headway.ledger import export
from headway.ledger.export import MEDIA_TYPES
from headway.ledger.parquet import MissingLibraryError
from headway.server.api.ledger_requests import Answer, Ledger, LedgerRequest
from headway.server.api.tracker_routes import export_rows

NOT_IMPLEMENTED = 501


async def export_or_convert(ledger: Ledger, request: LedgerRequest) -> Answer:
    if request.method == "POST":
        return await export_rows(ledger, request)
    return await export_records(ledger, request)


async def export_records(ledger: Ledger, request: LedgerRequest) -> Answer:
    """Raises RequestError for a format whose library is not installed."""
    query = request.read(takes=("format",))
    where, kind = query.where, query.format
    try:
        export.check(kind)
    except MissingLibraryError as error:
        raise RequestError(f"{error}.", param="format", status=NOT_IMPLEMENTED) from None
    await ledger.reader.ask(lambda store: store.attempts(where, limit=1))  # fails before the reply

    def pieces(gone: asyncio.Event) -> AsyncGenerator[bytes, None]:
        return ledger.reader.each(lambda store: export.export(store, where, kind, request.now))

    time = datetime.fromtimestamp(request.now, UTC).strftime("%Y%m%dT%H%M%SZ")
    disposition = f'attachment; filename="headway-records-{time}.{kind}"'
    headers = [(b"content-disposition", disposition.encode())]
    return Answer(pieces, MEDIA_TYPES[kind].encode(), headers)
