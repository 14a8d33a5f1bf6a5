"""Pictures of the page ``playground``."""

from __future__ import annotations

from page.pictures.picture import Picture

PICTURES = [Picture("playground", "#/playground")]
