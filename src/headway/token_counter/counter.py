"""Counts tokens in a process of its own, started when the first count is due.

Loading a vocabulary takes a tenth of a second or more and holds the interpreter's lock all the
while, also in a thread: every stream of this worker would stand still. A long text takes as long.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import without_line_breaks

log = logging.getLogger("headway")
UNKNOWN = (None, None)


class Question(Struct, array_like=True):
    """``messages`` is the chat as JSON, ``produced`` the text of the answer."""

    model: str
    messages: Raw
    produced: str


class Numbers(Struct, array_like=True):
    prompt: int
    produced: int


MOST_WAITING = 256
"""Questions at once. Each keeps a whole exchange alive, and its record off the disk: clients that
leave by the thousand must not fill the memory."""


class TokenCounter:
    """One child, asked one question at a time. It goes when this process does, whatever ends it:
    its input closes."""

    def __init__(self) -> None:
        self._child: Process | None = None
        self._turn = asyncio.Lock()
        self._asked: set[asyncio.Task[Numbers]] = set()
        self._is_over = False

    async def count(
        self, model: str, messages: bytes, produced: str
    ) -> tuple[int | None, int | None]:
        """Tokens of the prompt and of the answer. A child that died is replaced, once; what could
        not be counted is unknown, for an answer that was paid for still goes to its caller."""
        if self._is_over or len(self._asked) >= MOST_WAITING:
            return UNKNOWN
        text = produced.encode(errors="replace").decode()
        line = (
            without_line_breaks(msgspec.json.encode(Question(model, Raw(messages), text))) + b"\n"
        )
        task = asyncio.ensure_future(self._ask(line))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        try:
            numbers = await task
        except asyncio.CancelledError:  # by ``give_up``
            return UNKNOWN
        except (OSError, EOFError, msgspec.DecodeError) as exc:
            log.error("tokens could not be counted, so they are unknown: %s", exc)
            return UNKNOWN
        return numbers.prompt, numbers.produced

    def give_up(self) -> None:
        """Whatever is not counted by now is unknown: there is no time left to wait for it."""
        self._is_over = True
        for task in self._asked:
            task.cancel()

    async def close(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            child.kill()
            await child.wait()

    async def _ask(self, line: bytes) -> Numbers:
        async with self._turn:
            try:
                return await self._ask_once(line)
            except (OSError, EOFError, msgspec.DecodeError):
                await self.close()
                return await self._ask_once(line)

    async def _ask_once(self, line: bytes) -> Numbers:
        child = self._child
        if child is None or child.returncode is not None:
            # In a session of its own: Ctrl-C is for us; running answers are still to be counted.
            child = self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", __name__, stdin=PIPE, stdout=PIPE, start_new_session=True
            )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(line)
        await child.stdin.drain()
        answer = await child.stdout.readline()
        if not answer:
            raise EOFError("the process that counts tokens ended")
        return msgspec.json.decode(answer, type=Numbers)


def answer(line: bytes) -> bytes:
    """One question answered, as the child does it: the only one that needs the tokenizer."""
    from headway.metering import tokens

    question = msgspec.json.decode(line, type=Question)
    prompt = tokens.count_messages(msgspec.json.decode(question.messages), question.model)
    produced = tokens.count(question.produced, question.model)
    return msgspec.json.encode(Numbers(prompt.tokens, produced.tokens)) + b"\n"


def main() -> None:
    """Answers until its input ends."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(answer(line))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
