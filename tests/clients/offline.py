"""No network but the loopback, for the matrix and all that it starts: a network namespace of its
own (unshare(1)) where the machine permits one, and proxies that lead nowhere in any case."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import certifi

MARK = "CLIENTS_NAMESPACE"
CLOSED = "http://127.0.0.1:1"
"""Port 1 (tcpmux) is closed on every machine that runs tests."""
TEST_NET = ("192.0.2.1", 443)
"""RFC 5737: an address that is nobody's."""
KEPT = ("LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")
SILENT = {
    "ANONYMIZED_TELEMETRY": "false",
    "CI": "true",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "NO_COLOR": "1",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "OTEL_SDK_DISABLED": "true",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore",
}
"""Without telemetry, and without lists of models and prices from elsewhere."""


def enter_namespace() -> None:
    """Replaces this process by itself in a network namespace, if it is not in one."""
    if MARK in os.environ:
        if os.environ[MARK]:
            raise_loopback()
        return
    unshare = shutil.which("unshare")
    command = [unshare or "", "--map-root-user", "--net"]
    is_permitted = (
        unshare is not None
        and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    )
    os.environ[MARK] = "1" if is_permitted else ""
    if is_permitted:
        os.execv(command[0], [*command, sys.executable, *sys.argv])


def raise_loopback() -> None:
    """The loopback interface of a new namespace is down (netdevice(7), SIOCSIFFLAGS)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # up, running


def describe_network() -> str:
    """Raises AssertionError if an address outside answers from within the namespace."""
    if not os.environ.get(MARK):
        return "proxies that lead nowhere (this machine permits no network namespace)"
    try:
        socket.create_connection(TEST_NET, 0.2).close()
    except TimeoutError:
        raise AssertionError("the network namespace has a way out") from None
    except OSError:
        return "the loopback of a network namespace"
    raise AssertionError("the network namespace has a way out")


def client_environment(home: Path) -> dict[str, str]:
    """The environment of a client: its own home, no keys, no way out."""
    proxies = {}
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        proxies |= {name: CLOSED, name.upper(): CLOSED}
    local = "127.0.0.1,localhost,::1"
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    paths = {"HOME": str(home), "SSL_CERT_FILE": str(write_one_authority(home))}
    return {**kept, **SILENT, **proxies, "no_proxy": local, "NO_PROXY": local, **paths}


def write_one_authority(home: Path) -> Path:
    """Nothing here is encrypted, and loading all authorities takes each new client 20 ms."""
    path = home / "authority.pem"
    first, end, _ = certifi.contents().partition("-----END CERTIFICATE-----\n")
    path.write_text(first + end)
    return path
