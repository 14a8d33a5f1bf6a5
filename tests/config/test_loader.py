from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from headway.config import (
    Cache,
    ConfigError,
    Ledger,
    Overrides,
    Price,
    Secret,
    SemanticCache,
    Server,
    load,
)
from headway.providers import FACTS as SHIPPED
from headway.types import Timeouts

STATE = "sqlite:////home/user/.local/state/headway/headway.db"


def test_without_a_file_every_kind_is_there_under_its_own_name(read) -> None:
    config = read()
    assert config.server == Server()
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8000)
    assert list(config.providers) == ["vendor", "cloud", "here"]
    assert config.source is None
    assert config.ledger == Ledger(
        url=Secret(STATE), spool="/home/user/.local/state/headway/headway.db.spool"
    )


def test_clouds_variables_are_kept_as_secrets_and_nothing_else_is(read) -> None:
    cloud = {"AWS_SECRET_ACCESS_KEY": "s", "GOOGLE_APPLICATION_CREDENTIALS": "/f", "AZURE_X": "t"}
    config = read(**cloud, IDENTITY_HEADER="h", PATH="/bin", OTHER_AWS_KEY="o")
    assert dict(config.credential_environ) == {
        **cloud,
        "IDENTITY_HEADER": "h",
        "HOME": "/home/user",
    }
    assert "'s'" not in repr(config)


@pytest.mark.parametrize("text", ["", "{}", "# nothing\n", "\ufeff{}", "server:\nproviders:\n"])
def test_an_empty_file_gives_the_defaults(read, tmp_path: Path, text: str) -> None:
    without = read()
    config = read(text)
    assert config.source == str(tmp_path / "headway.yaml")
    assert msgspec.structs.replace(config, source=None) == without


def test_the_shipped_kinds_need_no_configuration(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load(None, {"OPENAI_API_KEY": "sk-planted"}, SHIPPED)
    assert {"openai", "echo", "local"} <= set(config.providers)
    assert config.providers["openai"].api_key == "sk-planted"
    assert config.providers["openai"].base_url == "https://api.openai.com/v1"


def test_all_of_a_whole_file_is_read(read, tmp_path: Path) -> None:
    config = read(
        """
server:
  host: "::1"
  port: 9000
  workers: 2
  body_limit: 64MB
  json_limit: 5000
  api_keys: ["hw-planted", "${GATEWAY_KEY}"]
  allow_base_url: no
  base_url_keys: ["hw-planted"]
  admin_keys: ["hw-planted"]
  cors_origins: ["https://app.example", "*"]
  shutdown_grace: 45s
  keep_alive: 2.5
  read_timeout: 20s
  stream_comment: 1m
  passthrough: no
  strict: yes
  insecure: no
timeouts: {connect: 500ms, total: 1h}
prices:
  vendor:
    small-1: {input: 0.1, output: 0.30, cached: 1e-3, cache_write: .125}
ledger:
  url: "sqlite:///data/h.db"
  spool: spool
  content: full
  content_by_key: {0f1e2d3c: hash}
  redact: my_company.privacy:redact
  fsync: interval
  on_failure: refuse
  spool_limit: 1GB
  retention: 52w
  content_retention: 30d
  archive: s3://bucket/headway
  drain_on_disconnect: yes
  drain_bytes: 1MB
  drain_seconds: 5s
  drain_usd: 0.25
""",
        GATEWAY_KEY="hw-from-environment",
    )
    assert config.server == Server(
        host="::1",
        port=9000,
        workers=2,
        body_limit=64_000_000,
        json_limit=5000,
        api_keys=(Secret("hw-planted"), Secret("hw-from-environment")),
        allow_base_url=False,
        base_url_keys=(Secret("hw-planted"),),
        admin_keys=(Secret("hw-planted"),),
        cors_origins=("https://app.example", "*"),
        shutdown_grace=45.0,
        keep_alive=2.5,
        read_timeout=20.0,
        stream_comment=60.0,
        passthrough=False,
        strict=True,
        insecure=False,
    )
    assert config.timeouts == Timeouts(connect=0.5, total=3600.0)
    assert config.ledger == Ledger(
        url=Secret(f"sqlite:///{tmp_path}/data/h.db"),
        spool=f"{tmp_path}/spool",
        content="full",
        content_by_key={"0f1e2d3c": "hash"},
        redact="my_company.privacy:redact",
        fsync="interval",
        on_failure="refuse",
        spool_limit=1_000_000_000,
        retention=52 * 7 * 86400.0,
        content_retention=30 * 86400.0,
        archive="s3://bucket/headway",
        drain_on_disconnect=True,
        drain_bytes=1_000_000,
        drain_seconds=5.0,
        drain_usd=Decimal("0.25"),
    )
    assert config.prices == {
        "vendor": {
            "small-1": Price(
                input=Decimal("0.1"),
                output=Decimal("0.30"),
                cached=Decimal("0.001"),
                cache_write=Decimal("0.125"),
            )
        }
    }


# --- Which file ---------------------------------------------------------------------------------


def test_a_named_file_wins_over_the_variable_and_that_over_the_working_directory(read) -> None:
    for name, port in (("headway.yaml", 1), ("by-variable.yaml", 2), ("by-name.yaml", 3)):
        Path(name).write_text(f"server: {{port: {port}}}")
    environ = {"HEADWAY_CONFIG": "by-variable.yaml"}
    assert load(None, {}, {}).server.port == 1
    assert load(None, environ, {}).server.port == 2
    assert load("by-name.yaml", environ, {}).server.port == 3
    assert load(Path("by-name.yaml"), environ, {}).server.port == 3
    assert load(None, {"HEADWAY_CONFIG": ""}, {}).server.port == 1


@pytest.mark.parametrize("how", ["named", "by variable"])
def test_a_file_that_was_asked_for_must_be_there(read, how: str) -> None:
    path, environ = ("x.yaml", {}) if how == "named" else (None, {"HEADWAY_CONFIG": "x.yaml"})
    with pytest.raises(ConfigError, match=r"^x\.yaml: cannot be read: no such file"):
        load(path, environ, {})


def test_a_dangling_link_is_not_passed_over(read, tmp_path: Path) -> None:
    (tmp_path / "headway.yaml").symlink_to("nowhere")
    with pytest.raises(ConfigError, match=r"^headway\.yaml: cannot be read"):
        read()


# --- The environment ----------------------------------------------------------------------------


def test_the_environment_overrides_the_file(read) -> None:
    config = read(
        "server: {host: 0.0.0.0, port: 1, workers: 1, api_keys: [a], keep_alive: 5}",
        HEADWAY_HOST="127.0.0.2",
        HEADWAY_PORT="9001",
        HEADWAY_WORKERS=" 3 ",
        HEADWAY_API_KEYS="hw-one, hw-two",
        HEADWAY_LEDGER_URL="sqlite:////tmp/x/../h.db",
    )
    assert config.server == Server(
        host="127.0.0.2",
        port=9001,
        workers=3,
        api_keys=(Secret("hw-one"), Secret("hw-two")),
        keep_alive=5.0,
    )
    assert config.ledger.url == "sqlite:////tmp/h.db"


def test_an_empty_variable_is_ignored(read) -> None:
    config = read("server: {port: 9}", HEADWAY_PORT="", HEADWAY_API_KEYS="", VENDOR_API_KEY=" ")
    assert config.server == Server(port=9)
    assert config.providers["vendor"].api_key is None


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("HEADWAY_PORT", "http", "HEADWAY_PORT: must be a port from 0 to 65535"),
        ("HEADWAY_WORKERS", "0", "HEADWAY_WORKERS: must be a whole number from 1 to 1024"),
        ("HEADWAY_HOST", "a b", "HEADWAY_HOST: must be an IP address or a host name"),
        ("HEADWAY_API_KEYS", "hw-a,,b", "HEADWAY_API_KEYS[1]: must be a key"),
        ("HEADWAY_API_KEYS", "hw-a b", "HEADWAY_API_KEYS[0]: must be a key"),
        ("HEADWAY_LEDGER_URL", "mysql://u:hw-p@h/db", "HEADWAY_LEDGER_URL: must begin with sqlite"),
        ("VENDOR_API_KEY", "hw-planted key", "VENDOR_API_KEY: must be a key"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not_shown(
    refused, variable: str, value: str, line: str
) -> None:
    problems = refused("providers: {vendor: {}}", **{variable: value})
    assert len(problems) == 1
    assert problems[0].startswith(f"environment: {line}")
    assert "hw-" not in problems[0]


@pytest.mark.parametrize("quote", ['"', "'", "`"])
@pytest.mark.parametrize(
    ("variable", "value"),
    [("HEADWAY_PORT", "9000"), ("HEADWAY_API_KEYS", "hw-a"), ("VENDOR_API_KEY", "hw-b")],
)
def test_the_quotes_around_a_variable_are_named(
    refused, variable: str, value: str, quote: str
) -> None:
    [problem] = refused("providers: {vendor: {}}", **{variable: f"{quote}{value}{quote}"})
    assert problem.startswith(f"environment: {variable}")
    assert problem.endswith("; remove the quotes around it")


def test_a_variable_that_several_kinds_read_has_one_warning(tmp_path: Path) -> None:
    (tmp_path / "headway.yaml").write_text("{}")
    environ = {"OPENAI_API_KEY": "your key", "HOME": "/"}
    assert len(load(tmp_path / "headway.yaml", environ, SHIPPED).warnings) == 1


def test_a_variable_of_a_provider_that_is_not_configured_is_ignored_with_a_warning(read) -> None:
    config = read("providers: {mine: {kind: cloud}}", VENDOR_API_KEY="sk-planted your key here")
    assert config.providers["vendor"].api_key is None
    [warning] = config.warnings
    assert warning.startswith("environment: VENDOR_API_KEY: must be a key")
    assert warning.endswith("; it is ignored")
    assert "planted" not in warning


@pytest.mark.parametrize("value", ["tcp://10.0.0.7:8000", "udp://10.0.0.7:53"])
def test_the_address_of_a_kubernetes_service_is_no_port(read, value: str) -> None:
    config = read("server: {port: 7000}", HEADWAY_PORT=value)
    assert config.server.port == 7000
    assert config.warnings == (
        "environment: HEADWAY_PORT: is the address of a Kubernetes service, not a setting; "
        "it is ignored",
    )
    assert read("{}", HEADWAY_PORT="9000").warnings == ()


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, STATE),
        ({"XDG_STATE_HOME": "/state"}, "sqlite:////state/headway/headway.db"),
        ({"XDG_STATE_HOME": "relative"}, STATE),
        ({"HOME": ""}, f"sqlite:///{Path.home()}/.local/state/headway/headway.db"),
    ],
)
def test_the_ledger_has_its_place_in_the_users_state(read, environ, url: str) -> None:
    assert read(None, **environ).ledger.url == url


def test_a_relative_ledger_path_is_relative_to_where_it_is_set(read, tmp_path: Path) -> None:
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    (elsewhere / "h.yaml").write_text("ledger: {url: sqlite:///h.db}")
    assert load("etc/h.yaml", {}, {}).ledger.url == f"sqlite:///{elsewhere}/h.db"
    environ = {"HEADWAY_LEDGER_URL": "sqlite:///h.db"}
    assert load("etc/h.yaml", environ, {}).ledger.url == f"sqlite:///{tmp_path}/h.db"
    environ = {"HEADWAY_LEDGER_URL": "sqlite:///~/h.db"}
    assert load("etc/h.yaml", environ, {}).ledger.url == f"sqlite:///{Path.home()}/h.db"


def test_proxies_are_taken_from_either_case_and_the_lower_wins(read) -> None:
    config = read(
        None,
        http_proxy="http://user:planted@lower:1",
        HTTP_PROXY="http://upper:1",
        HTTPS_PROXY="http://upper:2",
        NO_PROXY="localhost,.internal",
        all_proxy="",
    )
    assert config.proxy_environ == {
        "HTTP_PROXY": "http://user:planted@lower:1",
        "HTTPS_PROXY": "http://upper:2",
        "NO_PROXY": "localhost,.internal",
    }
    assert "planted" not in repr(config)


def test_a_cgi_servers_http_proxy_comes_from_a_request_and_is_ignored(read) -> None:
    assert read(None, HTTP_PROXY="http://evil:1", REQUEST_METHOD="GET").proxy_environ == {}


# --- The command line, and who may reach the gateway --------------------------------------------


def test_the_command_line_takes_precedence(read) -> None:
    overrides = Overrides(host="0.0.0.0", port=0, workers=4, insecure=True)
    config = read("server: {port: 1}", overrides, HEADWAY_PORT="2")
    assert config.server == Server(host="0.0.0.0", port=0, workers=4, insecure=True)


def test_overrides_change_only_the_given_settings(read) -> None:
    text = "server: {host: '::1', port: 1}"
    config = read(text)
    overrides = Overrides(port=2)
    changed = read(text, overrides)
    server = Server(host="::1", port=2)
    assert changed == msgspec.structs.replace(config, server=server, overrides=overrides)
    assert read(text, Overrides()) == config


def test_a_wrong_flag_is_named() -> None:
    with pytest.raises(ConfigError) as error:
        load(None, {}, {}, Overrides(port=70000, workers=0))
    assert str(error.value).splitlines() == [
        "command line: --port: must be a port from 0 to 65535",
        "command line: --workers: must be a whole number from 1 to 1024",
    ]


OPEN_TO_ALL = "other machines could reach the gateway and spend your keys"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "gateway.local", "[::]"])
def test_a_host_that_others_reach_is_refused_without_keys(refused, host: str) -> None:
    assert refused(f"server:\n  host: '{host}'")[0].startswith(
        f"headway.yaml:2: server.host: {OPEN_TO_ALL}"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_a_loopback_host_needs_no_keys(read, host: str) -> None:
    assert read(f"server: {{host: '{host}'}}").server.host == host.strip("[]")


@pytest.mark.parametrize("permission", ["api_keys: [k]", "insecure: true"])
def test_a_host_that_others_reach_needs_keys_or_the_insecure_flag(read, permission: str) -> None:
    assert read(f"server: {{host: 0.0.0.0, {permission}}}").server.host == "0.0.0.0"
    assert read("{}", Overrides(insecure=True), HEADWAY_HOST="0.0.0.0").server.insecure


def test_an_exposed_host_is_refused_where_it_was_set(refused, read) -> None:
    assert refused("{}", HEADWAY_HOST="0.0.0.0")[0].startswith(
        f"environment: HEADWAY_HOST: {OPEN_TO_ALL}"
    )
    with pytest.raises(ConfigError, match=f"^command line: --host: {OPEN_TO_ALL}"):
        read("{}", Overrides(host="0.0.0.0"))


def test_keys_that_are_wrong_are_not_also_reported_missing(refused) -> None:
    assert len(refused("server: {host: 0.0.0.0, api_keys: [123]}")) == 1
    assert len(refused("server: {host: 0.0.0.0}", HEADWAY_API_KEYS="a b")) == 1


# --- What it costs ------------------------------------------------------------------------------


def test_without_a_file_neither_yaml_nor_slow_libraries_are_imported() -> None:
    script = (
        "import sys; from headway.config import load; load(None, {}, {});"
        "slow = {'yaml', 'pydantic', 'asyncio', 'difflib', 'fastapi', 'httptools'};"
        "print(sorted(slow & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, cwd="/", capture_output=True, check=True).stdout == b"[]\n"


def test_a_key_that_may_name_addresses_is_one_of_the_gateways(refused) -> None:
    assert refused(
        """
server:
  api_keys: [hw-1, hw-2]
  base_url_keys: [hw-2, hw-planted]
"""
    ) == [
        "headway.yaml:4: server.base_url_keys[1]: is none of server.api_keys: add it there, or "
        "remove it here"
    ]


def test_a_key_that_may_read_all_records_is_one_of_the_gateways(refused) -> None:
    (problem,) = refused("server: {api_keys: [hw-1], admin_keys: [hw-planted]}")
    assert "server.admin_keys[0]: is none of server.api_keys" in problem


def test_a_database_elsewhere_has_a_spool_of_its_own_here(read) -> None:
    ledgers = [
        read(None, HEADWAY_LEDGER_URL=url).ledger
        for url in ("postgres://u:pw@h/a", "postgresql://u:other@h:5432/a", "postgresql://u@h/b")
    ]
    assert ledgers[0].url == "postgresql://u:pw@h/a"
    assert "pw" not in repr(ledgers[0])
    assert ledgers[0].spool == ledgers[1].spool != ledgers[2].spool
    assert ledgers[0].spool.startswith("/home/user/.local/state/headway/")


def test_paths_of_the_ledger_are_relative_to_where_they_are_set(read, tmp_path: Path) -> None:
    ledger = read("ledger: {spool: s, archive: a}").ledger
    assert (ledger.spool, ledger.archive) == (f"{tmp_path}/s", f"{tmp_path}/a")
    named = read(None, HEADWAY_LEDGER_SPOOL="/var/s").ledger
    assert named.spool == "/var/s"


def test_other_names_for_models_are_read_in_order(read) -> None:
    config = read(
        """
models:
  fast: vendor/gpt-4o-mini
  "claude-*": cloud/claude-*
  unknown: mine/m
providers: {mine: {kind: vendor}}
"""
    )
    assert list(config.models.items()) == [
        ("fast", "vendor/gpt-4o-mini"),
        ("claude-*", "cloud/claude-*"),
        ("unknown", "mine/m"),
    ]


def test_a_name_for_no_model_is_an_error(refused) -> None:
    assert refused(
        """
models:
  fast: gpt-4o-mini
  best: vendr/gpt-4o
  "a*b*": openai/gpt-4o
"""
    ) == [
        "headway.yaml:3: models.fast: must be provider/model, such as openai/gpt-4o-mini",
        "headway.yaml:4: models.best: means an unknown provider; did you mean vendor?",
        "headway.yaml:5: models.a*b*: has more than one star",
    ]


def test_the_file_of_the_cache_is_relative_to_that_of_the_configuration(
    read, tmp_path: Path
) -> None:
    config = read("cache: {ttl: 5m, file: kept/responses.db, coalesce: all, memory: 1MiB}")
    assert config.cache == Cache(
        ttl=300.0,
        file=str(tmp_path / "kept" / "responses.db"),
        coalesce="all",
        memory=1024**2,
    )
    assert read("").cache == Cache()


def test_off_needs_no_quotes(read) -> None:
    config = read("ledger: {content: off, fsync: off, content_by_key: {a: off}}")
    assert (config.ledger.content, config.ledger.fsync) == ("off", "off")
    assert config.ledger.content_by_key == {"a": "off"}


def test_the_semantic_cache_needs_a_model_and_a_threshold(read, refused) -> None:
    config = read("cache: {ttl: 5m, semantic: {model: vendor/embed, threshold: 0.95}}")
    assert config.cache.semantic == SemanticCache(model="vendor/embed", threshold=0.95)
    assert refused("cache: {semantic: {mode: serve}}") == [
        "headway.yaml:1: cache.semantic: lacks `model`, which has no default",
        "headway.yaml:1: cache.semantic: lacks `threshold`, which has no default",
    ]
    assert refused("cache: {semantic: {model: vendor/embed, threshold: 1.5}}") == [
        "headway.yaml:1: cache.semantic.threshold: must be a number above 0, at most 1",
    ]
