"""Text that must not be shown: keys, and whatever may hold one."""

from __future__ import annotations

HIDDEN = "***"


class Secret(str):
    """A string whose ``repr`` is ``***``, so that no value which holds it shows it when printed.

    It is still a ``str``: joining it, encoding it or writing ``str(secret)`` gives the text, which
    is how it gets into a header. msgspec refuses to encode it, so it cannot slip into JSON.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN
