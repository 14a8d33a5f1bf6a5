"""The commands, and the one place where whatever goes wrong in them becomes words and a code."""

from __future__ import annotations

import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from headway import __version__
from headway.cli import (
    chat,
    check,
    demo,
    endings,
    greeter,
    listings,
    problems,
    serve,
    serving,
    terminal,
)


class Commands(TyperGroup):
    """Turns errors into a message on stderr and an exit code; a traceback only where asked for."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """What Typer calls; ends the process, as it does by itself in its standalone mode."""
        terminal.prepare()
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except typer.TyperException as error:
            code = _tell_usage(error)
        sys.exit(code or problems.OK)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.TyperException):
            raise
        except endings.SILENT as error:
            raise typer.Exit(endings.tell(error)) from None
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            raise typer.Exit(endings.tell(error)) from None


def _tell_usage(error: typer.TyperException) -> int:
    """A wrong option or command. Without any, the message is the help, which was printed."""
    ctx = getattr(error, "ctx", None)
    if message := error.format_message():
        hint = f"`{ctx.command_path} --help` shows what there is" if ctx else None
        terminal.tell(problems.mistake(message, hint))
    return error.exit_code


app = typer.Typer(
    name="headway",
    cls=Commands,
    help="An LLM gateway that measures every token.",
    epilog="Exit codes: 0 done, 1 answered with an error, 2 a mistake in the command or the "
    "configuration, 3 no gateway answers, 130 interrupted.",
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
            "--version", callback=_print_version, is_eager=True, help="Print it and exit."
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", envvar="HEADWAY_DEBUG", help="Show where an error came from."),
    ] = False,
) -> None:
    """Options of ``headway`` itself; `Commands` reads them."""


app.command(serving.COMMAND)(serve.serve)
app.command()(chat.chat)
app.command()(listings.models)
app.command()(listings.providers)
app.command("check-config")(check.check_config)
app.command()(demo.demo)
app.command(greeter.COMMAND, hidden=True)(serve.greet_when_ready)


def run() -> None:
    app(prog_name="headway")
