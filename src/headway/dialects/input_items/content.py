"""Content parts of the Responses API as those of chat messages
(platform.openai.com/docs/api-reference/responses/create, ``input``). Parts of types that the API
does not have pass through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.errors import RequestError

Part = dict[str, Any]
Content = str | list[Part] | None


def convert_content(content: Any, path: str) -> Content:
    """The content of a message or the output of a call; one plain text alone is a string.
    ``path`` names it in errors. Raises RequestError for a part that chat cannot carry."""
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        message = f"`{path}` must be a text, or a list of content parts."
        raise RequestError(message, param=path)
    parts = [_convert(part, f"{path}[{n}]") for n, part in enumerate(content)]
    if len(parts) == 1 and parts[0].keys() == {"type", "text"} and parts[0]["type"] == "text":
        return parts[0]["text"]  # type: ignore[no-any-return]
    return parts


def _convert(part: Part, path: str) -> Part:
    convert = CONVERTERS.get(part.get("type"))
    if convert is None:
        return part
    converted = convert(part, path)
    if "cache_control" in part:
        converted["cache_control"] = part["cache_control"]
    return converted


def _text(part: Part, path: str) -> Part:
    return {"type": "text", "text": part.get("text") or ""}


def _refusal(part: Part, path: str) -> Part:
    return {"type": "refusal", "refusal": part.get("refusal") or ""}


def _image(part: Part, path: str) -> Part:
    """``detail`` is auto by default in both APIs."""
    url = part.get("image_url")
    if not isinstance(url, str):
        message = (
            f"`{path}`: this provider takes no image by its file id. Send it as `image_url`, with "
            "its address or a data URL."
        )
        raise RequestError(message, param=path)
    image = {"url": url}
    if part.get("detail") not in (None, "auto"):
        image["detail"] = part["detail"]
    return {"type": "image_url", "image_url": image}


def _file(part: Part, path: str) -> Part:
    """A file by its id, its address, or its data."""
    data = part.get("file_data") or part.get("file_url")
    fields = {"filename": part.get("filename"), "file_data": data, "file_id": part.get("file_id")}
    return {"type": "file", "file": {name: v for name, v in fields.items() if v is not None}}


CONVERTERS: dict[Any, Callable[[Part, str], Part]] = {
    "input_text": _text,
    "output_text": _text,
    "summary_text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "computer_screenshot": _image,
    "input_file": _file,
}
"""Converters by the part's type."""
