"""The text of a custom tool's input, out of the JSON arguments of the function that stands for it,
while they arrive."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from headway.wire.custom_tools import INPUT

OPENING = re.compile(r'\s*\{\s*"' + INPUT + r'"\s*:\s*"')
PLAIN = re.compile(r'(?:[^"\\]|\\(?!u).|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}'
                   r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4})*", re.DOTALL)  # fmt: skip
"""Whole characters and escapes of a JSON string, before its end."""

_string = msgspec.json.Decoder(str, strict=False).decode
_any = msgspec.json.Decoder().decode


class InputText:
    """The input of one call."""

    __slots__ = ("_arguments", "_is_open", "_rest", "_sent")

    def __init__(self) -> None:
        self._arguments: list[str] = []
        self._rest = ""
        """What is not decoded yet."""
        self._is_open = False
        self._sent: list[str] = []

    def add(self, text: str) -> str:
        """The piece of the input that this piece of the arguments gives; may be empty."""
        self._arguments.append(text)
        self._rest += text
        if not self._is_open:
            opening = OPENING.match(self._rest)
            if opening is None:
                return ""
            self._is_open = True
            self._rest = self._rest[opening.end() :]
        found = PLAIN.match(self._rest)
        assert found is not None  # it matches nothing, too
        self._rest = self._rest[found.end() :]
        return self._send(_decoded(found[0]))

    def whole(self) -> str:
        """The whole input, once the arguments are complete. Arguments of another form are it
        themselves."""
        arguments = "".join(self._arguments)
        value: Any = None
        try:
            value = _any(arguments)
        except (ValueError, RecursionError):
            return "".join(self._sent) or arguments
        if isinstance(value, dict) and isinstance(value.get(INPUT), str):
            return value[INPUT]  # type: ignore[no-any-return]
        return arguments

    def remainder(self) -> str:
        """What ``whole`` has beyond the pieces that were given."""
        sent, whole = "".join(self._sent), self.whole()
        return self._send(whole.removeprefix(sent)) if whole.startswith(sent) else ""

    def _send(self, text: str) -> str:
        if text:
            self._sent.append(text)
        return text


def _decoded(text: str) -> str:
    """Line breaks and the like may stand unescaped in what a model writes."""
    escaped = "".join(f"\\u{ord(c):04x}" if c < " " else c for c in text)
    try:
        return _string(f'"{escaped}"')
    except ValueError:
        return text
