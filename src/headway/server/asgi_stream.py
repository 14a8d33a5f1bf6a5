"""Sends a streamed answer through ASGI, and stops when the client disconnects."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from headway.errors import HeadwayError
from headway.pipeline.failure_log import log_failure
from headway.server.api.ledger_requests import Answer
from headway.server.asgi_types import BREAK_OFF, Receive, Scope, Send


async def stream(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """The next piece is made when the client has taken the one before. A failure breaks the
    response off, so that the client sees that it is not complete."""
    assert not isinstance(answer.body, bytes)
    headers = [(b"content-type", answer.content_type), *answer.headers]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b""})
        return
    gone = asyncio.Event()
    watcher = asyncio.ensure_future(_watch(receive, gone))
    try:
        async with aclosing(answer.body(gone)) as pieces:
            async for piece in pieces:
                if gone.is_set():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except OSError:  # since ASGI 2.4 how servers say that the client left
        return
    except HeadwayError as error:
        log_failure("response broken off", error, path=scope["path"])
        if BREAK_OFF not in scope.get("extensions", ()):
            raise RuntimeError(error.message) from error  # so that the server breaks it off
        await send({"type": BREAK_OFF})
    finally:
        watcher.cancel()


async def _watch(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
