"""``headway db``: where the records are, how many, and their maintenance."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from msgspec import Struct

from headway.cli import number_formats as numbers
from headway.cli import terminal
from headway.cli.configuration import hide_password
from headway.cli.errors import ERROR_REPLY, USAGE_ERROR, CommandError, usage_error
from headway.cli.ledger_access import Ledger, load_config, old_spool_file, use_ledger
from headway.cli.options import ConfigPath, RecordsAsJson
from headway.cli.tables import Line

if TYPE_CHECKING:
    from headway.config import Config
    from headway.ledger.shipper import ShipperStatus
    from headway.ledger.spool_reader import SpoolFacts
    from headway.ledger.store import StoreFacts

LABEL = 12
db = typer.Typer(invoke_without_command=True)


@db.callback()
def describe(
    context: typer.Context, as_json: RecordsAsJson = False, config: ConfigPath = None
) -> None:
    """Show where the records are, how many, and what is still to be stored.

    Examples:

        headway db
        headway db check
        headway db prune --before 90d
        headway db ship --config /etc/headway.yaml
    """
    if context.invoked_subcommand is not None:
        return

    async def work(ledger: Ledger) -> None:
        facts = await ledger.store.describe()
        if ledger.is_missing:
            place = hide_password(str(ledger.config.ledger.url)).partition(":///")[2]
            facts = msgspec.structs.replace(facts, place=f"{place} (not created yet)", bytes=0)
        state = _spool_state(ledger.config, await ledger.store.positions())
        if as_json:
            terminal.write_json(msgspec.json.encode(_as_json(ledger.config, facts, state)))
        else:
            terminal.write_lines(list(_describe(ledger.config, facts, state)))

    use_ledger(config, work, ships=False)


@db.command()
def check(config: ConfigPath = None) -> None:
    """Check the database: exit code 1 where something is wrong with its data."""

    async def work(ledger: Ledger) -> list[str]:
        with terminal.waiting("checking", announce=True):
            return list(await ledger.store.check())

    problems = use_ledger(config, work)
    if problems:
        raise CommandError(
            f"{len(problems)} problems with the database", details="\n".join(problems),
            code=ERROR_REPLY,
        )  # fmt: skip
    terminal.write("OK\n")


@db.command()
def migrate(config: ConfigPath = None) -> None:
    """Create the database, or bring its schema up to date.

    A gateway does so itself when it starts; this is for a deployment that does it before.
    """

    async def work(ledger: Ledger) -> StoreFacts:
        with terminal.waiting("maintaining", announce=True):
            await ledger.store.maintain(time.time())
        return await ledger.store.describe()

    facts = use_ledger(config, work, ships=False, migrates=True)
    terminal.write(f"{facts.place}: schema version {facts.version}\n")


@db.command()
def prune(
    before: Annotated[
        str | None,
        typer.Option(
            "--before",
            metavar="TIME",
            help="Delete calls that ended before then: 90d ago, or an ISO time. "
            "Without it: what ledger.retention says.",
        ),
    ] = None,
    content_before: Annotated[
        str | None,
        typer.Option(
            "--content-before",
            metavar="TIME",
            help="Delete the messages of such calls only. "
            "Without it: what ledger.content_retention says.",
        ),
    ] = None,
    config: ConfigPath = None,
) -> None:
    """Delete old calls or messages now, and give the space back to the disk.

    The sums of `headway usage` stay. With `ledger.archive`, what is not archived yet is archived
    first.

    Examples:

        headway db prune
        headway db prune --content-before 30d
    """
    limits = _prune_limits(load_config(config), before, content_before)

    async def work(ledger: Ledger) -> None:
        with terminal.waiting("deleting", announce=True):
            await _archive(ledger)
            deleted = await ledger.store.prune(*limits)
        terminal.write(
            f"deleted {deleted.records:,} records and the messages of {deleted.contents:,} calls; "
            f"{numbers.size(deleted.bytes_freed)} are free again\n"
        )

    use_ledger(config, work)


@db.command()
def ship(config: ConfigPath = None) -> None:
    """Store what waits in the spool, as every command that reads records does first."""

    async def work(ledger: Ledger) -> int | None:
        return await ledger.ship()

    stored = use_ledger(config, work, ships=False, migrates=True)
    if stored is None:
        terminal.note("a gateway that runs stores the records of this spool itself")
    else:
        terminal.write(f"stored {stored:,} records\n")


async def _archive(ledger: Ledger) -> None:
    """What is not archived is not deleted. Raises CommandError."""
    from headway.ledger.archive import ArchiveError, Archiver
    from headway.ledger.parquet import MissingLibraryError

    address = ledger.config.ledger.archive
    if address is None:
        return
    try:
        await Archiver(ledger.store, address).run_due(time.time())
    except (ArchiveError, MissingLibraryError) as error:
        raise CommandError(f"nothing was deleted: {error}", code=ERROR_REPLY) from error


def _prune_limits(
    config: Config, before: str | None, content_before: str | None
) -> tuple[float | None, float | None]:
    """Unix seconds before which calls, and contents, are deleted. Raises CommandError."""
    now = time.time()
    ledger = config.ledger
    if before is None and content_before is None:
        if ledger.retention is None and ledger.content_retention is None:
            raise CommandError(
                "nothing says what is old enough to be deleted",
                hint="give --before 90d, or set ledger.retention in the configuration",
                code=USAGE_ERROR,
            )
        return _ago(now, ledger.retention), _ago(now, ledger.content_retention)
    return _time(now, "--before", before), _time(now, "--content-before", content_before)


def _ago(now: float, age: float | None) -> float | None:
    return None if age is None else now - age


def _time(now: float, option: str, text: str | None) -> float | None:
    from headway.ledger.queries import read_time

    if text is None:
        return None
    try:
        return read_time(text, now)
    except ValueError:
        raise usage_error(
            f"{option} takes an age such as 90d, an ISO time, or Unix seconds"
        ) from None


# --- What `headway db` shows ----------------------------------------------------------------------


class SpoolState(Struct, frozen=True):
    """The records that are not in the database yet, and who stores them."""

    facts: SpoolFacts
    status: ShipperStatus | None
    """What the last shipper said."""
    is_running: bool


def _spool_state(config: Config, positions: Mapping[str, int]) -> SpoolState:
    from headway.ledger.shipper import read_status
    from headway.ledger.spool_reader import describe_spool, is_shipper_running

    spool = config.ledger.spool
    return SpoolState(
        describe_spool(spool, positions, old_spool_file(config)),
        read_status(spool),
        is_shipper_running(spool),
    )


def _describe(config: Config, facts: StoreFacts, spool: SpoolState) -> Iterator[Line]:
    ledger, status = config.ledger, spool.status
    yield _fact("database", f"{facts.kind}, {facts.place}", "bold")
    yield _fact("size", f"{numbers.size(facts.bytes)}, schema version {facts.version}")
    yield _fact("calls", f"{facts.calls:,}, with {facts.records:,} attempts")
    if facts.oldest is not None and facts.newest is not None:
        yield _fact(
            "from", f"{numbers.full_time(facts.oldest)} to {numbers.full_time(facts.newest)}"
        )
    yield _fact("messages", f"{facts.messages:,} kept; ledger.content is {ledger.content}")
    yield _fact("retention", _retention(config))
    if ledger.archive is not None:
        yield _fact("archive", ledger.archive)
    waiting = spool.facts.unstored_bytes
    yield _fact("spool", f"{ledger.spool}, {spool.facts.files} files")
    yield _fact(
        "waiting",
        f"{numbers.size(waiting)} since {numbers.full_time(spool.facts.oldest)}"
        if waiting and spool.facts.oldest is not None
        else "nothing",
        "yellow" if waiting and not spool.is_running else "",
    )
    yield _fact("stored by", _shipper(spool))
    if spool.is_running and status is not None and status.problem is not None:
        yield _fact("problem", status.problem, "red")


def _retention(config: Config) -> str:
    ledger = config.ledger
    calls = "for ever" if ledger.retention is None else numbers.span(ledger.retention)
    if ledger.content_retention is None:
        return f"calls {calls}"
    return f"calls {calls}, messages {numbers.span(ledger.content_retention)}"


def _shipper(spool: SpoolState) -> str:
    if spool.is_running and spool.status is not None:
        return f"a gateway's process {spool.status.pid}, at once"
    if spool.is_running:
        return "a gateway, at once"
    return "the next gateway that starts, or command that reads (`headway db ship`)"


def _fact(name: str, value: str, style: str = "") -> Line:
    return [(f"{name:<{LABEL}}", "dim"), (value, style)]


def _as_json(config: Config, facts: StoreFacts, spool: SpoolState) -> dict[str, Any]:
    ledger = config.ledger
    return {
        "database": facts,
        "spool": {
            "directory": ledger.spool,
            **msgspec.structs.asdict(spool.facts),
            "is_shipper_running": spool.is_running,
            "shipper": spool.status if spool.is_running else None,
        },
        "content": ledger.content,
        "retention_s": ledger.retention,
        "content_retention_s": ledger.content_retention,
        "archive": ledger.archive,
    }
