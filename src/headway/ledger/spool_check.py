"""Whether records can be kept, asked before the first request."""

from __future__ import annotations

import errno
import os
from importlib.util import find_spec
from pathlib import Path

from headway.ledger.spool import FileSpool


def find_problem(directory: str, *, creates: bool) -> str | None:
    """The reason why records cannot be written to a spool, with the remedy; None if they can.
    ``creates``: create the directory that is missing; otherwise permissions are looked at and
    nothing changes."""
    spool = FileSpool(directory)
    try:
        if creates:
            spool.open()
        else:
            check_access(Path(directory))
    except OSError as error:
        reason = error.strerror
        return (
            f"cannot keep records in {directory}: {reason}; "
            "set ledger.spool (or ledger.url, next to which it is), or fix that"
        )
    finally:
        spool.close()
    return None


def find_missing_library(url: str, archive: str | None) -> str | None:
    """The reason why a database or an archive cannot be used at all, with the remedy; None if the
    libraries that they need are installed."""
    needed = [
        ("asyncpg", "postgresql", "ledger.url", not url.startswith("sqlite:")),
        ("pyarrow", "archive", "ledger.archive", archive is not None),
    ]
    for library, extra, setting, is_needed in needed:
        if is_needed and find_spec(library) is None:
            return f"{setting} needs {library}: pip install 'headway[{extra}]'"
    return None


def check_access(directory: Path) -> None:
    """Raise the OSError that creating a file in ``directory``, after creating what is missing of
    it, would raise."""
    at = directory
    while not at.exists() and at != at.parent:
        at = at.parent
    if not at.is_dir():
        is_it = at == directory
        number = errno.EEXIST if is_it else errno.ENOTDIR
        raise OSError(number, "Not a directory" if is_it else os.strerror(number))
    if not os.access(at, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
