"""Benchmarks, as modules: ``python -m bench.compare``, ``bench.soak``, ``bench.profile``."""
