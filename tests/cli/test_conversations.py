from __future__ import annotations

import os
from pathlib import Path

import pytest

from headway.cli import conversations
from headway.cli.conversations import Conversation, Conversations, UnreadableConversation


def chat(text: str) -> Conversation:
    return Conversation(model="p/m", messages=[{"role": "user", "content": text}])


def test_the_last_conversation_is_the_most_recently_changed(tmp_path: Path) -> None:
    kept = Conversations(tmp_path)
    assert kept.last() is None
    first = kept.save(chat("one"))
    second = kept.save(chat("two"))
    os.utime(first, ns=(1, 1))
    assert kept.last() == (second, chat("two"))
    assert kept.save(chat("one more"), first) == first
    assert kept.last() == (first, chat("one more"))


def test_the_oldest_conversations_are_deleted_beyond_the_limit(tmp_path: Path) -> None:
    kept = Conversations(tmp_path, limit=2)
    paths = []
    for at in range(4):
        paths.append(kept.save(chat(str(at))))
        os.utime(paths[-1], ns=(at, at))
    kept.save(chat("5"), paths[3])
    assert sorted(tmp_path.iterdir()) == sorted(paths[2:])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"model": 1}', b"\xff"])
def test_an_invalid_conversation_file_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "1.json").write_bytes(content)
    with pytest.raises(UnreadableConversation, match=r"1\.json"):
        Conversations(tmp_path).last()


def test_a_failed_save_keeps_the_old_file_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    kept = Conversations(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").touch()
    with pytest.raises(OSError):
        kept.save(chat("one"), tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_STATE_HOME": "/var/state"}, Path("/var/state/headway/chats")),
        ({"XDG_STATE_HOME": "relative"}, Path.home() / ".local/state/headway/chats"),
        ({"XDG_STATE_HOME": ""}, Path.home() / ".local/state/headway/chats"),
        ({}, Path.home() / ".local/state/headway/chats"),
    ],
)
def test_the_folder_follows_the_xdg_specification(environ: dict[str, str], expected: Path) -> None:
    assert conversations.folder(environ) == expected
