"""What the events of ``POST /api/compare`` have told of each lane so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

Event = Mapping[str, Any]
COLORS = ("cyan", "magenta", "yellow", "blue")
"""Of the models, one after another."""
State = Literal["waiting", "streaming", "done", "failed", "stopped"]


class Lane:
    """One model, one run. ``text`` and ``reasoning`` are pieces as they came."""

    def __init__(self, name: str, start: Event, now: float) -> None:
        self.name = name
        self.run: int = start["run"]
        self.state: State = "waiting"
        self.started: float | None = None if start["waits"] else now
        """By the clock here; None until that is known."""
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.arrivals: list[float] = []
        """When each piece came, in seconds since the start of the lane."""
        self.done: Event | None = None
        self.error: str | None = None
        """What went wrong, in one line."""

    @property
    def is_over(self) -> bool:
        return self.state not in ("waiting", "streaming")

    @property
    def output(self) -> str:
        return "".join(self.text)

    @property
    def gaps(self) -> Sequence[float]:
        """Between pieces."""
        return [after - before for before, after in pairwise(self.arrivals)]

    @property
    def tokens_mark(self) -> str:
        """``~`` where the tokens were counted here, not reported."""
        return "" if self.metric("tokens_source") in (None, "reported") else "~"

    def metric(self, name: str) -> Any:
        """None where it is unknown, and before the end."""
        return None if self.done is None else self.done["metrics"][name]

    def read(self, event: Event, now: float) -> None:
        kind = event["type"]
        if self.started is None:
            self.started = now - event["at_ms"] / 1e3
        if kind == "chunk":
            self._read_chunk(event)
        elif kind == "done":
            self.state, self.done = "done", event
        elif kind == "error":
            self.state, self.error = "failed", _describe(event)

    def stop(self) -> None:
        """Nothing more will come."""
        if not self.is_over:
            self.state = "stopped"

    def _read_chunk(self, event: Event) -> None:
        choices: list[dict[str, Any]] = event["chunk"].get("choices") or []
        first = next((choice for choice in choices if choice.get("index") == 0), {})
        delta = first.get("delta") or {}
        text = (delta.get("content") or "") + (delta.get("refusal") or "") + _calls(delta)
        reasoning = delta.get("reasoning_content") or ""
        if text or reasoning:
            self.state = "streaming"
            self.arrivals.append(event["at_ms"] / 1e3)
            if reasoning:
                self.reasoning.append(reasoning)
            if text:
                self.text.append(text)


class Comparison:
    """All lanes of one comparison, in their order."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        """``names`` of the models, where they are more than those that the gateway knows."""
        self._names = names
        self._entries = 0
        self.lanes: list[Lane] = []
        self.id: str | None = None
        self.is_over = False

    def read(self, event: Event, now: float = 0.0) -> None:
        """``now`` is any clock."""
        if event["type"] == "start":
            self.id = event["comparison"]
            self._entries += not event["run"]
            known = self._entries <= len(self._names)
            name = self._names[self._entries - 1] if known else event["model"]
            self.lanes.append(Lane(name, event, now))
        elif event["type"] == "end":
            self.is_over = True
        else:
            self.lanes[event["lane"]].read(event, now)

    def stop(self) -> None:
        for lane in self.lanes:
            lane.stop()

    @property
    def runs(self) -> list[list[Lane]]:
        """The lanes of each entry of the models, in the order of their runs."""
        found: list[list[Lane]] = []
        for lane in self.lanes:
            if not lane.run:
                found.append([])
            found[-1].append(lane)
        return found


def _calls(delta: Mapping[str, Any]) -> str:
    """Tool calls as text, each with its name before its arguments."""
    calls = [call.get("function") or {} for call in delta.get("tool_calls") or ()]
    names = [f"→ {name} " if (name := call.get("name")) else "" for call in calls]
    parts = zip(names, calls, strict=True)
    return "".join(name + (call.get("arguments") or "") for name, call in parts)


def _describe(event: Event) -> str:
    error = event["error"]
    return f"{error['message']} (HTTP {event['status']}, {error['code'] or error['type']})"
