"""The kinds of provider that Headway speaks to. Adding one is a file and a row here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from headway.providers import echo, local, openai
from headway.providers.provider import Provider

KINDS: Mapping[str, Provider] = MappingProxyType(
    {module.PROVIDER.name: module.PROVIDER for module in (openai, echo, local)}
)

__all__ = ("KINDS", "Provider")
