"""One suite for all caches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.ports import CachedResponse, ResponseCache
from headway.response_cache.memory import ENTRY_BYTES, MemoryCache
from headway.response_cache.sqlite import SqliteCache

LIMIT = 10_000
Make = Callable[[], ResponseCache]


def response(body: bytes = b"Hello", expires: float = 100.0, stored: float = 0.0) -> CachedResponse:
    return CachedResponse(
        provider="openai",
        model="gpt-4o",
        stored=stored,
        expires=expires,
        status=200,
        headers=((b"content-type", b"application/json"),),
        pieces=(body,),
        times=(0.25,),
        reply_id="c-1",
    )


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "memory":
        return lambda: MemoryCache(LIMIT)
    path = tmp_path / "cache" / "responses.db"
    return lambda: SqliteCache(path, limit=LIMIT, memory_limit=LIMIT)


def test_what_was_put_is_found_until_it_expires(make: Make) -> None:
    async def run() -> None:
        cache = make()
        assert cache.get(b"k", 1.0) is None
        assert await cache.load(b"k", 1.0) is None
        cache.put(b"k", response())
        assert cache.get(b"k", 99.9) == response()
        assert await cache.load(b"k", 99.9) == response()
        assert cache.get(b"k", 100.0) is None
        assert await cache.load(b"k", 100.0) is None
        assert cache.get(b"other", 1.0) is None
        await cache.close()

    asyncio.run(run())


def test_a_later_response_replaces_an_earlier_one(make: Make) -> None:
    async def run() -> None:
        cache = make()
        cache.put(b"k", response(b"one"))
        cache.put(b"k", response(b"two"))
        assert cache.get(b"k", 1.0) == response(b"two")
        await cache.close()

    asyncio.run(run())


def test_a_response_larger_than_the_cache_is_not_kept(make: Make) -> None:
    async def run() -> None:
        cache = make()
        cache.put(b"k", response(b"x" * LIMIT))
        assert cache.get(b"k", 1.0) is None
        await cache.close()

    asyncio.run(run())


def test_memory_forgets_what_was_not_used_for_longest() -> None:
    cache = MemoryCache(3 * (ENTRY_BYTES + 5))
    for key in (b"a", b"b", b"c"):
        cache.put(key, response())
    assert cache.get(b"a", 1.0) is not None
    cache.put(b"d", response())
    assert [key for key in (b"a", b"b", b"c", b"d") if cache.get(key, 1.0)] == [b"a", b"c", b"d"]
    assert len(cache) == 3
    assert cache.size == 3 * (ENTRY_BYTES + 5)
    assert cache.get(b"a", 100.0) is None
    assert cache.size == 2 * (ENTRY_BYTES + 5)


def new_file(path: Path, limit: int = LIMIT) -> SqliteCache:
    return SqliteCache(path, limit=limit, memory_limit=LIMIT)


def test_workers_share_a_file_that_outlives_them(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "responses.db"
        first, second = new_file(path), new_file(path)
        first.put(b"k", response())
        await first.close()
        assert second.get(b"k", 1.0) is None
        assert await second.load(b"k", 1.0) == response()
        assert second.get(b"k", 1.0) == response()
        await second.close()
        assert path.stat().st_mode & 0o077 == 0

    asyncio.run(run())


def test_a_file_that_is_too_large_loses_its_oldest_responses(tmp_path: Path) -> None:
    async def run() -> None:
        path, body = tmp_path / "responses.db", b"x" * 1000
        cache = SqliteCache(path, limit=100_000, memory_limit=1)
        for number in range(193):
            cache.put(b"%d" % number, response(body, expires=1e9, stored=float(number)))
        await cache.close()
        cache = new_file(path)
        assert await cache.load(b"0", 1.0) is None
        assert await cache.load(b"192", 1.0) is not None
        await cache.close()

    asyncio.run(run())


def test_expired_responses_leave_the_file(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "responses.db"
        cache = new_file(path)
        cache.put(b"old", response(expires=5.0))
        await cache.close()
        cache = new_file(path)
        cache.put(b"new", response(expires=100.0, stored=50.0))
        await cache.close()
        cache = new_file(path)
        assert await cache.load(b"old", 1.0) is None
        await cache.close()

    asyncio.run(run())


def test_a_file_that_fails_has_nothing_and_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        path = tmp_path / "responses.db"
        path.write_bytes(b"this is no database" * 100)
        cache = new_file(path)
        cache.put(b"k", response())
        assert await cache.load(b"other", 1.0) is None
        assert cache.get(b"k", 1.0) == response(), "memory still works"
        await cache.close()

    asyncio.run(run())
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "responses.db" in caplog.text


def test_a_file_of_another_version_is_emptied(tmp_path: Path) -> None:
    import apsw

    path = tmp_path / "responses.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE responses (other TEXT)")
    connection.pragma("user_version", 99)
    connection.close()

    async def run() -> None:
        cache = new_file(path)
        cache.put(b"k", response())
        await cache.close()
        cache = new_file(path)
        assert await cache.load(b"k", 1.0) == response()
        await cache.close()

    asyncio.run(run())
