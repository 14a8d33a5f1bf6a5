from __future__ import annotations

from headway.policy.session_headers import (
    MAX_LENGTH,
    clean_session_id,
    find_session_id,
)

HOST = (b"host", b"a")
SESSION_HEADERS = (
    b"x-headway-session", b"x-claude-code-session-id", b"session-id", b"session_id", b"thread-id",
    b"conversation_id", b"x-session-id", b"x-session-affinity", b"x-opencode-session",
    b"otari-conversation-id",
)  # fmt: skip


def test_every_session_header_names_the_session() -> None:
    for name in SESSION_HEADERS:
        assert find_session_id([HOST, (name, b"s-1")]) == "s-1", name
    assert find_session_id([HOST]) is None


def test_the_gateways_own_header_comes_before_those_of_agents() -> None:
    given = [(name, name) for name in reversed(SESSION_HEADERS)]
    assert find_session_id(given) == "x-headway-session"
    assert find_session_id([(b"thread-id", b"t"), (b"session-id", b"s")]) == "s"
    assert find_session_id([(b"x-headway-session", b" "), (b"thread-id", b"t")]) == "t"


def test_an_id_is_short_and_visible() -> None:
    for value, cleaned in (
        (b"72f34d3b-f254-4950-9d6f-9f66e082fd2f", "72f34d3b-f254-4950-9d6f-9f66e082fd2f"),
        (b" a b \t", "a b"),
        (b"a\x1b[31m\xff", "a?[31m?"),
        (b"x" * 9000, "x" * MAX_LENGTH),
        (b"", None),
        (b" \t", None),
    ):
        assert clean_session_id(value) == cleaned, value
