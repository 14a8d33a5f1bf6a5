"""What a request of the Responses API refers to of earlier responses, and its completion with it
(platform.openai.com/docs/guides/conversation-state)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import Recall, field
from headway.dialects.input_items.ids import call_id_of

PREVIOUS = field("previous_response_id", str | None, "a text or null")
REFERENCE = "item_reference"
ID_FIRST = b'{"id":'
_NULL = Raw(b"null")
_encode = msgspec.json.Encoder().encode
_decode_items = msgspec.json.Decoder(list[Raw]).decode


class ItemHead(Struct):
    """The fields of an item that are read."""

    type: str | None = None
    id: str | None = None
    role: str | None = None
    encrypted_content: str | None = None

    @property
    def refers_to(self) -> str | None:
        """The id of the item that it stands for."""
        is_reference = self.type == REFERENCE or (self.type is None and self.role is None)
        return self.id if is_reference else None


_decode_head = msgspec.json.Decoder(ItemHead).decode


def find_recall(fields: Mapping[str, Raw]) -> Recall | None:
    """What the request refers to; None for one that has all itself. Raises InvalidField."""
    previous = PREVIOUS.read(fields) or None
    given = bytes(fields.get("input", b""))
    ids: tuple[str, ...] = ()
    if b'"item_reference"' in given or _has_bare_id(given):
        heads = map(head_of, items_of(fields.get("input", _NULL)))
        ids = tuple(name for head in heads if (name := head.refers_to))
    if previous is None and not ids:
        return None
    return Recall(previous_response_id=previous, item_ids=ids)


def _has_bare_id(data: bytes) -> bool:
    """Whether an object has nothing but an id: a reference may leave out its type. A regular
    expression would take ten times as long in the input of an agent."""
    at = data.find(ID_FIRST)
    while at >= 0:
        begin = data.find(b'"', at + len(ID_FIRST))
        end = data.find(b'"', begin + 1)
        if end < 0:
            return False
        if data[end + 1 : end + 2] == b"}":
            return True
        at = data.find(ID_FIRST, end)
    return False


def items_of(raw: Raw) -> list[Raw]:
    """The input as items: a text is one message of the user."""
    data = bytes(raw).lstrip()
    if data[:1] == b'"':
        return [Raw(b'{"role":"user","content":%b}' % data)]
    try:
        return _decode_items(data)
    except (msgspec.DecodeError, RecursionError):
        return []


def head_of(item: Raw) -> ItemHead:
    """Without any fields for an item of another form, which the provider judges."""
    try:
        return _decode_head(item)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ItemHead(type="")


def complete(
    fields: Mapping[str, Raw],
    earlier: Sequence[Raw],
    found: Mapping[str, Raw | None],
    *,
    keeps_previous: bool = False,
) -> dict[str, Raw]:
    """The fields with the ``earlier`` items before the input's own, and in place of references what
    ``found`` has for them: an item, or None for one to leave out. ``keeps_previous``: the provider
    knows the earlier response."""
    items: list[Raw] = list(earlier)
    for item in items_of(fields.get("input", _NULL)):
        replaced = found.get(head_of(item).refers_to or "", item)
        if replaced is not None:
            items.append(replaced)
    completed = {**fields, "input": Raw(_encode(items))}
    if not keeps_previous:
        completed.pop("previous_response_id", None)
    return completed


def is_provable(item: Raw) -> bool:
    """Whether a provider of the API takes an item: it refuses reasoning that it has neither kept
    nor encrypted."""
    if b'"reasoning"' not in bytes(item):
        return True
    head = head_of(item)
    return head.type != "reasoning" or bool(head.encrypted_content) or not call_id_of(head.id or "")
