"""A call that is over is freed at once: no reference cycle is left for the garbage collector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.errors import ShuttingDown, UpstreamAuth
from support.for_each import for_each
from support.garbage import collect_garbage
from support.pipeline_fakes import DONE, HELLO, ROLE, STOP, WHOLE, Gate, Pipe, text


class Credentials:
    def __init__(self, error: Exception | None = None, waits: bool = False) -> None:
        self.error = error
        self.gate: Gate[None] = Gate()
        if not waits:
            self.gate.set(None)

    def cached(self) -> None:
        """Nothing is cached."""

    async def credentials(self) -> dict[str, str]:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return {"access_token": "t"}


def reported(pipe: Pipe) -> None:
    pipe.ask_openai()
    pipe.upstream.whole(WHOLE)


def streamed(pipe: Pipe) -> None:
    pipe.ask_openai(stream=True)
    pipe.upstream.stream(HELLO)


def counted(pipe: Pipe) -> None:
    pipe.ask()
    pipe.upstream.stream(ROLE + text("Hello") + STOP + DONE)


def refused(pipe: Pipe) -> None:
    pipe.ask(temperature=3)


def failed(pipe: Pipe) -> None:
    pipe.ask()
    pipe.upstream.whole(b"{}", 500)


def broken(pipe: Pipe) -> None:
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.upstream.end()


def retried(pipe: Pipe) -> None:
    pipe.ask(retries=1)
    pipe.upstream.whole(b"{}", 500)
    pipe.upstream.stream(HELLO)


def left(pipe: Pipe) -> None:
    pipe.ask(is_stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.sink.leave()


def aborted(pipe: Pipe) -> None:
    pipe.ask()
    pipe.abort(ShuttingDown("It must go."))


# how the call ends, and its credential source
ENDINGS: dict[str, tuple[Callable[[Pipe], None], Callable[[], Any]]] = {
    "reported": (reported, lambda: None),
    "streamed": (streamed, lambda: None),
    "counted": (counted, lambda: None),
    "refused": (refused, lambda: None),
    "failed": (failed, lambda: None),
    "broken in the middle": (broken, lambda: None),
    "retried": (retried, lambda: None),
    "the client left": (left, lambda: None),
    "aborted": (aborted, lambda: None),
    "credentials": (reported, Credentials),
    "no credentials": (
        lambda pipe: pipe.ask(),
        lambda: Credentials(UpstreamAuth("No.")),
    ),
    "aborted while it waits": (aborted, lambda: Credentials(waits=True)),
}


@for_each("ending", ENDINGS)
def test_a_request_leaves_nothing_for_the_collector(ending: str) -> None:
    play, make_credentials = ENDINGS[ending]
    credentials = make_credentials()
    needs = {} if credentials is None else {"needs_key": False, "api_key": None}
    pipe = Pipe(credentials=credentials, **needs)
    for _ in range(2):
        collect_garbage()
        play(pipe)
        assert pipe.sink.got or ending == "the client left"
        assert pipe.gateway.active == set()
        pipe.transport.upstream_requests.clear()
    del pipe.call
    assert collect_garbage() == 0
    if ending == "aborted while it waits":
        credentials.gate.set(None)
        assert pipe.gateway.background_tasks == set()
