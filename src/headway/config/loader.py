"""Find and read the configuration file, and apply the environment and the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from headway.config.errors import ConfigError, Problem
from headway.config.nodes import Node, Scalar, Sequence
from headway.config.paths import expand_user
from headway.config.providers import Providers, prices
from headway.config.routes import FindFault, models, routing
from headway.config.schema import (
    Cache,
    Config,
    KindInfo,
    Ledger,
    Log,
    Overrides,
    Provider,
    SemanticCache,
    Server,
)
from headway.config.secret import Secret
from headway.config.settings import LEDGER, LOG, ROOT, SERVER
from headway.config.specs import Key, ListType, Section
from headway.config.value_reader import Nothing, Reader
from headway.config.value_types import is_loopback
from headway.config.vendor_env import is_own_address
from headway.types import Timeouts

FILE_NAME = "headway.yaml"
FILE_VARIABLE = "HEADWAY_CONFIG"
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CLOUD_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_")
CLOUD_VARIABLES = frozenset(
    {
        "APPDATA",
        "CLOUDSDK_CONFIG",
        "GCE_METADATA_HOST",
        "HOME",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "USERPROFILE",
    }
)
"""Variables without these prefixes that locate the files and token endpoints of cloud tools."""
SQLITE = "sqlite:///"
SPOOL_SUFFIX = ".spool"
SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://")
NO_OVERRIDES = Overrides()

EXPOSED = (
    "other machines could reach the gateway and spend your keys, as server.api_keys is empty: "
    "set it (or HEADWAY_API_KEYS), listen on 127.0.0.1, or allow it with --insecure"
)


def load(
    path: str | os.PathLike[str] | None,
    environ: Mapping[str, str],
    kinds: Mapping[str, KindInfo],
    overrides: Overrides | None = None,
    find_fault: FindFault = lambda condition: None,
) -> Config:
    """The configuration of ``path``, else of HEADWAY_CONFIG, else of headway.yaml in the working
    directory, else the defaults. Raises ConfigError with every problem found.
    ``find_fault`` tells what is wrong with a condition of a route (``routing.cel``)."""
    overrides = overrides or NO_OVERRIDES
    name = _file(path, environ)
    problems: list[Problem] = []
    file = Reader(name or FILE_NAME, problems)
    values = {} if name is None else _file_values(name, environ, file)
    source = None if name is None else _absolute(Path(name), file, "")
    base = Path() if source is None else source.parent
    ignored: list[Problem] = []
    variables = Reader("environment", problems)
    environ = _without_service_links(environ, ignored)
    given = dict(values.get("providers", {}))
    only = given.pop("only", None)
    timeouts = Timeouts(**values.get("timeouts", {}))
    server = _server(values.get("server", {}), environ, variables)
    final_server = server if overrides.port is None else replace(server, port=overrides.port)
    readers = file, variables, Reader("environment", ignored)
    providers = Providers(kinds, environ, timeouts, base, *readers, final_server).build(given, only)
    config = Config(
        server=server,
        ledger=_ledger(values.get("ledger", {}), base, environ, (file, variables)),
        cache=_cache(values.get("cache", {}), base, file),
        providers=providers,
        models=models(values.get("models", {}), {*providers, *kinds}, file, ignored, find_fault),
        routing=routing(values.get("routing", {})),
        timeouts=timeouts,
        prices=prices(values.get("prices", {}), given, {*given, *kinds}, file),
        warnings=_warnings(ignored, providers.values(), final_server),
        proxy_environ=_proxies(environ),
        credential_environ=_credentials(environ),
        source=None if source is None else str(source),
        overrides=overrides,
    )
    return _checked(config, (file, variables), problems)


def _checked(config: Config, readers: tuple[Reader, Reader], problems: list[Problem]) -> Config:
    """``config`` with what the command line says. Raises ConfigError."""
    overrides = config.overrides or NO_OVERRIDES
    config = _overridden(config, overrides, problems)
    _check_special_keys(config.server, readers[0])
    _refuse_exposure(config.server, readers, overrides, problems)
    if problems:
        raise ConfigError(problems)
    return config


def _warnings(
    ignored: Iterable[Problem], providers: Iterable[Provider], server: Server
) -> tuple[str, ...]:
    own = (
        f"providers.{one.name}: its address is the gateway's own, so that every call to it fails;"
        " set base_url"
        for one in providers
        if one.is_configured and one.base_url and is_own_address(one.base_url, server)
    )
    # Several kinds may read one variable.
    return (*dict.fromkeys(f"{problem}; it is ignored" for problem in ignored), *own)


def _file(path: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> str | None:
    named = os.fspath(path) if path else environ.get(FILE_VARIABLE)
    if named:
        return named
    return FILE_NAME if os.path.lexists(FILE_NAME) else None


def _file_values(name: str, environ: Mapping[str, str], file: Reader) -> dict[str, Any]:
    from headway.config import yaml_reader  # imports PyYAML, 40 ms, needed for a file only

    tree = yaml_reader.read(name, environ, file.problems)
    values = file.read(ROOT, tree, "")
    return {} if values is Nothing else dict(values)


# --- The environment ----------------------------------------------------------------------------


def _without_service_links(environ: Mapping[str, str], ignored: list[Problem]) -> Mapping[str, str]:
    """Kubernetes sets ``HEADWAY_PORT=tcp://10.0.0.7:8000`` in every container beside a service that
    is called headway (kubernetes.io/docs, Service, "Environment variables")."""
    links = [name for name in _variables() if SERVICE_LINK.match(environ.get(name, ""))]
    for name in links:
        message = "is the address of a Kubernetes service, not a setting"
        ignored.append(Problem(name, message, "environment"))
    return {name: value for name, value in environ.items() if name not in links}


def _variables() -> list[str]:
    return [
        key.env for section in (SERVER, LOG, LEDGER) for key in section.keys.values() if key.env
    ]


def _server(given: Mapping[str, Any], environ: Mapping[str, str], variables: Reader) -> Server:
    log = Log(**{**given.get("log", {}), **_from_environ(LOG, environ, variables)})
    return Server(**{**given, **_from_environ(SERVER, environ, variables), "log": log})


def _from_environ(
    section: Section, environ: Mapping[str, str], variables: Reader
) -> dict[str, Any]:
    """The values of a section from environment variables. Empty variables are ignored."""
    found: dict[str, Any] = {}
    for name, key in section.keys.items():
        text = environ.get(key.env, "") if key.env else ""
        if key.env and text:
            variables.lines[f"{key.env}"] = None
            value = variables.read(key.spec, _variable_node(key, text), key.env)
            if value is not Nothing:
                found[name] = value
    return found


def _variable_node(key: Key, text: str) -> Node:
    if not isinstance(key.spec, ListType):
        return Scalar(text.strip(), expanded=True)
    return Sequence(tuple(Scalar(part.strip(), expanded=True) for part in text.split(",")))


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """The lower-case name takes precedence, as in curl. HTTP_PROXY in capitals is ignored where a
    CGI server set it from a request's ``Proxy`` header (httpoxy, CVE-2016-5385)."""
    found: dict[str, str] = {}
    for name in PROXY_VARIABLES:
        is_forged = name == "HTTP_PROXY" and "REQUEST_METHOD" in environ
        value = environ.get(name.lower()) or ("" if is_forged else environ.get(name))
        if value:
            found[name] = value if name == "NO_PROXY" else Secret(value)
    return found


def _credentials(environ: Mapping[str, str]) -> dict[str, Secret]:
    return {
        name: Secret(value)
        for name, value in environ.items()
        if name in CLOUD_VARIABLES or name.startswith(CLOUD_PREFIXES)
    }


# --- The cache and the ledger -------------------------------------------------------------------


def _cache(given: Mapping[str, Any], base: Path, file: Reader) -> Cache:
    values = dict(given)
    if "file" in given:
        found = base / expand_user(given["file"], file, "cache.file")
        values["file"] = os.path.normpath(_absolute(found, file, ""))
    semantic = values.pop("semantic", None)
    if semantic is None:
        return Cache(**values)
    missing = [name for name in ("model", "threshold") if name not in semantic]
    for name in missing:
        if f"cache.semantic.{name}" not in file.lines:
            file.report("cache.semantic", f"lacks `{name}`, which has no default")
    return Cache(**values, semantic=None if missing else SemanticCache(**semantic))


def _ledger(
    given: Mapping[str, Any], base: Path, environ: Mapping[str, str], readers: tuple[Reader, Reader]
) -> Ledger:
    """A path is relative to where it is written: the file's directory, or the working directory."""
    file, variables = readers
    named = _from_environ(LEDGER, environ, variables)
    values = {**given, **named}
    paths = {
        name: _ledger_path(name, text, base, named, readers)
        for name in ("url", "spool", "archive")
        if (text := values.get(name)) is not None
    }
    url = paths.get("url")
    if url is None:
        url = Secret(SQLITE + str(_state(environ, file, "ledger.url") / "headway.db"))
    spool = paths.get("spool") or _default_spool(str(url), environ, file)
    return Ledger(**{**values, **paths, "url": url, "spool": str(spool)})


def _ledger_path(
    name: str,
    text: Any,
    base: Path,
    named: Mapping[str, Any],
    readers: tuple[Reader, Reader],
) -> Any:
    """``text`` with its path resolved, which it may not have."""
    start, path = "", str(text)
    if name == "url" and path.startswith(SQLITE):
        start, path = SQLITE, path.removeprefix(SQLITE)
    elif "://" in path:
        return text
    file, variables = readers
    if name in named:
        reader, label = variables, f"HEADWAY_LEDGER_{name.upper()}"
        found = expand_user(path, reader, label)
    else:
        reader = file
        found = base / expand_user(path, reader, f"ledger.{name}")
    absolute = start + os.path.normpath(_absolute(found, reader, ""))
    return Secret(absolute) if name == "url" else absolute


def _default_spool(url: str, environ: Mapping[str, str], file: Reader) -> str:
    """Databases on other machines have a directory each, so that no record gets into another."""
    if url.startswith(SQLITE):
        return url.removeprefix(SQLITE) + SPOOL_SUFFIX
    parts = urlsplit(url)
    address = f"{parts.hostname}:{parts.port or 5432}{parts.path}?{parts.query}"
    digest = sha256(address.encode()).hexdigest()[:8]
    return str(_state(environ, file, "ledger.spool") / f"{digest}{SPOOL_SUFFIX}")


def _state(environ: Mapping[str, str], file: Reader, name: str) -> Path:
    """XDG base directory specification 0.8: a relative $XDG_STATE_HOME is ignored. A user without
    an entry in the password database, as containers often have, has no home directory."""
    state = Path(environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            home = environ.get("HOME")
            state = (Path(home) if home else Path.home()) / ".local" / "state"
        except RuntimeError:
            message = "is not set, and this user has no home directory to keep records in: set it"
            file.report(name, message)
    return state / "headway"


def _absolute(path: Path, reader: Reader, name: str) -> Path:
    """``path`` in the working directory, which may have been removed since the start."""
    try:
        return path.absolute()
    except OSError as error:
        reader.report(name, f"the working directory cannot be found: {error.strerror}")
        return path


# --- The command line ---------------------------------------------------------------------------


def _overridden(config: Config, overrides: Overrides, problems: list[Problem]) -> Config:
    reader = Reader("command line", problems)
    changed: dict[str, dict[str, Any]] = {"server": {}, "log": {}}
    for name, given in msgspec.structs.asdict(overrides).items():
        if given is None:
            continue
        section, key = ("log", name[4:]) if name.startswith("log_") else ("server", name)
        declared = (LOG if section == "log" else SERVER).keys[key]
        node = Scalar(str(given), expanded=True)
        value = reader.read(declared.spec, node, declared.flag or name)
        if value is not Nothing:
            changed[section][key] = value
    log = replace(config.server.log, **changed["log"])
    return replace(config, server=replace(config.server, **changed["server"], log=log))


def _check_special_keys(server: Server, file: Reader) -> None:
    known = {str(each) for each in server.api_keys}
    for name in ("base_url_keys", "admin_keys"):
        for at, key in enumerate(getattr(server, name)):
            if str(key) not in known:
                message = "is none of server.api_keys: add it there, or remove it here"
                file.report(f"server.{name}[{at}]", message, file.lines.get(f"server.{name}"))


def _refuse_exposure(
    server: Server, readers: tuple[Reader, Reader], overrides: Overrides, problems: list[Problem]
) -> None:
    if is_loopback(server.host) or server.api_keys or server.insecure:
        return
    if any("api_keys" in problem.path.lower() for problem in problems):
        return  # keys are configured, but invalid: correcting them resolves this too
    problems.append(_exposure(readers, overrides))


def _exposure(readers: tuple[Reader, Reader], overrides: Overrides) -> Problem:
    """Located at the setting of the host."""
    file, variables = readers
    if overrides.host is not None:
        return Problem("--host", EXPOSED, "command line")
    if "HEADWAY_HOST" in variables.lines:
        return Problem("HEADWAY_HOST", EXPOSED, variables.source)
    return Problem("server.host", EXPOSED, file.source, file.lines.get("server.host"))
