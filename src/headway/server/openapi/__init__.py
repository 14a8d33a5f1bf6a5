"""The API's description: `/openapi.json`, `/docs` and docs/http-api.md."""
