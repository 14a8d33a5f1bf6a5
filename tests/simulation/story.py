"""What happened in a schedule, in order, and what should not have happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


class Story:
    """Events are kept as values, and written only when a schedule fails."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.events: list[tuple[float, str, Any, Any]] = []
        self.violations: list[str] = []

    def tell(self, what: str, who: Any = None, detail: Any = None) -> None:
        self.events.append((self.clock(), what, who, detail))

    def violate(self, what: str, who: Any = None) -> None:
        """Something that must not happen."""
        self.violations.append(what if who is None else f"{name_of(who)}: {what}")
        self.tell(f"VIOLATION: {what}", who)

    def lines(self) -> Iterator[str]:
        start = self.events[0][0] if self.events else 0.0
        for now, what, who, detail in self.events:
            shown = "" if detail is None or detail == "" else f" ({detail})"
            yield f"{now - start:10.3f} s  {name_of(who):<34} {what}{shown}"


def name_of(who: Any) -> str:
    """A client, or a request to a provider."""
    if who is None:
        return ""
    if isinstance(who, str):
        return who
    serial = getattr(who, "asked", None)
    if serial is not None:
        asking = f"client {who.client}" if who.client >= 0 else "a copy"
        return f"{asking} > {who.target} #{serial.serial}"
    return f"client {who.number}"
