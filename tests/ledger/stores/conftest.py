"""One suite over all databases: ``store`` is an empty one of each kind, for one test;
``lasting_store`` is one for all tests of a module that only read what they find in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from tests.support.ledger_stores import SyncStore, opened

from headway.ledger.stores import new_store
from support.lazy_import import lazy_import
from support.services import postgresql

asyncpg = lazy_import("asyncpg")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of one for all tests."""
    with postgresql() as url:
        yield url


@pytest.fixture
def empty_database(postgresql_server: str) -> str:
    """The URL of a database without tables."""
    asyncio.run(execute(postgresql_server, "DROP SCHEMA IF EXISTS headway CASCADE"))
    return postgresql_server


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The URL of a database without rows. Its tables, with all their partitions and indexes, are
    kept from test to test: to create them takes longer than most tests."""
    asyncio.run(delete_rows(postgresql_server))
    return postgresql_server


async def delete_rows(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for row in await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('headway') "
            "AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'schema_version'"
        ):
            await connection.execute(f"DELETE FROM headway.{row['relname']}")
    finally:
        await connection.close()


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql_url")
        return url
    if request.param == "memory":
        return "sqlite:///:memory:"
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def store(store_url: str) -> Iterator[SyncStore]:
    with opened(new_store(store_url)) as store:
        yield store


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lasting_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SyncStore]:
    """Empty at first. SQLite in memory answers with the same code as in a file, and its own
    connections are those of ``store``."""
    url = f"sqlite:///{tmp_path_factory.mktemp('lasting') / 'ledger.db'}"
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    with opened(new_store(url)) as store:
        yield store


def new_database(server: str) -> str:
    """The URL of one of its own on the same server, where no other test deletes rows."""
    name = f"lasting_{uuid4().hex}"
    asyncio.run(execute(server, f"CREATE DATABASE {name}"))
    return urlsplit(server)._replace(path=f"/{name}").geturl()
