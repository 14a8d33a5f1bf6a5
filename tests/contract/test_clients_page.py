"""The code of docs/clients.md, run as it is printed there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import Gateway

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text()
BLOCKS = re.findall(r"^## ([^\n]*)\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
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


def test_the_versions_on_the_page_are_those_that_make_clients_runs() -> None:
    requirements = Path(__file__).parents[2] / "requirements"
    pinned = {
        line.split(" ")[0]
        for path in requirements.glob("clients*.txt")
        for line in path.read_text().splitlines()
    }
    rows = re.findall(r"^\| (`.*) \| ([\d., ]+) \|$", PAGE, re.MULTILINE)
    named = [
        f"{name}=={version}"
        for names, versions in rows
        for name, version in zip(re.findall(r"`(.*?)`", names), versions.split(", "), strict=True)
    ]
    assert len(named) > 10
    assert [each for each in named if each not in pinned] == []
