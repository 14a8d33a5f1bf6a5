"""The HTTP client for upstreams: pools, TLS, proxies, timeouts; and the echo transport."""
