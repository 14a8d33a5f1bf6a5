"""Remedies for missing or refused AWS credentials, for error messages."""

REMEDY = (
    "give this provider an api_key (a Bedrock API key), or access_key and secret_key, or a profile,"
    " or a role_arn"
)
