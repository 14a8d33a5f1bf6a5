"""Refreshes the data of models' abilities that ships: ``python tools/model_abilities.py CHECKOUT``.

Compiles a checkout of github.com/anomalyco/models.dev into
``src/headway/metering/model_abilities.json``. Read the difference before committing it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SOURCE = "models.dev"
FILE = Path(__file__).parents[1] / "src/headway/metering/model_abilities.json"

ABILITIES = "images", "audio", "tools", "json_schema", "reasoning"
"""In the order of ``metering.model_abilities.ABILITIES``."""
MARKS = {True: "+", False: "-"}

KINDS = {
    "anthropic": "anthropic",
    "azure_openai": "azure",
    "azure_openai_responses": "azure",
    "baseten": "baseten",
    "bedrock": "amazon-bedrock",
    "bedrock_mantle": "amazon-bedrock",
    "cerebras": "cerebras",
    "cloudflare": "cloudflare-workers-ai",
    "cohere": "cohere",
    "dashscope": "alibaba",
    "databricks": "databricks",
    "deepinfra": "deepinfra",
    "deepseek": "deepseek",
    "fireworks": "fireworks-ai",
    "gemini": "google",
    "github_models": "github-models",
    "groq": "groq",
    "huggingface": "huggingface",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "nebius": "nebius",
    "novita": "novita-ai",
    "nvidia_nim": "nvidia",
    "openai": "openai",
    "openai_responses": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "siliconflow": "siliconflow",
    "together": "togetherai",
    "venice": "venice",
    "vercel": "vercel",
    "vertex": "google-vertex",
    "vertex_anthropic": "google-vertex-anthropic",
    "xai": "xai",
    "zai": "zai",
}
"""Our kinds -> the providers of the source. Other kinds are not in it, or serve models that are the
user's own."""


def main(checkout: Path) -> None:
    shared = dict(_models(checkout / "models"))
    providers = {
        name: dict(_provider(checkout / "providers" / name / "models", shared))
        for name in sorted(set(KINDS.values()))
    }
    data = {"source": SOURCE, "version": _version(checkout), "kinds": KINDS}
    FILE.write_text(_format(data, providers))
    count = sum(map(len, providers.values()))
    sys.stdout.write(f"{count} models of {len(providers)} providers\n")


def _version(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "log", "-1", "--format=%cs %h", "--abbrev=12"]
    found = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return found.stdout.strip()


def _models(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every file by its path below ``folder``, which is the name of its model."""
    for path in sorted(folder.rglob("*.toml")):
        name = path.relative_to(folder).with_suffix("")
        # with_suffix takes a version such as .5 for one, too
        yield str(name.with_name(path.name.removesuffix(".toml"))), tomllib.loads(path.read_text())


def _provider(folder: Path, shared: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for name, own in _models(folder):
        if own.get("status") == "alpha":
            continue
        yield name.lower(), _abilities(_with_base(own, shared))


def _with_base(own: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """``base_model`` is what the file leaves out, less ``base_model_omit``."""
    base = own.get("base_model")
    merged = {**(shared[base] if base else {}), **own}
    for path in own.get("base_model_omit", ()):
        outer, _, last = path.partition(".")
        if not last:
            merged.pop(outer, None)
        elif outer in merged:
            merged[outer] = {name: one for name, one in merged[outer].items() if name != last}
    return merged


def _abilities(model: Mapping[str, Any]) -> list[Any]:
    """The longest input and the longest output in tokens, and what the model can do: of each of
    ``ABILITIES`` whether it has it. ``pdf`` is left out: that a provider reads documents for its
    models is not in the source."""
    limit, inputs = model.get("limit", {}), model.get("modalities", {}).get("input")
    known = [kind in inputs if inputs else None for kind in ("image", "audio")]
    known += [model.get(field) for field in ("tool_call", "structured_output", "reasoning")]
    marks = "".join(MARKS.get(one, "?") for one in known)
    longest = limit.get("input") or limit.get("context") or None
    return [longest, limit.get("output") or None, marks]


def _format(data: Mapping[str, Any], providers: Mapping[str, Mapping[str, Any]]) -> str:
    """One model a line, so that a difference can be read."""
    blocks = []
    for name, models in providers.items():
        lines = ",\n".join(f"{_dump(model)}:{_dump(values)}" for model, values in models.items())
        blocks.append(f"{_dump(name)}:{{\n{lines}}}")
    head = _dump(data)[:-1]
    return f'{head},\n"providers":{{' + ",\n".join(blocks) + "}}\n"


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
