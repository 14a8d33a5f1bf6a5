"""Certificates for the provider behind TLS."""

from __future__ import annotations

from pathlib import Path

import trustme


def create_certificates(folder: Path) -> None:
    """Write ``ca.pem``, and ``server.pem`` with ``server.key`` for localhost, into ``folder``."""
    authority = trustme.CA()
    server = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server.private_key_pem.write_to_path(str(folder / "server.key"))
    chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
    (folder / "server.pem").write_bytes(chain)
