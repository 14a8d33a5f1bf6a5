"""A call that is over is freed at once: no reference cycle is left for the garbage collector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from headway.errors import ShuttingDown, UpstreamAuth, UpstreamDisconnected
from headway.pipeline.cache_policy import CachePolicy
from headway.response_cache.memory import MemoryCache
from headway.routing.route import Hedging, Limits, Shadow
from support.for_each import for_each
from support.garbage import collect_garbage
from support.pipeline_fakes import DONE, HELLO, ROLE, STOP, WHOLE, Gate, Pipe, text
from support.routed_pipe import RoutedPipe, target


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


def test_a_request_that_is_answered_from_the_cache_leaves_nothing_for_the_collector() -> None:
    pipe = Pipe()
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, cache=CachePolicy(ttl_s=60.0))
    pipe.gateway.response_cache = MemoryCache(1_000_000)
    reported(pipe)
    for _ in range(3):  # the response is read, and then known
        pipe.transport.upstream_requests.clear()
        collect_garbage()
        pipe.ask_openai()
        assert pipe.transport.upstream_requests == []
    del pipe.call
    assert collect_garbage() == 0


# --- Calls of routes ------------------------------------------------------------------------------


def routed(pipe: RoutedPipe) -> None:
    pipe.ask_route(stream=True)
    pipe.asked("one").stream(HELLO)


def failed_over(pipe: RoutedPipe) -> None:
    pipe.ask_route()
    pipe.asked("one").whole(b"{}", 500)
    pipe.asked("two").whole(WHOLE)


def exhausted(pipe: RoutedPipe) -> None:
    pipe.ask_route()
    for name in ("one", "two", "three"):
        pipe.asked(name).whole(b"{}", 500)


def hedged(pipe: RoutedPipe) -> None:
    state = pipe.gateway.routing_state
    for _ in range(40):
        state.target("one/m-one").streams.observe(1.0, pipe.clock())
    state.hedge_budget("smart", 1.0).tokens = 1.0
    pipe.ask_route(stream=True)
    pipe.advance(2.0)
    assert pipe.requests[1] == 1
    pipe.asked("two").stream(HELLO)


def left_by_its_client(pipe: RoutedPipe) -> None:
    pipe.ask_route(stream=True)
    pipe.sink.leave()


def late(pipe: RoutedPipe) -> None:
    pipe.ask_route()
    pipe.advance(61.0)


ROUTED_ENDINGS: dict[str, Callable[[RoutedPipe], None]] = {
    "answered": routed,
    "answered by the second target": failed_over,
    "no target left": exhausted,
    "hedged": hedged,
    "the client left": left_by_its_client,
    "the time is over": late,
}


@for_each("ending", ROUTED_ENDINGS)
def test_a_request_of_a_route_leaves_nothing_for_the_collector(ending: str) -> None:
    pipe = RoutedPipe(
        hedging=Hedging(max_share=1.0),
        limits=Limits(time_to_first_token=30.0, idle=5.0, total=60.0),
        shadow=Shadow(target=target("three"), share=1.0),
    )
    for _ in range(2):
        collect_garbage()
        ROUTED_ENDINGS[ending](pipe)
        for copy in pipe.sent_to("three"):
            copy.fail(UpstreamDisconnected("It broke."))
        assert pipe.gateway.active == set()
        assert pipe.pending_timers == []
        pipe.timers.clear()
        for transport in pipe.transports.values():
            transport.upstream_requests.clear()
        pipe.clock.now += 1000.0
    del pipe.call
    assert collect_garbage() == 0
