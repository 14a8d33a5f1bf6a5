"""Conversations saved for ``headway chat --continue``: one file each, readable by the user only."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

MAX_CONVERSATIONS = 50


class Conversation(msgspec.Struct, frozen=True):
    """A saved conversation. ``model`` is ``provider/model``."""

    model: str
    messages: list[dict[str, Any]]


class UnreadableConversation(Exception):  # noqa: N818
    """The file is not a conversation; the message names it."""


class Conversations:
    """The conversations in ``folder``, at most ``limit`` of them, newest first."""

    def __init__(self, folder: Path, limit: int = MAX_CONVERSATIONS) -> None:
        self._folder = folder
        self._limit = limit

    def last(self) -> tuple[Path, Conversation] | None:
        """The most recently changed conversation and its path; None if there is none."""
        paths = self._paths()
        return (paths[0], _read(paths[0])) if paths else None

    def save(self, conversation: Conversation, path: Path | None = None) -> Path:
        """Save ``conversation``, replacing ``path`` or as a new file. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = path or self._folder / f"{time.time_ns()}-{secrets.token_hex(2)}.json"
        _replace(path, msgspec.json.encode(conversation))
        for old in self._paths()[self._limit :]:
            old.unlink(missing_ok=True)
        return path

    def _paths(self) -> list[Path]:
        found = [(path.stat().st_mtime_ns, path.name, path) for path in self._folder.glob("*.json")]
        return [path for _, _, path in sorted(found, reverse=True)]


def folder(environ: Mapping[str, str]) -> Path:
    """The folder by the XDG Base Directory Specification, which ignores a relative path."""
    return _state(environ) / "chats"


def history_file(environ: Mapping[str, str]) -> Path:
    """The lines typed in conversations."""
    return _state(environ) / "chat_history"


def _state(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_STATE_HOME", "")
    state = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state"
    return state / "headway"


def _read(path: Path) -> Conversation:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Conversation)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise UnreadableConversation(
            f"the last conversation cannot be read: {path} ({error})"
        ) from error


def _replace(path: Path, content: bytes) -> None:
    """Replace the file atomically; it is never readable by other users."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
