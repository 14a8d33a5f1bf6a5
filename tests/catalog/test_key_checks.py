"""Whether keys work, found out by requests that cost nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from catalog.gateways import make, upstream
from headway.catalog import key_checks
from headway.catalog.key_checks import CheckStatus, KeyChecks, ProviderCheck
from headway.errors import (
    RequestError,
    UpstreamAuth,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from headway.pipeline.gateway import Gateway, Upstream, UpstreamKey
from headway.ports import ResponseReceiver
from headway.providers import KINDS
from headway.types import HttpRequest, Target, Timeouts
from support.for_each import for_each

LIST = {"data": [{"id": "a"}, {"id": "b"}]}
REFUSED = {"error": {"message": "Incorrect API key provided: sk-wrong-key.", "type": "auth"}}
Reply = tuple[int, Any] | UpstreamError | None


class Provider:
    """A transport that answers by the key of a request; None is never answered."""

    def __init__(self, answer: Callable[[str], Reply]) -> None:
        self.answer = answer
        self.requests: list[HttpRequest] = []

    def send(
        self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver
    ) -> Provider:
        self.requests.append(request)
        key = dict(request.headers).get("authorization", "").removeprefix("Bearer ")
        asyncio.get_running_loop().call_soon(self._play, self.answer(key), receiver)
        return self

    def _play(self, reply: Reply, receiver: ResponseReceiver) -> None:
        if isinstance(reply, UpstreamError):
            receiver.on_error(reply, 0.0)
        elif reply is not None:
            status, said = reply
            receiver.on_response(status, [(b"content-type", b"application/json")], 0.0)
            receiver.on_chunk(json.dumps(said).encode(), 0.0)
            receiver.on_end(0.0)

    def cancel(self) -> None:
        """Nothing is under way."""

    finish = pause = resume = cancel

    async def close(self) -> None:
        """Nothing is held."""


def right(key: str) -> Reply:
    return (200, LIST) if key.startswith("sk-right") else (401, REFUSED)


def at(transport: Any, kind: str = "openai", **more: Any) -> Upstream:
    facts = {"api_key": "sk-right-key", "needs_key": True, "has_key": True, "target": None, **more}
    return upstream("mine", kind, transport=transport, **facts)


def checked(one: Upstream) -> ProviderCheck:
    return asyncio.run(KeyChecks(make({"mine": one})).check(one))


def test_a_key_that_lists_the_models_works() -> None:
    provider = Provider(right)
    found = checked(at(provider))
    assert (found.provider, found.status, found.models, found.message) == ("mine", "ok", 2, None)
    assert found.key == "OPENAI_API_KEY"
    assert found.latency_ms is not None
    [key] = found.keys
    assert (key.key, key.status, key.models) == (found.key, "ok", 2)
    assert [dict(each.headers).get("authorization") for each in provider.requests] == [
        "Bearer sk-right-key", None,
    ]  # fmt: skip
    assert {(each.method, each.body) for each in provider.requests} == {("GET", b"")}


def test_each_key_is_checked_and_none_is_shown() -> None:
    keys = tuple(
        UpstreamKey(id=f"mine#{name}", name=name, key=f"sk-{name}-key")
        for name in ("right", "wrong")
    )
    found = checked(at(Provider(right), keys=keys))
    assert [(each.key, each.status) for each in found.keys] == [
        ("right", "ok"), ("wrong", "wrong_key"),
    ]  # fmt: skip
    assert (found.status, found.key, found.models) == ("wrong_key", "wrong", 2)
    assert found.message == "Incorrect API key provided: ***."


def test_a_list_that_everybody_gets_says_nothing_of_the_key() -> None:
    found = checked(at(Provider(lambda key: (200, LIST))))
    assert (found.status, found.models, found.message) == ("unknown", 2, key_checks.PUBLIC)


def test_without_a_key_nothing_is_public() -> None:
    provider = Provider(lambda key: (200, LIST))
    found = checked(at(provider, api_key=None, needs_key=False, has_key=None))
    assert (found.status, found.key, len(provider.requests)) == ("ok", None, 1)


FAILURES: list[tuple[Reply, CheckStatus, str]] = [
    ((401, REFUSED), "wrong_key", "Incorrect API key"),
    ((403, {"error": {"message": "Missing scopes."}}), "unknown", "may be restricted"),
    ((429, {"error": {"message": "Slow down."}}), "rate_limited", "Slow down."),
    ((500, {"error": {"message": "Oops."}}), "unknown", "Oops."),
    ((404, {"error": {"message": "Nothing here."}}), "unknown", "Nothing here."),
    (UpstreamUnreachable("no route to host"), "unreachable", "no route to host"),
    (UpstreamTimeout("too late", code="connect_timeout"), "unreachable", "too late"),
]


@for_each(("reply", "status", "says"), FAILURES)
def test_a_failure_says_what_is_wrong(reply: Reply, status: CheckStatus, says: str) -> None:
    found = checked(at(Provider(lambda key: reply)))
    assert (found.status, found.models) == (status, None)
    assert says in (found.message or "")


def test_a_provider_that_does_not_answer_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_checks, "LIMIT_S", 0.01)
    found = checked(at(Provider(lambda key: None)))
    assert (found.status, found.message) == ("unreachable", "It did not answer within 0.01 s.")


def test_a_wrong_signature_is_a_wrong_key() -> None:
    signed = replace(KINDS["openai"], sign=lambda request, target, now: request)
    one = replace(at(Provider(lambda key: (403, {"message": "Bad signature."}))), provider=signed)
    assert checked(one).status == "wrong_key"


def test_without_a_key_the_provider_is_not_asked() -> None:
    provider = Provider(right)
    found = checked(at(provider, api_key=None, has_key=False))
    assert (found.status, found.latency_ms, provider.requests) == ("no_key", None, [])
    assert "OPENAI_API_KEY" in (found.message or "")


def test_credentials_that_nobody_has_are_no_key() -> None:
    found = checked(
        at(Provider(lambda key: UpstreamAuth("no credentials")), needs_key=False, has_key=False,
           api_key=None)
    )  # fmt: skip
    assert found.status == "no_key"


def test_a_defect_is_reported_without_details(caplog: pytest.LogCaptureFixture) -> None:
    def fail(key: str) -> Reply:
        raise RuntimeError("a secret detail")

    found = checked(at(Provider(fail)))
    assert (found.status, found.message) == ("unknown", key_checks.DEFECT)
    assert "a secret detail" in caplog.text


def test_where_nothing_is_free_the_status_is_unknown_and_says_why() -> None:
    silent = replace(KINDS["openai"], list_models=None)
    found = checked(replace(at(Provider(right)), provider=silent))
    assert (found.status, found.message) == ("unknown", key_checks.NO_REQUEST)
    local = checked(at(Provider(right), "local", launcher=object(), base_url=None))
    assert (local.status, local.message) == ("unknown", key_checks.NOT_STARTED)
    echo = checked(at(Provider(right), "echo", api_key=None, needs_key=False, has_key=None))
    assert (echo.status, echo.message, echo.models) == ("ok", key_checks.IN_PROCESS, None)


def test_a_request_of_its_own_checks_the_key_where_the_list_does_not() -> None:
    provider = Provider(lambda key: (200, {"data": {"label": "a key"}}))
    found = checked(at(provider, "openrouter"))
    assert (found.status, found.models) == ("ok", None)
    assert [each.url.path for each in provider.requests] == ["/api/v1/key"]


AZURE = [
    ("azure_openai", {}, "/openai/v1/models"),
    ("azure_openai", {"api_version": "2024-10-21"}, "/openai/models?api-version=2024-10-21"),
    ("azure_openai_responses", {}, "/openai/v1/models"),
]


@for_each(("kind", "options", "path"), AZURE)
def test_azure_is_asked_for_what_a_resource_could_deploy(
    kind: str, options: dict[str, str], path: str
) -> None:
    provider = Provider(lambda key: (200, {"data": []}))
    one = at(provider, kind, base_url="https://mine.openai.azure.com", options=options)
    assert checked(one).status == "ok"
    [request] = provider.requests
    assert (request.url.path, dict(request.headers)["api-key"]) == (path, "sk-right-key")


@for_each("kind", [kind for kind, one in KINDS.items() if one.list_models is not None])
def test_a_list_can_be_asked_for_without_a_key(kind: str) -> None:
    model_list = KINDS[kind].list_models
    assert model_list is not None
    target = Target(provider="mine", base_url=KINDS[kind].base_url or "http://own")
    with contextlib.suppress(ValueError, RequestError):  # a region or an account is missing
        model_list.encode(target, None)


def test_a_result_is_given_out_again_for_ten_seconds() -> None:
    provider = Provider(right)
    one, now = at(provider), [0.0]
    gateway: Gateway = make({"mine": one})
    gateway.clock = lambda: now[0]
    checks = KeyChecks(gateway)

    async def ask() -> None:
        first, second = await asyncio.gather(checks.check(one), checks.check(one))
        assert first is second
        now[0] = 9.9
        assert await checks.check(one) is first
        assert await checks.check(replace(one)) is not first
        now[0] = 30.0
        assert await checks.check(one) is not first

    asyncio.run(ask())
    assert len(provider.requests) == 6


def test_a_caller_that_leaves_does_not_end_the_check_of_others() -> None:
    one = at(Provider(right))
    checks = KeyChecks(make({"mine": one}))

    async def ask() -> None:
        first, second = (asyncio.ensure_future(checks.check(one)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).status == "ok"

    asyncio.run(ask())
