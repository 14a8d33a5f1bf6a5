from __future__ import annotations

import json

from msgspec import Raw

from headway.dialects.anthropic.session import find_session

UUID = "7d0e2f61-4b5c-4a9d-8f11-2c3d4e5f6a7b"
HASH = "8b7e2c1d4f6a9b3c"


def found(user_id: object) -> str | None:
    return find_session(Raw(json.dumps({"user_id": user_id}).encode()))


def test_claude_code_names_its_session_in_the_users_id() -> None:
    names = {"device_id": HASH, "account_uuid": "", "session_id": UUID}
    for user_id in (
        json.dumps(names),
        json.dumps({"session_id": UUID}),
        f"user_{HASH}_account__session_{UUID}",
        f"user_{HASH}_account_0a1b-2c3d_session_{UUID}",
    ):
        assert found(user_id) == UUID, user_id


def test_other_ids_of_users_name_no_session() -> None:
    for user_id in ("user-1", "my session", "{session", '{"session_id": 7}', None, 7, ["session"]):
        assert found(user_id) is None, user_id
    assert find_session(None) is None
    assert find_session(Raw(b'"session"')) is None
    assert find_session(Raw(b'{"session": ' + b"[" * 5000 + b"]" * 5000 + b"}")) is None
