"""Which identity a token is requested for, and the request."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.credentials.entra.token_requests import AUTHORITY, Application, choose_identity
from headway.errors import UpstreamAuth

SECRET = {"tenant_id": "tenant", "client_id": "cid", "client_secret": "planted-secret"}
VARIABLES = {
    "AZURE_TENANT_ID": "env-tenant",
    "AZURE_CLIENT_ID": "env-cid",
    "AZURE_CLIENT_SECRET": "env-secret",
}


@pytest.mark.parametrize("missing", ["tenant_id", "client_id"])
def test_the_error_names_what_an_application_lacks(missing: str) -> None:
    options = {name: value for name, value in SECRET.items() if name != missing}
    with pytest.raises(UpstreamAuth, match=f"{missing} .or AZURE_{missing.upper()}.") as caught:
        choose_identity(options, {})
    assert "planted" not in caught.value.message


def test_the_authority_host_may_have_a_scheme() -> None:
    for host, address in (
        (None, AUTHORITY),
        ("login.microsoftonline.us", "https://login.microsoftonline.us"),
        ("https://login.chinacloudapi.cn/", "https://login.chinacloudapi.cn"),
    ):
        identity = choose_identity({**SECRET, "authority_host": host}, {})
        assert isinstance(identity, Application)
        assert identity.token_url == f"{address}/tenant/oauth2/v2.0/token"


def test_the_configuration_comes_before_the_environment() -> None:
    secret = choose_identity(SECRET, VARIABLES)
    assert isinstance(secret, Application)
    assert (secret.tenant_id, secret.client_id, secret.secret) == (
        "tenant",
        "cid",
        "planted-secret",
    )
    from_environ = choose_identity({}, VARIABLES)
    assert isinstance(from_environ, Application)
    assert from_environ.secret == "env-secret"
    managed = choose_identity({"metadata_url": "http://127.0.0.1:1"}, VARIABLES)
    assert not isinstance(managed, Application)
    assert managed.metadata_url == "http://127.0.0.1:1"
    file = choose_identity({"federated_token_file": "~/token"}, VARIABLES)
    assert isinstance(file, Application)
    assert file.token_file == Path.home() / "token"
