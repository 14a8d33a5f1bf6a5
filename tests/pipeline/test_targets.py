"""The address of a call, and the key that is sent there."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import DecodedRequest
from headway.errors import MissingProviderKey, ShuttingDown, UpstreamUnreachable
from headway.pipeline import targets
from headway.providers.openai import provider as openai
from headway.providers.openai import request as openai_request
from headway.types import ChatRequest, Timeouts, Url
from support.pipeline_fakes import (
    KEY,
    Gate,
    Pipe,
)


def sent_key(pipe: Pipe) -> str | None:
    return dict(pipe.upstream.request.headers).get("authorization")


STATIC = pytest.mark.parametrize("static", [False, True], ids=["made", "static"])


@STATIC
def test_the_configured_key_goes_to_the_configured_address(static: bool) -> None:
    pipe = Pipe(timeouts=Timeouts(total=7), headers={"x-team": "a"}, static=static)
    pipe.ask()
    assert sent_key(pipe) == f"Bearer {KEY}"
    assert dict(pipe.upstream.request.headers)["x-team"] == "a"
    assert pipe.upstream.request.url == Url("https", "api.openai.com", 443, "/v1/chat/completions")
    assert pipe.transport.timeouts == [Timeouts(total=7)]


@STATIC
def test_the_callers_key_replaces_the_configured_key(static: bool) -> None:
    pipe = Pipe(static=static)
    pipe.ask(api_key="sk-callers-own")
    assert sent_key(pipe) == "Bearer sk-callers-own"


@STATIC
@pytest.mark.parametrize("field", ["base_url", "api_endpoint"])
def test_the_configured_key_is_never_sent_to_an_address_of_the_caller(
    field: str, static: bool
) -> None:
    pipe = Pipe(headers={"x-secret": "configured-secret"}, static=static)
    pipe.ask(**{field: "http://elsewhere.example/v1"})
    assert pipe.upstream.request.url.host == "elsewhere.example"
    assert sent_key(pipe) is None
    assert "x-secret" not in dict(pipe.upstream.request.headers)
    assert KEY.encode() not in pipe.upstream.request.body


@STATIC
def test_the_callers_address_gets_the_callers_key(static: bool) -> None:
    pipe = Pipe(static=static)
    pipe.ask(base_url="http://elsewhere.example", api_key="sk-callers-own")
    assert pipe.upstream.request.url.host == "elsewhere.example"
    assert sent_key(pipe) == "Bearer sk-callers-own"


@STATIC
def test_the_callers_options_override_the_configured_ones(static: bool) -> None:
    seen: list[Any] = []

    def encode(request: Any, target: Any) -> Any:
        seen.append(target.options)
        return openai_request.encode_request(request, target)

    provider = replace(openai.PROVIDER, encode_request=encode)
    pipe = Pipe(provider=provider, options={"region": "r", "api_version": "1"}, static=static)
    pipe.ask()
    pipe.ask(api_version="2")
    assert seen == [{"region": "r", "api_version": "1"}, {"region": "r", "api_version": "2"}]


class Watching:
    """An adapter that keeps the targets of its calls, and declares secret options."""

    def __init__(self) -> None:
        self.targets: list[Any] = []
        self.provider = replace(
            openai.PROVIDER,
            encode_request=self._encode,
            secrets=frozenset({"secret_key", "not_given"}),
        )

    def _encode(self, request: Any, target: Any) -> Any:
        self.targets.append(target)
        return openai_request.encode_request(request, target)


@STATIC
def test_secret_options_are_never_sent_to_an_address_of_the_caller(static: bool) -> None:
    watching = Watching()
    options = {"region": "r", "secret_key": "configured-secret"}
    pipe = Pipe(provider=watching.provider, options=options, static=static)
    pipe.ask(base_url="http://elsewhere.example/v1")
    pipe.ask(base_url="http://elsewhere.example/v1", api_version="2")
    pipe.ask(api_version="2")
    assert [target.options for target in watching.targets] == [
        {"region": "r"},
        {"region": "r", "api_version": "2"},
        {**options, "api_version": "2"},
    ]


def test_a_secret_option_in_an_error_is_redacted() -> None:
    options = {"region": "region-r", "secret_key": "configured-secret"}
    pipe = Pipe(provider=Watching().provider, options=options)
    pipe.ask()
    said = {"error": {"message": "No configured-secret in region-r.", "code": "configured-secret"}}
    pipe.upstream.whole(json.dumps(said).encode(), status=401)
    error = pipe.sink.json["error"]
    assert (error["message"], error["code"]) == ("No *** in region-r.", "***")


def test_the_error_for_a_missing_key_names_the_variable() -> None:
    pipe = Pipe(api_key=None)
    pipe.ask()
    assert pipe.upstream_requests == []
    error = pipe.sink.json["error"]
    assert (pipe.sink.status, error["param"]) == (401, "api_key")
    assert "OPENAI_API_KEY" in error["message"]
    assert pipe.records[0].outcome == "refused"


def test_no_key_is_sent_to_a_provider_that_needs_none() -> None:
    pipe = Pipe(api_key=None, needs_key=False)
    pipe.ask()
    assert sent_key(pipe) is None


@pytest.mark.parametrize("base_url", ["elsewhere", "ftp://x", "http://a b"])
def test_an_invalid_address_is_an_error_of_the_field(base_url: str) -> None:
    pipe = Pipe()
    pipe.ask(base_url=base_url)
    assert (pipe.sink.status, pipe.sink.json["error"]["param"]) == (422, "base_url")


class Starting:
    """A launcher that is ready when the test sets ``ready``."""

    def __init__(self) -> None:
        self.ready: Gate[str] = Gate()

    async def base_url(self) -> str:
        return await self.ready.wait()

    async def close(self) -> None:
        """Nothing to stop."""


def test_the_call_awaits_the_launcher() -> None:
    launcher = Starting()
    pipe = Pipe(base_url=None, launcher=launcher, api_key=None, needs_key=False)
    pipe.ask()
    assert pipe.upstream_requests == []
    launcher.ready.set("http://127.0.0.1:7/v1")
    assert pipe.upstream.request.url.port == 7


def test_a_client_that_leaves_while_the_model_starts_ends_the_call_at_once() -> None:
    launcher = Starting()
    pipe = Pipe(base_url=None, launcher=launcher)
    pipe.ask()
    pipe.sink.leave()
    assert pipe.gateway.active == set()
    launcher.ready.set("http://127.0.0.1:7/v1")
    assert pipe.upstream_requests == []
    assert pipe.sink.got == []
    assert [record.outcome for record in pipe.records] == ["cancelled"]


def test_a_shutdown_ends_a_call_that_awaits_credentials() -> None:
    source = Fetching()
    pipe = Pipe(credentials=source, needs_key=False, api_key=None)
    pipe.ask()
    pipe.abort(ShuttingDown("It must go."))
    assert (pipe.sink.status, pipe.sink.json["error"]["type"]) == (503, "shutting_down")
    source.ready.set({"access_token": "t"})
    assert pipe.upstream_requests == []
    assert len(pipe.records) == 1


class Fetching:
    """A credential source that has credentials when the test sets ``ready``."""

    def __init__(self) -> None:
        self.ready: Gate[dict[str, str]] = Gate()

    def cached(self) -> None:
        """Nothing is cached."""

    async def credentials(self) -> dict[str, str]:
        return await self.ready.wait()


class Failing:
    """A launcher that fails."""

    async def base_url(self) -> str:
        raise UpstreamUnreachable("It does not start.")

    async def close(self) -> None:
        """Nothing to stop."""


def test_an_error_of_the_launcher_is_returned() -> None:
    pipe = Pipe(base_url=None, launcher=Failing())
    pipe.ask()
    assert (pipe.sink.status, pipe.sink.json["error"]["message"]) == (502, "It does not start.")
    assert pipe.gateway.active == set()


@pytest.mark.parametrize(
    ("field", "longest"),
    [
        ("model", 2048),
        ("api_key", 8192),
        ("base_url", 2048),
        ("api_endpoint", 2048),
        ("api_version", 256),
        ("session_id", 1024),
    ],
)
def test_a_field_that_is_a_cache_key_has_a_length_limit(field: str, longest: int) -> None:
    start = "http://h/" if field in ("base_url", "api_endpoint") else ""
    for length in (longest, longest + 1):
        pipe = Pipe()
        pipe.ask(**{field: start.ljust(length, "x")})
        assert len(pipe.upstream_requests) == (length == longest)
    named = "base_url" if field == "api_endpoint" else field
    error = pipe.sink.json["error"]
    assert (pipe.sink.status, error["param"]) == (422, named)
    assert error["message"] == f"`{named}` must be a string of at most {longest} characters."


def test_the_target_of_the_gateways_own_requests_is_the_configured_one() -> None:
    for static in (False, True):
        pipe = Pipe(static=static)
        upstream = pipe.gateway.snapshot.upstreams["openai"]
        target = asyncio.run(targets.resolve(pipe.gateway, upstream))
        assert (target.base_url, target.api_key) == ("https://api.openai.com/v1", KEY)


@pytest.mark.parametrize("missing", [{"base_url": None}, {"api_key": None}])
def test_a_provider_without_address_or_key_has_no_fixed_target(missing: dict[str, None]) -> None:
    pipe = Pipe(**missing)
    assert targets.fixed(pipe.gateway.snapshot.upstreams["openai"]) is None


def test_a_provider_with_its_address_and_the_key_it_needs_has_a_fixed_target() -> None:
    for fields in ({}, {"api_key": None, "needs_key": False}):
        upstream = Pipe(**fields).gateway.snapshot.upstreams["openai"]
        assert targets.fixed(upstream) == targets.build(upstream)


def test_the_error_for_a_missing_key_of_the_gateways_own_request_asks_for_no_field() -> None:
    pipe = Pipe(api_key=None)
    upstream = pipe.gateway.snapshot.upstreams["openai"]
    with pytest.raises(MissingProviderKey, match=r"in its configuration\.$"):
        targets.build(upstream)


@pytest.mark.parametrize("key_field", ["api_key", "x-headway-provider-key"])
def test_the_error_for_a_missing_key_names_where_the_route_takes_one(key_field: str) -> None:
    pipe = Pipe(api_key=None)
    upstream = pipe.gateway.snapshot.upstreams["openai"]
    request = ChatRequest(model="gpt-4o", messages=Raw(b"[]"))
    decoded = DecodedRequest(provider="openai", request=request, key_field=key_field)
    with pytest.raises(MissingProviderKey, match=f"or send `{key_field}`") as caught:
        targets.build(upstream, decoded)
    assert caught.value.param == key_field


class Cached:
    """A credential source that needs no fetch."""

    def cached(self) -> dict[str, str]:
        return {"access_token": "t"}

    async def credentials(self) -> dict[str, str]:
        raise AssertionError("nothing is to be awaited")


def test_cached_credentials_are_used_without_a_task() -> None:
    watching = Watching()
    pipe = Pipe(
        provider=watching.provider, credentials=Cached(), needs_key=False, api_key=None, static=True
    )
    pipe.ask()
    assert [target.credentials for target in watching.targets] == [{"access_token": "t"}]
    assert pipe.gateway.background_tasks == set()
    pipe.ask(api_key="sk-callers-own")
    assert watching.targets[-1].credentials == {}


def test_a_configured_key_is_used_instead_of_the_credential_source() -> None:
    watching = Watching()
    pipe = Pipe(provider=watching.provider, credentials=Cached())
    pipe.ask()
    assert [(target.api_key, target.credentials) for target in watching.targets] == [(KEY, {})]
