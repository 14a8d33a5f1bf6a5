"""How a database gets from one version of the schema to the next.

``MIGRATIONS[i]`` makes version ``i + 1`` of version ``i``. A released one never changes. Each runs
in a transaction, so a step that fails leaves the data as it was; an advisory lock keeps other
gateways from running it at the same time; and a step that would wait for the log table longer than
``LOCK_S`` fails instead of letting everybody wait behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from headway.ledger.store import StoreError
from headway.ledger.stores.postgresql.connections import SCHEMA
from headway.ledger.stores.postgresql.locks import MIGRATE, has_table, take_lock
from headway.ledger.stores.postgresql.refill import fill_cubes
from headway.ledger.stores.postgresql.schema import VERSION_1, VERSION_2, VERSION_3

if TYPE_CHECKING:
    from headway.ledger.stores.postgresql.connections import Connection, Connections

    Migration = Callable[[Connection], Awaitable[None]]

MIN_SERVER = 14
"""PostgreSQL's version: the first that detaches a partition without stopping its readers."""
LOCK_S = 5


async def create_tables(connection: Connection) -> None:
    await connection.execute(VERSION_1)


async def add_narrow_columns(connection: Connection) -> None:
    await connection.execute(VERSION_2)


async def add_routes(connection: Connection) -> None:
    await connection.execute(VERSION_3)


async def sum_up_models(connection: Connection) -> None:
    """By user and by tag. What retention has deleted is in no record any more, so it is not in
    these sums. Takes about as long as reading all records."""
    await fill_cubes(connection, (10, 11, 12, 13))


MIGRATIONS: Sequence[Migration] = (create_tables, add_narrow_columns, add_routes, sum_up_models)


async def migrate(connections: Connections, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the database to the last version. Raises StoreError."""
    place = connections.address.text
    await check_server(connections)
    while (version := await connections.read(read_version)) < len(migrations):
        await connections.write(lambda connection: _step(connection, migrations))
        if await connections.read(read_version) == version:
            raise StoreError(f"the migration of {place} to version {version + 1} had no effect")
    check_version(version, place, len(migrations))


async def _step(connection: Connection, migrations: Sequence[Migration]) -> None:
    await take_lock(connection, MIGRATE)
    await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_S}s'")
    await connection.execute("SET LOCAL statement_timeout = 0")
    version = await read_version(connection)
    if version >= len(migrations):  # another gateway was faster
        return
    sql = "SELECT count(*) FROM pg_namespace WHERE nspname = $1"
    if not await connection.fetchval(sql, SCHEMA):
        await connection.execute(f"CREATE SCHEMA {SCHEMA}")
    if version == 0:
        await connection.execute("CREATE TABLE schema_version (version integer NOT NULL)")
        await connection.execute("INSERT INTO schema_version VALUES (0)")
    await migrations[version](connection)
    await connection.execute("UPDATE schema_version SET version = $1", version + 1)


async def read_version(connection: Connection) -> int:
    """0 where there are no tables."""
    if not await has_table(connection, "schema_version"):
        return 0
    return int(await connection.fetchval(f"SELECT version FROM {SCHEMA}.schema_version"))


async def check_server(connections: Connections) -> None:
    """Raises StoreError for a server that is too old."""
    number = await connections.read(
        lambda connection: connection.fetchval("SELECT current_setting('server_version_num')")
    )
    if int(number) < MIN_SERVER * 10_000:
        raise StoreError(
            f"{connections.address.text} is served by PostgreSQL {int(number) // 10_000}: the "
            f"ledger needs {MIN_SERVER} or newer"
        )


def check_version(version: int, place: str, known: int) -> None:
    """Raises StoreError where the schema is newer than this program, or older."""
    if version > known:
        raise StoreError(
            f"{place} has schema version {version}, and this program knows up to {known}: "
            "use the newer program that wrote it"
        )
    if version < known:
        raise StoreError(
            f"{place} has schema version {version}, and this program needs {known}: "
            "run `headway db migrate`, or start the server, which does it"
        )
