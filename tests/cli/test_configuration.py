from __future__ import annotations

import re
from pathlib import Path

import pytest

from headway.cli.configuration import summary
from headway.config import load
from headway.providers import FACTS

FILE = """
providers:
  openai: {api_key: k}
  cloudflare: {account_id: a1}
  lmstudio:
  groq: {}
  databricks:
"""


@pytest.mark.parametrize(
    "line",
    [
        "openai at https://api.openai.com/v1",
        "local at this machine",
        "lmstudio at http://127.0.0.1:1234/v1",
        "groq at https://api.groq.com/openai/v1, no key: set GROQ_API_KEY",
        "cloudflare at an address of its options, no key: set CLOUDFLARE_API_TOKEN",
        "databricks without an address, no key: set DATABRICKS_TOKEN",
    ],
)
def test_a_provider_is_listed_with_its_address_and_missing_settings(
    line: str, tmp_path: Path
) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text(FILE)
    shown = summary(load(path, {"HOME": str(tmp_path)}, FACTS)).splitlines()
    assert f"  provider  {line}" in shown
    names = [line.split()[1] for line in shown if line.startswith("  provider")]
    assert names == ["cloudflare", "databricks", "echo", "groq", "lmstudio", "local", "openai"]
    assert re.fullmatch(r"  others    \d+ that need a key of the client's own", shown[-1])


def test_a_provider_is_listed_with_the_variables_that_set_its_address(tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "OPENAI_BASE_URL": "http://h/v1",
        "CLOUDFLARE_ACCOUNT_ID": "a1",
        "CLOUDFLARE_API_TOKEN": "k",
        "GOOGLE_APPLICATION_CREDENTIALS": "a.json",
        "GOOGLE_CLOUD_PROJECT": "p",
        "GOOGLE_CLOUD_LOCATION": "eu",
    }
    path = tmp_path / "headway.yaml"
    path.write_text("")
    shown = summary(load(path, environ, FACTS)).splitlines()
    vertex = "at https://aiplatform.googleapis.com"
    for line in (
        "openai at http://h/v1 (from OPENAI_BASE_URL)",
        "cloudflare at an address of its options (from CLOUDFLARE_ACCOUNT_ID)",
        f"vertex {vertex} (from GOOGLE_CLOUD_PROJECT, GOOGLE_CLOUD_LOCATION)",
    ):
        assert f"  provider  {line}" in shown


def test_a_route_is_listed_with_its_strategy_and_targets(tmp_path: Path) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text(
        "models:\n"
        "  fast: openai/gpt-5-mini\n"
        "  safe: [openai/gpt-5, fast]\n"
        "  smart: {targets: [{model: fast, weight: 3}, {model: groq/l, when: {tags: a}}]}\n"
    )
    shown = summary(load(path, {"HOME": str(tmp_path)}, FACTS)).splitlines()
    assert [line for line in shown if line.startswith("  route")] == [
        "  route     safe: ordered, openai/gpt-5, openai/gpt-5-mini",
        "  route     smart: weighted, openai/gpt-5-mini (3), groq/l (1, with a condition)",
    ]
