from __future__ import annotations

import pytest

from headway.server.routes import find, find_raw

# path, dialect, argument
HOT = [
    ("/api/engine/chat/openai", "engine", "openai"),
    ("/api/engine/chat/gpu%20box", "engine", "gpu box"),
    ("/api/engine/chat/b%C3%BCro", "engine", "büro"),
    ("/v1/chat/completions", "openai_chat", ""),
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
]


@pytest.mark.parametrize(("path", "dialect", "argument"), HOT)
def test_a_chat_route_has_its_dialect_and_its_argument(
    path: str, dialect: str, argument: str
) -> None:
    found = find(path)
    assert found is not None
    assert (found[0].name, found[1]) == (dialect, argument)


@pytest.mark.parametrize("path", COLD)
def test_any_other_path_has_no_dialect(path: str) -> None:
    assert find(path) is None
    assert find_raw(path.encode()) is None


@pytest.mark.parametrize(("path", "dialect", "argument"), HOT)
@pytest.mark.parametrize("query", ["", "?", "?a=1", "?a=/b?c"])
def test_a_raw_request_target_gives_the_same_route(
    path: str, dialect: str, argument: str, query: str
) -> None:
    found = find_raw((path + query).encode())
    assert found is not None
    assert (found[0].name, found[1]) == (dialect, argument)
