from __future__ import annotations

import pickle
import re

import msgspec
import pytest

from headway.config import ConfigError, Problem, Secret
from headway.config.errors import suggestion

WRONG = """\
server:
  port: 80000
  prot: 1
  api_keys: [hw-planted-1, 123, null, [hw-planted-2], "${GATEWAY_KEY}"]
  cors_origins: hw-planted-3
providers:
  gpu: {kind: vendor, base_ur: x, base_url: "ftp://hw-planted-4", api_key: 12}
  a/b: {kind: vendor}
  odd: {kind: hw-planted-5}
  vendor: hw-planted-6
  here: {headers: {Host: hw-planted-7, "a b": hw-planted-8, X: "hw-planted\\n"}, models: 3}
  cloud: {region: eu, regoin: hw-planted-9, proxy: "hw-planted-a"}
prices: {vendor: {small: {input: hw-planted-b, outptu: 1}, large: 3}}
timeouts: {idle: hw-planted-c}
leger: {}
"""


def test_all_problems_are_reported_at_once_in_the_files_order(refused) -> None:
    assert refused(WRONG, HEADWAY_PORT="hw-planted-d") == [
        "headway.yaml:2: server.port: must be a port from 0 to 65535",
        "headway.yaml:3: server.prot: unknown key; did you mean port?",
        "headway.yaml:4: server.api_keys[4]: the environment variable GATEWAY_KEY is not set: "
        "set it, or write ${GATEWAY_KEY:-default}",
        "headway.yaml:4: server.api_keys[1]: must be a key: text without spaces or line breaks; "
        "put it in quotes",
        "headway.yaml:4: server.api_keys[2]: must be a key: text without spaces or line breaks; "
        "it is empty",
        "headway.yaml:4: server.api_keys[3]: must be a key: text without spaces or line breaks",
        "headway.yaml:5: server.cors_origins: must be a list, each an origin such as "
        "https://example.org, or *",
        "headway.yaml:7: providers.gpu.base_url: must be a URL such as https://host/v1 or "
        "unix:/path/of.sock",
        "headway.yaml:7: providers.gpu.api_key: must be a key: text without spaces or line breaks; "
        "put it in quotes",
        "headway.yaml:7: providers.gpu.base_ur: unknown key; did you mean base_url?",
        "headway.yaml:8: providers.a/b: must be named by a name of letters, digits, dots, dashes "
        "and underscores",
        "headway.yaml:9: providers.odd.kind: unknown kind; known: cloud, here, vendor",
        "headway.yaml:10: providers.vendor: must be a mapping with keys such as kind, base_url, "
        "api_key, api_keys, headers, timeouts, models, prices, proxy, ca_file, client_cert, "
        "client_key, verify",
        "headway.yaml:11: providers.here.headers.Host: is set by the gateway itself; remove it",
        "headway.yaml:11: providers.here.headers.a b: must be named by the name of an HTTP header",
        "headway.yaml:11: providers.here.headers.X: must be text in one line",
        "headway.yaml:11: providers.here.models: must be a list, each text",
        "headway.yaml:12: providers.cloud.proxy: must be the URL of a proxy such as "
        "http://host:3128, or empty for none",
        "headway.yaml:12: providers.cloud.regoin: unknown key; did you mean region?",
        "headway.yaml:13: prices.vendor.small.input: must be dollars per million tokens, a number "
        "from 0 to 1000000",
        "headway.yaml:13: prices.vendor.small.outptu: unknown key; did you mean output?",
        "headway.yaml:13: prices.vendor.large: must be a mapping with keys such as input, output, "
        "cached, cache_write, cache_write_1h, reasoning, input_audio, input_image, input_video, "
        "cached_audio, cached_image, output_audio, output_image, output_video, citations, "
        "requests, web_searches, file_searches, search_units, characters, audio_hours, above, "
        "tiers",
        "headway.yaml:14: timeouts.idle: must be more than 0 seconds: a number, or such as 500ms, "
        "30s or 2m",
        "headway.yaml:15: leger: unknown key; did you mean ledger?",
        "environment: HEADWAY_PORT: must be a port from 0 to 65535",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("port: 9000", "headway.yaml:1: port: unknown key; did you mean server.port?"),
        ("total: 9", "headway.yaml:1: total: unknown key; did you mean timeouts.total?"),
        (
            "providers: {vendor: {api_key: ${KEY}}}",
            "headway.yaml:1: not YAML: a value with braces, between braces, must be in quotes",
        ),
    ],
)
def test_a_mistake_of_place_has_its_remedy(refused, text: str, expected: str) -> None:
    (problem,) = refused(text)
    assert problem.endswith(expected)


def test_no_message_repeats_a_value(refused) -> None:
    text = WRONG + "server: hw-planted-e\n"
    for end in range(0, len(text), 7):  # cut anywhere: YAML's own messages like to quote
        try:
            problems = refused(text[:end], HEADWAY_PORT="hw-planted-f")
        except pytest.fail.Exception:
            continue
        assert not re.search(r"hw-plan", "\n".join(problems))


def test_a_configuration_shows_no_secret_when_printed(read) -> None:
    config = read(
        """
server: {api_keys: [sk-planted]}
providers:
  vendor: {headers: {Authorization: sk-planted}, proxy: "http://u:sk-planted@p"}
  cloud: {region: sk-planted, api_key: "${KEY}"}
""",
        KEY="sk-planted",
        VENDOR_API_KEY="sk-planted",
        HTTPS_PROXY="http://u:sk-planted@p",
        HEADWAY_API_KEYS="sk-planted,sk-planted-2",
    )
    assert config.providers["vendor"].api_key == "sk-planted"
    for shown in (repr(config), str(config), f"{config}", repr(config.providers)):
        assert "planted" not in shown
        assert "***" in shown


def test_a_secret_is_its_text_where_it_is_used_and_hidden_where_it_is_printed() -> None:
    secret = Secret("sk-planted")
    assert "Bearer " + secret == f"Bearer {secret}" == "Bearer sk-planted"
    assert repr(secret) == repr([secret])[1:-1] == f"{secret!r}" == "***"
    assert repr(pickle.loads(pickle.dumps(secret))) == "***"
    with pytest.raises(TypeError):
        msgspec.json.encode([secret])


def test_problems_are_available_for_other_output_formats() -> None:
    first, second = Problem("b", "m", "f.yaml", 2), Problem("a", "m", "f.yaml", 10)
    other = Problem("--port", "m", "command line")
    error = ConfigError([other, second, first])
    assert error.problems == (first, second, other)
    assert str(error) == "f.yaml:2: b: m\nf.yaml:10: a: m\ncommand line: --port: m"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("base_ur", "did you mean base_url?"),
        ("BASE_URL", "did you mean base_url?"),
        ("zzz", "known: base_url, kind"),
    ],
)
def test_a_similar_key_is_suggested_else_all_keys_are_named(name: str, expected: str) -> None:
    assert suggestion(name, ["kind", "base_url"]) == expected
