"""Remedies for missing or refused Google credentials, for error messages."""

REMEDY = (
    "set credentials_file in the provider's configuration or GOOGLE_APPLICATION_CREDENTIALS, run"
    " `gcloud auth application-default login`, or run on Google Cloud with a service account"
)
