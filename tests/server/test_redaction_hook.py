"""The function of ``ledger.redact`` is found, or the error says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.config import ConfigError, Ledger, Secret
from headway.server.redaction_hook import load_hook, new_content_rules
from support.for_each import for_each


def test_the_rules_are_those_of_the_configuration() -> None:
    ledger = Ledger(
        url=Secret("sqlite:////x.db"), spool="/x", content="hash", content_by_key={"aa": "full"}
    )
    rules = new_content_rules(ledger)
    assert (rules.mode_for("aa"), rules.mode_for("bb"), rules.redact) == ("full", "hash", None)


def test_a_function_of_an_installed_module_is_the_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_privacy_hook.py").write_text("def hide(text):\n    return text.upper()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_hook("my_privacy_hook:hide")("a") == "A"
    ledger = Ledger(url=Secret("sqlite:////x.db"), spool="/x", redact="my_privacy_hook:hide")
    redact = new_content_rules(ledger).redact
    assert redact is not None
    assert redact("b") == "B"


@for_each(
    "name, said",
    [
        ("no_such_module_here:f", "cannot be imported (ModuleNotFoundError: No module named"),
        ("json:no_such_function", "the module json has no function no_such_function"),
        ("json:__name__", "the module json has no function __name__"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused_with_the_setting(name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_hook(name)
    assert "ledger.redact: " in str(caught.value)
    assert said in str(caught.value)
