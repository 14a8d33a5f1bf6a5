"""``python -m headway.config.docs``: docs/configuration.md, from the tables of settings.py."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

import msgspec

from headway.config.schema import MIB
from headway.config.settings import ROOT
from headway.config.specs import Forms, Free, Key, ListType, Section, Spec, Table, default_of
from headway.config.value_types import ValueType

INTRODUCTION = """\
# Configuration

Headway needs no configuration: without a file it serves every vendor under the name of its kind, on
127.0.0.1:8000, with the keys that it finds in the environment (`OPENAI_API_KEY` and the like). Only
servers of your own have to be configured.

The file is `headway.yaml` in the working directory, or the one that `HEADWAY_CONFIG` or `--config`
names. The environment overrides the file, the command line overrides both.
`headway check-config` reports all errors of a file, without starting the gateway:

```text
headway.yaml:3: server.port: must be a port from 0 to 65535
headway.yaml:7: providers.gpu.base_ur: unknown key; did you mean base_url?
```

## An example

```yaml
server:
  host: 0.0.0.0
  api_keys: ["${GATEWAY_KEY}"]

providers:
  openai:
    api_key: ${OPENAI_API_KEY:-}
    timeouts: {first_byte: 60s}
  gpu:
    kind: openai
    base_url: http://gpu-box:8000/v1
    prices:
      llama-3.3-70b: {input: 0.10, output: 0.25}

ledger:
  url: sqlite:////var/lib/headway/headway.db
```

## How values are written

- `${NAME}` in a text is the environment variable of that name; one that is not set, or empty, is an
  error. `${NAME:-default}` has a default, which may be empty. `$${` is a plain `${`.
  A value that is a variable in another spelling, such as `$NAME` or `os.environ/NAME`, is an error.
- Times are seconds, or a number with `ms`, `s`, `m` or `h`. Sizes are bytes, or a number with `kB`,
  `MB`, `GB` (powers of 1000) or `KiB`, `MiB`, `GiB` (powers of 1024).
- Prices are dollars per million tokens, and exact.
- Paths are relative to the directory of the file; those in variables to the working directory.
- A key without a value (`null`) counts as not given. An empty variable is ignored.
- Aliases (`*name`) work, merge keys (`<<`) do not. A key given twice is an error.
- A provider's standard variable holds a key for that provider's own address: it is not sent to a
  `base_url` of yours unless `api_key` says so.
- A provider's address may also be in the variable that its vendor's own SDK reads, such as
  `OPENAI_BASE_URL`, `AZURE_OPENAI_ENDPOINT` or `OLLAMA_HOST`: docs/providers.md lists them all. The
  key in the standard variable is sent to that address too, as by the SDK; keys, headers and options
  in the file are not. A provider for which the file sets any of these keeps the kind's own address,
  if there is one, unless the file has a `base_url`. The gateway's own address is ignored.
  `headway check-config` shows each provider's address, and the variable that set it.
- Proxies come from `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case.
- No message, log or listing shows a key.
"""


class Group(msgspec.Struct, frozen=True):
    """One table of the page: a section and its paths."""

    path: str
    section: Section
    help: str
    reserved: Mapping[str, Key] = {}
    """Keys beside those that the user chooses, by their paths."""


def markdown() -> str:
    return INTRODUCTION + "".join(_chapter(group) for group in groups())


def groups() -> Iterator[Group]:
    """Every section but the root's, once, at its shortest path."""
    found = [group for group in _walk("", Key(ROOT, "")) if group.section is not ROOT]
    for group in found:
        places = [each for each in found if each.section is group.section]
        if group is min(places, key=lambda place: place.path.count(".")):
            yield group


def _walk(path: str, key: Key) -> Iterator[Group]:
    spec, reserved = key.spec, {}
    while isinstance(spec, Table):
        reserved = {f"{path}.{name}": inner for name, inner in spec.reserved.items()}
        path = f"{path}.<{spec.key}>"
        spec = spec.value
    while isinstance(spec, (ListType, Forms)):
        if isinstance(spec, ListType):
            path, spec = f"{path}[]", spec.item
        elif (found := spec.mapping or spec.list) is not None:
            spec = found
        else:
            return
    if isinstance(spec, Section):
        yield Group(path, spec, key.help, reserved)
        for name, inner in spec.keys.items():
            yield from _walk(f"{path}.{name}".lstrip("."), inner)


def _chapter(group: Group) -> str:
    rows = [_row(group.section, name, key) for name, key in group.section.keys.items()]
    after = OPEN if group.section.is_open else ""
    for path, key in group.reserved.items():
        after += f"\n`{path}` ({_phrase(key.spec)}; default: {key.default}): {key.help}\n"
    return f"\n## `{group.path}`\n\n{group.help}\n\n{TABLE_HEAD}{''.join(rows)}{after}"


TABLE_HEAD = "| key | value | default | meaning |\n|---|---|---|---|\n"
OPEN = "\nSome kinds have further keys of their own; `headway check-config` knows them.\n"


def _row(section: Section, name: str, key: Key) -> str:
    also = " or ".join(f"`{each}`" for each in (key.env, key.flag) if each)
    meaning = f"{key.help} Also {also}." if also else key.help
    return f"| `{name}` | {_phrase(key.spec)} | {_default(section, name, key)} | {meaning} |\n"


def _phrase(spec: Spec) -> str:
    match spec:
        case ValueType():
            return spec.description
        case ListType():
            return f"list, each {_phrase(spec.item)}"
        case Table(value=ValueType() as form):
            return f"mapping of {spec.key}s, each {form.description}"
        case Table():
            return f"mapping by {spec.key}"
        case Section():
            return "mapping: " + ", ".join(f"`{name}`" for name in spec.keys)
        case Free():
            return f"mapping of {spec.description}"
        case Forms():
            given = (spec.text, spec.list, spec.mapping)
            return "; or ".join(_phrase(form) for form in given if form is not None)


def _default(section: Section, name: str, key: Key) -> str:
    if key.default is not None:
        return key.default
    default = default_of(section, name)
    match default:
        case bool():
            return f"`{str(default).lower()}`"
        case int() if default >= MIB and default % MIB == 0:
            return f"`{default // MIB}MiB`"
        case int() | float():
            return f"`{default:g}`"
        case str():
            return f"`{default}`"
        case _:
            return "none"


if __name__ == "__main__":
    sys.stdout.write(markdown())
