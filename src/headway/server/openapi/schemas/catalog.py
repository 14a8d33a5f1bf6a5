"""The models and the providers in flat lists."""

from __future__ import annotations

from typing import Any

from headway.server.api import model_list_route
from headway.server.openapi.schemas.from_structs import shape_of

ModelList: Any = shape_of(model_list_route.ModelList)
