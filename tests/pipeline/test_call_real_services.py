"""Await a real PostgreSQL and a real Redis inside a call, in ``asyncio.timeout`` and ``TaskGroup``:
what the pipeline awaits may use any asyncio library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop
from msgspec.structs import replace

from headway.errors import UpstreamAuth
from headway.providers.openai import provider as openai
from headway.providers.openai import request as openai_request
from headway.types import HttpRequest, Request, Target
from support.lazy_import import lazy_import
from support.pipeline_fakes import DONE, HELLO, ROLE, STOP, Pipe, text
from support.services import postgresql, redis_server
from support.waiting import PATIENCE_S

asyncpg = lazy_import("asyncpg")
redis = lazy_import("redis")

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(scope="module")
def cache() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.param  # type: ignore[no-any-return]


async def query(database: str, statement: str) -> Any:
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def increment(cache: str, key: str) -> int:
    async with redis.asyncio.Redis.from_url(cache) as client:
        return int(await client.incr(key))


class StoredCredentials:
    """A ``ports.CredentialSource`` that asks both servers at once, for at most ``limit_s``."""

    def __init__(self, database: str, cache: str, statement: str, limit_s: float = 10.0) -> None:
        self.database, self.cache = database, cache
        self.statement = statement
        self.limit_s = limit_s
        self.asking = asyncio.Event()
        self.calls = 0

    def cached(self) -> None:
        """Nothing is cached."""

    async def credentials(self) -> dict[str, str]:
        self.asking.set()
        try:
            async with asyncio.timeout(self.limit_s), asyncio.TaskGroup() as group:
                token = group.create_task(query(self.database, self.statement))
                calls = group.create_task(increment(self.cache, "calls"))
        except TimeoutError:
            raise UpstreamAuth("The database did not answer in time.") from None
        self.calls = calls.result()
        return {"access_token": token.result()}


class StoredAddress:
    """A ``ports.Launcher`` whose address is in Redis."""

    def __init__(self, cache: str) -> None:
        self.cache = cache

    async def base_url(self) -> str:
        async with asyncio.timeout(PATIENCE_S), redis.asyncio.Redis.from_url(self.cache) as client:
            await client.set("address", "http://10.1.2.3:7/v1")
            return str((await client.get("address")).decode())

    async def close(self) -> None:
        """Nothing to stop."""


def pipe_with(source: StoredCredentials, targets: list[Target]) -> Pipe:
    def encode(request: Request, target: Target) -> HttpRequest:
        targets.append(target)
        return openai_request.encode_request(request, target)  # type: ignore[arg-type]

    provider = replace(openai.PROVIDER, encode_request=encode)
    return Pipe(provider=provider, credentials=source, needs_key=False, api_key=None)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


def test_a_database_and_a_redis_are_awaited_from_inside_the_pipeline(
    run: Run, database: str, cache: str
) -> None:
    async def main() -> None:
        source = StoredCredentials(database, cache, "SELECT 'token-' || 6 * 7")
        targets: list[Target] = []
        pipe = pipe_with(source, targets)
        pipe.ask()
        await until(lambda: pipe.upstream_requests)
        assert targets[0].credentials == {"access_token": "token-42"}
        assert source.calls >= 1
        pipe.upstream.stream(HELLO)
        assert pipe.sink.json["chat_output"] == "Hello!"
        assert pipe.records[0].outcome == "ok"

    run(main())


def test_an_address_from_redis_is_awaited(run: Run, cache: str) -> None:
    async def main() -> None:
        launcher = StoredAddress(cache)
        pipe = Pipe(base_url=None, launcher=launcher, api_key=None, needs_key=False)
        pipe.ask()
        await until(lambda: pipe.upstream_requests)
        assert pipe.upstream.request.url.host == "10.1.2.3"

    run(main())


def test_a_timeout_around_a_slow_query_ends_the_request_with_its_error(
    run: Run, database: str, cache: str
) -> None:
    async def main() -> None:
        slow = StoredCredentials(database, cache, "SELECT 'late' FROM pg_sleep(30)", limit_s=0.2)
        pipe = pipe_with(slow, [])
        pipe.ask()
        await until(lambda: pipe.sink.is_over)
        assert pipe.sink.json["error"]["message"] == "The database did not answer in time."
        assert pipe.gateway.active == set()
        await until(lambda: not pipe.gateway.background_tasks)

    run(main())


def test_a_client_that_leaves_does_not_end_a_query_shared_with_other_calls(
    run: Run, database: str, cache: str
) -> None:
    async def main() -> None:
        source = StoredCredentials(database, cache, "SELECT 'token' FROM pg_sleep(0.3)")
        pipe = pipe_with(source, [])
        pipe.ask()
        await source.asking.wait()
        pipe.sink.leave()
        await until(lambda: pipe.records)
        assert [record.outcome for record in pipe.records] == ["cancelled"]
        assert source.calls == 0
        await until(lambda: not pipe.gateway.background_tasks)
        assert source.calls >= 1
        assert pipe.upstream_requests == []

    run(main())


def test_tokens_may_be_counted_by_a_database(run: Run, database: str, cache: str) -> None:
    async def main() -> None:
        async def count(model: str, messages: bytes, produced: str) -> tuple[int, int]:
            async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
                into = group.create_task(query(database, f"SELECT length('{model}')"))
                out = group.create_task(query(database, f"SELECT length('{produced}')"))
            return into.result(), out.result()

        pipe = Pipe(static=True)
        pipe.gateway.count = count
        pipe.ask()
        pipe.upstream.stream(ROLE + text("Hello") + STOP + DONE)
        assert pipe.sink.got == []
        await until(lambda: pipe.sink.is_over)
        metrics = pipe.sink.json["metrics"]
        assert (metrics["input_tokens"], metrics["output_tokens"]) == (len("gpt-4o"), 5)
        assert metrics["tokens_source"] == "counted"

    run(main())
