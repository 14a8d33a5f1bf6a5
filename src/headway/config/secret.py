"""Text that must not be printed: keys, and values that may contain one."""

from __future__ import annotations

HIDDEN = "***"


class Secret(str):
    """A string whose ``repr`` is ``***``, so that printing a value that contains it is safe.

    It is still a ``str``: joining it, encoding it or writing ``str(secret)`` gives the text, which
    is how it gets into a header. msgspec refuses to encode it, so it cannot get into JSON.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN
