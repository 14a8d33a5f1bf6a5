"""docs/cli.md has the help that Typer shows. `python tests/cli/test_docs.py` updates it."""

from __future__ import annotations

import re
from pathlib import Path

import typer
from typer.cli import get_docs_for_click
from typer.core import TyperGroup
from typer.main import get_command

from headway.cli import errors
from headway.cli.app import app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
START = "<!-- The rest of this section is generated: python tests/cli/test_docs.py -->\n"
END = "<!-- end of what is generated -->\n"


def generated() -> str:
    """Every command that is not hidden, as Typer describes it."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    context = typer.Context(group, info_name="headway")
    shown = [command for command in group.commands.values() if not command.hidden]
    sections = [
        get_docs_for_click(obj=command, ctx=context, indent=2, call_prefix="headway").strip()
        for command in shown
    ]
    return "\n" + "\n\n".join(sections) + "\n\n"


def test_the_page_shows_every_command_as_typer_does() -> None:
    page = PAGE.read_text()
    assert page[page.index(START) + len(START) : page.index(END)] == generated()


def test_the_page_and_the_help_name_every_exit_code() -> None:
    codes = {
        errors.OK,
        errors.ERROR_REPLY,
        errors.USAGE_ERROR,
        errors.UNREACHABLE,
        errors.INTERRUPTED,
        errors.BROKEN_PIPE,
    }
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE.read_text(), re.MULTILINE)}
    assert listed == codes
    in_help = {int(code) for code in re.findall(r"\b\d+\b", app.info.epilog or "")}
    assert in_help == codes - {errors.BROKEN_PIPE}


def test_the_page_names_every_environment_variable_of_the_options() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    named = {
        str(parameter.envvar)
        for command in (group, *group.commands.values())
        for parameter in command.params
        if parameter.envvar
    }
    page = PAGE.read_text()
    assert len(named) == 4
    assert [name for name in named if name not in page] == []


if __name__ == "__main__":
    text = PAGE.read_text()
    PAGE.write_text(text[: text.index(START)] + START + generated() + text[text.index(END) :])
