"""Counts tokens in a separate process, which is started for the first count.

Loading a vocabulary takes a tenth of a second or more and holds the interpreter's lock all that
time, also in a thread: every stream of this worker would stop. A long text takes as long.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process

import msgspec
from msgspec import Raw

from headway.dialects.base import without_line_breaks
from headway.token_counter.protocol import CountRequest, TokenCounts

log = logging.getLogger("headway")
UNKNOWN = (None, None)
WAITING_LIMIT = 256
"""Counts at once. Each keeps a whole call in memory, and its record off the disk: many clients that
leave at once must not fill the memory."""


class TokenCounter:
    """One child process, which handles one request at a time. It exits when this process exits, for
    any reason, because its standard input closes."""

    def __init__(self) -> None:
        self._child: Process | None = None
        self._lock = asyncio.Lock()
        self._counts: set[asyncio.Task[TokenCounts]] = set()
        self._has_given_up = False

    async def count(
        self, model: str, messages: bytes, output: str
    ) -> tuple[int | None, int | None]:
        """Tokens of ``messages`` (JSON) and of ``output``. A child that died is replaced once.
        Counts that fail are None: the client gets the reply, which was paid for, without them.
        """
        if self._has_given_up or len(self._counts) >= WAITING_LIMIT:
            return UNKNOWN
        text = output.encode(errors="replace").decode()
        request = msgspec.json.encode(CountRequest(model, Raw(messages), text))
        task = asyncio.ensure_future(self._send(without_line_breaks(request) + b"\n"))
        self._counts.add(task)
        task.add_done_callback(self._counts.discard)
        try:
            counted = await task
        except asyncio.CancelledError:  # by ``give_up``
            return UNKNOWN
        except (OSError, EOFError, msgspec.DecodeError) as exc:
            log.error("tokens could not be counted, so they are unknown: %s", exc)
            return UNKNOWN
        return counted.input, counted.output

    def give_up(self) -> None:
        """Return None for every count in progress, and for every later one."""
        self._has_given_up = True
        for task in self._counts:
            task.cancel()

    async def close(self) -> None:
        """Kill the child process."""
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            child.kill()
            await child.wait()

    async def _send(self, line: bytes) -> TokenCounts:
        async with self._lock:
            try:
                return await self._send_once(line)
            except (OSError, EOFError, msgspec.DecodeError):
                await self.close()
                return await self._send_once(line)

    async def _send_once(self, line: bytes) -> TokenCounts:
        child = self._child
        if child is None or child.returncode is not None:
            # In its own session, so that Ctrl-C does not stop it: replies in progress must still be
            # counted.
            child = self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "headway.token_counter.worker"),
                stdin=PIPE,
                stdout=PIPE,
                start_new_session=True,
            )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(line)
        await child.stdin.drain()
        reply = await child.stdout.readline()
        if not reply:
            raise EOFError("the process that counts tokens ended")
        return msgspec.json.decode(reply, type=TokenCounts)
