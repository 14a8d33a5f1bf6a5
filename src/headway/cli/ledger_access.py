"""The database of records, opened by a command without a gateway.

What is still in the spool is stored first, unless a gateway's shipper does that. asyncio and the
drivers are imported only when a command runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from headway.cli import terminal
from headway.cli.configuration import read_config
from headway.cli.errors import USAGE_ERROR, CommandError

if TYPE_CHECKING:
    from headway.config import Config
    from headway.ledger.store import Store

T = TypeVar("T")
MEMORY = "sqlite:///:memory:"
FIRST_CALL_HINT = (
    "start a gateway with `headway serve` and call it, for instance with `headway chat Hi`;\n"
    "every call is recorded, and stands here at once"
)


class Ledger(Struct, frozen=True):
    """An open database, and what it was opened for."""

    config: Config
    store: Store
    is_missing: bool = False
    """There is no database yet; ``store`` is an empty one."""

    async def ship(self) -> int | None:
        """Store what has come into the spool meanwhile, and return the number of records; None
        where a gateway does that. Raises StoreError."""
        return await _ship(self.config, self.store)


def load_config(path: Path | None) -> Config:
    from headway.config import Overrides

    return read_config(path, Overrides())


def use_ledger(
    config: Path | None,
    work: Callable[[Ledger], Awaitable[T]],
    *,
    ships: bool = True,
    migrates: bool | None = None,
) -> T:
    """Run ``work`` on the database of the configuration. Where there is none yet, it is empty.
    ``ships``: store what waits in the spool first. ``migrates``: create the database, or bring it
    up to date; unless given, where no gateway uses it. Raises CommandError."""
    import asyncio

    return asyncio.run(_use(load_config(config), work, ships=ships, migrates=migrates))


async def _use(
    config: Config,
    work: Callable[[Ledger], Awaitable[T]],
    *,
    ships: bool,
    migrates: bool | None,
) -> T:
    from headway.ledger.spool_reader import is_shipper_running
    from headway.ledger.store import StoreError, WrongCursorError

    is_missing = migrates is not True and _is_missing(config)
    store = _new_store(MEMORY if is_missing else str(config.ledger.url))
    if migrates is None:
        migrates = not is_shipper_running(config.ledger.spool)
    try:
        await store.open(migrates=migrates)
        if ships:
            await _ship(config, store)
        return await work(Ledger(config, store, is_missing))
    except StoreError as error:
        raise _store_problem(config, error) from error
    except WrongCursorError as error:
        raise CommandError(str(error), code=USAGE_ERROR) from error
    finally:
        with suppress(StoreError):
            await store.close()


def _new_store(url: str) -> Store:
    from headway.ledger.stores import new_store

    return new_store(url)


def _store_problem(config: Config, error: Exception) -> CommandError:
    from headway.cli.configuration import hide_password

    return CommandError(
        str(error),
        hint=f"the ledger is {hide_password(str(config.ledger.url))}; "
        "`ledger.url` in the configuration, or HEADWAY_LEDGER_URL, says where it is",
        code=USAGE_ERROR,
    )


def note_no_records(what: str = "calls", *, is_filtered: bool = False) -> None:
    """On stderr, why a table is empty, and what to do."""
    if is_filtered:
        terminal.note(f"no {what} match these options; without them all are shown")
        return
    terminal.note(f"no {what} are recorded yet")
    terminal.note(FIRST_CALL_HINT)


async def _ship(config: Config, store: Store) -> int | None:
    from headway.ledger.shipper import ship_once

    try:
        return await ship_once(config.ledger.spool, store, old_file=old_spool_file(config))
    except OSError as error:
        reason = error.strerror or str(error)
        terminal.note(f"records in {config.ledger.spool} are not shown: {reason}")
        return None


def old_spool_file(config: Config) -> str | None:
    """The single spool file of earlier versions."""
    from headway.ledger.spool import find_old_file

    return find_old_file(str(config.ledger.url))


def _is_missing(config: Config) -> bool:
    """Whether the file does not exist, and no record waits: a question does not create it."""
    from headway.ledger.spool_reader import find_files

    scheme, _, path = str(config.ledger.url).partition(":///")
    if scheme != "sqlite" or Path(path).exists():
        return False
    return not find_files(config.ledger.spool, old_spool_file(config))
