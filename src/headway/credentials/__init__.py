"""Credentials that expire: fetched when a request needs them, cached, and renewed ahead of time.

One cache (``base``), and a package for each cloud: ``aws``, ``google`` and ``entra``.
"""

from headway.credentials.sources import credential_source

__all__ = ["credential_source"]
