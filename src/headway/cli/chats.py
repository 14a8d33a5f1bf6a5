"""Conversations kept for ``headway chat --continue``: one file each, for the user's eyes only."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

KEPT = 50


class Chat(msgspec.Struct, frozen=True):
    """A conversation as it is kept. ``model`` is ``provider/model``."""

    model: str
    messages: list[dict[str, Any]]


class UnreadableChat(Exception):  # noqa: N818
    """The file is not a conversation; the message names it."""


class Chats:
    """The conversations in ``folder``, at most ``kept`` of them, the last changed first."""

    def __init__(self, folder: Path, kept: int = KEPT) -> None:
        self._folder = folder
        self._kept = kept

    def last(self) -> tuple[Path, Chat] | None:
        """The conversation that was changed last, and where it is; None if there is none."""
        paths = self._paths()
        return (paths[0], _read(paths[0])) if paths else None

    def save(self, chat: Chat, path: Path | None = None) -> Path:
        """Keep ``chat``, in place of what ``path`` holds or as a new one. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = path or self._folder / f"{time.time_ns()}-{secrets.token_hex(2)}.json"
        _replace(path, msgspec.json.encode(chat))
        for old in self._paths()[self._kept :]:
            old.unlink(missing_ok=True)
        return path

    def _paths(self) -> list[Path]:
        found = [(path.stat().st_mtime_ns, path.name, path) for path in self._folder.glob("*.json")]
        return [path for _, _, path in sorted(found, reverse=True)]


def folder(environ: Mapping[str, str]) -> Path:
    """Where the XDG Base Directory Specification puts state: a relative value is to be ignored."""
    base = environ.get("XDG_STATE_HOME", "")
    state = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state"
    return state / "headway" / "chats"


def _read(path: Path) -> Chat:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Chat)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise UnreadableChat(f"the last conversation cannot be read: {path} ({error})") from error


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
