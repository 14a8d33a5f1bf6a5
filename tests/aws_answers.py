"""Answers of those who give out AWS credentials, as their documentation shows them."""

from __future__ import annotations

import json

from headway.transport.aws_services import Endpoints

NOW = 1_700_000_000.0
END = "2023-11-14T23:13:20Z"
"""An hour later."""
CONTAINER = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}
NOWHERE = "http://127.0.0.1:9"
ROLE = "arn:aws:iam::123456789012:role/caller"
ENVIRON = {
    "AWS_ACCESS_KEY_ID": "ENVKEY",
    "AWS_SECRET_ACCESS_KEY": "envsecret",
    "AWS_SESSION_TOKEN": "envtoken",
    "AWS_REGION": "eu-west-1",
}


class Wall:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def sts(action: str, key: str = "ASIAROLE", end: str = END) -> bytes:
    """As STS answers: the credentials among other things (API reference of AssumeRole)."""
    return (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
        "<AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser><Credentials>"
        f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s/e+c</SecretAccessKey>"
        f"<SessionToken>t&amp;k</SessionToken><Expiration>{end}</Expiration>"
        f"</Credentials></{action}Result></{action}Response>"
    ).encode()


def document(key: str = "ASIAHERE", end: str | None = END) -> bytes:
    found = {"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": end}
    return json.dumps({"Code": "Success", "LastUpdated": "x", **found}).encode()


ROLE_FOUND = {"access_key": "ASIAROLE", "secret_key": "s/e+c", "session_token": "t&k"}
HERE_FOUND = {"access_key": "ASIAHERE", "secret_key": "s", "session_token": "t"}
XML = (("content-type", "text/xml"),)


def endpoints(url: str) -> Endpoints:
    return Endpoints(sts=url, container=url, metadata=url)
