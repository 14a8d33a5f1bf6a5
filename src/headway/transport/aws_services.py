"""Who gives out temporary AWS credentials: STS, the agents of containers, EC2's metadata.

Sources: docs.aws.amazon.com/STS/latest/APIReference (AssumeRole, AssumeRoleWithWebIdentity),
docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html,
docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from headway.errors import UpstreamAuth, UpstreamError
from headway.ports import Transport
from headway.transport.fetch import Fetched, fetch
from headway.types import Clock, HttpRequest, Timeouts
from headway.wire.sigv4 import Key, Scope, sign
from headway.wire.url import join

QUICK = Timeouts(connect=1.0, first_byte=2.0, idle=2.0, total=5.0)
"""For what is on this machine or its link, or not there at all."""
PATIENT = Timeouts(connect=5.0, first_byte=15.0, idle=15.0, total=30.0)
FORM = ("content-type", "application/x-www-form-urlencoded")
SESSION = "headway"
TOKEN_LIFE_S = 21600
CONTAINER_HOSTS = frozenset(
    {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1"}
)
"""Where a token may go without TLS: the agents of ECS and EKS, and this machine."""


class Endpoints(Struct, frozen=True, kw_only=True):
    """Base URLs; ``{region}`` stands for itself."""

    sts: str = "https://sts.{region}.amazonaws.com"
    container: str = "http://169.254.170.2"
    metadata: str = "http://169.254.169.254"


class Temporary(Struct, frozen=True):
    """Credentials that end, at a unix time in seconds."""

    key: Key
    expires: float | None = None


class Role(Struct, frozen=True, kw_only=True):
    """What to become."""

    arn: str
    session_name: str = SESSION
    external_id: str | None = None
    duration_s: int | None = None


class AwsServices:
    """Asks them. Every method raises UpstreamAuth with the remedy when it is refused, and whatever
    the transport reports when nobody answers."""

    def __init__(self, transport: Transport, wall: Clock, endpoints: Endpoints) -> None:
        self._transport = transport
        self._wall = wall
        self._endpoints = endpoints

    async def assume_role(self, role: Role, key: Key, region: str) -> Temporary:
        """Signed with the credentials of whoever may take the role."""
        request = self._ask_sts("AssumeRole", role, {"ExternalId": role.external_id}, region)
        signed = sign(request, key, Scope(region, "sts"), self._wall())
        return _read_sts(await self._fetch(signed, PATIENT), role)

    async def assume_with_web_identity(self, role: Role, token_file: str, region: str) -> Temporary:
        """The token is read anew each time: Kubernetes renews the file."""
        token = await _read_token(token_file)
        more = {"WebIdentityToken": token}
        request = self._ask_sts("AssumeRoleWithWebIdentity", role, more, region)
        return _read_sts(await self._fetch(request, PATIENT), role)

    async def of_container(self, environ: Mapping[str, str]) -> Temporary | None:
        """ECS tasks and EKS pod identities; None where no variable names an agent."""
        address = self._container_address(environ)
        if address is None:
            return None
        request = HttpRequest(join(address), await _container_headers(environ), b"", "GET")
        if request.url.scheme != "https" and request.url.host not in CONTAINER_HOSTS:
            raise UpstreamAuth(
                f"AWS_CONTAINER_CREDENTIALS_FULL_URI names {request.url.host}, which is neither"
                " https nor an agent of this machine: it is not asked."
            )
        return _read_json(await self._fetch(request, QUICK), "the container's agent")

    async def of_instance(self) -> Temporary | None:
        """The role of this EC2 instance (IMDSv2); None where it has no metadata service or role."""
        base = self._endpoints.metadata
        life = (("x-aws-ec2-metadata-token-ttl-seconds", str(TOKEN_LIFE_S)),)
        try:
            token = await self._fetch(HttpRequest(join(base, TOKEN), life, b"", "PUT"), QUICK)
        except UpstreamError:
            return None  # not an instance of EC2
        if token.status != 200:
            return None
        headers = (("x-aws-ec2-metadata-token", token.body.decode("latin-1").strip()),)
        named = await self._fetch(HttpRequest(join(base, ROLES), headers, b"", "GET"), QUICK)
        if named.status == 404:
            return None
        role = named.body.decode("latin-1").strip().partition("\n")[0]
        request = HttpRequest(join(base, ROLES + role), headers, b"", "GET")
        return _read_json(await self._fetch(request, QUICK), "the instance's metadata service")

    async def _fetch(self, request: HttpRequest, timeouts: Timeouts) -> Fetched:
        return await fetch(self._transport, request, timeouts)

    def _ask_sts(
        self, action: str, role: Role, more: Mapping[str, str | None], region: str
    ) -> HttpRequest:
        fields: dict[str, str | int | None] = {
            "Action": action,
            "Version": "2011-06-15",
            "RoleArn": role.arn,
            "RoleSessionName": role.session_name,
            "DurationSeconds": role.duration_s,
            **more,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        url = join(self._endpoints.sts.replace("{region}", region))
        return HttpRequest(url, (FORM, ("accept", "text/xml")), urlencode(given).encode())

    def _container_address(self, environ: Mapping[str, str]) -> str | None:
        if relative := environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
            return self._endpoints.container + relative
        return environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") or None


TOKEN, ROLES = "/latest/api/token", "/latest/meta-data/iam/security-credentials/"


async def _container_headers(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if path := environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        return (("authorization", await _read_token(path)),)
    token = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return (("authorization", token),) if token else ()


async def _read_token(path: str) -> str:
    try:
        return (await asyncio.to_thread(Path(path).read_text, "utf-8")).strip()
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UpstreamAuth(f"The token file {path} cannot be read: {why}.") from None


# --- Answers --------------------------------------------------------------------------------------


class _Document(Struct, rename="pascal"):
    """What agents and the metadata service answer."""

    access_key_id: str
    secret_access_key: str
    token: str | None = None
    expiration: str | None = None


def _read_json(answer: Fetched, who: str) -> Temporary:
    if answer.status != 200:
        text = answer.body[:200].decode(errors="replace").strip()
        raise UpstreamAuth(f"Asked for AWS credentials, {who} answered {answer.status}: {text}")
    try:
        found = msgspec.json.decode(answer.body, type=_Document)
    except msgspec.MsgspecError:
        raise UpstreamAuth(f"Asked for AWS credentials, {who} answered with none.") from None
    key = Key(found.access_key_id, found.secret_access_key, found.token)
    return Temporary(key, _seconds(found.expiration))


def _read_sts(answer: Fetched, role: Role) -> Temporary:
    text = answer.body.decode(errors="replace")
    if answer.status != 200:
        why = _element(text, "Message") or f"it answered with status {answer.status}"
        raise UpstreamAuth(
            f"AWS STS does not give out the role {role.arn}: {why}", code=_element(text, "Code")
        )
    access_key, secret_key = _element(text, "AccessKeyId"), _element(text, "SecretAccessKey")
    if not access_key or not secret_key:
        raise UpstreamAuth(f"AWS STS answered without credentials for the role {role.arn}.")
    key = Key(access_key, secret_key, _element(text, "SessionToken"))
    return Temporary(key, _seconds(_element(text, "Expiration")))


def _element(xml: str, name: str) -> str | None:
    """The text of the first element of that name. STS's few answers have no attributes, and hold
    what is sought once; a parser of XML would be the greater risk."""
    found = re.search(f"<{name}>([^<]*)</{name}>", xml)
    return html.unescape(found[1]) if found else None


def _seconds(moment: str | None) -> float | None:
    try:
        return datetime.fromisoformat(moment).timestamp() if moment else None
    except ValueError:
        return None
