"""The HTTP/1.1 server protocol, on uvicorn's server."""
