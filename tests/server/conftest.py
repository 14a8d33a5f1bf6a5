"""The servers of the contract's suite: one for each mode, started when first used."""

from __future__ import annotations

from contract.conftest import gateway, lasting, launch, mode, scripted, server, shared, upstream

__all__ = ["gateway", "lasting", "launch", "mode", "scripted", "server", "shared", "upstream"]
