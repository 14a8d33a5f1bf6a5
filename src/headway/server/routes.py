"""Which paths are hot: the chat routes, each with its dialect. Both skins ask here."""

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


def find_raw(url: bytes) -> tuple[Dialect, str] | None:
    """The same for a request target as it was sent."""
    found = RAW.get(url)
    return find(url.partition(b"?")[0].decode("latin-1")) if found is None else found


def find(path: str) -> tuple[Dialect, str] | None:
    """The dialect of a chat route and the argument in its path; None for any other route."""
    exact = EXACT.get(path)
    if exact is not None:
        return exact, ""
    if path.startswith(ENGINE_PREFIX):
        name = path[len(ENGINE_PREFIX) :]
        if name and "/" not in name and "#" not in name:  # a fragment is for uvicorn to cut off
            return ENGINE, unquote(name)
    return None
