from __future__ import annotations

import pytest

from headway.server.routes import ENGINE, Template, find, find_raw
from support.for_each import for_each

# path, dialect, argument
HOT = [
    ("/api/engine/chat/openai", "engine", "openai"),
    ("/api/engine/chat/gpu%20box", "engine", "gpu box"),
    ("/api/engine/chat/b%C3%BCro", "engine", "büro"),
    ("/v1/chat/completions", "openai_chat", ""),
    ("/openai/v1/chat/completions", "openai_chat", ""),
    ("/openai/v1/embeddings", "openai_embeddings", ""),
    ("/v1beta/models/gemini/a-2.5:generateContent", "gemini_generate", "models/gemini/a-2.5"),
    ("/v1beta/models%2Fgemini%2Fa%3AgenerateContent", "gemini_generate", "models/gemini/a"),
    ("/v1/models/openai/a:streamGenerateContent", "gemini_stream", "models/openai/a"),
    ("/gemini/v1alpha/openai/a:generateContent", "gemini_generate", "openai/a"),
    ("/gemini/models/openrouter/a/b:generateContent", "gemini_generate", "openrouter/a/b"),
]
COLD = [
    "/",
    "/api/engine/chat",
    "/api/engine/chat/",
    "/api/engine/chat/a/b",
    "/API/engine/chat/openai",
    "/v1/chat/completions/",
    "/v1/chat",
    "/health",
    "/v1beta/models/:generateContent/",
    "/v1beta/models/a:otherMethod",
    "/v1beta/:generateContent",
]


@for_each(("path", "dialect", "argument"), HOT)
def test_a_chat_route_has_its_dialect_and_its_argument(
    path: str, dialect: str, argument: str
) -> None:
    found = find(path)
    assert found is not None
    assert (found[0].name, found[1]) == (dialect, argument)
    assert find(path, "a=1") == (*found[:2], "a=1")


@for_each("path", COLD)
def test_any_other_path_has_no_dialect(path: str) -> None:
    assert find(path) is None
    assert find_raw(path.encode()) is None


@for_each(("path", "dialect", "argument"), HOT)
@for_each("query", ["", "?", "?a=1", "?a=/b?c"])
def test_a_raw_request_target_gives_the_same_route(
    path: str, dialect: str, argument: str, query: str
) -> None:
    found = find_raw((path + query).encode())
    assert found is not None
    assert (found[0].name, found[1], found[2]) == (dialect, argument, query[1:])


@pytest.mark.parametrize(
    ("path", "argument"),
    [
        ("/v1/models/a:run", "a"),
        ("/v1/models/a/b%20c:run", "a/b c"),
        ("/v1/models/:run", ""),
        ("/v1/models/a#:run", None),
        ("/v1/models/a%2Fb%3Arun", "a/b"),
        ("/v1/models/a", None),
        ("/v1/model/a:run", None),
    ],
)
def test_an_argument_before_a_suffix_may_have_slashes(path: str, argument: str | None) -> None:
    assert Template("/v1/models/", ":run", ENGINE).argument_of(path) == argument
