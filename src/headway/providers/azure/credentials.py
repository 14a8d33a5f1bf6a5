"""The options for tokens from Entra ID, which replace the key where there is none."""

CREDENTIAL_OPTIONS = {
    "tenant_id": "the Entra ID tenant, if there is no key (AZURE_TENANT_ID)",
    "client_id": "the id of the application or managed identity (AZURE_CLIENT_ID)",
    "client_secret": "the secret of the application (AZURE_CLIENT_SECRET)",
    "client_certificate": "a PEM file, instead of the secret (AZURE_CLIENT_CERTIFICATE_PATH)",
    "client_certificate_password": "the password of that file (AZURE_CLIENT_CERTIFICATE_PASSWORD)",
    "federated_token_file": "a file with the workload's token, instead of the secret"
    " (AZURE_FEDERATED_TOKEN_FILE)",
    "authority_host": "the issuer of the tokens; https://login.microsoftonline.com by default",
    "metadata_url": "the metadata server of the machine; http://169.254.169.254 by default",
    "scope": "the scope of the tokens; https://cognitiveservices.azure.com/.default by default",
}
SECRET_OPTIONS = frozenset({"client_secret", "client_certificate_password"})
