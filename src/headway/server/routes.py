"""The pipeline routes, each with its dialect. ``http/protocol.py`` and ``asgi.py`` look them up."""

from __future__ import annotations

from urllib.parse import unquote

from headway.dialects.base import Dialect
from headway.dialects.engine import Engine
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai.embeddings import OpenAIEmbeddings

ENGINE_PREFIX = "/api/engine/chat/"
EXACT: dict[str, Dialect] = {
    OpenAIChat.route: OpenAIChat(),
    OpenAIEmbeddings.route: OpenAIEmbeddings(),
}
ENGINE: Dialect = Engine()
RAW = {path.encode(): (dialect, "") for path, dialect in EXACT.items()}


DOCUMENTATION = ("/docs", "/openapi.json")


def is_documentation(path: str) -> bool:
    """Whether the path is one of the documentation, which is the same on every server: a browser
    can send no key before it has the page that asks for one."""
    return path in DOCUMENTATION or path.startswith("/docs/")


def find_raw(url: bytes) -> tuple[Dialect, str] | None:
    """``find`` for a request target as it was sent, with its query."""
    found = RAW.get(url)
    return find(url.partition(b"?")[0].decode("latin-1")) if found is None else found


def find_none(url: bytes) -> None:
    """Instead of ``find_raw``: every request goes through ASGI."""


def find(path: str) -> tuple[Dialect, str] | None:
    """The dialect of a pipeline route and the argument in its path; None for any other route."""
    exact = EXACT.get(path)
    if exact is not None:
        return exact, ""
    if path.startswith(ENGINE_PREFIX):
        name = path[len(ENGINE_PREFIX) :]
        if name and "/" not in name and "#" not in name:  # the ASGI scope has no fragment
            return ENGINE, unquote(name)
    return None
