"""The contracts of the architecture hold, and each of them fails when one import breaks it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"

VENDORS = "providers.openai_compatible.vendors"

# contract: (importer, what it may not import), all injected at once, each to be named.
TRESPASSES = {
    "layers": (
        ("types", "headway.errors"),
        ("errors", "headway.wire"),
        ("wire", "headway.errors"),
        ("wire", "headway.metering"),
        ("dialects", "headway.providers"),
        ("providers", "headway.dialects"),
        ("metering", "headway.ports"),
        ("routing", "headway.policy"),
        ("policy", "headway.config"),
        ("ports", "headway.transport"),
        ("config", "headway.ports"),
        ("pipeline", "headway.local"),
        ("transport", "headway.ledger"),
        ("credentials", "headway.transport"),
        ("ledger", "headway.pipeline"),
        ("local", "headway.transport"),
        ("token_counter", "headway.pipeline"),
        ("catalog", "headway.server"),
        ("sdk", "headway.server"),
        ("server", "headway.cli"),
    ),
    "vendors": ((f"{VENDORS}.groq", f"headway.{VENDORS}.tgi"),),
    "pure": (
        ("types", "time"),
        ("errors", "logging"),
        ("wire", "socket"),
        ("dialects", "random"),
        ("providers", "os"),
        ("providers", "requests"),
        ("policy", "redis"),
        ("routing", "asyncio"),
        ("metering", "sqlite3"),
    ),
    "config-readers": (
        ("pipeline", "headway.config"),
        ("transport", "headway.config.schema"),
        ("credentials", "headway.config"),
        ("providers", "headway.config"),
    ),
    "config-needs": (("config", "headway.providers"), ("config", "headway.metering")),
    "clients": (("sdk", "headway.ports"), ("sdk", "headway.dialects")),
}

# For the contract "acyclic", in each package: two siblings that are made to import each other.
CIRCLES = (
    ("catalog.model_catalog", "headway.catalog.catalog_cache"),
    ("credentials.base", "headway.credentials.sources"),
    ("ledger.spool", "headway.ledger.docs"),
    ("pipeline.accounting", "headway.pipeline.call"),
    ("providers.anthropic.models", "headway.providers.anthropic.parameters"),
    ("providers.azure.endpoint", "headway.providers.azure.openai"),
    ("providers.bedrock.endpoint", "headway.providers.bedrock.signing"),
    ("providers.transformations", "headway.providers.parameter_rules"),
    ("providers.openai_compatible.errors", "headway.providers.openai_compatible.vendor"),
    ("providers.cohere.messages", "headway.providers.cohere.parameters"),
    ("providers.gemini.messages", "headway.providers.gemini.parameters"),
    ("providers.ollama.messages", "headway.providers.ollama.parameters"),
    ("providers.openai.models", "headway.providers.openai.parameters"),
    ("providers.openai_responses.tools", "headway.providers.openai_responses.parameters"),
    ("providers.vertex.endpoint", "headway.providers.vertex.gemini"),
    ("routing_state.memory", "headway.routing_state.shared"),
    ("server.transports", "headway.server.app"),
    ("server.http.flow_control", "headway.server.http.protocol"),
    ("server.openapi.document", "headway.server.openapi.docs"),
    ("token_counter.protocol", "headway.token_counter.counter"),
    ("transport.connection", "headway.transport.pool"),
)


def lint(top: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the package in ``top/src``, by the contracts of this repository."""
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", *options],
        cwd=top,
        env={**os.environ, "PYTHONPATH": str(top / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "src", tmp_path / "src", ignore=lambda _, names: [n for n in names if is_data(n)]
    )
    return tmp_path


def is_data(name: str) -> bool:
    return "." in name and not name.endswith(".py")


def add_import(package: Path, importer: str, imported: str) -> None:
    """At the end of an existing module, where only a type checker would follow it."""
    with (package / importer.replace(".", "/")).with_suffix(".py").open("a") as file:
        file.write("\nfrom typing import TYPE_CHECKING\n")
        file.write(f"if TYPE_CHECKING:\n    import {imported}\n")


def trespass(package: Path, importer: str, imported: str) -> str:
    """Add the import in a module of its own, or at the end of a single one; returns its name."""
    module = (package / importer.replace(".", "/")).with_suffix(".py")
    name = f"headway.{importer}"
    if not module.exists():
        stem = "trespass_" + imported.replace(".", "_")
        module, name = package / importer / f"{stem}.py", f"{name}.{stem}"
    with module.open("a") as file:
        file.write(f"\nimport {imported}\n")
    return name


def test_the_package_keeps_its_contracts() -> None:
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("contract", TRESPASSES)
def test_a_contract_names_every_import_that_breaks_it(copied: Path, contract: str) -> None:
    package = copied / "src" / "headway"
    links = [
        f"{trespass(package, importer, imported)} -> {imported}"
        for importer, imported in TRESPASSES[contract]
    ]

    result = lint(copied, "--contract", contract)

    assert result.returncode == 1
    assert "0 kept, 1 broken" in result.stdout
    assert [link for link in links if link not in result.stdout] == []


def test_a_circle_inside_each_package_is_found(copied: Path) -> None:
    package_dir = copied / "src" / "headway"
    for importer, imported in CIRCLES:
        add_import(package_dir, importer, imported)
        add_import(package_dir, imported.removeprefix("headway."), f"headway.{importer}")

    result = lint(copied, "--contract", "acyclic")

    assert result.returncode == 1
    found = {
        package: {first, second}
        for package, first, second in re.findall(
            r"No cycles are allowed in (\S+)\.\n[^-]*- (\S+) -> (\S+) ", result.stdout
        )
    }
    assert found == {
        f"headway.{importer}".rpartition(".")[0]: {
            "." + name.rpartition(".")[2] for name in (importer, imported)
        }
        for importer, imported in CIRCLES
    }


def test_every_acyclic_package_is_shown_to_fail() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    acyclic = next(one for one in contracts["contracts"] if one["id"] == "acyclic")

    packages = dict.fromkeys(module.partition(".")[0] for module, _ in CIRCLES)
    assert acyclic["ancestors"] == [f"headway.{package}" for package in packages]


def test_a_new_package_must_be_given_its_layer(copied: Path) -> None:
    package = copied / "src" / "headway" / "helpers"
    package.mkdir()
    (package / "__init__.py").touch()

    result = lint(copied, "--contract", "layers")

    assert result.returncode == 1
    assert "headway.helpers" in result.stdout


def test_every_contract_is_shown_to_fail() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())

    ids = [contract["id"] for contract in config["tool"]["importlinter"]["contracts"]]
    assert ids == [*TRESPASSES, "acyclic"]


def test_the_pure_packages_require_full_line_coverage() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    pure = next(one for one in tool["importlinter"]["contracts"] if one["id"] == "pure")
    covered = {
        path.removeprefix("src/").removesuffix("/*").removesuffix(".py").replace("/", ".")
        for path in tool["coverage"]["report"]["include"]
    }

    assert covered == set(pure["source_modules"])
    assert tool["coverage"]["report"]["fail_under"] == 100
