"""Parse the arguments of ``headway serve`` without importing Typer.

Importing Typer takes longer than all else that a server imports. Arguments that do not parse here
are left to Typer, so that messages and help are Typer's.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from headway.cli import errors, serve_options, terminal
from headway.cli.serve_options import OPTIONS, Option, ServeArguments

TYPER_VARIABLES = ("HEADWAY_DEBUG", "_HEADWAY_COMPLETE")
"""Variables that change every command: tracebacks are wanted, or a shell asks for completions."""


class StrictParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> ServeArguments | None:
    """The arguments of ``headway serve``, or None where Typer has to parse ``arguments``."""
    if list(arguments[:1]) != [serve_options.COMMAND] or any(map(environ.get, TYPER_VARIABLES)):
        return None
    if any(not text.isprintable() or not text or text.endswith("--") for text in arguments):
        return None
    parser = StrictParser(add_help=False, allow_abbrev=False)
    for name, option in OPTIONS.items():
        parser.add_argument(option.flag, dest=name, **_settings(option))
    try:
        return ServeArguments(**vars(parser.parse_args(arguments[1:])))
    except ValueError:
        return None


def _settings(option: Option) -> dict[str, Any]:
    if option.metavar is None:
        return {"action": "store_true"}
    return {"type": option.parse}


def run(arguments: ServeArguments) -> int:
    """Serve, and report an error as every command does. Returns the exit code."""
    terminal.prepare()
    try:
        return serve_options.serve(arguments)
    except (Exception, KeyboardInterrupt) as error:
        return errors.report(error)
