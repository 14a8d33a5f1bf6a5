"""What an operator can do where AWS credentials are missing or refused."""

REMEDY = (
    "give this provider an api_key (a Bedrock API key), or access_key and secret_key, or a profile,"
    " or a role_arn"
)
