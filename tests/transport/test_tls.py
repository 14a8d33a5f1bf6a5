"""TLS: verified, named clearly when it fails, and otherwise just like plain HTTP."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headway.errors import UpstreamUnreachable
from headway.transport import tls
from headway.transport.route import OriginSettings
from headway.transport.tls import TlsContexts, TlsSettings, build_context
from support.receiver import (
    QUICK,
    Recorder,
    Run,
    begin,
    checked_transport,
    fetch,
    request,
    until,
)
from support.scripted_server import ScriptedServer, answer, sse

Certificates = Any  # the class is the conftest's

LENGTH = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"


def test_responses_over_tls_arrive_on_one_reused_connection(
    run: Run, certificates: Certificates
) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"1"), sse(b"2")], tls=certificates.server()) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            assert (await fetch(transport, server.url)).body == b"1"
            _, receiver = begin(transport, server.url)
            assert receiver.log == ["sent"]
            await until(receiver.over.is_set)
            assert receiver.body == b"data: 2\n\n"
            assert server.connections == 1
            assert server.requests[0].header("host") == f"127.0.0.1:{server.port}"

    run(main())


def test_http_1_1_is_negotiated(run: Run, certificates: Certificates) -> None:
    context = certificates.server()
    context.set_alpn_protocols(["h2", "http/1.1"])
    seen: list[str | None] = []

    async def main() -> None:
        async with (
            ScriptedServer([answer(b"1")], tls=context) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            receiver = await fetch(transport, server.url)
            (connection,) = transport._registry._connections
            held = connection._transport.get_extra_info("ssl_object")
            seen.append(held.selected_alpn_protocol())
            assert receiver.status == 200

    run(main())
    assert seen == ["http/1.1"]


YESTERDAY = datetime.now(UTC) - timedelta(days=1)

REFUSED: dict[str, tuple[dict[str, Any], bool, str, str]] = {
    "an expired certificate": (
        {"not_after": YESTERDAY}, True, "tls_certificate_expired", "has expired"),
    "another name": ({"name": "other.test"}, True, "tls_name_mismatch", "for another address"),
    "an authority that is not trusted": ({}, False, "tls_untrusted", "not trusted here"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_certificate_is_reported_with_its_reason(
    run: Run, certificates: Certificates, name: str
) -> None:
    options, trusts, code, said = REFUSED[name]
    context = certificates.server(**options)
    tls = TlsSettings(ca_file=certificates.ca_file if trusts else None)

    async def main() -> None:
        async with (
            ScriptedServer([answer()], tls=context) as server,
            checked_transport(tls=tls) as transport,
        ):
            receiver = await fetch(transport, server.url)
            assert receiver.log == ["error"]
            assert receiver.fault == ("UpstreamUnreachable", code)
            assert f"cannot reach 127.0.0.1:{server.port}" in str(receiver.error)
            assert said in str(receiver.error)
            assert server.requests == []

    run(main())


def test_a_certificate_for_another_name_is_reported(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer()], tls=certificates.server(name="other.test")) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            receiver = await fetch(transport, f"https://localhost:{server.port}")
            assert receiver.fault == ("UpstreamUnreachable", "tls_name_mismatch")
            assert "for another name" in str(receiver.error)

    run(main())


def test_verify_false_accepts_any_certificate(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"x")], tls=certificates.server(name="other.test")) as server,
            checked_transport(tls=TlsSettings(verify=False)) as transport,
        ):
            assert (await fetch(transport, server.url)).body == b"x"

    run(main())


def test_one_origin_can_have_tls_settings_of_its_own(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        own = OriginSettings(tls=TlsSettings(ca_file=certificates.ca_file))
        async with (
            ScriptedServer([answer(b"x")], tls=certificates.server()) as trusted,
            ScriptedServer([answer(b"x")], tls=certificates.server()) as other,
            checked_transport(origins={trusted.url: own}) as transport,
        ):
            assert (await fetch(transport, trusted.url)).body == b"x"
            assert (await fetch(transport, other.url)).fault[1] == "tls_untrusted"

    run(main())


def test_a_client_certificate_is_presented(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        tls = TlsSettings(ca_file=certificates.ca_file, cert_file=certificates.client_file)
        async with (
            ScriptedServer([answer(b"x")], tls=certificates.server(wants_client=True)) as server,
            checked_transport(tls=tls) as transport,
        ):
            assert (await fetch(transport, server.url)).body == b"x"

    run(main())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_that_is_missing_is_an_error(
    run: Run, certificates: Certificates, version: ssl.TLSVersion
) -> None:
    context = certificates.server(wants_client=True)
    context.maximum_version = version

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's own
        async with (
            ScriptedServer([answer(b"x")], tls=context) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            receiver = await fetch(transport, server.url)
            # asyncio's server drops the connection where it should say why, in TLS 1.2 always.
            assert receiver.log[-1] == "error"
            assert receiver.fault in (
                ("UpstreamUnreachable", "tls_client_certificate"),
                ("UpstreamUnreachable", "connection_reset"),
                ("UpstreamDisconnected", "disconnected"),
            )

    run(main())


def test_plain_http_where_tls_was_expected_is_reported(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer()], greeting=[b"HTTP/1.1 400 Bad Request\r\n\r\n"]) as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(transport, f"https://127.0.0.1:{server.port}")
            assert receiver.fault == ("UpstreamUnreachable", "tls_not_spoken")
            assert "is it http://?" in str(receiver.error)

    run(main())


def test_a_server_that_closes_during_the_handshake_is_reported(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer()], greeting="close") as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(transport, f"https://127.0.0.1:{server.port}")
            assert receiver.fault[0] == "UpstreamUnreachable"
            assert receiver.fault[1] in ("connection_reset", "tls_handshake")

    run(main())


@pytest.mark.parametrize("field", ["ca_file", "cert_file"])
def test_a_file_that_cannot_be_used_is_named(run: Run, tmp_path: Path, field: str) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")

    async def main() -> None:
        for path in (str(tmp_path / "missing.pem"), str(nonsense)):
            async with checked_transport(tls=TlsSettings(**{field: path})) as transport:
                receiver = await fetch(transport, "https://127.0.0.1:9")
                assert receiver.fault[0] == "UpstreamUnreachable"
            async with (
                ScriptedServer([answer()]) as server,
                checked_transport(tls=TlsSettings(**{field: path})) as transport,
            ):
                receiver = await fetch(transport, f"https://127.0.0.1:{server.port}")
                assert receiver.fault == ("UpstreamUnreachable", "tls_settings")
                assert f"TLS {field} {path!r}" in str(receiver.error)

    run(main())


def test_a_stale_connection_is_replaced_over_tls_too(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        script = [answer(b"1"), "close", answer(b"2")]
        async with (
            ScriptedServer(script, tls=certificates.server()) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            await fetch(transport, server.url)
            assert (await fetch(transport, server.url)).body == b"2"
            assert server.connections == 2

    run(main())


def test_a_tls_alert_after_the_handshake_is_reported(run: Run, certificates: Certificates) -> None:
    alert = ssl.SSLError(1, "alert")
    alert.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"

    async def main() -> None:
        async with (
            ScriptedServer(["hang"], tls=certificates.server()) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            _, receiver = begin(transport, server.url)
            await until(lambda: bool(server.requests))
            (connection,) = transport._registry._connections
            connection._on_disconnect(alert)
            assert receiver.fault == ("UpstreamUnreachable", "tls_client_certificate")

    run(main())


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_disconnect_in_the_middle_of_a_response_over_tls_is_reported(
    run: Run, certificates: Certificates, end: str
) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[LENGTH + b"abc", 0.02, end]], tls=certificates.server()) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            receiver = await fetch(transport, server.url)
            assert receiver.fault == ("UpstreamDisconnected", "disconnected")
            assert receiver.body == b"abc"

    run(main())


def test_large_bodies_with_a_pause_go_through_tls(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        body = bytes(range(256)) * 40_000
        async with (
            ScriptedServer([answer(body)], tls=certificates.server()) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            receiver = Recorder(lambda name: pending.pause() if name == "response" else None)
            pending = transport.send(request(server.url, body=body), QUICK, receiver)
            await until(lambda: receiver.status == 200)
            await asyncio.sleep(0.1)
            assert len(receiver.body) < len(body)
            pending.resume()
            await until(receiver.over.is_set)
            assert receiver.body == body
            assert receiver.log[0] == "sent"
            assert server.requests[0].body == body

    run(main())


def test_cancel_over_tls_closes_at_once(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[LENGTH + b"a", "hang"]], tls=certificates.server()) as server,
            checked_transport(tls=TlsSettings(ca_file=certificates.ca_file)) as transport,
        ):
            pending, receiver = begin(transport, server.url)
            await until(lambda: receiver.body == b"a")
            pending.cancel()
            await server.left(within=10)  # a TLS shutdown that nobody answers takes 30 s

    run(main())


def test_concurrent_first_connections_read_the_authorities_once(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds: list[TlsSettings] = []

    def build(settings: TlsSettings) -> ssl.SSLContext:
        builds.append(settings)
        return build_context(settings)

    monkeypatch.setattr(tls, "build_context", build)

    async def main() -> None:
        contexts, settings = TlsContexts(), TlsSettings(ca_file=certificates.ca_file)
        callers = [asyncio.create_task(contexts.get(settings)) for _ in range(20)]
        await asyncio.sleep(0)
        callers.pop().cancel()
        assert len({id(context) for context in await asyncio.gather(*callers)}) == 1
        assert await contexts.get(settings) is await callers[0]
        with pytest.raises(UpstreamUnreachable, match="cannot be used"):
            await contexts.get(TlsSettings(ca_file="/nonexistent"))
        with pytest.raises(UpstreamUnreachable, match="cannot be used"):  # tried again
            await contexts.get(TlsSettings(ca_file="/nonexistent"))

    asyncio.run(main())
    assert [each.ca_file for each in builds] == [
        certificates.ca_file,
        "/nonexistent",
        "/nonexistent",
    ]


@pytest.mark.parametrize(
    ("has_own", "trusts_well_known", "own", "well_known"),
    [
        (False, False, False, True),
        (True, False, True, False),
        (True, True, True, True),
    ],
)
def test_own_authorities_replace_the_well_known_ones_unless_both_are_trusted(
    has_own: bool,
    trusts_well_known: bool,
    own: bool,
    well_known: bool,
    certificates: Certificates,
) -> None:
    ca_file = certificates.ca_file if has_own else None
    context = build_context(TlsSettings(ca_file=ca_file, trusts_well_known=trusts_well_known))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    names = [str(authority["subject"]) for authority in context.get_ca_certs()]
    assert any("trustme" in name for name in names) is own
    assert (len(names) > 50) is well_known
