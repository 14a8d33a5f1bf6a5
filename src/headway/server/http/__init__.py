"""How clients' bytes become requests, and answers become bytes: HTTP/1.1 over uvicorn's server."""
