"""Content parts of OpenAI's chat messages as input parts of the Responses API
(platform.openai.com/docs/guides/migrate-to-responses). Parts of types that chat does not have pass
through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.errors import RequestError

Part = dict[str, Any]
Content = str | list[Part] | None


def convert_content(content: Content) -> Content:
    """The content of any message but an assistant's. Raises RequestError for an image without a
    URL."""
    if not isinstance(content, list):
        return content
    return [CONVERTERS.get(part.get("type"), _unchanged)(part) for part in content]


def convert_assistant_content(content: Content, refusal: str | None) -> Content:
    """The content of an assistant's message, with the refusal as its last part."""
    if refusal:
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        content = [*parts, {"type": "refusal", "refusal": refusal}]
    if not isinstance(content, list):
        return content
    return [_output_part(part) for part in content if part.get("text") or part.get("refusal")]


def without(fields: Part, *names: str) -> Part:
    return {name: value for name, value in fields.items() if name not in names}


def _output_part(part: Part) -> Part:
    if part.get("type") == "text":
        return {"type": "output_text", "text": part["text"]}
    return _unchanged(part)


def _unchanged(part: Part) -> Part:
    return without(part, "cache_control")


def _text(part: Part) -> Part:
    return {**_other_fields(part), "type": "input_text"}


def _image(part: Part) -> Part:
    image = part.get("image_url")
    fields = {"image_url": image} if isinstance(image, str) else dict(image or {})
    if "url" in fields:
        fields["image_url"] = fields.pop("url")
    if not isinstance(fields.get("image_url"), str):
        raise RequestError("`messages`: an image_url part has no url.", param="messages")
    return {**_other_fields(part, "image_url"), "type": "input_image", **fields}


def _file(part: Part) -> Part:
    """A file by its id, by its URL, or as base64 data."""
    fields = dict(part.get("file") or {})
    data = fields.get("file_data")
    if isinstance(data, str) and data.startswith(("http://", "https://")):
        fields["file_url"] = fields.pop("file_data")
        fields.pop("filename", None)  # the API takes it together with data only
    return {**_other_fields(part, "file"), "type": "input_file", **fields}


def _other_fields(part: Part, *names: str) -> Part:
    """Other fields, without cache markers of other vendors: the API caches automatically."""
    return without(part, "type", "cache_control", *names)


CONVERTERS: dict[Any, Callable[[Part], Part]] = {"text": _text, "image_url": _image, "file": _file}
"""Converters by the part's type."""
