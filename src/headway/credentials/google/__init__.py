"""Access tokens for Google Cloud."""
