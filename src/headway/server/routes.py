"""The pipeline routes, each with its dialect. ``http/protocol.py`` and ``asgi.py`` look them up.

A dialect has its route at the base that its clients expect, and again below a prefix of its own,
such as ``/openai``: two dialects may claim the same path.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import Dialect
from headway.dialects.engine import Engine
from headway.dialects.gemini.embeddings import EmbedContent
from headway.dialects.gemini.errors import GeminiErrors
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.ollama.embeddings import OllamaEmbed
from headway.dialects.ollama.errors import MANAGING, OllamaErrors
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai.completions import OpenAICompletions
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.dialects.openai.fim_completions import FimCompletions
from headway.dialects.openai.relayed import ROUTES as RELAYED
from headway.dialects.openai.rerank import Rerank
from headway.dialects.openai_responses.dialect import OpenAIResponses

ENGINE: Dialect = Engine()
DIALECTS: tuple[tuple[str, Dialect], ...] = (
    ("", ENGINE),
    ("/openai", OpenAIChat()),
    ("/openai", OpenAIEmbeddings()),
    ("/openai", OpenAIResponses()),
    ("/openai", OpenAICompletions()),
    ("/openai", FimCompletions()),
    *(("/openai", dialect) for dialect in RELAYED),
    ("/openai", Rerank(is_cohere=False)),
    ("/openai", Rerank(is_cohere=True)),
    ("/gemini", GenerateContent()),
    ("/gemini", GenerateContent(is_stream=True)),
    ("/anthropic", AnthropicMessages()),
    ("/gemini", EmbedContent()),
    ("/gemini", EmbedContent(is_batch=True)),
    ("/ollama", OllamaChat()),
    ("/ollama", OllamaChat(is_generate=True)),
    ("/ollama", OllamaEmbed()),
    ("/ollama", OllamaEmbed(is_old=True)),
)
"""The prefix of each dialect, and the dialect. Where several claim a path, the first has it."""
ERRORS: tuple[tuple[str, GeminiErrors | OllamaErrors], ...] = (
    ("/gemini/", GeminiErrors()),
    ("/v1beta/", GeminiErrors()),
    ("/ollama/", OllamaErrors()),
    ("/api/tags", OllamaErrors()),
    ("/api/show", OllamaErrors()),
    ("/api/ps", OllamaErrors()),
    ("/api/version", OllamaErrors()),
    *((path, OllamaErrors()) for path in MANAGING),
)
"""The format of errors on other routes, by the beginning of their path."""
PREFIXES = tuple(sorted({prefix for prefix, _ in DIALECTS if prefix}))
PAGE_FILES = "/ui/"
"""The beginning of the paths of the web page's files."""
DOCUMENTATION = ("/docs", "/openapi.json")


class Template(NamedTuple):
    """A route with an argument in its path: the text before it and behind it."""

    before: str
    after: str
    dialect: Dialect

    def argument_of(self, path: str) -> str | None:
        """The argument that makes this route of ``path``. Only a route with something behind it may
        have slashes in it, and any of its characters may be escaped; the ASGI scope has no
        fragment."""
        if "#" in path or not path.startswith(self.before):
            return None
        argument = path[len(self.before) :]
        if not self.after:
            return unquote(argument) if "/" not in argument else None
        argument = unquote(argument)
        return argument[: -len(self.after)] if argument.endswith(self.after) else None


VERSIONED = "/v1beta/models/{model}:"
"""The beginning of a route with a method of a model, as Google's are."""
VERSIONS = ("/v1beta", "/v1", "/v1alpha", "/v1beta1", "/models")
"""What comes before the name of a model there. Its ``models/`` belongs to the name: clients leave
it out, or write it twice."""


def _paths(prefix: str, dialect: Dialect) -> list[str]:
    _, is_versioned, method = dialect.route.partition(VERSIONED)
    routes = [dialect.route]
    if is_versioned:
        routes = [f"{version}/{{model}}:{method}" for version in VERSIONS]
    return [*routes, *(prefix + route for route in routes if prefix)]


EXACT: dict[str, Dialect] = {}
TEMPLATES: list[Template] = []
for _prefix, _dialect in DIALECTS:
    for _path in _paths(_prefix, _dialect):
        _before, _is_template, _after = _path.partition("{")
        if _is_template:
            TEMPLATES.append(Template(_before, _after.partition("}")[2], _dialect))
        else:
            EXACT.setdefault(_path, _dialect)
RAW = {path.encode(): (dialect, "", "") for path, dialect in EXACT.items()}


def is_documentation(path: str) -> bool:
    """Whether the path is one of the documentation, which is the same on every server: a browser
    can send no key before it has the page that asks for one."""
    return path in DOCUMENTATION or path.startswith("/docs/")


def error_format(path: str) -> GeminiErrors | OllamaErrors | None:
    """The format of errors on a path without a dialect; None for that of all other routes."""
    return next((found for start, found in ERRORS if path.startswith(start)), None)


def find_raw(url: bytes) -> tuple[Dialect, str, str] | None:
    """``find`` for a request target as it was sent, with its query."""
    found = RAW.get(url)
    if found is not None:
        return found
    path, _, query = url.decode("latin-1").partition("?")
    return find(path, query)


def find_none(url: bytes) -> None:
    """Instead of ``find_raw``: every request goes through ASGI."""


def find(path: str, query: str = "") -> tuple[Dialect, str, str] | None:
    """The dialect of a pipeline route, the argument in its path, and the query; None for any other
    route."""
    exact = EXACT.get(path)
    if exact is not None:
        return exact, "", query
    for template in TEMPLATES:
        argument = template.argument_of(path)
        if argument:
            return template.dialect, argument, query
    return None
