"""Whether records can be kept, asked before the first request."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from headway.ledger.spool import FileSpool, spool_path


def find_problem(ledger_url: str, *, creates: bool) -> str | None:
    """The reason why records cannot be written, with the remedy; None if they can. ``creates``:
    create the file that is missing; otherwise permissions are looked at and nothing changes."""
    spool = FileSpool(spool_path(ledger_url))
    try:
        if creates:
            spool.open()
        else:
            check_access(Path(spool.path))
    except OSError as error:
        reason = error.strerror
        return f"cannot keep records in {spool.path}: {reason}; set ledger.url, or fix that"
    finally:
        spool.close()
    return None


def check_access(path: Path) -> None:
    """Raise the OSError that opening ``path`` for writing, after creating missing directories,
    would raise."""
    at = path
    while not at.exists() and at != at.parent:
        at = at.parent
    if at == path and at.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if at != path and not at.is_dir():
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(at, os.W_OK if at == path else os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
