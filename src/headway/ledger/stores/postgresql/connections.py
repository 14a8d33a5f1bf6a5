"""Connections to PostgreSQL: a small pool, one retry after a connection that was lost, and errors
that say what to do.

Nothing is left in a session between two uses, except for the temporary tables of the writer. Every
statement has a timeout, here and in the server.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from headway.ledger.store import StoreError

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

SCHEMA = "headway"
"""The schema of all tables, so that they can share a database with others."""
POOL_SIZE = 4
CONNECT_S = 10.0
STATEMENT_S = 30.0
ATTEMPTS = 3
"""Of work that fails because its connection was lost, or because of another transaction."""

LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
"""What trying again may help against."""

RETRY_S = 0.1

Result = TypeVar("Result")


class Address:
    """The parts of ``ledger.url`` that messages may show. It never shows a password."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        host = parts.hostname or query.get("host", ["localhost"])[0]
        port = parts.port or query.get("port", ["5432"])[0]
        self.user = unquote(parts.username or query.get("user", [""])[0])
        self.database = unquote(parts.path.strip("/"))
        self.server = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        user = f"{self.user}@" if self.user else ""
        self.text = f"postgresql://{user}{self.server}/{self.database}"


class Connections:
    """A pool of connections that is created by ``open``, in the running event loop."""

    def __init__(
        self, url: str, *, size: int = POOL_SIZE, statement_s: float = STATEMENT_S
    ) -> None:
        self.address = Address(url)
        self._url = url
        self._size = size
        self._statement_s = statement_s
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        """Connect once, so that a wrong address fails now. Raises StoreError."""
        if self._pool is not None:
            return
        with _translated(self.address):
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._size,
                timeout=CONNECT_S,
                command_timeout=self._statement_s,
                server_settings={
                    "application_name": "headway",
                    "search_path": SCHEMA,
                    "timezone": "UTC",
                    "jit": "off",
                    "max_parallel_workers_per_gather": "0",
                    # To plan a question about a month of days takes longer than to answer it.
                    "plan_cache_mode": "force_generic_plan",
                    "statement_timeout": str(int(self._statement_s * 1000)),
                    "idle_in_transaction_session_timeout": "0",
                },
            )
        try:
            encoding = await self.read(lambda connection: connection.fetchval(_ENCODING))
            if encoding != "UTF8":
                raise StoreError(
                    f"the database {self.address.text} has the encoding {encoding}: create one "
                    "with ENCODING 'UTF8'"
                )
        except StoreError:
            await self.close()
            raise

    async def close(self) -> None:
        """Idempotent."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), CONNECT_S)
        except (TimeoutError, OSError):
            pool.terminate()

    async def read(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """The result of ``work`` with a connection. It is called again where the connection was
        lost. Raises StoreError."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.connection() as connection:
                    return await work(connection)
            except _LostError as lost:
                if attempt == ATTEMPTS:
                    raise StoreError(str(lost)) from lost
                # Where the server was restarted, all connections of the pool were lost.
                await self._current().expire_connections()
                await asyncio.sleep(RETRY_S * attempt)
        raise AssertionError("unreachable")

    async def write(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """As ``read``, in a transaction, and after other writes of this process."""

        async def in_transaction(connection: Connection) -> Result:
            async with connection.transaction():
                return await work(connection)

        async with self._writing:
            return await self.read(in_transaction)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection of the pool. Raises StoreError, or _LostError where trying again may
        help."""
        with _translated(self.address):
            async with self._current().acquire(timeout=self._statement_s) as connection:
                yield connection

    def _current(self) -> asyncpg.Pool[asyncpg.Record]:
        if self._pool is None:
            raise StoreError(f"the store {self.address.text} is not open")
        return self._pool


_ENCODING = "SELECT current_setting('server_encoding')"


class _LostError(StoreError):
    """The connection is lost, or another transaction was in the way; trying again may help."""


@contextmanager
def _translated(address: Address) -> Iterator[None]:
    """Turns what asyncpg raises into StoreError."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        translated = translate(error, address)
        if translated is None:
            raise
        raise translated from error


def translate(error: Exception, address: Address) -> StoreError | None:
    """None for an error that is none of the database's."""
    if isinstance(error, asyncio.TimeoutError | asyncpg.QueryCanceledError):
        return StoreError(
            f"PostgreSQL at {address.server} did not answer in time: it is overloaded, another "
            "session holds a lock, or the question is too large"
        )
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return StoreError(
            f"PostgreSQL at {address.server} refused the user {address.user!r}: check the user and "
            "the password of ledger.url, and the server's pg_hba.conf"
        )
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return StoreError(
            f"PostgreSQL at {address.server} has no database {address.database!r}: create it, or "
            "correct ledger.url"
        )
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return StoreError(
            f"the user {address.user!r} may not do this in {address.text}: {_message(error)}; "
            "docs/ledger.md lists the privileges that are needed"
        )
    if isinstance(error, LOST):
        return _LostError(
            f"the connection to PostgreSQL at {address.server} failed: {_message(error)}; check "
            "that the server runs and can be reached"
        )
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
        return StoreError(f"PostgreSQL at {address.server} reported: {_message(error)}")
    return None


def _message(error: Exception) -> str:
    """The first line, without details: those may have values of rows."""
    text = str(error.args[0]) if error.args else type(error).__name__
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        text = os.strerror(error.errno)
    return text.splitlines()[0] if text else type(error).__name__
