from __future__ import annotations

from headway.types import Frame
from headway.wire.framer import ChunkFramer


def test_bytes_without_frames_are_one_frame_for_each_piece() -> None:
    framer = ChunkFramer()
    assert framer.feed(b"\xff\n\n\xfb") == [Frame(b"\xff\n\n\xfb", None, b"\xff\n\n\xfb")]
    assert framer.end() == []
