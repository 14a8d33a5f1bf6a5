"""One declaration drives reading, help and the documentation."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import msgspec
import pytest

from headway.cli.serve import serve
from headway.config import Config, ConfigError, Provider, load
from headway.config.docs import groups, markdown
from headway.config.settings import LOG, PROVIDER, ROOT, SERVER
from headway.config.specs import Section, default_of
from headway.providers import FACTS

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
GROUPS = {group.path: group.section for group in groups()}
RESOLVED = {
    "name",
    "is_configured",
    "key_env",
    "lacks_address",
    "needs_key",
    "options",
    "sources",
}


def test_the_page_is_what_the_declarations_say() -> None:
    assert PAGE.read_text() == markdown(), "python -m headway.config.docs > docs/configuration.md"


def test_every_section_has_its_chapter() -> None:
    assert list(GROUPS) == [
        "server",
        "server.log",
        "providers.<name>",
        "providers.<name>.api_keys[]",
        "models.<name>",
        "models.<name>.targets[]",
        "models.<name>.targets[].when",
        "models.<name>.limits",
        "models.<name>.cheapest_with",
        "models.<name>.hedge",
        "models.<name>.cache",
        "models.<name>.shadow",
        "routing",
        "routing.breaker",
        "timeouts",
        "prices.<provider>.<model>",
        "prices.<provider>.<model>.above.<tokens>",
        "prices.<provider>.<model>.tiers.<tier>",
        "cache",
        "cache.semantic",
        "ledger",
    ]


@pytest.mark.parametrize(("path", "section"), GROUPS.items(), ids=GROUPS)
def test_every_field_of_a_struct_is_a_key_and_the_other_way_round(
    path: str, section: Section
) -> None:
    assert section.struct is not None
    fields = set(section.struct.__struct_fields__)
    if section.struct is Provider:
        assert fields - RESOLVED == set(section.keys) - {"prices"}
    else:
        assert list(section.struct.__struct_fields__) == list(section.keys)
    assert f"\n## `{path}`\n" in PAGE.read_text()


def test_every_key_of_the_file_is_a_field_of_the_configuration() -> None:
    found = {"source", "overrides", "warnings", "proxy_environ", "credential_environ"}
    assert set(ROOT.keys) == set(Config.__struct_fields__) - found


def test_every_key_has_a_meaning() -> None:
    for section in [ROOT, *GROUPS.values()]:
        for name, key in section.keys.items():
            assert key.help.endswith("."), name


def test_flags_and_variables_are_those_of_the_command_line() -> None:
    parameters = inspect.signature(serve).parameters
    for key in (*SERVER.keys.values(), *LOG.keys.values()):
        if key.flag:
            assert key.flag.removeprefix("--").replace("-", "_") in parameters
    assert {key.env for section in GROUPS.values() for key in section.keys.values()} == {
        None,
        "HEADWAY_HOST",
        "HEADWAY_PORT",
        "HEADWAY_WORKERS",
        "HEADWAY_API_KEYS",
        "HEADWAY_ADMIN_KEYS",
        "HEADWAY_LEDGER_URL",
        "HEADWAY_LEDGER_SPOOL",
        "HEADWAY_LEDGER_CONTENT",
        "HEADWAY_LOG_LEVEL",
        "HEADWAY_LOG_FORMAT",
        "HEADWAY_LOG_ACCESS",
        "HEADWAY_PAGE",
    }


def test_a_key_without_a_default_says_so() -> None:
    assert default_of(SERVER, "port") == 8000
    assert default_of(ROOT, "server") is msgspec.NODEFAULT
    assert default_of(PROVIDER, "prices") is msgspec.NODEFAULT


def test_the_pages_example_is_a_configuration(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert examples
    for example in examples:
        (tmp_path / "headway.yaml").write_text(example)
        config = load(tmp_path / "headway.yaml", {"GATEWAY_KEY": "hw-1"}, FACTS)
        assert config.providers["gpu"].base_url == "http://gpu-box:8000/v1"


def test_the_pages_problems_are_those_that_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "\nserver:\n  port: 80000\nproviders:\n  gpu:\n    kind: openai\n    base_ur: x\n"
    Path("headway.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load(None, {}, FACTS)
    assert f"```text\n{error.value}\n```" in PAGE.read_text()
