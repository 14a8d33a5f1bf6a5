"""The code of docs/clients.md, run as it is printed there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import Gateway

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text()
BLOCKS = re.findall(r"^## (.*?)\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PRINTED = {
    "OpenAI's SDK": "Hello\nHello\nHello there",
    "Images, audio, moderations, reranking": "92\nfile, 1644 bytes\nFalse\n",
    "Anthropic's SDK": "Hello\nHello there8\n",
    "Google's SDK": "Hello\nHello there",
    "Ollama's SDK": "Hello\nHello there",
}


@pytest.mark.parametrize(("client", "code"), BLOCKS, ids=[client for client, _ in BLOCKS])
def test_the_code_for_a_client_prints_the_answer(
    server: Gateway, client: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace: dict[str, Any] = {}
    exec(code.replace("http://127.0.0.1:8000", server.base_url), namespace)
    namespace["client"].close()
    assert capsys.readouterr().out == PRINTED[client]


def test_every_client_has_a_block() -> None:
    assert [client for client, _ in BLOCKS] == list(PRINTED)
