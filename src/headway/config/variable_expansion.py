"""Expand ``${NAME}`` and ``${NAME:-default}`` in texts, as in shells; ``$${`` becomes ``${``.

A text that is as a whole how others write a variable, such as ``$NAME`` or ``os.environ/NAME``, is
refused: as a key it would be sent to the provider."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(
    r"\$\$(?=\{)"  # an escaped dollar sign
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\}"
    r"|\$\{"  # anything else that begins like a reference
)

_OTHER_SPELLING = re.compile(
    r"(?: \$ | \$?env[:.] | process\.env\. | os\.environ[/.] | !?ENV\s ) [A-Z_][A-Z0-9_]*"
    r"| %[A-Z_][A-Z0-9_]*% | \$\([A-Z_][A-Z0-9_]*\) | \{\{? \s* [A-Za-z_.]+ \s* \}\}?",
    re.VERBOSE,
)


class VariableError(Exception):
    """The message names the variable and the remedy, and contains no value."""


def refers(text: str) -> bool:
    return "${" in text or _OTHER_SPELLING.fullmatch(text) is not None


def expand(text: str, environ: Mapping[str, str]) -> str:
    """``text`` with its variables expanded. Raises VariableError.

    An empty variable counts as not set, as with a shell's ``:-``: compose files and unit files
    pass unset variables on as empty ones.
    """
    if _OTHER_SPELLING.fullmatch(text):
        raise VariableError("a variable is written ${NAME}, in braces after a dollar sign")
    return _REFERENCE.sub(lambda match: _value(match, environ), text)


def _value(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match.group() == "$$":
        return "$"
    name, default = match["name"], match["default"]
    if name is None:
        raise VariableError(
            "not a variable: write ${NAME} or ${NAME:-default}, or $${ for those characters"
        )
    if value := environ.get(name):
        return value
    if default is None:
        raise VariableError(
            f"the environment variable {name} is not set: set it, or write ${{{name}:-default}}"
        )
    return str(default[2:])
