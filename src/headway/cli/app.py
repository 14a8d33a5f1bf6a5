"""The commands, and the one place where their errors become messages and exit codes."""

from __future__ import annotations

import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from headway import __version__
from headway.cli import (
    chat,
    check_config,
    compare,
    compare_targets,
    database,
    demo,
    errors,
    explain,
    export,
    first_call,
    listings,
    logs,
    replay,
    routes,
    serve,
    serve_options,
    sessions,
    terminal,
    usage,
)


class Commands(TyperGroup):
    """Reports errors on stderr and by exit code; with a traceback only under --debug."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Called by Typer. Ends the process, as Typer's standalone mode does."""
        terminal.prepare()
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except typer.TyperException as error:
            code = _report_usage(error)
        except SystemExit as error:
            if error.code != 1:
                raise
            code = errors.BROKEN_PIPE  # Click and Rich exit so where the reader of --help is gone
        except OSError as error:  # of --version and --help, which are no commands
            code = errors.report(error)
        sys.exit(code or errors.OK)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.TyperException):
            raise
        except errors.SILENT as error:
            raise typer.Exit(errors.report(error)) from None
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            raise typer.Exit(errors.report(error)) from None


def _report_usage(error: typer.TyperException) -> int:
    """Report a wrong option or command. Without a command the help was printed already."""
    ctx = getattr(error, "ctx", None)
    if message := error.format_message():
        hint = f"`{ctx.command_path} --help` shows what there is" if ctx else None
        terminal.write_error(errors.usage_error(message, hint))
    return error.exit_code


app = typer.Typer(
    name="headway",
    cls=Commands,
    help="An LLM gateway that measures every token.",
    epilog="Exit codes: 0 done, 1 an error reply, 2 an error in the command or the "
    "configuration, 3 no gateway responds, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        terminal.write(f"headway {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", envvar="HEADWAY_DEBUG", help="Show the traceback of an error."),
    ] = False,
) -> None:
    """Options of ``headway`` itself; `Commands` reads them."""


app.command(serve_options.COMMAND)(serve.serve)
app.command()(chat.chat)
app.command()(compare.compare)
app.command()(listings.models)
app.command()(listings.providers)
app.command()(explain.explain)
app.command()(routes.routes)
app.command("compare-targets")(compare_targets.compare_targets)
app.add_typer(logs.logs, name="logs")
app.command()(usage.usage)
app.command()(sessions.sessions)
app.command()(export.export)
app.command()(replay.replay)
app.add_typer(database.db, name="db")
app.command("check-config")(check_config.check_config)
app.command()(demo.demo)
app.command(first_call.COMMAND, hidden=True)(serve.make_first_call_when_ready)


def run() -> None:
    app(prog_name="headway")
