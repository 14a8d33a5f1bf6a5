from __future__ import annotations

from pathlib import Path

import pytest

from headway.cli.configuration import summary
from headway.config import load
from headway.providers import FACTS

FILE = """
providers:
  openai: {api_key: k}
  cloudflare: {account_id: a1}
"""


@pytest.mark.parametrize(
    "line",
    [
        "openai at https://api.openai.com/v1",
        "local at this machine",
        "vllm at http://127.0.0.1:8000/v1",
        "groq at https://api.groq.com/openai/v1, no key: set GROQ_API_KEY",
        "cloudflare at an address of its options, no key: set CLOUDFLARE_API_TOKEN",
        "databricks without an address, no key: set DATABRICKS_TOKEN",
    ],
)
def test_a_provider_is_shown_with_its_place_and_what_it_lacks(line: str, tmp_path: Path) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text(FILE)
    shown = summary(load(path, {"HOME": str(tmp_path)}, FACTS)).splitlines()
    assert f"  provider  {line}" in shown
