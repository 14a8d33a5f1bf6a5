"""Paths in settings."""

from __future__ import annotations

from pathlib import Path

from headway.config.value_reader import Reader


def expand_user(text: str, reader: Reader, name: str) -> Path:
    """The path with ``~`` expanded; reports a user that does not exist or has no home."""
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:
        reader.report(name, "begins with ~, and there is no such home directory")
        return path
