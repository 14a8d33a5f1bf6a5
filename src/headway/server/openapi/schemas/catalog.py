"""The models and the providers in flat lists."""

from __future__ import annotations

from typing import Any

from headway.catalog import key_checks
from headway.server.api import model_list_route, provider_routes
from headway.server.openapi.schemas.from_structs import shape_of

ModelList: Any = shape_of(model_list_route.ModelList)
ProviderList: Any = shape_of(provider_routes.ProviderList)
ProviderCheck: Any = shape_of(key_checks.ProviderCheck)
