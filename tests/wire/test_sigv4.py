"""Signatures, held to AWS's published vectors."""

from __future__ import annotations

from hashlib import sha256

import pytest

from headway.types import HttpRequest, Url
from headway.wire.sigv4 import AwsCredentials, CredentialScope, canonical_request, sign
from headway.wire.url import join
from support.for_each import for_each
from support.sigv4_vectors import BEDROCK, ID, NOW, SECRET, VECTORS, Vector


def signed(vector: Vector, host: str, service: str) -> HttpRequest:
    url = Url("https", host, 443, vector.path)
    request = HttpRequest(url, vector.headers, vector.body, vector.method)
    return sign(
        request,
        AwsCredentials(ID, SECRET, vector.token),
        CredentialScope("us-east-1", service),
        NOW,
    )


def authorization(request: HttpRequest) -> str:
    return dict(request.headers)["authorization"]


def check(vector: Vector, request: HttpRequest) -> None:
    assert sha256(canonical_request(request)[1]).hexdigest() == vector.canonical_sha256
    assert authorization(request).endswith(f"Signature={vector.signature}")


@for_each("vector", VECTORS, ids=lambda vector: vector.name)
def test_published_requests_get_the_published_signatures(vector: Vector) -> None:
    check(vector, signed(vector, "example.amazonaws.com", "service"))


@pytest.mark.parametrize("vector", BEDROCK, ids=lambda vector: vector.name)
def test_an_encoded_path_is_encoded_once_more(vector: Vector) -> None:
    check(vector, signed(vector, "bedrock-runtime.us-east-1.amazonaws.com", "bedrock"))


def test_the_authorization_header_has_the_credential_and_the_signed_headers() -> None:
    url = join("https://example.amazonaws.com/")
    request = sign(
        HttpRequest(url, (), b"", "GET"), AwsCredentials(ID, SECRET), CredentialScope("r", "s"), NOW
    )

    assert authorization(request).startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/r/s/aws4_request,"
        " SignedHeaders=host;x-amz-date, Signature="
    )
    assert request.headers[0] == ("x-amz-date", "20150830T123600Z")


def test_signing_again_replaces_the_signature() -> None:
    request = HttpRequest(join("http://127.0.0.1:9000/x"), (("accept", "*/*"),), b"{}")
    scope = CredentialScope("us-east-1", "bedrock")
    first = sign(request, AwsCredentials(ID, SECRET, "t"), scope, NOW)

    assert sign(first, AwsCredentials(ID, SECRET, "t"), scope, NOW) == first
    later = sign(first, AwsCredentials(ID, SECRET), scope, NOW + 1)
    assert [name for name, _ in later.headers] == ["accept", "x-amz-date", "authorization"]
    assert authorization(later) != authorization(first)


def test_the_host_is_signed_with_its_port() -> None:
    request = HttpRequest(join("http://127.0.0.1:9000/x"), (), b"")

    assert b"\nhost:127.0.0.1:9000\n" in canonical_request(request)[1]


UNSIGNED = (
    "accept-encoding authorization connection content-length expect te trailer transfer-encoding"
    " upgrade user-agent x-amzn-trace-id"
)


@for_each("name", UNSIGNED.split())
def test_headers_that_proxies_may_change_are_not_signed(name: str) -> None:
    request = HttpRequest(join("http://127.0.0.1:9000/x"), ((name.title(), "1"),), b"")

    assert canonical_request(request)[0] == "host"


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/a/./b/", "/a/b/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../", "/a/"),
        ("/a/.", "/a/"),
        ("/..", "/"),
        ("", "/"),
        ("/a//b", "/a/b"),
    ],
)
def test_a_path_is_normalized(path: str, normal: str) -> None:
    request = HttpRequest(Url("http", "h", 80, path), (), b"", "GET")

    assert canonical_request(request)[1].decode().split("\n")[1] == normal
