"""The model list service: which models each provider has, with prices and parameters."""
