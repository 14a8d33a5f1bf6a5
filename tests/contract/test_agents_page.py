"""docs/agents.md: `make clients` runs the agents as its blocks say; the rest is checked here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from headway.config import load
from headway.providers import FACTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agents.md").read_text()
AGENTS = ROOT / "tests" / "clients" / "agents"


def test_the_names_of_models_on_the_page_are_a_configuration(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "headway.yaml"
    path.write_text(block)
    config = load(path, {"HOME": str(tmp_path)}, FACTS)
    assert dict(config.models) == yaml.safe_load(block)["models"]


def test_the_versions_on_the_page_are_those_that_are_run() -> None:
    packages = json.loads((AGENTS / "package.json").read_text())
    run = {*packages["dependencies"].values(), *packages["optionalDependencies"].values()}
    assert {*re.findall(r"\| (\d+\.\d+\.\d+) \|", PAGE)} == run


def test_each_section_with_blocks_for_a_shell_is_run() -> None:
    sections = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    program = (AGENTS / "run_agent.py").read_text()
    with_commands = [name for name, text in sections if "```sh" in text]
    assert with_commands == re.findall(r'Agent\(\s*"([^"]+)"', program)
