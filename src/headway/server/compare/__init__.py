"""``POST /api/compare``: several models answer one request at once, over one event stream."""
