"""The output of a response: our events as items, one after the other, and the events of those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.dialects.input_items.reasoning import FORMAT
from headway.dialects.input_items.tools import ToolName, ToolNames
from headway.dialects.openai_responses.output_items import (
    CallItem,
    Fields,
    MessageItem,
    OutputItem,
    ReasoningItem,
    WholeItem,
    WireEvents,
    plain_reasoning,
)
from headway.events import (
    Event,
    ExtraFields,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Text,
    ToolArguments,
    ToolStarted,
)

DATA_URL = ";base64,"


class OutputWriter:
    """``seed`` makes the ids of the items; ``names`` are the tools whose calls differ in chat."""

    __slots__ = (
        "_calls",
        "_details",
        "_is_same_wire",
        "_names",
        "_open",
        "_seed",
        "_shows_summary",
        "items",
    )  # fmt: skip

    def __init__(
        self, seed: str, names: ToolNames, shows_summary: bool, is_same_wire: bool = False
    ) -> None:
        self._seed = seed
        self._names = names
        self._shows_summary = shows_summary
        self._is_same_wire = is_same_wire
        """OpenAI's own reasoning goes back to where it came from, so it is not packed."""
        self.items: list[OutputItem] = []
        self._open: MessageItem | ReasoningItem | None = None
        """The message or the reasoning that is being written."""
        self._calls: dict[int, CallItem] = {}
        """The calls that are being written, by their position."""
        self._details: list[Fields] = []
        """Details without a text before them, until the next item, or the end."""

    @property
    def output(self) -> list[Fields]:
        return [item.item for item in self.items]

    @property
    def open_message(self) -> MessageItem | None:
        """The message whose text is being written."""
        is_text = type(self._open) is MessageItem and self._open.kind == "output_text"
        return self._open if is_text else None  # type: ignore[return-value]

    def read(self, events: list[Event], out: WireEvents) -> None:
        """Append the events of the first choice."""
        logprobs = [each for event in events for each in _logprobs(event)]
        for event in events:
            if type(event) is Text and event.index == 0:
                self._message(out).add_text(event.text, logprobs, out)
                logprobs = []
            elif (read := READERS.get(type(event))) and event.index == 0:  # type: ignore[union-attr]
                read(self, event, out)

    def close(self, out: WireEvents, status: str = "completed") -> None:
        """Complete all items; ``status`` is that of the last one."""
        self._close_open(out, status)
        self._close_calls(out, status)
        self._flush_details(out)

    # --- Items ------------------------------------------------------------------------------------

    def _item_id(self) -> str:
        return f"{self._seed}{len(self.items):04x}"

    def _message(self, out: WireEvents) -> MessageItem:
        if type(self._open) is MessageItem:
            return self._open
        self._begin_item(out)
        message = MessageItem(f"msg_{self._item_id()}", len(self.items), out)
        self.items.append(message)
        self._open = message
        return message

    def _reasoning(self, out: WireEvents) -> ReasoningItem:
        """The open reasoning, unless the provider has completed it."""
        is_open = type(self._open) is ReasoningItem and not self._open.details
        if is_open:
            return self._open  # type: ignore[return-value]
        self._begin_item(out)
        return self._new_reasoning(out)

    def _new_reasoning(self, out: WireEvents) -> ReasoningItem:
        place, item_id = len(self.items), f"rs_{self._item_id()}"
        reasoning = ReasoningItem(item_id, place, self._shows_summary, out)
        self.items.append(reasoning)
        self._open = reasoning
        return reasoning

    def _add_whole(self, item: Fields, out: WireEvents) -> None:
        whole = WholeItem(item, len(self.items), out)
        self.items.append(whole)
        whole.close(out)

    def _begin_item(self, out: WireEvents) -> None:
        """Complete what comes before the next item. A call that lacks arguments stays open: some
        providers write several at once."""
        self._close_open(out)
        for position, call in list(self._calls.items()):
            if call.is_whole:
                del self._calls[position]
                call.close(out)
        self._flush_details(out)

    def _close_open(self, out: WireEvents, status: str = "completed") -> None:
        if self._open is not None:
            opened, self._open = self._open, None
            opened.close(out, status)

    def _close_calls(self, out: WireEvents, status: str) -> None:
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.close(out, status)

    def _flush_details(self, out: WireEvents) -> None:
        if not self._details:
            return
        details, self._details = self._details, []
        if self._is_same_wire and all(each.get("format") == FORMAT for each in details):
            self._add_whole(plain_reasoning(details, f"rs_{self._item_id()}"), out)
            return
        self._new_reasoning(out).details = details
        self._close_open(out)

    # --- Events -----------------------------------------------------------------------------------

    def read_reasoning(self, event: Reasoning, out: WireEvents) -> None:
        self._reasoning(out).add_text(event.text, out)

    def read_detail(self, event: ReasoningDetail, out: WireEvents) -> None:
        if type(self._open) is ReasoningItem:
            self._open.details.append(dict(event.value))
        else:
            self._details.append(dict(event.value))

    def read_refusal(self, event: Refusal, out: WireEvents) -> None:
        self._message(out).add_refusal(event.text, out)

    def read_call(self, event: ToolStarted, out: WireEvents) -> None:
        self._begin_item(out)
        tool = self._names.get(event.name) or ToolName(event.name)
        call_id = event.id or f"call_{self._item_id()}"
        call = CallItem(self._item_id(), len(self.items), call_id, tool, out)
        self.items.append(call)
        self._calls[event.tool] = call

    def read_arguments(self, event: ToolArguments, out: WireEvents) -> None:
        """What comes behind whole arguments says nothing."""
        call = self._calls.get(event.tool)
        if call is not None and event.text:
            call.add(event.text, out)

    def read_extra(self, event: ExtraFields, out: WireEvents) -> None:
        if (message := self.open_message) is not None:
            for annotation in _objects(event, "annotations"):
                message.add_annotation(_annotation(annotation), out)
        for image in _objects(event, "images"):
            if (result := _image_data(image)) is not None:
                self._begin_item(out)
                item = {"id": f"ig_{self._item_id()}", "type": "image_generation_call"}
                self._add_whole({**item, "status": "completed", "result": result}, out)
        for item in _objects(event, "output_items"):
            self._begin_item(out)
            given = {name: value for name, value in item.items() if name != "index"}
            self._add_whole({"id": self._item_id(), **given}, out)


READERS: dict[type, Callable[[OutputWriter, Any, WireEvents], None]] = {
    Reasoning: OutputWriter.read_reasoning,
    ReasoningDetail: OutputWriter.read_detail,
    Refusal: OutputWriter.read_refusal,
    ToolStarted: OutputWriter.read_call,
    ToolArguments: OutputWriter.read_arguments,
    ExtraFields: OutputWriter.read_extra,
}


def _logprobs(event: Event) -> list[Any]:
    if type(event) is not Logprobs or event.index != 0 or not isinstance(event.value, dict):
        return []
    content = event.value.get("content")
    return content if isinstance(content, list) else []


def _objects(event: ExtraFields, name: str) -> list[Fields]:
    """The objects in a list, which some vendors mix with texts."""
    values = event.fields.get(name)
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def _annotation(annotation: Fields) -> Fields:
    """Chat has the fields of a citation in an object of the type's name."""
    kind = annotation.get("type")
    inner = annotation.get(kind) if isinstance(kind, str) else None
    return {"type": kind, **inner} if isinstance(inner, dict) else annotation


def _image_data(image: Fields) -> str | None:
    """The base64 data of a generated image."""
    url = image.get("image_url")
    if isinstance(url, dict):
        url = url.get("url")
    _, found, data = url.partition(DATA_URL) if isinstance(url, str) else ("", "", "")
    return data if found else None
