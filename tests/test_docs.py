"""What the documents show is so: replies, requests, commands, paths and code.

Pages that are generated, and their tests, are elsewhere: cli, configuration, ledger.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec import Raw
from typer.core import TyperGroup
from typer.main import get_command

from contract.shapes import (
    CHOICE_KEYS,
    ERROR_KEYS,
    FIRST_METRICS,
    MESSAGE_KEYS,
    MORE_METRICS,
    ONCE_KEYS,
    REPLY_KEYS,
    STREAM_KEYS,
)
from headway.cli.app import app
from headway.config import load
from headway.dialects.base import ClientRequest, DecodedRequest
from headway.ledger.json_views import CallDetails
from headway.metering.prices import read_shipped_prices
from headway.providers import FACTS, KINDS, echo, echo_script, wire_formats
from headway.providers.base import Provider
from headway.providers.docs import markdown
from headway.providers.openai_compatible import vendors
from headway.providers.operations import encode_operation
from headway.providers.registry import entries
from headway.record import Record
from headway.server import routes
from headway.types import ChatRequest, HttpRequest, RelayedRequest, Request, Target
from support.for_each import for_each

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
IMAGINED = {"acme.py", "test_bolt.py"}
"""Files of the examples in docs/adding-a-provider.md."""


class Block(NamedTuple):
    """One fenced block; ``where`` is page:line."""

    where: str
    page: str
    language: str
    text: str


def blocks_of(path: Path) -> Iterator[Block]:
    text = path.read_text()
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(f"{path.name}:{line}", path.name, found[1], found[2])


BLOCKS = [block for path in PAGES for block in blocks_of(path)]
SHELL = [block for block in BLOCKS if block.language in ("sh", "console")]


def prose(path: Path) -> str:
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def spans(path: Path) -> list[str]:
    """What stands in backticks within the prose."""
    return re.findall(r"`([^`\n]+)`", prose(path))


# --- Replies ------------------------------------------------------------------------------------


def values_of(block: Block) -> list[Any]:
    """The JSON of a block: values one after the other, or those among other lines."""
    if block.language != "json":
        return [json.loads(line) for line in LINE.findall(block.text)]
    decoder, values, at = json.JSONDecoder(), [], 0
    text = block.text.strip()
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        values.append(value)
        at += len(text[at:]) - len(text[at:].lstrip())
    return values


LINE = re.compile(r"^(?:data: )?(\{.*\})$", re.MULTILINE)
JSON = [
    block
    for block in BLOCKS
    if block.language == "json" or (block.language in ("http", "text") and LINE.search(block.text))
]


@for_each("block", JSON, ids=lambda block: block.where)
def test_every_reply_parses_and_has_the_contracts_keys(block: Block) -> None:
    values = values_of(block)
    assert values
    for value in values:
        if isinstance(value, dict):
            check(value)


def check(value: dict[str, Any]) -> None:
    if "attempt_details" in value:
        assert list(value) == list(CallDetails.__struct_fields__)
    elif "error" in value:
        assert list(value["error"]) == ERROR_KEYS
    elif value.get("object") == "chat.completion" and is_ours(value):
        check_reply(value)
    elif value.get("object") == "chat.completion.chunk" and is_ours(value):
        check_chunk(value)
    elif "outcome" in value:
        assert set(value) <= set(Record.__struct_fields__)
    elif "cost_usd" in value or "time_to_first_token_s" in value:
        assert set(value) <= {*FIRST_METRICS, *MORE_METRICS}


def is_ours(value: dict[str, Any]) -> bool:
    """The engine route gives every answer a UUID; OpenAI's route hands on the provider's id, and
    its chunk of metrics has no choice."""
    try:
        return bool(uuid.UUID(value["id"])) and value["choices"] != []
    except ValueError:
        return False


def check_reply(reply: dict[str, Any]) -> None:
    assert list(reply)[: len(REPLY_KEYS)] == REPLY_KEYS
    assert list(reply["metrics"]) in (FIRST_METRICS, [*FIRST_METRICS, *MORE_METRICS])
    for choice in reply["choices"]:
        assert list(choice) == CHOICE_KEYS
        assert list(choice["message"])[:4] == MESSAGE_KEYS
    metrics = reply["metrics"]
    assert metrics["total_tokens"] == metrics["input_tokens"] + metrics["output_tokens"]


def check_chunk(chunk: dict[str, Any]) -> None:
    assert [key for key in chunk if key in STREAM_KEYS] == STREAM_KEYS
    assert [key for key in chunk if key in ONCE_KEYS] in ([], ONCE_KEYS)
    if chunk["metrics"] is not None:
        assert list(chunk["metrics"]) == [*FIRST_METRICS, *MORE_METRICS]
        assert chunk["chat_output"] is not None


def test_the_readme_and_the_quickstart_show_replies() -> None:
    shown = {block.page for block in JSON for value in values_of(block) if "metrics" in value}
    assert {"README.md", "quickstart.md"} <= shown


# --- Requests -----------------------------------------------------------------------------------

POSTED = re.compile(r"http://127\.0\.0\.1:8000(/\S+)[^$]*?-d '([^']*)'")
REQUESTS = [(block.where, *found) for block in SHELL for found in POSTED.findall(block.text)]


@pytest.mark.parametrize(("where", "path", "body"), REQUESTS, ids=[r[0] for r in REQUESTS])
def test_every_request_is_one_that_its_route_takes(where: str, path: str, body: str) -> None:
    call = decoded(path, body)
    provider = KINDS[call.provider]
    if provider is echo.PROVIDER:
        sent = encode(call.request)
        assert b"echo cannot read" not in b"".join(
            s.data or b"" for s in echo.respond(sent.body, sent.url.path).chunks
        )
    elif provider.models:
        assert call.request.model in provider.models


def encode(request: Request) -> HttpRequest:
    """For the provider ``echo``."""
    target = Target(provider="echo", base_url="")
    if isinstance(request, RelayedRequest):
        operation = echo.PROVIDER.operations[request.operation]
        return encode_operation(operation, request, target)
    assert isinstance(request, ChatRequest)
    return echo.PROVIDER.encode_request(request, target)


def decoded(path: str, body: str) -> DecodedRequest:
    found = routes.find(path)
    assert found is not None, path
    dialect, argument, _ = found
    return dialect.decode(ClientRequest(argument, [], body.encode()))


# --- Commands -----------------------------------------------------------------------------------


def code_of(path: Path) -> str:
    shell = [block.text for block in blocks_of(path) if block.language in ("sh", "console")]
    return "\n".join([*shell, *spans(path)]).replace("\\\n", " ")


def commands() -> dict[str, set[str]]:
    """The commands of ``headway``, each with its long options."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return {
        name: {text for parameter in command.params for text in option_names(parameter)}
        for name, command in group.commands.items()
    }


def option_names(parameter: Any) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts, "--help"]


@for_each("path", PAGES, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"(?m)^\.PHONY: (.+)$", makefile)
    assert phony is not None
    named = set(re.findall(r"(?<![\w-])make ([a-z][\w-]*)", code_of(path)))
    assert named - set(phony[1].split()) == set()


@for_each("path", PAGES, ids=lambda path: path.name)
def test_every_command_and_option_that_is_named_exists(path: Path) -> None:
    known = commands()
    called = r"(?<!import )(?<!from )(?<![\w./-])headway ([a-z][a-z-]*)([^|\n]*)"
    for name, rest in re.findall(called, code_of(path)):
        assert name in known
        assert set(re.findall(r"(?<!\S)(--[a-z-]+)", rest)) - known[name] == set()


@for_each("path", PAGES, ids=lambda path: path.name)
def test_every_test_that_make_is_to_run_exists(path: Path) -> None:
    arguments = " ".join(re.findall(r'ARGS="?([^"`\n]+)', path.read_text()))
    assert [
        name for name in re.findall(r"tests/[\w./]+", arguments) if not (ROOT / name).exists()
    ] == []


# --- Code ---------------------------------------------------------------------------------------


@for_each("path", PAGES, ids=lambda path: path.name)
def test_every_source_file_that_is_named_exists(path: Path) -> None:
    named = {span for span in spans(path) if re.fullmatch(r"[\w./]+\.py", span)}
    files = [file for top in ("src", "tests", "tools") for file in (ROOT / top).rglob("*.py")]
    missing = {n for n in named if not any(f.as_posix().endswith("/" + n) for f in files)}
    assert {name for name in missing if Path(name).name not in IMAGINED} == set()


PYTHON = [block for block in BLOCKS if block.language == "python"]


@for_each("block", PYTHON, ids=lambda block: block.where)
def test_every_piece_of_python_is_python(block: Block) -> None:
    compile(block.text, block.where, "exec")


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, ModuleType]]:
    """docs/adding-a-provider.md, executed: a vendor's file among the vendors, the entry, the module
    and the test of a wire format."""
    vendor, entry, module, test = (
        b.text for b in blocks_of(DOCS / "adding-a-provider.md") if b.language == "python"
    )
    (tmp_path / "acme.py").write_text(vendor)
    monkeypatch.setattr(vendors, "__path__", [*vendors.__path__, str(tmp_path)])
    entries.cache_clear()
    namespace: dict[str, Any] = {"ProviderEntry": wire_formats.ProviderEntry}
    exec(entry, namespace)
    monkeypatch.setattr(wire_formats, "BOLT", namespace["BOLT"], raising=False)
    made: dict[str, ModuleType] = {}
    for name, text in (("bolt", module), ("test_bolt", test)):
        made[name] = ModuleType(f"documented_{name}")
        monkeypatch.setitem(sys.modules, made[name].__name__, made[name])
        if name == "test_bolt":
            made[name].__dict__["PROVIDER"] = made["bolt"].PROVIDER
        exec(compile(text, name, "exec"), made[name].__dict__)
    yield made
    sys.modules.pop(f"{vendors.__name__}.acme", None)
    entries.cache_clear()


def adapted_by(provider: Provider) -> tuple[ChatRequest, list[str]]:
    parameters = {"max_tokens": Raw(b"5"), "frequency_penalty": Raw(b"1")}
    request = ChatRequest(
        model="m", messages=Raw(b'[{"role":"user","content":"Hi"}]'), parameters=parameters
    )
    sent, transformations = provider.adapt(request)
    target = Target(provider=provider.name, base_url=provider.base_url or "")
    assert provider.encode_request(sent, target).url.host == f"api.{provider.name}.example"
    return sent, [str(each) for each in transformations]


def test_one_file_adds_a_vendor(examples: dict[str, ModuleType], tmp_path: Path) -> None:
    sent, transformations = adapted_by(KINDS["acme"])
    assert "max_completion_tokens" in sent.parameters
    assert transformations == [
        "renamed max_tokens -> max_completion_tokens",
        "dropped frequency_penalty: unsupported by Acme",
    ]
    environ = {"HOME": str(tmp_path), "ACME_API_KEY": "k", "ACME_BASE_URL": "http://h/v1"}
    acme = load(None, environ, FACTS).providers["acme"]
    assert (acme.base_url, str(acme.api_key)) == ("http://h/v1", "k")
    assert "| `acme` | Acme | `https://api.acme.example/v1` or `ACME_BASE_URL` |" in markdown()
    kinds = list(KINDS)
    assert kinds[kinds.index("acme") - 1 :] == ["sglang", "acme", "echo", "local"]


def test_the_module_of_the_page_is_a_provider(examples: dict[str, ModuleType]) -> None:
    assert adapted_by(examples["bolt"].PROVIDER)[1] == []


def test_the_test_that_the_page_shows_passes(examples: dict[str, ModuleType]) -> None:
    examples["test_bolt"].test_a_stream_decodes_the_same_wherever_it_is_cut()


def test_the_page_names_every_field_of_a_provider() -> None:
    text = (DOCS / "adding-a-provider.md").read_text()
    told = {name for name in Provider.__struct_fields__ if re.search(rf"\b{name}\b", text)}
    assert set(Provider.__struct_fields__) - told <= {"models", "launch"}


def test_the_layers_are_drawn_as_they_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    assert "```text\n" + "\n".join(layers) + "\n```" in (DOCS / "architecture.md").read_text()


# --- The echo provider --------------------------------------------------------------------------


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    table = re.search(r"^\|.*?(?=\n\n)", text[text.index(heading) :], re.MULTILINE | re.DOTALL)
    assert table is not None
    lines = table[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def kind_of(type_: msgspec.inspect.Type) -> str:
    if isinstance(type_, msgspec.inspect.UnionType):
        return " or ".join(kind_of(one) for one in type_.types)
    names = {
        "StrType": "string",
        "LiteralType": "string",
        "FloatType": "number",
        "IntType": "integer",
        "ListType": "list",
        "NoneType": "null",
    }
    return names[type(type_).__name__]


def default_of(field: msgspec.inspect.Field) -> Any:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()


def test_the_echo_page_shows_every_field_of_a_script_with_its_default() -> None:
    told = [row[:3] for row in rows((DOCS / "echo.md").read_text(), "## The script")]
    script = msgspec.inspect.type_info(echo_script.Script)
    assert isinstance(script, msgspec.inspect.StructType)
    assert told == [
        [f"`{field.name}`", kind_of(field.type), f"`{json.dumps(default_of(field))}`"]
        for field in script.fields
    ]


def test_the_echo_page_shows_every_fault_as_the_code_does() -> None:
    told = [row[:2] for row in rows((DOCS / "echo.md").read_text(), "## Faults")]
    assert told == [[f"`{name}`", meaning] for name, meaning in echo_script.FAULTS.items()]


# --- The rest -----------------------------------------------------------------------------------


def test_the_index_links_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "README.md").read_text()))
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} - linked == set()


def test_the_kinds_and_counts_in_the_readme_are_correct() -> None:
    text = (ROOT / "README.md").read_text()
    kinds = re.findall(r"^- `(\w+)`", text, re.MULTILINE)
    assert kinds
    assert set(kinds) <= set(KINDS)
    assert f"{len(KINDS)} kinds" in text
    assert f"{len(KINDS)} kinds" in (ROOT / "CHANGELOG.md").read_text()
    providers = msgspec.json.decode(read_shipped_prices())["providers"].values()
    assert f"{sum(len(provider['models']) for provider in providers):,} models" in text
