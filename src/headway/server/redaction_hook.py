"""What is kept of messages, as ``ledger.content`` and its neighbours configure it."""

from __future__ import annotations

from importlib import import_module

from headway.config import ConfigError, Ledger, Problem
from headway.pipeline.content_rules import ContentRules, Redact

SOURCE = "configuration"


def new_content_rules(ledger: Ledger) -> ContentRules:
    """Raises ConfigError where ``ledger.redact`` names no function."""
    hook = None if ledger.redact is None else load_hook(ledger.redact)
    return ContentRules(ledger.content, ledger.content_by_key, hook)


def load_hook(name: str) -> Redact:
    """The function ``module:function``. Raises ConfigError, whose text says what to do."""
    module_name, _, function_name = name.partition(":")
    try:
        module = import_module(module_name)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise _problem(
            f"the module {module_name} cannot be imported ({why}): install it where the gateway"
            " runs, or set PYTHONPATH"
        ) from error
    hook = getattr(module, function_name, None)
    if not callable(hook):
        raise _problem(f"the module {module_name} has no function {function_name}")
    return hook  # type: ignore[no-any-return]


def _problem(message: str) -> ConfigError:
    return ConfigError([Problem("ledger.redact", message, SOURCE)])
