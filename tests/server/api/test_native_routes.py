from __future__ import annotations

from headway.server.api.native_routes import (
    error_format,
    find_in_scope,
    find_raw,
    find_websocket,
    new_request,
    takes_websocket,
)


def test_the_target_is_split_and_kept_as_it_was_sent() -> None:
    cases = {
        b"/providers/openai/v1/a%2Fb?x=%20&y": ("openai", "/v1/a%2Fb", "x=%20&y"),
        b"/providers/openai": ("openai", "", ""),
        b"/providers/openai/": ("openai", "/", ""),
        b"/providers/my%20one/v1": ("my one", "/v1", ""),
        b"/providers/openai//x": ("openai", "//x", ""),
    }
    for target, expected in cases.items():
        assert find_raw(target) == expected, target
    for target in (b"/providers/", b"/providers//x", b"/v1/models", b"http://h/providers/openai"):
        assert find_raw(target) is None, target


def test_a_server_need_not_give_the_raw_path() -> None:
    scope = {"path": "/providers/openai/a b/\u00e9", "query_string": b"c=d"}
    assert find_in_scope(scope) == ("openai", "/a%20b/%C3%A9", "c=d")
    assert find_in_scope({**scope, "raw_path": b"/providers/openai/a%20b"}) == (
        "openai",
        "/a%20b",
        "c=d",
    )
    assert find_in_scope({**scope, "path": "/v1/models"}) is None


def test_websockets_are_found_by_their_handshake() -> None:
    upgrade = [(b"upgrade", b"WebSocket")]
    assert find_websocket(b"GET", b"/providers/a/b?c", upgrade) == ("a", "/b", "c")
    assert find_websocket(b"GET", b"/v1/realtime?model=m", upgrade) == ("", "", "model=m")
    assert find_websocket(b"GET", b"/v1/responses", upgrade) is None
    assert find_websocket(b"POST", b"/providers/a/b", upgrade) is None
    assert find_websocket(b"GET", b"/providers/a/b", [(b"upgrade", b"h2c")]) is None
    assert takes_websocket("/providers/a/b")
    assert takes_websocket("/openai/v1/realtime")
    assert not takes_websocket("/v1/responses")


def test_the_public_url_is_where_the_client_found_the_gateway() -> None:
    address = find_raw(b"/providers/my%20one/x")
    assert address is not None
    plain = new_request(address, "GET", [(b"host", b"gate:8080")], b"", "http")
    assert plain.public_url == "http://gate:8080/providers/my%20one"
    proxied = [(b"host", b"gate"), (b"x-forwarded-proto", b"https")]
    assert new_request(address, "GET", proxied, b"", "http").public_url == (
        "https://gate/providers/my%20one"
    )
    assert new_request(address, "GET", [], b"", "http").public_url.startswith("http://localhost/")


def test_errors_have_the_format_of_the_providers_own_clients() -> None:
    assert error_format("anthropic_messages").id_header == b"request-id"
    assert error_format("gemini") is not error_format("openai_chat")
    assert error_format("unknown") is error_format(None)
