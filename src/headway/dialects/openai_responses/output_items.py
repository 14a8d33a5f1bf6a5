"""The output items of a response while they are made, and the events of their making
(platform.openai.com/docs/api-reference/responses-streaming)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from headway.dialects.input_items.tools import ToolName
from headway.wire.custom_input import InputText
from headway.wire.sealed_reasoning import seal

Fields = dict[str, Any]
WireEvents = list[tuple[str, Fields]]
"""The type of each event, and its fields without type and sequence number."""
TEXT_DELTA = "response.output_text.delta"

_object = msgspec.json.Decoder(dict[str, Raw]).decode


class OutputItem:
    """``place`` is its index in the response's output."""

    __slots__ = ("item", "item_id", "place")

    def __init__(self, item: Fields, place: int, out: WireEvents) -> None:
        self.item = item
        self.item_id: str = item["id"]
        self.place = place
        added = {name: list(v) if isinstance(v, list) else v for name, v in item.items()}
        out.append(("response.output_item.added", {"output_index": place, "item": added}))

    def at(self, **more: Any) -> Fields:
        """The fields that say where in the output something happens."""
        return {"item_id": self.item_id, "output_index": self.place, **more}

    def close(self, out: WireEvents, status: str = "completed") -> None:
        self.item["status"] = status
        out.append(("response.output_item.done", {"output_index": self.place, "item": self.item}))


class MessageItem(OutputItem):
    """The parts of a message: its text, and a refusal."""

    __slots__ = ("_annotations", "_logprobs", "_pieces", "kind")

    def __init__(self, item_id: str, place: int, out: WireEvents) -> None:
        item = {"id": item_id, "type": "message", "status": "in_progress", "content": []}
        super().__init__({**item, "role": "assistant"}, place, out)
        self.kind: str | None = None
        """The type of the open part."""
        self._pieces: list[str] = []
        self._annotations: list[Fields] = []
        self._logprobs: list[Any] = []

    @property
    def index(self) -> int:
        """The position of the open part."""
        return len(self.item["content"])

    def add_text(self, text: str, logprobs: list[Any], out: WireEvents) -> None:
        self._open("output_text", out)
        self._pieces.append(text)
        self._logprobs += logprobs
        delta = {"content_index": self.index, "delta": text, "logprobs": logprobs}
        out.append((TEXT_DELTA, self.at(**delta)))

    def keep_text(self, text: str) -> None:
        """Add a piece to the open text, whose event is written elsewhere."""
        self._pieces.append(text)

    def add_refusal(self, text: str, out: WireEvents) -> None:
        self._open("refusal", out)
        self._pieces.append(text)
        delta = self.at(content_index=self.index, delta=text)
        out.append(("response.refusal.delta", delta))

    def add_annotation(self, annotation: Fields, out: WireEvents) -> None:
        place = {"content_index": self.index, "annotation_index": len(self._annotations)}
        if annotation.get("type") == "url_citation":
            annotation = {**self._whole_text(annotation.get("url")), **annotation}
        self._annotations.append(annotation)
        added = self.at(**place, annotation=annotation)
        out.append(("response.output_text.annotation.added", added))

    def _whole_text(self, url: Any) -> Fields:
        """What a citation has to have: without a place of its own it is for the text so far."""
        length = sum(map(len, self._pieces))
        return {"url": url or "", "title": url or "", "start_index": 0, "end_index": length}

    def close(self, out: WireEvents, status: str = "completed") -> None:
        self._close_part(out)
        super().close(out, status)

    def _open(self, kind: str, out: WireEvents) -> None:
        if self.kind == kind:
            return
        self._close_part(out)
        self.kind = kind
        added = self.at(content_index=self.index, part=self._part("", kind, [], []))
        out.append(("response.content_part.added", added))

    def _close_part(self, out: WireEvents) -> None:
        if self.kind is None:
            return
        text, where = "".join(self._pieces), {"content_index": self.index}
        part = self._part(text, self.kind, self._annotations, self._logprobs)
        if self.kind == "refusal":
            out.append(("response.refusal.done", self.at(**where, refusal=text)))
        else:
            done = self.at(**where, text=text, logprobs=self._logprobs)
            out.append(("response.output_text.done", done))
        out.append(("response.content_part.done", self.at(**where, part=part)))
        self.item["content"].append(part)
        self.kind, self._pieces, self._annotations, self._logprobs = None, [], [], []

    def _part(self, text: str, kind: str, annotations: list[Fields], logprobs: list[Any]) -> Fields:
        if kind == "refusal":
            return {"type": kind, "refusal": text}
        return {"type": kind, "annotations": annotations, "logprobs": logprobs, "text": text}


class ReasoningItem(OutputItem):
    """Reasoning: as its summary, where the client asked for one, or else as raw text."""

    __slots__ = ("_is_summary", "_pieces", "details")

    def __init__(self, item_id: str, place: int, is_summary: bool, out: WireEvents) -> None:
        item = {"id": item_id, "type": "reasoning", "status": "in_progress", "summary": []}
        super().__init__(item if is_summary else {**item, "content": []}, place, out)
        self._is_summary = is_summary
        self._pieces: list[str] = []
        self.details: list[Fields] = []
        """What the provider needs of it on the next turn."""

    def add_text(self, text: str, out: WireEvents) -> None:
        if not self._pieces:
            part, kind = self._part(""), "reasoning_summary" if self._is_summary else "content"
            out.append((f"response.{kind}_part.added", self._at(part=part)))
        self._pieces.append(text)
        out.append((f"response.{self._kind}.delta", self._at(delta=text)))

    def close(self, out: WireEvents, status: str = "completed") -> None:
        if self._pieces:
            text = "".join(self._pieces)
            part, kind = self._part(text), "reasoning_summary" if self._is_summary else "content"
            out.append((f"response.{self._kind}.done", self._at(text=text)))
            out.append((f"response.{kind}_part.done", self._at(part=part)))
            self.item["summary" if self._is_summary else "content"].append(part)
        if self.details:
            self.item["encrypted_content"] = seal(self.details)
        super().close(out, status)

    @property
    def _kind(self) -> str:
        return "reasoning_summary_text" if self._is_summary else "reasoning_text"

    def _at(self, **more: Any) -> Fields:
        return self.at(**{"summary_index" if self._is_summary else "content_index": 0}, **more)

    def _part(self, text: str) -> Fields:
        return {"type": "summary_text" if self._is_summary else "reasoning_text", "text": text}


class CallItem(OutputItem):
    """A call of a function, or of a custom tool that a function stands for."""

    __slots__ = ("_input", "_pieces")

    def __init__(
        self, item_id: str, place: int, call_id: str, tool: ToolName, out: WireEvents
    ) -> None:
        self._pieces: list[str] = []
        self._input = InputText() if tool.is_custom else None
        kind, prefix = ("custom_tool_call", "ctc") if tool.is_custom else ("function_call", "fc")
        item: Fields = {"id": f"{prefix}_{item_id}", "type": kind, "status": "in_progress"}
        item["input" if tool.is_custom else "arguments"] = ""
        item |= {"call_id": call_id, "name": tool.name}
        if tool.namespace is not None:
            item["namespace"] = tool.namespace
        super().__init__(item, place, out)

    @property
    def is_whole(self) -> bool:
        """Whether the arguments so far are a whole object."""
        if not self._pieces or self._pieces[-1].rstrip()[-1:] != "}":
            return False
        try:
            _object("".join(self._pieces))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return False
        return True

    def add(self, text: str, out: WireEvents) -> None:
        self._pieces.append(text)
        if self._input is None:
            delta = self.at(delta=text)
            out.append(("response.function_call_arguments.delta", delta))
        else:
            self._add_input(self._input.add(text), out)

    def close(self, out: WireEvents, status: str = "completed") -> None:
        if self._input is None:
            arguments = self.item["arguments"] = "".join(self._pieces)
            done = self.at(arguments=arguments, name=self.item["name"])
            out.append(("response.function_call_arguments.done", done))
        else:
            self._add_input(self._input.remainder(), out)
            text = self.item["input"] = self._input.whole()
            out.append(("response.custom_tool_call_input.done", self.at(input=text)))
        super().close(out, status)

    def _add_input(self, text: str, out: WireEvents) -> None:
        if text:
            out.append(("response.custom_tool_call_input.delta", self.at(delta=text)))


class WholeItem(OutputItem):
    """An item that is complete when it begins, of a type that other wire formats do not have."""

    __slots__ = ()

    def close(self, out: WireEvents, status: str = "completed") -> None:
        out.append(("response.output_item.done", {"output_index": self.place, "item": self.item}))


def plain_reasoning(details: Sequence[Fields], item_id: str) -> Fields:
    """OpenAI's own details as the item that they were made of."""
    item: Fields = {"id": details[0].get("id") or item_id, "type": "reasoning", "summary": []}
    for detail in details:
        if detail.get("type") == "reasoning.summary":
            item["summary"].append({"type": "summary_text", "text": detail.get("summary")})
        elif detail.get("type") == "reasoning.text":
            text = {"type": "reasoning_text", "text": detail.get("text")}
            item.setdefault("content", []).append(text)
        else:
            item["encrypted_content"] = detail.get("data")
    return item
