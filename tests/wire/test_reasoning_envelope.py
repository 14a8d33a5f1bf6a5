from __future__ import annotations

import json

import pytest

from headway.wire.reasoning_envelope import MARKER, PREFIX, pack_details, unpack_details

DETAILS = [
    {"type": "reasoning.text", "text": "Ä \U0001f600", "signature": "S+/=", "index": 0},
    {"type": "reasoning.encrypted", "data": "gAAA", "id": None, "format": "f"},
]


def test_details_come_out_as_they_went_in() -> None:
    packed = pack_details(DETAILS)
    assert unpack_details(packed) == DETAILS
    assert packed.isascii()
    assert json.dumps(packed).encode().startswith(MARKER)


@pytest.mark.parametrize(
    "text",
    ["", "gAAAABo", "hw2.W10=", f"{PREFIX}W", f"{PREFIX}Ä", f"{PREFIX}e30=", f"{PREFIX}/w=="],
)
def test_any_other_string_has_no_details(text: str) -> None:
    assert unpack_details(text) is None
