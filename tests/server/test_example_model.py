from __future__ import annotations

import asyncio
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from headway.config import load
from headway.providers import FACTS
from headway.server import composition
from headway.server.example_model import find_example_model
from headway.server.transports import Transports
from support.pipeline_fakes import GATEWAY_ID


class Launcher:
    async def base_url(self) -> str:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing to stop."""


LAUNCHER = Launcher()
NAME = re.compile(r"(openai|local|mine|echo|box): {")


@pytest.mark.parametrize(
    ("providers", "has_runtime", "expected"),
    [
        ("{local: {}, echo: {}}", True, ("local", "smollm2-135m-instruct")),
        ("{local: {}, echo: {}}", False, ("echo", "echo")),
        ("{openai: {api_key: sk-1, models: [gpt-4o]}, echo: {}}", False, ("openai", "gpt-4o")),
        ("{openai: {models: [gpt-4o]}, mine: {kind: echo}}", False, ("mine", "echo")),
        ("{box: {kind: openai, base_url: 'http://b/v1', models: [m]}}", False, ("box", "m")),
    ],
)
def test_the_model_can_be_called_on_this_server(
    providers: str,
    has_runtime: bool,
    expected: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: has_runtime or None if name == "xllamacpp" else find_spec(name),
    )
    assert found(f"providers: {providers}", tmp_path) == expected


def test_a_server_with_gateway_keys_names_no_configured_model(tmp_path: Path) -> None:
    file = (
        "server: {api_keys: [gw-secret-key]}\n"
        "providers: {openai: {api_key: sk-1, models: [gpt-4o]}, echo: {}}"
    )
    assert found(file, tmp_path) == ("echo", "echo")


def found(file: str, folder: Path) -> Any:
    async def find() -> Any:
        config = load(path, {"HOME": str(folder)}, FACTS)
        transports = Transports(config, GATEWAY_ID)
        try:
            snapshot = composition.new_snapshot(config, transports, {"llama": LAUNCHER})
            names = {name: snapshot.upstreams[name] for name in NAME.findall(file)}
            return find_example_model(structs.replace(snapshot, upstreams=names))
        finally:
            await transports.close()

    path = folder / "headway.yaml"
    path.write_text(file)
    return asyncio.run(find())
