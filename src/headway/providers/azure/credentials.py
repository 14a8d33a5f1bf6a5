"""The options that get a token from Entra ID where there is no key."""

from __future__ import annotations

CREDENTIAL_OPTIONS = {
    "tenant_id": "the Entra ID tenant, where there is no key (AZURE_TENANT_ID)",
    "client_id": "the application's or the managed identity's id (AZURE_CLIENT_ID)",
    "client_secret": "the application's secret (AZURE_CLIENT_SECRET)",
    "client_certificate": "in its place, a PEM file (AZURE_CLIENT_CERTIFICATE_PATH)",
    "client_certificate_password": "its password (AZURE_CLIENT_CERTIFICATE_PASSWORD)",
    "federated_token_file": "in its place, a workload's token (AZURE_FEDERATED_TOKEN_FILE)",
    "authority_host": "who gives tokens; https://login.microsoftonline.com by default",
    "metadata_url": "the machine's metadata server; http://169.254.169.254 by default",
    "scope": "what tokens are for; https://cognitiveservices.azure.com/.default by default",
}
SECRET_OPTIONS = frozenset({"client_secret", "client_certificate_password"})
