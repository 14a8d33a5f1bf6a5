"""The cache of credentials: one fetch for many callers, renewal ahead of expiry, failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headway.credentials.base import (
    EXPIRY_MARGIN_S,
    KEEP_FAILURE_S,
    REFRESH_AHEAD_S,
    REREAD_S,
    RETRY_S,
    CredentialCache,
    Credentials,
)
from headway.errors import UpstreamAuth, UpstreamError
from support.credential_fakes import NOW, SetClock

Result = float | None | Exception
"""The expiry of the credentials that a fetch returns, or what it raises."""


class Cache(CredentialCache):
    """Plays ``results``, one a fetch; the last one repeats. Each fetch waits for ``open``."""

    def __init__(self, clock: SetClock, results: list[Result]) -> None:
        super().__init__(clock)
        self.results = results
        self.fetches = 0
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self) -> Credentials:
        result = self.results[min(self.fetches, len(self.results) - 1)]
        self.fetches += 1
        number = self.fetches
        await self.open.wait()
        if isinstance(result, Exception):
            raise result
        return Credentials.of(result, key=str(number), absent=None)

    async def key(self) -> str:
        """The key now; then lets a background fetch end."""
        key = (await self.credentials())["key"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return key


def play(
    results: list[Result], check: Callable[[Cache, SetClock], Coroutine[Any, Any, None]]
) -> None:
    async def scene() -> None:
        clock = SetClock()
        await check(Cache(clock, results), clock)

    asyncio.run(scene())


def test_callers_that_wait_share_one_fetch() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        cache.open.clear()
        waiting = [asyncio.create_task(cache.credentials()) for _ in range(20)]
        await asyncio.sleep(0)
        cache.open.set()
        found = await asyncio.gather(*waiting)
        assert all(one == {"key": "1"} for one in found)
        assert await cache.credentials() is found[0]
        assert cache.fetches == 1

    play([NOW + 3600], check)


def test_cached_returns_valid_credentials_only() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        assert cache.cached() is None
        assert cache.fetches == 0
        assert await cache.credentials() is cache.cached()
        clock.now = NOW + 3600 - EXPIRY_MARGIN_S
        assert cache.cached() is None

    play([NOW + 3600], check)


def test_a_cancelled_caller_does_not_cancel_the_fetch_of_the_other_callers() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        cache.open.clear()
        first, second = (asyncio.create_task(cache.credentials()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        cache.open.set()
        assert await second == {"key": "1"}
        assert first.cancelled()

    play([NOW + 3600], check)


def test_credentials_are_renewed_in_the_background_before_they_expire() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        assert await cache.key() == "1"
        clock.now = NOW + 3600 - REFRESH_AHEAD_S - 1
        assert await cache.key() == "1"
        assert cache.fetches == 1
        clock.now += 1
        assert await cache.key() == "1"
        assert cache.fetches == 2
        assert await cache.key() == "2"

    play([NOW + 3600, NOW + 7200], check)


def test_a_caller_does_not_wait_while_old_credentials_are_valid() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        await cache.key()
        clock.now = NOW + 3600 - REFRESH_AHEAD_S
        cache.open.clear()
        assert [await cache.key() for _ in range(3)] == ["1", "1", "1"]
        assert cache.fetches == 2

    play([NOW + 3600], check)


def test_a_failed_renewal_is_tried_again_after_a_while_and_the_old_credentials_serve() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        await cache.key()
        clock.now = NOW + 3600 - REFRESH_AHEAD_S
        assert [await cache.key(), await cache.key()] == ["1", "1"]
        assert cache.fetches == 2
        clock.now += RETRY_S
        assert await cache.key() == "1"
        assert await cache.key() == "3"

    play([NOW + 3600, UpstreamError("not now"), NOW + 7200], check)


@pytest.mark.parametrize("before_the_end", [0.0, EXPIRY_MARGIN_S])
def test_a_caller_waits_where_the_credentials_are_about_to_expire(before_the_end: float) -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        await cache.key()
        clock.now = NOW + 60 - before_the_end
        assert await cache.key() == "2"

    play([NOW + 60, NOW + 7200], check)


def test_short_lived_credentials_are_not_renewed_at_every_call() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        await cache.key()
        clock.now += RETRY_S - 1
        await cache.key()
        assert cache.fetches == 1
        clock.now += 1
        await cache.key()
        assert cache.fetches == 2

    play([NOW + 60], check)


def test_credentials_without_an_expiry_are_read_again_after_a_while() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        await cache.key()
        clock.now += REREAD_S
        assert await cache.key() == "1"
        assert await cache.key() == "2"

    play([None], check)


def test_a_failure_is_kept_for_a_second() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        for _ in range(3):
            with pytest.raises(UpstreamAuth, match="refused"):
                await cache.credentials()
        assert cache.fetches == 1
        clock.now += KEEP_FAILURE_S
        assert await cache.key() == "2"

    play([UpstreamAuth("refused"), NOW + 3600], check)


def test_a_kept_failure_does_not_collect_tracebacks() -> None:
    """Each raise adds to the traceback of an exception."""

    async def check(cache: Cache, clock: SetClock) -> None:
        depths = []
        for _ in range(4):
            with pytest.raises(UpstreamAuth) as caught:
                await cache.credentials()
            depths.append(len(caught.traceback))
        assert depths[1] == depths[2] == depths[3]

    play([UpstreamAuth("refused")], check)


def test_a_clock_that_is_set_back_does_not_keep_a_failure() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        with pytest.raises(UpstreamAuth):
            await cache.credentials()
        clock.now -= 3600
        assert await cache.key() == "2"

    play([UpstreamAuth("refused"), NOW + 3600], check)


def test_a_fetch_that_is_cancelled_at_shutdown_is_not_a_failure() -> None:
    async def check(cache: Cache, clock: SetClock) -> None:
        cache.open.clear()
        waiting = asyncio.create_task(cache.credentials())
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # now the fetch waits
        assert cache._fetching is not None
        cache._fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        cache.open.set()
        assert await cache.key() == "2"

    play([NOW + 3600], check)
