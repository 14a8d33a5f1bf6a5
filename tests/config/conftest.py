from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec import Struct

from headway.config import Config, ConfigError, Overrides, load


class Variable(Struct, frozen=True):
    name: str
    read: Callable[[str], str] = str


def spelled(text: str) -> str:
    """Reads what is no address as one."""
    if text == "unreadable":
        raise ValueError(text)
    return f"http://{text}"


class Kind(Struct, frozen=True):
    """As little of a provider as reading the configuration needs."""

    name: str
    base_url: str | None = None
    key_env: str | None = None
    options: Mapping[str, str] = {}
    secrets: frozenset[str] = frozenset()
    environ: Mapping[str, Variable] = {}


VENDOR = Kind(
    "vendor",
    "https://api.vendor.example/v1",
    "VENDOR_API_KEY",
    {"beta": "Which."},
    environ={"base_url": Variable("VENDOR_BASE_URL")},
)
CLOUD = Kind(
    "cloud",
    None,
    "CLOUD_API_KEY",
    {"api_version": "Which.", "region": "Where.", "password": "What opens it."},
    frozenset({"password"}),
    {"base_url": Variable("CLOUD_ENDPOINT"), "region": Variable("CLOUD_REGION")},
)
HERE = Kind("here", environ={"base_url": Variable("HERE_HOST", spelled)})
KINDS = {kind.name: kind for kind in (VENDOR, CLOUD, HERE)}


def find_fault(condition: str) -> str | None:
    return "column 1: no CEL" if condition == "wrong" else None


Load = Callable[..., Config]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """``read(text, NAME=value, ...)`` reads headway.yaml with that text in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def read(
        text: str | bytes | None = None, overrides: Overrides | None = None, **environ: str
    ) -> Config:
        if text is not None:
            data = text.encode() if isinstance(text, str) else text
            (tmp_path / "headway.yaml").write_bytes(data)
        return load(None, {"HOME": "/home/user", **environ}, KINDS, overrides, find_fault)

    return read


Refused = Callable[..., list[str]]


@pytest.fixture
def refused(read: Load) -> Refused:
    """The lines with which a configuration is refused."""

    def refused(text: str | bytes | None = None, **more: str) -> list[str]:
        with pytest.raises(ConfigError) as error:
            read(text, **more)
        return str(error.value).splitlines()

    return refused
