"""The servers of the contract's suite serve here as well: one a skin, started when first used."""

from __future__ import annotations

from contract.conftest import gateway, launch, scripted, server, shared, skin, upstream

__all__ = ["gateway", "launch", "scripted", "server", "shared", "skin", "upstream"]
